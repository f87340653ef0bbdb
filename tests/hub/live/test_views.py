"""Which rows a view shows, in which order, and what moves them."""

from typing import Any

import pytest

from hub.errors import BadRequest
from hub.live.views import View, parse_view
from session.state import Session
from tests.hub.made import NOW, Desk, event, permission, report, tokens


def ids(desk: Desk, **view: Any) -> list[str]:
    """The rows that a new client with this view is shown."""
    viewer = desk.connect(view=view)
    viewer.read()
    viewer.check()
    return viewer.reference.row_order


def test_the_default_order_is_attention_then_status_then_newest() -> None:
    """Who waits for a person stands on top, who is idle at the end."""
    desk = Desk()
    desk.log(event("session_start", "idle", at=NOW + 50), event("prompt", "old", at=NOW - 50))
    desk.log(event("prompt", "young"), event("prompt", "failed", at=NOW - 90))
    desk.log(event("stop_failure", "failed", at=NOW - 90))
    desk.log(event("prompt", "asks", at=NOW - 70), permission("asks"))
    desk.log(event("session_end", "over", at=NOW + 99))
    assert ids(desk) == ["asks", "failed", "young", "old", "idle", "over"]


def test_activity_alone_moves_no_row() -> None:
    """A session that is heard again stays where it was."""
    desk = Desk()
    desk.log(*(event("prompt", each, at=NOW - n) for n, each in enumerate("abc")))
    before = ids(desk)
    desk.log(event("tool_start", "c", at=NOW + 9, call="1", tool="Bash"))
    assert ids(desk) == before == ["a", "b", "c"]


def test_ties_are_broken_by_id() -> None:
    """Every worker shows the same order."""
    desk = Desk()
    desk.log(*(event("prompt", each) for each in "cab"))
    assert ids(desk) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        ({}, ["a", "b", "c"]),
        ({"status": ["running"]}, ["a", "b"]),
        ({"status": ["idle", "running"]}, ["a", "b", "c"]),
        ({"status": []}, ["a", "b", "c"]),
        ({"status": ["waiting"]}, []),
        ({"project": "x"}, ["a"]),
        ({"agent": "claude-code"}, ["a", "b", "c"]),
        ({"agent": "codex"}, []),
        ({"user": "ada"}, ["b"]),
        ({"q": "FIX bug"}, ["b"]),
        ({"q": "x"}, ["a", "b"]),
        ({"q": "nothing"}, []),
        ({"limit": 2}, ["a", "b"]),
        ({"sort": "started"}, ["c", "b", "a"]),
        ({"sort": "updated"}, ["c", "b", "a"]),
        ({"sort": "cost"}, ["b", "a", "c"]),
        ({"project": None, "limit": 1, "q": ""}, ["a"]),
    ],
)
def test_filters_sorts_and_limits(view: dict[str, Any], shown: list[str]) -> None:
    """Each filter lets through what it names, all of them together."""
    desk = Desk()
    desk.log(event("prompt", "a", at=NOW - 5, cwd="/home/x"), permission("a", at=NOW - 5))
    desk.log(event("tool_end", "a", at=NOW - 4, call="a-1", tool="Bash"))
    desk.log(event("stop_failure", "a", at=NOW - 4), event("prompt", "a", at=NOW - 3))
    desk.log(event("prompt", "b", at=NOW - 2, text="Fix the BUG of x", cwd="/home/y"))
    desk.log(report("b", calls=tokens(5), at=NOW - 2))
    desk.board.cache.held["default", "b"].session.user = "ada"
    desk.board.cache.held["default", "a"].session.started_at = NOW + 1
    desk.log(event("session_start", "c", at=NOW))
    if view.get("sort") == "started":
        desk.board.cache.held["default", "a"].session.started_at = NOW - 9
    assert ids(desk, **view) == shown


def test_archived_sessions_are_shown_on_request_only() -> None:
    """The default view leaves them out, and totals count them."""
    desk = Desk()
    desk.log(event("prompt", "a"), event("prompt", "b"))
    desk.board.cache.held["default", "a"].session.archived = True
    assert ids(desk) == ["b"]
    assert ids(desk, archived=True) == ["a", "b"]
    viewer = desk.connect()
    viewer.read()
    assert viewer.reference.totals is not None
    assert viewer.reference.totals["sessions"] == 2


def test_another_workspace_is_another_board() -> None:
    """Neither rows nor totals nor items nor sessions of it are shown."""
    desk = Desk()
    desk.log(event("prompt", "a"), permission("b", workspace="other"))
    mine, other = desk.connect(), desk.connect(workspace="other")
    mine.check()
    other.check()
    assert (list(mine.reference.rows), list(other.reference.rows)) == (["a"], ["b"])
    assert (len(mine.reference.items), len(other.reference.items)) == (0, 1)
    mine.ask("subscribe", session="b")
    assert mine.read()[-1]["code"] == "unknown_session"


@pytest.mark.parametrize(
    "told",
    [
        [], "x", {"status": "running"}, {"status": [1]}, {"status": ["x"]}, {"limit": 0},
        {"limit": True}, {"limit": "5"}, {"limit": 1.5}, {"sort": "best"}, {"sort": {"x": 1}},
        {"project": 5}, {"q": "x" * 201}, {"pinned": "a"}, {"pinned": [None]},
        {"pinned": ["a"] * 33}, {"status": ["idle"] * 33},
    ],
)  # fmt: skip
def test_what_is_no_view_is_a_bad_request(told: Any) -> None:
    """Every field is checked, and the answer names it."""
    with pytest.raises(BadRequest) as caught:
        parse_view(told, 5_000)
    assert caught.value.code == "bad_frame"


def test_equal_views_are_one_whatever_their_words() -> None:
    """Order and repetition of statuses, absent fields and nulls make no difference."""
    one, _ = parse_view({"status": ["running", "idle", "running"], "q": ""}, 5_000)
    two, pinned = parse_view({"status": ["idle", "running"], "user": None, "pinned": ["a"]}, 5_000)
    assert one == two
    assert pinned == ("a",)


def test_a_limit_is_cut_to_what_a_worker_gives() -> None:
    """More rows than the hub's own limit are not promised."""
    assert parse_view({"limit": 10**9}, 5_000)[0].limit == 5_000


@pytest.mark.parametrize("sort", ["default", "updated", "cost", "started"])
def test_every_name_that_moves_a_row_is_known(sort: str) -> None:
    """A change of any other name changes neither the place nor the membership of a row."""
    view = View(sort=sort, project="p", user="u", agent="claude-code", q="word")
    session = Session(id="a", workspace="default", project="p", user="u", title="word")
    place, inside = view.key(session), view.matches(session)
    changed: dict[str, Any] = {
        "title": "x", "status": "waiting", "attention": 1, "started_at": 5, "archived": True,
        "updated_at": 9, "cost_usd": 3.0, "project": "q", "user": "v", "agent": "codex",
        "branch": "word", "host": "h", "tokens": {"input": 1}, "current_tool": "Bash",
    }  # fmt: skip
    for name, value in changed.items():
        other = Session(id="a", workspace="default", project="p", user="u", title="word")
        setattr(other, name, value)
        moved = (view.key(other), view.matches(other)) != (place, inside)
        assert not moved or name in view.moving_names, name
