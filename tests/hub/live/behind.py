"""A client that is made to fall behind at a known moment, and what it gets when it has room."""

import random
from typing import Any

from tests.hub.made import Desk, Viewer, event, of_type

BUDGET = 4_096
NOISE = random.Random(1).randbytes(3 * BUDGET).hex()


def desk_of(names: str = "abc", **limits: Any) -> Desk:
    """A desk with sessions that run."""
    desk = Desk(in_flight_bytes_max=BUDGET, **limits)
    desk.log(*(event("prompt", each) for each in names))
    return desk


def busy(desk: Desk, viewer: Viewer) -> Viewer:
    """The client reads everything; then it acknowledges no more, and its budget is used up."""
    desk.advance(100)
    viewer.read()
    viewer.ask("ping", id=NOISE)
    assert [frame["type"] for frame in viewer.pop()] == ["pong"]
    assert not viewer.client.outbox.is_open
    return viewer


def missed(desk: Desk, viewer: Viewer, *deltas: Any) -> None:
    """Say something that the client is passed over with, each thing in a frame of its own."""
    for delta in deltas:
        desk.say(delta)
        desk.advance(20)
        assert of_type(viewer.pop(), "overview.patch") == []
    assert viewer.client.missed


def caught_up(desk: Desk, viewer: Viewer) -> list[dict[str, Any]]:
    """What comes once there is room: nothing stale, and all is as it should be."""
    frames = viewer.read()
    assert viewer.client.missed == {}
    viewer.check()
    assert viewer.client.state == "live"
    assert viewer.client not in desk.board.patience.behind
    return frames
