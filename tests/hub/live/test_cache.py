"""What a worker keeps in memory: live sessions, as many past ones as fill the board, rings."""

import pytest

from hub.limits import Limits
from hub.live.cache import RING_IDLE_MS, Cache, Held
from session.state import Session
from tests.hub.made import (
    NOW,
    Desk,
    event,
    folded,
    of_type,
    past,
    permission,
    report,
    said,
    silence,
)

DAY_MS = 86_400_000


def names(desk: Desk) -> set[str]:
    """The ids of what is cached."""
    return {key[1] for key in desk.board.cache.held}


def test_a_board_of_few_live_rows_is_filled_up_with_the_most_recent_past() -> None:
    """Two live and a board of five: the three youngest past ones are kept."""
    desk = Desk(board_rows_min=5)
    desk.log(*(past(f"p{n}", DAY_MS * (n + 2)) for n in range(8)))
    desk.log(event("prompt", "a"), event("prompt", "b"))
    assert names(desk) == {"a", "b", "p0", "p1", "p2"}
    viewer = desk.connect()
    viewer.check()
    assert len(viewer.reference.rows) == 5


def test_the_order_in_which_files_are_read_makes_no_difference() -> None:
    """Oldest first or youngest first, the same sessions stay."""
    ages = [DAY_MS * (n + 2) for n in range(12)]
    boards = []
    for order in (ages, ages[::-1]):
        desk = Desk(board_rows_min=4)
        desk.log(*(past(f"p{age}", age) for age in order))
        boards.append(names(desk))
    assert boards[0] == boards[1] == {f"p{age}" for age in ages[:4]}


def test_a_full_board_of_live_rows_shows_no_past_one() -> None:
    """A live session displaces a past one, and more live ones than the board are all kept."""
    desk = Desk(board_rows_min=3)
    desk.log(past("p", DAY_MS * 2))
    viewer = desk.connect()
    for n in range(6):
        desk.say(event("prompt", f"s{n}"))
        desk.advance(20)
    assert names(desk) == {f"s{n}" for n in range(6)}
    viewer.check()
    desk.log(past("q", DAY_MS * 2))
    assert "q" not in names(desk)
    assert desk.board.cache.knows(("default", "q"))


def test_a_session_that_becomes_past_leaves_a_full_board() -> None:
    """It goes with the tick, and is known by name."""
    desk = Desk(board_rows_min=2)
    desk.log(event("prompt", "a"), event("prompt", "b"), event("prompt", "c"))
    viewer = desk.connect()
    viewer.read()
    desk.say(silence("past", "b", NOW))
    desk.advance(20)
    assert names(desk) == {"a", "c"}
    assert desk.board.cache.knows(("default", "b"))
    viewer.check()


def test_an_opened_past_session_is_not_let_go() -> None:
    """It leaves when the last client closes it and the board changes again."""
    desk = Desk(board_rows_min=2)
    desk.log(past("p", DAY_MS * 2), event("prompt", "a"))
    viewer = desk.connect().open("p")
    desk.log(event("prompt", "b"), event("prompt", "c"))
    assert "p" in names(desk)
    desk.advance(20)
    viewer.check()
    viewer.ask("unsubscribe", session="p")
    desk.log(event("stop", "a"))
    assert "p" not in names(desk)


def test_live_sessions_beyond_the_workers_limit_leave_the_longest_unchanged_first() -> None:
    """Those that are open somewhere or wait for a person stay."""
    desk = Desk(board_rows_min=2, sessions_max=4)
    desk.log(event("prompt", "opened"), permission("asks"))
    desk.connect().open("opened")
    for n in range(5):
        desk.now += 1
        desk.log(event("prompt", f"s{n}"))
    assert names(desk) == {"opened", "asks", "s3", "s4"}
    viewer = desk.connect()
    viewer.check()


def test_restoring_brings_a_session_back_with_its_timeline() -> None:
    """Its row is shown in full, and it can be opened."""
    desk = Desk(board_rows_min=2)
    told = past("p", DAY_MS * 2, entries=said(3), titles={"ai": "title"})
    desk.log(told, event("prompt", "a"))
    viewer = desk.connect()
    viewer.read()
    desk.say(event("prompt", "b"))
    desk.advance(20)
    viewer.check()
    assert desk.board.cache.wanted("default", ["p", "a"]) == ["p"]
    desk.restore(folded(told))
    viewer.open("p")
    desk.advance(1_000)
    viewer.check()
    assert len(viewer.reference.opened["p"].timeline) == 3
    assert viewer.reference.rows["p"]["title"] == "title"


def test_a_delta_of_a_session_that_is_not_held_may_build_on_what_is_kept() -> None:
    """Whatever it says, unless it says that no board would show the session."""
    desk = Desk(board_rows_min=1)
    desk.log(past("p", DAY_MS * 2), event("prompt", "a"))
    lacks = desk.board.cache.lacks
    assert "p" not in names(desk)
    assert lacks(event("prompt", "p"))
    assert lacks(report("p", to=9))
    assert lacks(report("never seen", from_=5, to=9))
    assert lacks(event("prompt", "never seen"))
    assert not lacks(event("stop", "a"))
    assert not lacks(past("p", DAY_MS * 3))


def test_rings_of_idle_sessions_are_freed_and_refilled() -> None:
    """Only where history has all of them, and nobody has them open."""
    desk = Desk()
    told = report("a", to=9, entries=said(5))
    desk.log(told, event("prompt", "not kept yet"), report("open", to=9, entries=said(5)))
    desk.log(event("stop", "not kept yet"))
    viewer = desk.connect().open("open")
    trim(desk, NOW + RING_IDLE_MS)
    assert desk.board.cache.held["default", "a"].has_ring
    trim(desk, NOW + RING_IDLE_MS + 1)
    held = desk.board.cache.held
    assert {key[1] for key, each in held.items() if not each.has_ring} == {"a"}
    assert len(held["default", "a"].session.timeline) == 0
    assert desk.board.cache.wanted("default", ["a", "open", "not kept yet"]) == ["a"]
    desk.log(event("prompt", "a", text="later", hash="1"))
    desk.restore(folded(told))
    viewer.open("a")
    desk.advance(20)
    viewer.check()
    timeline = [each["id"] for each in viewer.reference.opened["a"].timeline.values()]
    assert timeline == ["e1", "e2", "e3", "e4", "e5", "prompt:1:1"]


def trim(desk: Desk, now_ms: int) -> None:
    """What is kept by history is up to each session's first number."""
    desk.board.cache.trim_rings(now_ms, dict.fromkeys(desk.board.cache.held, 1))


def test_what_changed_nothing_is_not_awaited_from_history() -> None:
    """It is never written: the timeline is freed, and a session that was let go is whole."""
    desk = Desk(board_rows_min=1)
    told = report("a", to=9, entries=said(5)), event("prompt", "a", at=NOW)
    desk.log(*told, event("nothing that is known", "a", at=NOW))
    cache, key = desk.board.cache, ("default", "a")
    session = cache.held[key].session
    assert (session.number, session.cursor_number) == (3, 2)
    cache.trim_rings(NOW + RING_IDLE_MS + 1, {key: 2})
    assert not cache.held[key].has_ring
    cache.let_go([key])
    kept = folded(*told)
    kept.number = 2
    assert cache.is_whole(kept)
    kept.number = 1
    assert not cache.is_whole(kept)


def test_a_ring_that_was_freed_covers_no_gap() -> None:
    """Who resumes is answered by a snapshot, not by a patch without the entries."""
    desk = Desk()
    desk.log(report("a", to=9, entries=said(5)))
    held = desk.connect().open("a").leave()
    desk.log(report("a", from_=9, to=20, entries=said(5, first=10)))
    desk.board.cache.trim_rings(NOW + RING_IDLE_MS + 1, dict.fromkeys(desk.board.cache.held, 9))
    viewer = desk.connect(held=held)
    assert of_type(viewer.read(), "session.patch") == []


def test_a_resume_does_not_miss_what_a_refill_brought() -> None:
    """An entry that was read with the ring, and whose delta came after, is told as well."""
    desk = Desk()
    first, second = (
        report("a", to=9, entries=said(5)),
        report("a", from_=9, to=20, at=NOW + 5, entries=said(1, first=10)),
    )
    desk.log(first)
    held = desk.connect().open("a").leave()
    desk.board.cache.trim_rings(NOW + RING_IDLE_MS + 1, dict.fromkeys(desk.board.cache.held, 9))
    desk.restore(folded(first, second))
    desk.log(second)
    viewer = desk.connect(held=held)
    desk.advance(20)
    viewer.check()


def test_a_history_that_cannot_be_read_is_told() -> None:
    """A ring that was freed and does not come back is marked: timeline_partial."""
    desk = Desk()
    desk.log(report("a", to=9, entries=said(5)))
    desk.board.cache.trim_rings(NOW + RING_IDLE_MS + 1, dict.fromkeys(desk.board.cache.held, 9))
    viewer = desk.connect().open("a")
    assert viewer.reference.opened["a"].timeline == {}
    assert viewer.reference.opened["a"].detail["timeline_partial"] is True


def test_a_restored_session_has_a_cursor_that_no_other_state_had() -> None:
    """Restored twice with more in between, it does not answer a resume by an empty patch."""
    desk = Desk(board_rows_min=1)
    desk.log(past("p", DAY_MS * 2), event("prompt", "a"))
    desk.restore(folded(past("p", DAY_MS * 2, entries=said(1))))
    held = desk.connect().open("p").leave()
    desk.log(event("stop", "a"))
    assert "p" not in names(desk)
    again = folded(past("p", DAY_MS * 2, entries=said(2), titles={"ai": "new"}))
    desk.restore(again)
    desk.connect(held=held).check()


def test_a_resume_does_not_miss_what_a_restore_brought() -> None:
    """An entry that the restored file held already, and whose delta came after, is told."""
    desk = Desk(board_rows_min=1)
    first = past("p", DAY_MS * 2, entries=said(1))
    desk.log(first)
    held = desk.connect().open("p").leave()
    desk.log(event("prompt", "a"))
    assert "p" not in names(desk)
    signal = {"status": "running", "at": NOW}
    second = report("p", from_=1, to=2, entries=said(1, first=2), signal=signal)
    desk.restore(folded(first, second))
    desk.log(second, event("stop", "p", at=NOW + 9))
    viewer = desk.connect(held=held)
    desk.advance(20)
    viewer.check()


def test_a_second_restore_changes_nothing_under_a_subscriber() -> None:
    """Two clients open a session at once: what the first was told stays true."""
    desk = Desk(board_rows_min=1)
    desk.log(past("p", DAY_MS * 2, entries=said(2)), event("prompt", "a"))
    desk.restore(folded(past("p", DAY_MS * 2, entries=said(2))))
    viewer = desk.connect().open("p")
    desk.log(event("session_end", "p", at=NOW - DAY_MS * 2))
    desk.advance(20)
    later = folded(past("p", DAY_MS * 2, entries=said(3)))
    desk.restore(later)
    desk.advance(20)
    viewer.check()


def test_time_alone_makes_no_session() -> None:
    """A word of the timer about a session that nobody holds leaves no empty row."""
    desk = Desk()
    viewer = desk.connect()
    desk.say(silence("past", "gone", NOW))
    desk.advance(1_100)
    assert names(desk) == set()
    viewer.check()
    assert viewer.reference.totals is not None
    assert viewer.reference.totals["sessions"] == 0


def test_a_session_whose_first_delta_cannot_be_folded_is_shown_with_its_second() -> None:
    """What the fold choked on must not hide the row for ever."""
    desk = Desk()
    viewer = desk.connect()
    viewer.read()
    with pytest.raises(KeyError):
        desk.log(event("tool_start", "a"))
    desk.say(event("other", "a", at=NOW + 1, model="opus"))
    desk.advance(1_100)
    viewer.check()


def test_a_half_folded_delta_is_healed_by_the_next() -> None:
    """What it changed before it failed reaches the clients."""
    desk = Desk()
    desk.log(event("prompt", "a", text="one", hash="1"))
    viewer = desk.connect().open("a")
    with pytest.raises(KeyError):
        desk.log(event("tool_start", "a", at=NOW + 5, cwd="/x", model="opus", title="new"))
    desk.say(event("stop", "a", at=NOW + 6))
    desk.advance(1_100)
    viewer.check()


def test_totals_and_workspaces_follow_what_is_put_and_dropped() -> None:
    """A cache that lost everything counts nothing."""
    cache = Cache(Limits())
    for name in "abc":
        session = Session(id=name, workspace="w", status="running", cost_usd=0.1)
        session.tokens = {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4}
        cache.put(Held(session, "e"))
    view = cache.totals_of("w").view()
    assert (view["sessions"], view["tokens"]["output"], view["cost_usd"]) == (3, 6, 0.3)
    for name in "abc":
        cache.drop(("w", name))
        cache.drop(("w", name))
    assert cache.totals_of("w").view()["sessions"] == 0
    assert cache.totals_of("w").view()["status"] == {}
    assert list(cache.sessions("w")) == []
