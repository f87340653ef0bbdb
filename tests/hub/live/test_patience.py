"""Who is judged and when: only those who have no room, and only for as long as they have none."""

import pytest

from hub.live.patience import SLOW
from tests.hub.made import NOW, Desk, Viewer, event, of_type, permission

pytestmark = pytest.mark.usefixtures("way")

NOISE = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(4_000))


def behind() -> tuple[Desk, Viewer]:
    """A client with a session open that has used up its budget and missed something."""
    desk = Desk(in_flight_bytes_max=4_096)
    desk.log(event("prompt", "a"), event("prompt", "b"))
    viewer = desk.connect().open("a")
    desk.advance(100)
    viewer.read()
    viewer.ask("ping", id=NOISE)
    viewer.pop()
    desk.say(event("stop", "a"))
    desk.advance(100)
    assert set(viewer.client.missed) == {"overview", "session:a"}
    return desk, viewer


def test_patience_begins_anew_with_every_ack() -> None:
    """Nine seconds over budget, an ack that does not free enough, nine seconds more."""
    desk, viewer = behind()
    for turn in range(4):
        viewer.ask("ping", id=NOISE)
        for n in range(30):
            desk.log(permission("b", call=f"{turn}.{n}", summary=NOISE[n * 100 : n * 100 + 90]))
        viewer.pop()
        desk.advance(9_000)
        viewer.ask("ack", frames=viewer.client.outbox.frames_acked + 1)
        assert not viewer.client.outbox.is_open
    assert len(viewer.client.subscriptions) == 1
    desk.advance(9_900)
    assert len(viewer.client.subscriptions) == 1
    desk.advance(200)
    assert len(viewer.client.subscriptions) == 0


def test_who_has_been_given_values_is_not_behind_any_more() -> None:
    """The next time begins with the whole patience."""
    desk, viewer = behind()
    desk.advance(9_000)
    viewer.read()
    assert viewer.client.behind_since_ms is None
    viewer.ask("ping", id=NOISE)
    viewer.pop()
    desk.say(event("prompt", "a", at=NOW + 1))
    desk.advance(9_000)
    assert viewer.client.missed
    assert len(viewer.client.subscriptions) == 1


def test_a_degraded_client_keeps_attention_and_overview() -> None:
    """Its sessions are gone; what it opens afterwards is opened as ever."""
    desk, viewer = behind()
    desk.advance(10_200)
    evicted = of_type(viewer.pop(), "session.evicted")
    assert [(frame["session"], frame["reason"]) for frame in evicted] == [("a", "slow")]
    desk.log(permission("b"))
    desk.advance(100)
    assert "attention" in [frame["type"] for frame in viewer.pop()]
    viewer.read()
    viewer.check()
    viewer.open("b")
    desk.say(event("stop", "b", at=NOW + 1))
    desk.advance(100)
    viewer.check()


def test_acks_after_the_degradation_keep_the_connection() -> None:
    """Thirty seconds count from the last one."""
    desk, viewer = behind()
    desk.advance(20_000)
    viewer.read()
    desk.advance(29_000)
    assert viewer.client.close_code is None
    viewer.check()


def test_whoever_waits_for_the_worker_is_not_slow() -> None:
    """It has room all the time; what it resumed ahead of is still to come here."""
    desk = Desk(catch_up_ms=100_000)
    desk.log(event("prompt", "a"))
    viewer = desk.connect(resume=[{"session": "a", "cursor": "m1:9"}])
    viewer.reference.opening("a")
    for _ in range(90):
        desk.advance(1_000)
        assert "session.snapshot" not in viewer.types()
    assert viewer.client.close_code is None
    assert len(viewer.client.subscriptions) == 1
    desk.advance(11_000)
    assert "session.snapshot" in viewer.types()
    viewer.check()


@pytest.mark.parametrize("way", ["pushed", "deflated"], indirect=True)
def test_a_transport_that_takes_nothing_is_judged_as_well() -> None:
    """Its queue is full long before its budget: degraded, then closed."""
    desk = Desk(queued_bytes_max=2_000)
    desk.log(event("prompt", "a"))
    viewer = desk.connect(rate_hz=1000).open("a")
    viewer.hold()
    for at in range(100):
        desk.say(event("tool_start", "a", at=NOW + at, call=str(at), tool="Bash"))
        desk.advance(10)
    assert viewer.client.missed
    assert viewer.client.outbox.queued_bytes < 4_000
    assert viewer.client.outbox.is_open is False
    desk.advance(10_100)
    assert len(viewer.client.subscriptions) == 0
    desk.advance(20_000)
    assert viewer.client.close_code == SLOW


@pytest.mark.parametrize("way", ["pushed", "deflated"], indirect=True)
def test_a_transport_that_has_room_again_is_given_values_at_once() -> None:
    """Without an ack and without a flush."""
    desk = Desk(queued_bytes_max=2_000)
    desk.log(event("prompt", "a"))
    viewer = desk.connect(rate_hz=1000).open("a")
    viewer.hold()
    for at in range(100):
        desk.say(event("tool_start", "a", at=NOW + at, call=str(at), tool=f"T{at}"))
        desk.advance(10)
    assert set(viewer.client.missed) == {"overview", "session:a"}
    viewer.pop()
    assert viewer.client.missed == {}
    viewer.check()


def test_the_board_asks_to_be_flushed_no_more_often_than_it_has_to() -> None:
    """While a client is behind and nothing happens, dues lie ahead."""
    desk, viewer = behind()
    flushes = 0
    until = desk.now + 9_000
    while (due := desk.board.next_due_ms()) is not None and due <= until:
        desk.now = max(desk.now, due)
        desk.board.flush(desk.now)
        flushes += 1
        assert flushes < 100
    assert viewer.client.close_code is None
