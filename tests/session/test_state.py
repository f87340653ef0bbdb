"""The public shapes of a session: row, detail and the token series."""

from itertools import pairwise

import pytest

from session.delta import cut_text
from session.state import (
    SUMMARY_NAMES,
    Session,
    detail,
    series_is_merged,
    summary,
    token_series,
)
from tests.session.made import NOW, assistant, clock, folded, reports, usage

MINUTE = 60_000


def session_with(minutes: list[int]) -> Session:
    """One token of output in each of these minutes."""
    session = Session(id="s", workspace="default")
    one = {"input": 0, "output": 1, "cache_read": 0, "cache_write": 0, "cost_usd": 0.5}
    session.minutes = {NOW // MINUTE * MINUTE + n * MINUTE: dict(one) for n in minutes}
    return session


def test_a_row_has_every_name_of_the_design() -> None:
    """31 names, in their order, none of them left out."""
    row = summary(Session(id="s", workspace="default"))
    assert tuple(row) == SUMMARY_NAMES
    assert len(row) == 31


def test_what_is_not_known_is_null() -> None:
    """A new session knows its id and little else."""
    row = summary(Session(id="s", workspace="default"))
    unknown = ("tokens", "cost_usd", "context_tokens", "messages", "title", "model", "objectives")
    assert {row[name] for name in unknown} == {None}


def test_the_detail_is_the_row_and_more_in_one_object() -> None:
    """Maps and series stand beside the row's names; the timeline is the caller's."""
    whole = detail(Session(id="s", workspace="default"))
    more = {
        "objectives_list", "tools", "models", "subagents_tree", "inherited", "timeline_partial",
        "usage_sources", "silent", "token_series", "errors_list",
    }  # fmt: skip
    assert set(whole) == set(SUMMARY_NAMES) | more


def test_up_to_240_minutes_stand_alone() -> None:
    """Each bucket is one minute, in order of time."""
    session = session_with(list(range(239, -1, -1)))
    series = token_series(session)
    assert not series_is_merged(session)
    assert len(series) == 240
    assert {two["at"] - one["at"] for one, two in pairwise(series)} == {MINUTE}


@pytest.mark.parametrize("count", [241, 500, 5_000])
@pytest.mark.parametrize("step", [1, 7, 1_440])
def test_beyond_240_minutes_the_older_ones_are_merged(count: int, step: int) -> None:
    """At most 240 buckets hold every token; the newest keep their minute."""
    session = session_with([n * step for n in range(count)])
    series = token_series(session)
    assert series_is_merged(session)
    assert len(series) <= 240
    assert sum(each["output"] for each in series) == count
    assert sum(each["cost_usd"] for each in series) == count / 2
    assert [each["at"] for each in series[-180:]] == sorted(session.minutes)[-180:]
    assert [each["at"] for each in series] == sorted({each["at"] for each in series})


def test_a_time_of_long_ago_merges_like_any_other() -> None:
    """A clock that was never set does not keep the session from being shown."""
    lines = [assistant(f"m{n}", at=NOW + n * MINUTE) for n in range(260)]
    lines.append(assistant("old", usage=usage(1)).replace(clock(NOW).encode(), b"0001-01-02"))
    assert len(token_series(folded(reports(b"".join(lines))))) <= 240


def test_the_key_of_a_session_is_its_workspace_and_id() -> None:
    """Two workspaces may hold the same id."""
    assert Session(id="s", workspace="w").key == ("w", "s")


@pytest.mark.parametrize(
    ("text", "cut", "size"),
    [("short", "short", None), ("x" * 8, "x" * 8, None), ("x" * 9, "x" * 8, 9),
     ("é" * 5, "é" * 4, 10), ("ab" + "🚀" * 2, "ab🚀", 10)],
)  # fmt: skip
def test_text_is_cut_between_characters(text: str, cut: str, size: int | None) -> None:
    """At so many bytes of UTF-8 at most, and with its full size."""
    assert cut_text(text, 8) == (cut, size)
