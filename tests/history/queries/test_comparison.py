"""Sessions side by side, out of what is known of each."""

import pytest

from history.errors import BadQuery
from history.queries.comparison import compared, parse_ids
from session.state import SUMMARY_NAMES
from tests.hub.made import NOW, bucket, folded, report, tokens


def test_each_session_is_told_with_what_can_be_compared() -> None:
    """Its summary, its maps, its tokens by minute, and how long it took."""
    told = report(
        "a", at=NOW + 500, started_at=NOW, calls=tokens(7), buckets={60_000: bucket(7)},
        tools={"Bash": {"calls": 2, "errors": 1, "total_ms": 9}},
    )  # fmt: skip
    first, second = compared([folded(told), folded(report("b", at=None))])
    assert set(SUMMARY_NAMES) < set(first) == set(second)
    assert (first["id"], first["duration_ms"], second["id"]) == ("a", 500, "b")
    assert first["models"]["opus"]["tokens"]["output"] == 7
    assert first["tools"]["Bash"]["calls"] == 2
    assert [each["output"] for each in first["token_series"]] == [7]


def test_ids_are_told_once_each() -> None:
    """Two to eight of them."""
    assert parse_ids("a,b,a,,c") == ["a", "b", "c"]
    for told in (None, "", "a", "a,a", ",".join("abcdefghi")):
        with pytest.raises(BadQuery, match=r"^ids: "):
            parse_ids(told)
