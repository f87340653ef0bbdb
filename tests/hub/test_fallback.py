"""Behind another server than ours: the same frames and the same ends, through the ASGI send."""

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from hub.wsprotocol import EXTENSION, socket_of
from locustfiles.reference_client import ReferenceClient
from tests.hub.made import NOW, event, permission, report, said
from tests.hub.servers import BEARER, Live, closed, make_app, make_door, make_hub, served, until

URL = "ws://127.0.0.1:8787/ws"
PLAIN = WebSocketsSansIOProtocol


async def test_nothing_of_ours_is_in_the_scope() -> None:
    """The hub finds no protocol, and pops its frames instead of pushing them."""
    async with served(protocol=PLAIN) as hub, hub.client():
        [connection] = hub.hub.connections
        [client] = hub.board.clients.values()
        assert connection._socket is None
        assert client.outbox.write is None
        assert socket_of({"extensions": {"websocket.http.response": {}}}) is None
        assert socket_of({}) is None


async def frames_of_a_run(**options: Any) -> list[Any]:
    """What one client is told, without what differs between any two runs."""
    async with served(**options) as hub:
        await hub.log(event("prompt", "a"), permission("b"), report("a", to=3, entries=said(3)))
        async with hub.client(rate_hz=1000) as live:
            await live.send("subscribe", session="a", activate=True)
            await live.until(lambda: not live.reference.opened["a"].stale)
            for turn in range(5):
                kind = ("stop", "prompt")[turn % 2]
                await hub.log(event(kind, "a", at=NOW + turn + 1))
                status = ("idle", "running")[turn % 2]
                await live.until(lambda s=status: live.reference.rows["a"]["status"] == s)
                await live.until(lambda s=status: live.reference.opened["a"].detail["status"] == s)
            await hub.log(permission("a"))
            await live.until(lambda: len(live.reference.items) == 2)
            await live.send("subscribe", session="nobody")
            await live.send("view", status=["waiting"])
            await live.until(lambda: live.reference.frames[-1]["type"] == "overview.snapshot")
            told = [msgspec.json.encode(frame).decode() for frame in live.reference.frames]
            epoch = hub.board.cache.held["default", "a"].epoch
            hidden = (str(live.reference.welcome["connection"]), epoch)  # type: ignore[index]
            return [
                re.sub("|".join(hidden) + r'|(?<="now":)\d+', "*", text)
                for text in told
                if '.patch"' not in text  # paced by the clock
            ]


async def test_the_same_frames_come_through_the_asgi_send() -> None:
    """Word for word, but for the connection's name and the time."""
    assert await frames_of_a_run(protocol=PLAIN) == await frames_of_a_run()


async def test_a_client_with_compression_is_served_by_the_other_servers_own() -> None:
    """What is agreed there is its business: the messages are the same."""
    async with served(protocol=PLAIN) as hub:
        await hub.log(*(permission(f"s{n}") for n in range(30)))
        async with hub.socket("deflate") as opened:
            assert opened.protocol.extensions
            live = Live(opened)
            await live.send("hello", protocol=1)
            await live.until(lambda: len(live.reference.rows) == 30)
            assert live.reference.rows == hub.get_rows()


async def test_a_drain_says_goodbye_and_nothing_behind_it() -> None:
    """Also while many frames wait to be written."""
    async with served(protocol=PLAIN) as hub, contextlib.AsyncExitStack() as stack:
        lives = [await stack.enter_async_context(hub.client(rate_hz=1000)) for _ in range(5)]
        receipts = [event("prompt", f"s{n}", text="x" * 1_000) for n in range(200)]
        await hub.hub.worker.bus.append(receipts)
        await until(lambda: hub.board.cache.held)
        draining = asyncio.create_task(hub.hub.drain())
        endings = [await closed(live.opened) for live in lives]
        await draining
        assert [code for code, _ in endings] == [4000] * 5
        for _, frames in endings:
            kinds = [frame["type"] for frame in frames]
            assert kinds.index("bye") == len(kinds) - 1
        await until(lambda: not hub.hub.connections)
        assert hub.board.clients == {}


@pytest.mark.parametrize("message", [b"x", "{", "[]", '{"x":"' + "y" * 16_400 + '"}'])
async def test_a_frame_that_is_no_object_is_closed_by_4500(message: str | bytes) -> None:
    """As with our own protocol."""
    async with served(protocol=PLAIN) as hub, hub.client() as live:
        await live.opened.send(message)
        code, frames = await closed(live.opened)
        assert (code, frames[-1]["type"]) == (4500, "bye")
        await until(lambda: not hub.board.clients and not hub.hub.connections)


async def test_a_client_that_acknowledges_late_catches_up() -> None:
    """Over its budget it gets nothing; then values, and it is in step."""
    async with served(protocol=PLAIN, in_flight_bytes_max=4_096) as hub, hub.client() as live:
        [client] = hub.board.clients.values()
        turn = 0
        while "overview" not in client.missed:
            turn += 1
            await hub.log(*(event("prompt", f"s{n}", at=NOW + turn) for n in range(10)))
            await asyncio.sleep(0)
        await live.until(lambda: live.reference.rows == hub.get_rows())
        await until(lambda: not client.missed and client.state == "live")


# starlette's own test client.


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A hub whose log was folded, behind starlette's test client."""
    hub = make_hub(make_door())
    hub.worker.ready.set()
    app = make_app(hub)
    with TestClient(app, base_url="http://127.0.0.1:8787", headers=dict(BEARER)) as made:
        made.app_state["hub"] = hub
        yield made


@contextlib.contextmanager
def connected(client: TestClient) -> Iterator[tuple[WebSocketTestSession, ReferenceClient]]:
    """A client that has said hello and read its answer."""
    reference = ReferenceClient()
    with client.websocket_connect(URL, subprotocols=["hub.v1.json"]) as opened:
        opened.send_text(json.dumps({"type": "hello", "protocol": 1, "rate_hz": 1000}))
        while reference.overview is None:
            reference.feed(opened.receive_text().encode())
        yield opened, reference


def test_the_test_client_is_served(client: TestClient) -> None:
    """Welcome, attention, overview, then answers."""
    with connected(client) as (opened, reference):
        assert opened.accepted_subprotocol == "hub.v1.json"
        kinds = [frame["type"] for frame in reference.frames]
        assert kinds == ["welcome", "attention", "overview.snapshot"]
        opened.send_text(json.dumps({"type": "ping", "id": 1}))
        assert reference.feed(opened.receive_text().encode())["type"] == "pong"
        assert EXTENSION not in opened.scope.get("extensions", {})


def test_the_test_client_hears_of_changes(client: TestClient) -> None:
    """What is folded reaches it."""
    hub = client.app_state["hub"]
    with connected(client) as (opened, reference):

        def fold() -> None:
            delta = permission("a")
            hub.board.apply((delta,), "m1", NOW)
            hub.worker.pump()

        client.portal.call(fold)  # type: ignore[union-attr]
        while set(reference.rows) != {"a"} or len(reference.items) != 1:
            reference.feed(opened.receive_text().encode())


def test_the_test_client_is_closed_with_a_code(client: TestClient) -> None:
    """A bye, then 4500."""
    with connected(client) as (opened, _):
        opened.send_bytes(b"x")
        assert opened.receive_json()["type"] == "bye"
        with pytest.raises(WebSocketDisconnect) as caught:
            opened.receive_text()
        assert caught.value.code == 4500


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Origin": "http://evil.example"}, 403), ({"Authorization": "Bearer wrong"}, 401)],
)
def test_the_test_client_is_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    """By the handshake's answer where it can hear one, else by its end."""
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect(URL, headers=headers),
    ):
        raise AssertionError("let in")
    assert getattr(caught.value, "status_code", status) == status
