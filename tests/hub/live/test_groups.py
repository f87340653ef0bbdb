"""The overview: groups, their pace, what enters and leaves, pinned rows and totals."""

from typing import Any

import pytest

from tests.hub.made import (
    NOW,
    Desk,
    Viewer,
    event,
    folded,
    of_type,
    past,
    permission,
    report,
    tool_end,
)

pytestmark = pytest.mark.usefixtures("way")


def patches(viewer: Viewer) -> list[dict[str, Any]]:
    """Read everything, and give the overview's patches."""
    return of_type(viewer.read(), "overview.patch")


def test_the_first_change_after_quiet_leaves_at_once() -> None:
    """The leading edge: nobody waits for a tick when nothing was sent lately."""
    desk = Desk()
    viewer = desk.connect(rate_hz=1)
    viewer.read()
    desk.say(event("prompt", "a"))
    [patch] = patches(viewer)
    assert [row["id"] for row in patch["set"]] == ["a"]


def test_what_follows_waits_for_the_tick_and_comes_as_one() -> None:
    """At 1 Hz a second's changes are one frame with the present values."""
    desk = Desk()
    viewer = desk.connect(rate_hz=1)
    desk.say(event("prompt", "a"))
    viewer.read()
    for at in range(1, 10):
        desk.say(event("tool_start", "a", at=NOW + at, call=str(at), tool=f"t{at}"))
    assert patches(viewer) == []
    desk.advance(1_000)
    [patch] = patches(viewer)
    [row] = patch["set"]
    assert row["current_tool"] == "t9"
    viewer.check()


@pytest.mark.parametrize("rate_hz", [1, 5, 20, 60, 200, 1000])
def test_a_group_gets_at_most_its_rate_and_not_much_less(rate_hz: int) -> None:
    """Changed every millisecond for three seconds, it sends ``rate`` frames a second."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(rate_hz=rate_hz)
    viewer.read()
    count = 0
    for at in range(3_000):
        desk.log(event("tool_start", "a", at=NOW + at, call=str(at), tool="Bash"))
        desk.advance(1)
        count += len(patches(viewer))
    assert 2.7 * rate_hz <= count <= 3 * rate_hz + 1


def test_a_costly_flush_makes_the_ticks_longer_up_to_a_second() -> None:
    """Ten times the smoothed cost, never staler than a second."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(rate_hz=60)
    viewer.read()
    for _ in range(100):
        desk.board.charge(30.0)
    desk.say(event("stop", "a"))
    assert len(patches(viewer)) == 1
    desk.log(event("prompt", "a"))
    desk.advance(250)
    assert patches(viewer) == []
    desk.advance(100)
    assert len(patches(viewer)) == 1
    for _ in range(100):
        desk.board.charge(10_000.0)
    desk.say(event("stop", "a", at=NOW + 1))
    desk.advance(1_001)
    viewer.check()


def test_a_few_changes_in_a_row_wait_for_the_rate_alone_and_many_for_their_share() -> None:
    """Flushes of 0.4 ms: three in three milliseconds, and no more than 250 a second for long."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(rate_hz=1000)
    viewer.read()
    for _ in range(100):
        desk.board.charge(0.4)
    desk.advance(1_000)
    viewer.read()
    counts = []
    for at in range(2_000):
        desk.log(event("tool_start", "a", at=NOW + at, call=str(at), tool="Bash"))
        desk.advance(1)
        counts.append(len(patches(viewer)))
    assert counts[:3] == [1, 1, 1]
    assert 450 <= sum(counts) <= 2 * 250 + 3


def test_equal_view_and_rate_share_the_very_bytes() -> None:
    """Two clients of one group are handed the same object, for every patch and every part."""
    desk = Desk()
    view = {"status": ["running", "idle"]}
    one = desk.connect(view=view, rate_hz=30)
    two = desk.connect(view={"status": ["idle", "running"]}, rate_hz=20)
    other = desk.connect(view=view, rate_hz=60)
    for viewer in (one, two, other):
        viewer.read()
        viewer.handed.clear()
    for each in "abc":
        desk.say(event("prompt", each))
        desk.advance(60)
    for viewer in (one, two, other):
        viewer.check()
    assert len(one.handed) == 3
    assert all(a is b for a, b in zip(one.handed, two.handed, strict=True))
    assert not any(a is b for a in one.handed for b in other.handed)


def test_an_absent_field_is_unchanged_and_null_is_cleared() -> None:
    """A patch carries the changed names alone, a cleared one as null."""
    desk = Desk()
    desk.log(event("tool_start", "a", call="1", tool="Bash"))
    viewer = desk.connect()
    viewer.read()
    desk.say(event("tool_end", "a", call="1", tool="Bash"))
    [patch] = patches(viewer)
    [row] = patch["set"]
    assert row["current_tool"] is None
    assert "title" not in row
    viewer.check()


def test_small_objects_come_whole() -> None:
    """Objectives of which one is done are told as both numbers."""
    desk = Desk()
    tasks = {str(n): {"text": "t", "status": "open", "at": 1} for n in range(3)}
    desk.log(event("task", "a", objectives=tasks))
    viewer = desk.connect()
    viewer.read()
    desk.say(event("task", "a", objectives={"1": {"status": "completed"}}))
    [patch] = patches(viewer)
    assert patch["set"][0]["objectives"] == {"done": 1, "total": 3}


def test_rows_enter_in_full_and_leave_by_name() -> None:
    """A session that changes its status leaves one view and enters another."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    running = desk.connect(view={"status": ["running"]})
    idle = desk.connect(view={"status": ["idle"]})
    running.read()
    idle.read()
    desk.say(event("stop", "a"))
    [left], [entered] = patches(running), patches(idle)
    assert (left["set"], left["gone"]) == ([], ["a"])
    assert entered["gone"] == []
    assert entered["set"][0]["status"] == "idle"
    running.check()
    idle.check()


def test_a_full_view_lets_one_go_for_each_that_enters() -> None:
    """Beyond the limit the last row is gone, and comes back in full."""
    desk = Desk()
    desk.log(*(event("prompt", each, at=NOW - n) for n, each in enumerate("abc")))
    viewer = desk.connect(view={"limit": 2})
    viewer.read()
    assert viewer.reference.row_order == ["a", "b"]
    desk.say(event("prompt", "d", at=NOW + 5))
    [patch] = patches(viewer)
    assert ([row["id"] for row in patch["set"]], patch["gone"]) == (["d"], ["b"])
    desk.advance(100)
    desk.say(event("stop", "d", at=NOW + 6))
    desk.say(event("stop", "a", at=NOW + 7))
    desk.advance(100)
    viewer.check()


def test_a_change_that_no_row_shows_sends_nothing_but_totals() -> None:
    """What happens outside a view costs its clients nothing."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(view={"status": ["waiting"]})
    viewer.read()
    desk.say(event("stop", "a"))
    [patch] = patches(viewer)
    assert (patch["set"], patch["gone"]) == ([], [])
    desk.say(event("prompt", "a", at=NOW + 1))
    desk.advance(500)
    assert patches(viewer) == []


def test_totals_come_at_most_once_a_second_and_end_up_right() -> None:
    """A busy second's totals are told once, the last ones are told in the end."""
    desk = Desk()
    viewer = desk.connect(rate_hz=60)
    viewer.read()
    for at in range(100):
        desk.log(event("prompt", f"s{at}"))
        desk.advance(30)
    told = [patch for patch in patches(viewer) if "totals" in patch]
    assert len(told) <= 4
    desk.advance(2_000)
    viewer.read()
    expected = desk.board.cache.totals_of("default").view()
    assert viewer.reference.totals == expected
    assert expected["sessions"] == 100


def test_totals_that_come_back_to_what_they_were_reach_a_latecomer() -> None:
    """Its snapshot had those in between, which the others never heard of."""
    desk = Desk()
    first = desk.connect()
    desk.say(permission("a"))
    desk.advance(1_500)
    desk.say(permission("b"))
    desk.advance(100)
    desk.say(tool_end("b", at=NOW + 1))
    desk.advance(100)
    late = desk.connect()
    late.read()
    desk.say(permission("b", call="again", at=NOW + 2))
    desk.advance(3_000)
    expected = desk.board.cache.totals_of("default").view()
    for viewer in (first, late):
        viewer.read()
        assert viewer.reference.totals == expected


def test_totals_that_are_what_they_were_are_not_told_again() -> None:
    """A row that changes without them costs none."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect()
    viewer.read()
    for at in range(50):
        desk.say(event("tool_start", "a", at=NOW + at, call="1", tool=f"T{at}"))
        desk.advance(100)
    told = patches(viewer)
    assert len(told) == 50
    assert len([patch for patch in told if "totals" in patch]) <= 1


def test_totals_cover_all_sessions_whatever_the_view() -> None:
    """A view that shows nothing still tells how many there are."""
    desk = Desk()
    desk.log(event("prompt", "a"), permission("b"))
    viewer = desk.connect(view={"q": "nothing"})
    viewer.read()
    totals = viewer.reference.totals
    assert totals is not None
    assert (totals["sessions"], totals["attention"]) == (2, 1)
    assert totals["status"] == {"running": 1, "waiting": 1}


def test_totals_equal_a_fresh_sum_after_many_changes() -> None:
    """Kept up row by row, they are what counting anew would give."""
    desk = Desk()
    for n in range(50):
        desk.log(report(f"s{n % 7}", to=n + 1, calls={"m": _calls(n)}), event("stop", f"s{n % 5}"))
    totals = desk.board.cache.totals_of("default").view()
    sessions = list(desk.board.cache.sessions("default"))
    assert totals["tokens"]["output"] == sum((s.tokens or {}).get("output", 0) for s in sessions)
    assert totals["cost_usd"] == pytest.approx(sum(s.cost_usd or 0 for s in sessions))
    assert totals["status"] == {"idle": 7}


def _calls(n: int) -> dict[str, Any]:
    names = dict.fromkeys(("input", "cache_read", "cache_write"), n)
    return {**names, "output": 2 * n, "cost_usd": n / 7, "calls": 1, "unpriced": 0}


def test_a_pinned_row_is_private_and_moves_no_shared_cursor() -> None:
    """The client that pinned it gets its changes, its neighbours neither rows nor cursors."""
    desk = Desk()
    desk.log(event("session_start", "idle"), event("prompt", "runs"))
    view = {"status": ["running"]}
    plain, pinning = desk.connect(view=view), desk.connect(view={**view, "pinned": ["idle"]})
    plain.read()
    pinning.read()
    assert set(pinning.reference.rows) == {"idle", "runs"}
    assert plain.reference.overview == pinning.reference.overview
    desk.say(event("notification", "idle", at=NOW + 1))
    desk.advance(3_000)
    plain.check()
    pinning.check()
    assert set(plain.reference.rows) == {"runs"}
    assert plain.reference.overview == pinning.reference.overview


def test_a_pinned_row_that_leaves_the_view_stays() -> None:
    """The shared frame says gone, the client's own brings the row back in full."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(view={"status": ["running"], "pinned": ["a"]})
    viewer.read()
    desk.say(event("stop", "a"))
    desk.advance(100)
    viewer.check()
    assert viewer.reference.rows["a"]["status"] == "idle"
    desk.say(event("prompt", "a", at=NOW + 1))
    desk.advance(100)
    viewer.check()


def test_a_pinned_row_that_leaves_the_cache_is_gone() -> None:
    """A row that nobody holds any more does not stand on the board for ever."""
    desk = Desk(board_rows_min=2)
    desk.log(past("old", 90_000_000))
    viewer = desk.connect(view={"status": ["running"], "pinned": ["old"]})
    viewer.read()
    assert set(viewer.reference.rows) == {"old"}
    desk.say(event("prompt", "a"), event("prompt", "b"))
    assert desk.board.cache.get(("default", "old")) is None
    desk.advance(1_000)
    viewer.check()


def test_another_view_is_answered_by_its_snapshot() -> None:
    """The rows of the old view are replaced, and the new chain goes on from there."""
    desk = Desk()
    desk.log(event("prompt", "a"), event("session_start", "b"))
    viewer = desk.connect()
    viewer.read()
    viewer.ask("view", status=["idle"])
    [snapshot] = viewer.read()
    assert [row["id"] for row in snapshot["sessions"]] == ["b"]
    desk.say(event("stop", "a"))
    viewer.check()
    assert set(viewer.reference.rows) == {"a", "b"}


def test_a_latecomer_joins_the_chain_where_it_stands() -> None:
    """What was pending goes to those in step first; then both hold the same cursor."""
    desk = Desk()
    first = desk.connect(rate_hz=1)
    desk.say(event("prompt", "a"))
    desk.log(event("prompt", "b"))
    second = desk.connect(rate_hz=1)
    first.check()
    second.check()
    assert first.reference.overview == second.reference.overview
    desk.advance(1_000)
    desk.say(event("stop", "a"))
    desk.advance(1_000)
    first.check()
    second.check()
    assert first.reference.overview == second.reference.overview


def test_an_overview_cursor_moves_with_every_frame_and_only_then() -> None:
    """A flush that sends nothing leaves it where it is."""
    desk = Desk()
    viewer = desk.connect()
    viewer.read()
    seen = [viewer.reference.overview]
    for at in range(5):
        desk.say(event("prompt", "a", at=NOW + at), event("stop", "a", at=NOW + at))
        desk.advance(20)
        for patch in patches(viewer):
            assert patch["from"] == seen[-1]
            seen.append(patch["cursor"])
    assert len(set(seen)) == len(seen) > 3
    desk.advance(1_500)
    patches(viewer)
    last = viewer.reference.overview
    desk.advance(4_000)
    assert viewer.reference.overview == last


def test_a_session_that_was_let_go_and_restored_in_one_tick_is_shown_as_it_is_now() -> None:
    """A row is told in full when the session is another one than before."""
    desk = Desk(board_rows_min=2)
    desk.log(past("old", 90_000_000, titles={"ai": "before"}), event("prompt", "a"))
    viewer = desk.connect(rate_hz=1)
    viewer.read()
    desk.say(event("stop", "a"))
    desk.log(event("prompt", "b"))
    assert desk.board.cache.get(("default", "old")) is None
    told = past("old", 90_000_000, titles={"ai": "after"})
    desk.restore(folded(told))
    desk.advance(1_000)
    viewer.check()
    assert viewer.reference.rows["old"]["title"] == "after"
