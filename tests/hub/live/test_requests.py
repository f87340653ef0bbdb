"""Requests after hello: what makes no sense is answered by an error, and nothing else happens."""

from typing import Any

import pytest

from hub.live.hello import Hello
from hub.live.requests import focus, opens
from tests.hub.made import Desk, event, permission

pytestmark = pytest.mark.usefixtures("way")


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"type": 5},
        {"type": None},
        {"type": ["ping"]},
        {"type": "subscribe"},
        {"type": "subscribe", "session": 5},
        {"type": "subscribe", "session": ""},
        {"type": "subscribe", "session": None},
        {"type": "unsubscribe"},
        {"type": "activate", "session": 5},
        {"type": "activate", "session": []},
        {"type": "view", "status": "running"},
        {"type": "view", "limit": -1},
        {"type": "rate", "hz": 0},
        {"type": "rate", "hz": -1},
        {"type": "rate", "hz": "1"},
        {"type": "rate", "hz": True},
        {"type": "resync"},
        {"type": "resync", "scope": "everything"},
        {"type": "resync", "scope": ["overview"]},
        {"type": "resync", "scope": "session"},
        {"type": "ack"},
        {"type": "ack", "frames": -1},
        {"type": "ack", "frames": "3"},
        {"type": "ack", "frames": True},
        {"type": "ack", "frames": 1.5},
    ],
)
def test_a_bad_frame_is_an_error_and_the_connection_lives(request_: dict[str, Any]) -> None:
    """The answer is bad_frame; subscriptions, view and rate stay as they are."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect().open("a")
    before = (viewer.client.view, viewer.client.rate_hz, viewer.client.subscriptions.order)
    focus(desk.board, viewer.client, request_, desk.now)
    [error] = viewer.read()
    assert (error["type"], error["code"]) == ("error", "bad_frame")
    after = (viewer.client.view, viewer.client.rate_hz, viewer.client.subscriptions.order)
    assert after == before
    desk.say(event("stop", "a"))
    desk.advance(100)
    viewer.check()


@pytest.mark.parametrize("kind", ["hello", "welcome", "no.such.type", "", "__class__"])
def test_unknown_types_and_fields_are_passed_over(kind: str) -> None:
    """A newer client may say more than this hub knows."""
    desk = Desk()
    viewer = desk.connect()
    viewer.read()
    viewer.ask(kind, anything={"x": 1})
    assert viewer.read() == []
    viewer.ask("ping", id=1, extra=True)
    assert viewer.read() == [{"type": "pong", "id": 1, "now": desk.now}]


@pytest.mark.parametrize("told", [None, "x", 5, {"deep": [1]}, 10**30, "\u2028"])
def test_a_ping_is_answered_with_its_own_id(told: Any) -> None:
    """Whatever it is."""
    viewer = Desk().connect()
    viewer.read()
    viewer.ask("ping", id=told)
    [pong] = viewer.read()
    assert pong["id"] == told


def test_a_view_without_a_word_is_the_default_view() -> None:
    """The fields stand in the frame itself, and what is absent is as it was at the beginning."""
    desk = Desk()
    desk.log(event("prompt", "a"), permission("b"))
    viewer = desk.connect()
    viewer.read()
    viewer.ask("view", status=["waiting"])
    viewer.check()
    assert list(viewer.reference.rows) == ["b"]
    viewer.ask("view", status=["running"])
    viewer.check()
    assert list(viewer.reference.rows) == ["a"]
    viewer.ask("view")
    viewer.check()
    assert len(viewer.reference.rows) == 2


@pytest.mark.parametrize(
    ("scope", "session", "kind"),
    [
        ("overview", None, "overview.snapshot"),
        ("attention", None, "attention"),
        ("session", "a", "session.snapshot"),
    ],
)
def test_a_resync_is_answered_at_most_once_a_second(
    scope: str, session: str | None, kind: str
) -> None:
    """The snapshot of that scope; too early, the error rate; a second later again."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect().open("a")
    viewer.ask("resync", scope=scope, session=session, reason="gap")
    assert viewer.types() == [kind]
    desk.advance(999)
    viewer.read()
    viewer.ask("resync", scope=scope, session=session, reason="gap")
    [error] = viewer.read()
    assert (error["type"], error["code"]) == ("error", "rate")
    desk.advance(1)
    viewer.ask("resync", scope=scope, session=session, reason="gap")
    assert viewer.types() == [kind]
    viewer.check()


def test_scopes_have_their_own_second() -> None:
    """Asking for one does not use up another."""
    desk = Desk()
    desk.log(event("prompt", "a"), event("prompt", "b"))
    viewer = desk.connect().open("a", "b")
    for scope, session in (("overview", None), ("attention", None), ("session", "a")):
        viewer.ask("resync", scope=scope, session=session, reason="gap")
    viewer.ask("resync", scope="session", session="b", reason="gap")
    assert sorted(viewer.types()) == [
        "attention", "overview.snapshot", "session.snapshot", "session.snapshot",
    ]  # fmt: skip


def test_too_many_acks_count_as_all() -> None:
    """Nobody has read what was not written."""
    desk = Desk()
    viewer = desk.connect()
    viewer.pop()
    viewer.ask("ack", frames=10**9)
    assert viewer.client.outbox.in_flight_bytes == 0
    assert viewer.client.outbox.frames_acked == viewer.client.outbox.frames_written == 3


def test_an_older_ack_takes_nothing_back() -> None:
    """In flight only falls by an ack."""
    viewer = Desk().connect()
    viewer.pop()
    viewer.ask("ack", frames=2)
    before = viewer.client.outbox.in_flight_bytes
    viewer.ask("ack", frames=1)
    assert viewer.client.outbox.in_flight_bytes == before > 0


def test_requests_that_open_a_session_name_it() -> None:
    """The shell restores it before the request is served."""
    assert opens({"type": "subscribe", "session": "a"}) == ["a"]
    assert opens({"type": "resync", "scope": "session", "session": "a"}) == ["a"]
    assert opens({"type": "activate", "session": "a"}) == []
    assert opens({"type": "subscribe", "session": 5}) == []
    assert opens(Hello(resume=[("a", "m1:3"), ("b", "")])) == ["a", "b"]


@pytest.mark.parametrize("name", ["overview", "attention"])
def test_a_session_named_like_a_space_is_a_session(name: str) -> None:
    """An agent chooses its session's id: no cursor space is touched by it."""
    desk = Desk()
    desk.log(event("prompt", name), event("prompt", "b"), permission("b"))
    viewer = desk.connect().open(name, "b")
    desk.say(event("stop", name))
    desk.advance(12_000)
    viewer.check()
    assert viewer.reference.heartbeats
    viewer.ask("resync", scope=name, reason="gap")
    viewer.ask("resync", scope="session", session=name, reason="gap")
    assert len(viewer.types()) == 2
    assert viewer.reference.errors == []
    viewer.ask("unsubscribe", session=name)
    desk.advance(12_000)
    viewer.check()
