"""The one loop that hands a frame to many: who gets it at once, who through lanes, same bytes."""

from typing import Any

import pytest

from hub.limits import Limits
from hub.live.client import Client, Missed
from hub.live.shipping import ship
from hub.live.wire import Frame, Tally
from tests.hub.transport import Transport

ROWS = b'{"type":"overview.patch","set":[]' + b" " * 2_000 + b"}"
SPACE = "session:a"


def made(way: str, tally: Tally | None = None, **limits: Any) -> tuple[Client, Transport]:
    """A client for whom nothing waits."""
    client = Client("c", "default", Limits(**limits), lambda: None)
    client.outbox.tally = tally or Tally()
    transport = Transport(client.outbox.hold)
    if way != "popped":
        client.outbox.connect(transport.write, deflates=way == "deflated")
    return client, transport


def shipped(clients: list[Client], *frames: Frame, space: str = "overview") -> list[Client]:
    """Ship; gives those who were queued for."""
    queued: list[Client] = []
    ship(clients, frames, space, "next", queued.append)
    return queued


def patch() -> Frame:
    """A session's patch."""
    return Frame("session.patch", b'{"type":"session.patch"}', shared=True)


def test_one_encoding_serves_all() -> None:
    """Every client gets the very bytes of its form, and both forms carry the same payload."""
    tally = Tally()
    people = [made(way, tally) for way in ("pushed", "deflated", "pushed", "deflated", "pushed")]
    frame = Frame("overview.patch", ROWS, shared=True)
    assert shipped([client for client, _ in people], frame) == []
    for form in (people[::2], people[1::2]):
        [first, *others] = [transport.writes for _, transport in form]
        assert all(len(other) == 1 and other[0] is first[0] for other in others)
    for _, transport in people:
        transport.take()
        assert transport.next_payload() == ROWS
    assert tally.frames == {
        ("overview.patch", "shared"): 3, ("overview.patch", "shared_deflated"): 2,
    }  # fmt: skip
    assert tally.sent_bytes == 3 * len(frame.plain) + 2 * len(frame.deflated)


@pytest.mark.parametrize("way", ["pushed", "deflated"])
def test_it_counts_what_a_drained_outbox_counts(way: str) -> None:
    """Past the lanes or through them: in flight, sizes, cursors and the tally are the same."""
    straight, _ = made(way)
    around, _ = made(way)
    frame = Frame("overview.patch", ROWS, shared=True)
    assert shipped([straight], frame) == []
    around.outbox.put_overview([frame], "overview", "next")
    around.outbox.drain()
    for name in ("in_flight_bytes", "frames_written", "sizes", "written", "clear"):
        assert getattr(straight.outbox, name) == getattr(around.outbox, name), name
    assert straight.outbox.tally.frames == around.outbox.tally.frames
    assert straight.outbox.tally.sent_bytes == around.outbox.tally.sent_bytes
    straight.outbox.ack(1)
    assert straight.outbox.in_flight_bytes == 0


@pytest.mark.parametrize("leading", [SPACE, None, "session:b"])
def test_only_the_leading_session_goes_past_the_lanes(leading: str | None) -> None:
    """Another one may have to wait for the leading one, which is flushed after it."""
    client, transport = made("pushed")
    client.outbox.leading = leading
    queued = shipped([client], patch(), space=SPACE)
    assert (queued, len(transport.writes)) == (([], 1) if leading == SPACE else ([client], 0))
    assert client.outbox.written == ({SPACE: "next"} if leading == SPACE else {})


def closed(_data: bytes) -> None:
    """A transport that is closed, of which nobody has been told yet."""
    raise RuntimeError("unable to perform operation; the handler is closed")


def test_a_closed_transport_keeps_no_frame_from_the_others() -> None:
    """It is written to no more, straight or through the lanes, and all the others are."""
    people = [made("pushed") for _ in range(3)]
    gone = people[1][0]
    gone.outbox.connect(closed, deflates=False)
    frame = Frame("overview.patch", b"{}", shared=True)
    assert shipped([client for client, _ in people], frame) == []
    assert [len(transport.writes) for _, transport in people] == [1, 0, 1]
    assert (gone.outbox.write, gone.outbox.clear) == (None, False)
    waiting = made("pushed")[0].outbox
    waiting.connect(closed, deflates=False)
    waiting.put_notice(frame)
    waiting.drain()
    assert waiting.write is None


def test_the_overview_goes_past_the_lanes_whatever_leads() -> None:
    """Nothing waits that could go before it."""
    client, transport = made("pushed")
    client.outbox.leading = SPACE
    assert shipped([client], Frame("overview.patch", b"{}")) == []
    assert len(transport.writes) == 1


def test_whoever_has_something_waiting_is_queued_for() -> None:
    """A word, an item, a full transport, a budget, something missed, or no transport at all."""
    people = {name: made("pushed", in_flight_bytes_max=5_000)[0] for name in (
        "answer", "attention", "held", "budget", "missed",
    )}  # fmt: skip
    people["popped"] = made("popped")[0]
    people["answer"].outbox.put_answer(Frame("pong", b"{}"))
    people["attention"].outbox.put_attention([Frame("attention", b"{}")], "attention", "a1")
    people["held"].outbox.hold()
    people["budget"].outbox.put_answer(Frame("pong", b"x" * 6_000))
    people["budget"].outbox.drain()
    people["missed"].fall_behind("overview", Missed())
    ready, transport = made("pushed")
    queued = shipped([*people.values(), ready], Frame("overview.patch", ROWS))
    assert queued == list(people.values())
    assert len(transport.writes) == 1


def test_a_client_over_its_budget_gets_no_second_frame() -> None:
    """The first one used it up; an ack gives it back."""
    client, transport = made("pushed", in_flight_bytes_max=2_000)
    assert shipped([client], Frame("overview.patch", ROWS)) == []
    assert shipped([client], Frame("overview.patch", ROWS)) == [client]
    client.outbox.ack(1)
    assert shipped([client], Frame("overview.patch", ROWS)) == []
    assert len(transport.writes) == 2


def test_a_transport_that_fills_up_is_written_to_no_more() -> None:
    """It says so within the write itself."""
    client, transport = made("pushed")
    transport.limit_bytes = 100
    assert shipped([client], Frame("overview.patch", ROWS)) == []
    assert transport.is_paused
    assert shipped([client], Frame("overview.patch", ROWS)) == [client]


def test_frames_in_several_parts_go_through_the_lanes() -> None:
    """A transport may take the first and not the second: nothing may come between them."""
    clients = [made("pushed")[0], made("popped")[0]]
    frames = [Frame("overview.patch", ROWS), Frame("overview.patch", ROWS)]
    assert shipped(clients, *frames) == clients


def test_nobody_is_no_work() -> None:
    """A frame that goes to nobody past the lanes is not even framed."""
    frame = Frame("overview.patch", ROWS)
    client, _ = made("popped")
    assert shipped([], frame) == []
    assert shipped([client], frame) == [client]
    assert (frame._plain, frame._deflated) == (None, None)
