"""Opened sessions of a client that was passed over: what changed since, or stale and a snapshot."""

import random
from typing import Any

import pytest

from hub.live import handover
from hub.live.details import patch_sections
from session.changes import Changes
from tests.hub.live.behind import BUDGET, busy, caught_up, desk_of, missed
from tests.hub.made import (
    NOW,
    Desk,
    Viewer,
    bucket,
    event,
    of_type,
    permission,
    report,
    said,
    tokens,
)

pytestmark = pytest.mark.usefixtures("way")


def session_patch(desk: Desk, viewer: Viewer) -> dict[str, Any]:
    """The one patch by which the session caught up; there is no snapshot beside it."""
    frames = caught_up(desk, viewer)
    assert {frame["type"] for frame in frames} <= {"session.patch", "overview.patch"}
    [patch] = of_type(frames, "session.patch")
    return patch


def test_a_session_gets_what_changed_from_the_cursor_that_is_held() -> None:
    """With its epoch's own words; names that did not change are not among it."""
    desk = desk_of("ab")
    viewer = busy(desk, desk.connect().open("a"))
    missed(
        desk, viewer, event("tool_start", "a", call="1", tool="Bash"),
        event("tool_end", "a", call="1", tool="Bash"), event("stop", "a"),
    )  # fmt: skip
    patch = session_patch(desk, viewer)
    assert (patch["from"], patch["cursor"]) == ("m1:1", "m1:4")
    assert [entry["id"] for entry in patch["append"]["timeline"]] == ["1", "1:end"]
    assert patch["set"]["status"] == "idle"
    assert "title" not in patch["set"]
    assert list(patch["maps"]) == ["tools"]


def test_a_key_that_was_removed_is_null() -> None:
    """Unlike a resume, this worker knows which."""
    desk = desk_of("a")
    told = {key: {"text": "t", "status": "open", "at": 1} for key in ("1", "2", "3")}
    desk.log(event("task", "a", objectives=told))
    viewer = busy(desk, desk.connect().open("a"))
    missed(
        desk, viewer, event("task", "a", objectives={"2": None}),
        event("task", "a", objectives={"4": {"text": "new", "status": "open", "at": 2}}),
        event("task", "a", objectives={"4": None}),
    )  # fmt: skip
    changed = session_patch(desk, viewer)["maps"]["objectives_list"]
    assert changed == {"2": None, "4": None}


def test_a_series_that_was_merged_comes_whole() -> None:
    """Minutes that are no more cannot be taken back one by one."""
    desk = desk_of("a")
    viewer = busy(desk, desk.connect().open("a"))
    for to in range(1, 6):
        minutes = {str(60_000 * (100 * to + n)): bucket(to) for n in range(60)}
        missed(desk, viewer, report("a", to=to, from_=to - 1, buckets=minutes))
    patch = session_patch(desk, viewer)
    assert 200 < len(patch["set"]["token_series"]) <= 240
    assert "token_series" not in patch["append"]


def test_minutes_that_were_taken_back_make_the_series_come_whole() -> None:
    """A transcript became another file."""
    desk = desk_of("a")
    desk.log(report("a", to=9, buckets={"60000": bucket(1), "120000": bucket(2)}))
    viewer = busy(desk, desk.connect().open("a"))
    missed(desk, viewer, report("a", to=5, generation=1, buckets={"120000": bucket(3)}))
    assert [each["at"] for each in session_patch(desk, viewer)["set"]["token_series"]] == [120_000]


def test_minutes_that_went_on_are_told_as_they_are_now() -> None:
    """Only those that changed."""
    desk = desk_of("a")
    desk.log(report("a", to=1, buckets={"60000": bucket(1), "120000": bucket(1)}, calls=tokens(1)))
    viewer = busy(desk, desk.connect().open("a"))
    missed(
        desk, viewer, report("a", to=2, from_=1, buckets={"120000": bucket(2)}),
        report("a", to=3, from_=2, buckets={"120000": bucket(3), "180000": bucket(1)}),
    )  # fmt: skip
    told = session_patch(desk, viewer)["append"]["token_series"]
    assert [(each["at"], each["output"]) for each in told] == [(120_000, 3), (180_000, 1)]


def test_of_many_errors_the_newest_fifty_come() -> None:
    """Those that the list has dropped since are beyond what a client keeps."""
    desk = desk_of("a")
    viewer = busy(desk, desk.connect().open("a"))
    for n in range(70):
        end = event("tool_end", "a", call=str(n), tool="Bash", status="error", text=f"e{n}")
        missed(desk, viewer, end)
    told = session_patch(desk, viewer)["append"]["errors_list"]
    assert [each["text"] for each in told] == [f"e{n}" for n in range(20, 70)]


def test_a_timeline_beyond_the_ring_is_stale_and_comes_as_a_snapshot() -> None:
    """No patch comes between the two, and patches go on behind them."""
    desk = desk_of("ab")
    viewer = busy(desk, desk.connect().open("a", "b"))
    missed(
        desk, viewer, report("a", to=300, entries=said(300)), event("stop", "b"),
        report("a", from_=300, to=600, entries=said(300, first=301)),
    )  # fmt: skip
    frames = caught_up(desk, viewer)
    mine = [frame for frame in frames if frame.get("session") == "a"]
    assert mine[0] == {"type": "session.stale", "session": "a", "reason": "slow"}
    assert {frame["type"] for frame in mine[1:]} == {"session.snapshot"}
    assert [frame["session"] for frame in of_type(frames, "session.patch")] == ["b"]
    desk.say(event("prompt", "a", at=NOW + 9))
    desk.advance(20)
    assert "session.patch" in viewer.types()
    viewer.check()


def test_more_at_once_than_the_ring_holds_is_a_gap_for_everybody() -> None:
    """No patch can tell it, whether a client keeps up or not."""
    desk = desk_of("a")
    neighbour = desk.connect().open("a")
    viewer = busy(desk, desk.connect().open("a"))
    desk.advance(100)
    neighbour.read()
    missed(desk, viewer, report("a", to=900, entries=said(501)))
    for each in (neighbour, viewer):
        frames = [frame for frame in caught_up(desk, each) if frame.get("session") == "a"]
        assert frames[0] == {"type": "session.stale", "session": "a", "reason": "gap"}
        assert {frame["type"] for frame in frames[1:]} == {"session.snapshot"}


def test_what_may_never_have_been_stays_stale_until_it_is_read_anew() -> None:
    """Neither values nor a snapshot come of it before; then the snapshot, and patches again."""
    desk = desk_of("ab")
    viewer = desk.connect().open("a")
    desk.advance(100)
    viewer.read()
    handover.lose(desk.board, lambda key: key[1] == "a", "gap")
    desk.say(event("stop", "a"))
    desk.advance(5_000)
    frames = viewer.read()
    assert [f["type"] for f in frames if f.get("session") == "a"] == ["session.stale"]
    anew = Desk()
    anew.log(event("prompt", "a", text="as it was"))
    held = anew.board.cache.held["default", "a"]
    handover.replace(desk.board, lambda key: key[1] == "a", [held], "gap", desk.now)
    desk.advance(100)
    told = [f["type"] for f in viewer.read() if f.get("session") == "a"]
    assert told == ["session.snapshot"]
    desk.say(event("stop", "b"))
    desk.advance(100)
    viewer.check()


def test_another_epoch_is_stale_and_comes_as_a_snapshot() -> None:
    """Also for one who was behind already: no patch leads from one epoch to another."""
    desk = desk_of("a")
    viewer = busy(desk, desk.connect().open("a"))
    missed(desk, viewer, event("stop", "a"))
    desk.begin_anew("m2")
    desk.advance(100)
    frames = [frame for frame in caught_up(desk, viewer) if frame.get("session") == "a"]
    assert frames[0] == {"type": "session.stale", "session": "a", "reason": "epoch"}
    assert frames[-1]["cursor"] == "m2:2"
    assert {frame["type"] for frame in frames[1:]} == {"session.snapshot"}


def test_sessions_catch_up_one_by_one_as_the_budget_allows() -> None:
    """The active one first, then from the newest on; the overview is last."""
    desk = Desk(in_flight_bytes_max=BUDGET)
    for name in "abc":
        desk.log(report(name, to=1, from_=0, entries=said(1)))
    viewer = desk.connect().open("a", "b", "c")
    viewer.ask("activate", session="b")
    busy(desk, viewer)
    noise = random.Random(2)
    for name in "abc":
        text = noise.randbytes(1_000).hex()
        told = said(4, first=2, text=text)
        missed(desk, viewer, report(name, from_=1, to=9, entries=told, messages=4))
    order = []
    for _ in range(9):
        viewer.ack()
        order += [frame.get("session", frame["type"]) for frame in viewer.pop()]
    assert order == ["b", "c", "a", "overview.patch"]
    caught_up(desk, viewer)


def test_a_request_answers_what_was_missed_by_itself() -> None:
    """Opened again or resynced, a session is answered by its snapshot and by no patch beside it."""
    for kind, fields in (("subscribe", {}), ("resync", {"scope": "session", "reason": "gap"})):
        desk = desk_of("a")
        viewer = busy(desk, desk.connect().open("a"))
        missed(desk, viewer, event("stop", "a"))
        viewer.ask(kind, session="a", **fields)
        frames = [frame["type"] for frame in caught_up(desk, viewer) if frame.get("session")]
        assert set(frames) == {"session.snapshot"}, kind


def test_a_session_that_was_evicted_or_closed_meanwhile_is_told_no_more() -> None:
    """Its values are nobody's."""
    desk = desk_of("abc")
    viewer = busy(desk, desk.connect(subscriptions=2).open("a", "b"))
    missed(desk, viewer, event("stop", "a"), event("stop", "b"))
    viewer.ask("unsubscribe", session="b")
    viewer.ask("subscribe", session="b")
    viewer.ask("subscribe", session="c")
    frames = caught_up(desk, viewer)
    mine = [frame["type"] for frame in frames if frame.get("session") == "a"]
    assert mine == ["session.evicted"]
    assert of_type(frames, "session.patch") == []


def test_items_that_opened_and_closed_meanwhile_were_told_all_the_time() -> None:
    """Attention does not wait for room."""
    desk = desk_of("ab")
    viewer = busy(desk, desk.connect().open("a"))
    desk.log(permission("a"), permission("b"))
    desk.advance(100)
    assert [frame["type"] for frame in viewer.pop()] == ["attention", "attention"]
    viewer.check_items()
    session_patch(desk, viewer)


def test_an_error_that_the_list_has_dropped_is_in_no_patch() -> None:
    """What the trace names and the session holds no more is passed over."""
    desk = desk_of("a")
    changes = Changes()
    changes.key("errors_list", 1, 2)
    changes.key("timeline", 10**6)
    session = desk.board.cache.held["default", "a"].session
    assert not any(section.members for section in patch_sections(session, changes))
