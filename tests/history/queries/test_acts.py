"""The record of who did what: added to, read by pages, let go by age and beyond a count."""

import pytest

from history import housekeeping
from history.database import Database
from history.errors import BadQuery
from history.history import History
from history.queries import acts
from history.queries.filters import parse_page
from tests.history.doors import make_act
from tests.hub.made import NOW

DAY_MS = 86_400_000


async def actions(history: History, workspace: str | None) -> list[str]:
    """All that is kept of a workspace."""
    return [act.action for _, act in (await history.acts(workspace, 1_000, None)).acts]


async def test_what_was_done_is_kept_as_it_was_told(history: History) -> None:
    """Every field; what no database takes is cleaned and never lost."""
    whole = make_act("patch", session="s'; --", address="192.0.2.7", detail="title")
    await history.keep_acts([whole, make_act("open", session="a\x00b\ud800")])
    kept = [act for _, act in (await history.acts("default", 10, None)).acts]
    assert kept[1] == whole
    assert kept[0].session is not None
    assert kept[0].session.startswith("a")


async def test_a_workspace_is_told_of_itself_alone(history: History) -> None:
    """Whoever may see all is told of what belongs to none as well."""
    told = {"open": "default", "end": "shop", "sign_in_failed": ""}
    await history.keep_acts([make_act(name, workspace=where) for name, where in told.items()])
    assert await actions(history, "default") == ["open"]
    assert await actions(history, "shop") == ["end"]
    assert await actions(history, "nothing") == []
    assert await actions(history, None) == ["sign_in_failed", "end", "open"]


async def test_pages_join_without_gap_or_overlap(history: History) -> None:
    """The latest first, also while more is being added."""
    await history.keep_acts([make_act(str(number)) for number in range(250)])
    found, cursor = [], None
    while True:
        page = await history.acts("default", 100, cursor)
        found += [int(act.action) for _, act in page.acts]
        await history.keep_acts([make_act("-1")])
        if page.next is None:
            break
        cursor = page.next
    assert found == list(range(250))[::-1]


async def test_it_is_let_go_by_age(history: History, database: Database) -> None:
    """Whatever is older than so many days."""
    await history.keep_acts([make_act("old", at=NOW - 31 * DAY_MS), make_act("new")])
    await housekeeping.tidy_door(database, 30, NOW)
    assert await actions(history, None) == ["new"]


async def test_it_is_let_go_beyond_a_count(
    history: History, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eldest go first."""
    monkeypatch.setattr(acts, "ROWS_KEPT_MAX", 2)
    await history.keep_acts([make_act(name) for name in "abc"])
    await housekeeping.tidy_door(database, 30, NOW)
    assert await actions(history, None) == ["c", "b"]


@pytest.mark.parametrize(
    ("limit", "cursor", "said"),
    [
        ("0", None, "limit"), ("1001", None, "limit"), ("x", None, "whole"), ("", None, "whole"),
        (None, "0", "cursor"), (None, "x", "whole"), (None, str(2**63), "cursor"),
    ],
)  # fmt: skip
def test_a_page_that_means_nothing_is_refused(
    limit: str | None, cursor: str | None, said: str
) -> None:
    """The refusal says which part."""
    with pytest.raises(BadQuery, match=said):
        parse_page(limit, cursor)


def test_a_page_is_a_hundred_unless_told() -> None:
    """From the latest on."""
    assert parse_page(None, None) == (100, None)
    assert parse_page("7", "9") == (7, 9)
