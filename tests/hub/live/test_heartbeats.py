"""Heartbeats: the cursors of what was really written, every ten seconds."""

from itertools import pairwise

import pytest

from tests.hub.made import NOW, Desk, event, of_type, permission

pytestmark = pytest.mark.usefixtures("way")


def test_a_heartbeat_tells_what_was_written_to_this_client() -> None:
    """Overview, attention and each opened session, equal to what the client holds."""
    desk = Desk()
    desk.log(event("prompt", "a"), event("prompt", "b"), permission("c"))
    viewer = desk.connect().open("a", "b")
    desk.advance(10_000)
    [beat] = of_type(viewer.read(), "heartbeat")
    reference = viewer.reference
    assert (beat["overview"], beat["attention"]) == (reference.overview, reference.attention)
    assert beat["sessions"] == {"a": desk.cursor("a"), "b": desk.cursor("b")}
    assert beat["now"] <= desk.now


def test_what_waits_behind_a_heartbeat_is_not_in_it() -> None:
    """It is encoded when it is written, with the cursors of the frames before it."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect().open("a")
    held = desk.cursor()
    viewer.hold()
    desk.advance(10_000)
    desk.say(event("stop", "a"))
    desk.log(permission("b"))
    attention, beat, *later = viewer.read()
    assert (attention["type"], beat["type"]) == ("attention", "heartbeat")
    assert beat["attention"] == attention["cursor"]
    assert beat["sessions"] == {"a": held}
    assert [frame["type"] for frame in later] == ["session.patch", "overview.patch"]


def test_they_come_every_ten_seconds_for_each_of_many_clients() -> None:
    """Nobody waits for longer than the period, whoever else comes and goes."""
    desk = Desk()
    viewers = []
    for n in range(40):
        viewers.append(desk.connect(f"c-{n * 7919 % 10007:x}"))
        desk.advance(137)
    for second in range(60):
        desk.advance(1_000)
        for viewer in viewers:
            viewer.read()
        if second == 20:
            viewers.pop().leave()
    for viewer in viewers:
        times = [beat["now"] for beat in viewer.reference.heartbeats]
        assert times[0] - NOW <= 137 * 40 + 10_000
        assert all(later - earlier == 10_000 for earlier, later in pairwise(times))


def test_they_are_spread_over_the_period() -> None:
    """Clients that connect at once do not all hear at once."""
    desk = Desk()
    viewers = [desk.connect(f"c-{n:06x}") for n in range(200)]
    desk.advance(40_000)
    times = set()
    for viewer in viewers:
        viewer.read()
        times.add(viewer.reference.heartbeats[-1]["now"])
    assert len(times) > 50


def test_an_evicted_session_is_in_no_heartbeat() -> None:
    """Only what is open is told."""
    desk = Desk()
    desk.log(*(event("prompt", each) for each in "abcde"))
    viewer = desk.connect().open(*"abcde")
    desk.advance(10_000)
    [beat] = of_type(viewer.read(), "heartbeat")
    assert sorted(beat["sessions"]) == list("bcde")


def test_a_session_reopened_before_its_old_frames_were_written_has_no_old_cursor() -> None:
    """A heartbeat never tells a cursor that the client cannot hold."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect()
    viewer.read()
    viewer.ask("subscribe", session="a")
    viewer.ask("unsubscribe", session="a")
    desk.advance(10_000)
    viewer.ask("subscribe", session="a")
    viewer.read()
    viewer.check()


def test_the_cursors_stay_right_over_a_busy_minute() -> None:
    """The reference client compares every heartbeat with what it holds."""
    desk = Desk()
    desk.log(*(event("prompt", each) for each in "abc"))
    viewers = [desk.connect(rate_hz=hz).open("a", "b") for hz in (1, 60)]
    for at in range(600):
        name = "abc"[at % 3]
        desk.say(permission(name, at=NOW + at), event("stop", name, at=NOW + at))
        desk.advance(97)
        for viewer in viewers:
            viewer.read()
    assert all(len(viewer.reference.heartbeats) >= 5 for viewer in viewers)
