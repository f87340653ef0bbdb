"""The overview of a client that was passed over and has room again: the rows that it missed."""

import pytest

from session.state import SUMMARY_NAMES
from tests.hub.live.behind import BUDGET, busy, caught_up, desk_of, missed
from tests.hub.made import NOW, Desk, event, of_type, past, report

pytestmark = pytest.mark.usefixtures("way")

RUNNING = {"status": ["running"]}


def test_the_rows_that_changed_come_whole_in_one_patch() -> None:
    """From the cursor that is held to the chain's own; what did not change is not told."""
    desk = desk_of("abc")
    viewer = busy(desk, desk.connect())
    held = viewer.reference.overview
    stop, start = event("stop", "a"), event("tool_start", "b", call="1", tool="Bash")
    missed(desk, viewer, stop, start, event("prompt", "a", at=NOW + 1))
    [patch] = caught_up(desk, viewer)
    assert (patch["type"], patch["from"], patch["gone"]) == ("overview.patch", held, [])
    assert sorted(row["id"] for row in patch["set"]) == ["a", "b"]
    assert all(set(row) == set(SUMMARY_NAMES) for row in patch["set"])


def test_behind_it_the_client_shares_its_frames_again() -> None:
    """The next patch is the very one that its neighbour gets."""
    desk = desk_of("ab")
    neighbour = desk.connect()
    viewer = busy(desk, desk.connect())
    missed(desk, viewer, event("stop", "a"))
    caught_up(desk, viewer)
    neighbour.read()
    neighbour.handed.clear()
    viewer.handed.clear()
    desk.say(event("stop", "b"))
    desk.advance(20)
    viewer.check()
    neighbour.check()
    assert len(viewer.handed) == 1
    assert viewer.handed[0] is neighbour.handed[0]


def test_two_who_fell_behind_at_different_times_get_what_each_missed() -> None:
    """Each from the cursor that it holds."""
    desk = desk_of("abc")
    first = busy(desk, desk.connect())
    missed(desk, first, event("stop", "a"))
    second = busy(desk, desk.connect())
    missed(desk, second, event("stop", "b"))
    later, [patch] = caught_up(desk, second), caught_up(desk, first)
    assert [row["id"] for row in later[-1]["set"]] == ["b"]
    assert sorted(row["id"] for row in patch["set"]) == ["a", "b"]


def test_rows_that_left_and_rows_that_came() -> None:
    """Gone for those that are shown and should not be, in full for those that are new."""
    desk = desk_of("ab")
    viewer = busy(desk, desk.connect(view=RUNNING))
    missed(desk, viewer, event("stop", "a"), event("prompt", "c"))
    [patch] = caught_up(desk, viewer)
    assert ([row["id"] for row in patch["set"]], patch["gone"]) == (["c"], ["a"])


def test_a_row_that_came_and_went_meanwhile_is_never_told() -> None:
    """Neither set nor gone."""
    desk = desk_of("a")
    viewer = busy(desk, desk.connect(view=RUNNING))
    missed(desk, viewer, event("prompt", "b"), event("stop", "b"))
    [patch] = caught_up(desk, viewer)
    assert (patch["set"], patch["gone"]) == ([], [])


def test_a_row_that_left_and_came_back_is_told_as_it_is_now() -> None:
    """Also what changed while it was not in the view."""
    desk = desk_of("ab")
    viewer = busy(desk, desk.connect(view=RUNNING))
    missed(
        desk, viewer, event("stop", "a"), report("a", titles={"custom": "changed unseen"}),
        event("prompt", "a", at=NOW + 1),
    )  # fmt: skip
    [patch] = caught_up(desk, viewer)
    assert [row["title"] for row in patch["set"]] == ["changed unseen"]
    assert patch["gone"] == []


def test_a_row_that_was_displaced_and_is_back_without_a_change_of_its_own() -> None:
    """A view of one row shows another for a while: what was shown before is shown still."""
    desk = desk_of("a")
    viewer = busy(desk, desk.connect(view={**RUNNING, "limit": 1}))
    missed(desk, viewer, event("prompt", "z", at=NOW + 5), event("stop", "z", at=NOW + 6))
    caught_up(desk, viewer)
    assert list(viewer.reference.rows) == ["a"]


def test_a_row_that_left_the_board_meanwhile_is_gone() -> None:
    """Its session was let go."""
    desk = desk_of("a", board_rows_min=2)
    desk.log(past("old", 90_000_000))
    viewer = busy(desk, desk.connect())
    missed(desk, viewer, event("prompt", "b"))
    assert desk.board.cache.get(("default", "old")) is None
    [patch] = caught_up(desk, viewer)
    assert patch["gone"] == ["old"]


def test_a_pinned_row_that_left_the_board_meanwhile_is_gone() -> None:
    """A row that only this client showed."""
    desk = desk_of("a", board_rows_min=2)
    desk.log(past("old", 90_000_000))
    viewer = busy(desk, desk.connect(view={**RUNNING, "pinned": ["old"]}))
    missed(desk, viewer, event("prompt", "b"))
    assert desk.board.cache.get(("default", "old")) is None
    caught_up(desk, viewer)


def test_a_pinned_row_that_changed_or_left_the_view_meanwhile_is_as_it_is_now() -> None:
    """Whether it was in the view when the client fell behind or not."""
    desk = desk_of("abc")
    desk.log(event("stop", "b"))
    viewer = busy(desk, desk.connect(view={**RUNNING, "pinned": ["a", "b"]}))
    missed(desk, viewer, event("stop", "a"), event("stop_failure", "b", at=NOW + 1))
    caught_up(desk, viewer)
    assert {name: row["status"] for name, row in viewer.reference.rows.items()} == {
        "a": "idle", "b": "failed", "c": "running",
    }  # fmt: skip


def test_a_session_that_is_another_one_than_before_is_told_whole() -> None:
    """Let go and restored while the client was behind."""
    desk = desk_of("a", board_rows_min=2)
    desk.log(past("old", 90_000_000, titles={"ai": "before"}))
    viewer = busy(desk, desk.connect())
    missed(desk, viewer, event("prompt", "b"))
    [told] = [past("old", 90_000_000, titles={"ai": "after"})]
    session = desk.board.cache.get(("default", "old"))
    assert session is None
    folded = Desk()
    folded.log(told)
    desk.restore(folded.board.cache.held["default", "old"].session)
    desk.advance(1_000)
    caught_up(desk, viewer)
    assert viewer.reference.rows["old"]["title"] == "after"


def test_a_late_patch_that_is_large_comes_in_several_frames() -> None:
    """None is larger than it may be, and only the last moves the cursor."""
    desk = Desk(in_flight_bytes_max=BUDGET)
    desk.log(*(event("prompt", f"s{n:03}", cwd="/" + "x" * 900) for n in range(120)))
    viewer = busy(desk, desk.connect())
    held = viewer.reference.overview
    desk.say(*(event("stop", f"s{n:03}", at=NOW + 1) for n in range(120)))
    desk.advance(100)
    frames = of_type(caught_up(desk, viewer), "overview.patch")
    assert len(frames) >= 2
    assert [frame["cursor"] for frame in frames[:-1]] == [held] * (len(frames) - 1)


def test_totals_come_with_what_was_missed() -> None:
    """The present ones, and later changes as for everybody."""
    desk = desk_of("ab")
    viewer = busy(desk, desk.connect(view={"q": "nothing"}))
    missed(desk, viewer, event("stop", "a"))
    caught_up(desk, viewer)
    assert viewer.reference.totals is not None
    assert viewer.reference.totals["status"] == {"idle": 1, "running": 1}


def test_nothing_is_remembered_once_nobody_is_behind() -> None:
    """The trace of a group and of a channel is let go with the next frame."""
    desk = desk_of("a")
    viewer = busy(desk, desk.connect().open("a"))
    missed(desk, viewer, event("stop", "a"))
    caught_up(desk, viewer)
    desk.say(event("prompt", "a", at=NOW + 1))
    desk.advance(20)
    rooms = [*desk.board.rooms.groups.values(), *desk.board.rooms.channels.values()]
    assert [room._trace.since(-1) for room in rooms] == [[], []]
