"""The protocol class: bounds on what waits, an end for who takes nothing, names that are there."""

import ast
import asyncio
import contextlib
import inspect
import logging
import socket
import textwrap
import types
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidStatus

from hub import wsprotocol
from hub.wsprotocol import UNSENT_BYTES_MAX, WRITE_BUFFER_BYTES_MAX, HubProtocol, self_test
from locustfiles.reference_client import ReferenceClient
from tests.hub import raw
from tests.hub.made import NOW, event, permission, report, said
from tests.hub.raw import CLOSE, HELLO, Peer, framed, peer
from tests.hub.servers import Served, served, until


@contextlib.asynccontextmanager
async def stalled(hub: Served) -> AsyncIterator[Peer]:
    """A peer with 8 KiB for what it receives, which says hello, opens a session and never reads."""
    async with peer(hub, receive_bytes=8 * 1024) as opened:
        await opened.send(HELLO + raw.said("subscribe", session="a"))
        yield opened


async def test_a_peer_that_never_reads_is_cut_off_and_freed() -> None:
    """Nothing of it stays: not its client, not its task, not its descriptor."""
    limits = {"in_flight_bytes_max": 48 * 1024, "behind_degrade_ms": 50, "behind_abort_ms": 150}
    async with served(**limits) as hub:
        await hub.log(report("a", to=500, entries=said(250, text="x" * 900)))
        async with stalled(hub) as opened:
            await until(lambda: hub.board.clients)
            for turn in range(200):
                await hub.log(permission(f"s{turn}", "c", summary="x" * 900))
            await until(lambda: not hub.board.clients)
            await until(lambda: not hub.hub.connections)
            taken = len(await opened.ended())
        assert taken <= 48 * 1024 + UNSENT_BYTES_MAX + 128 * 1024


async def test_a_peer_that_answers_no_ping_is_cut_off() -> None:
    """It reads nothing and says nothing: uvicorn alone would wait for its flush for ever."""
    async with served(ping_s=0.1) as hub:
        await hub.log(report("a", to=500, entries=said(250, text="x" * 900)))
        async with stalled(hub) as opened:
            await until(lambda: hub.board.clients)
            await until(lambda: not hub.board.clients)
            await until(lambda: not hub.hub.connections)
            await opened.ended()


def transport_of(hub: Served) -> asyncio.Transport:
    """The transport of the only connection."""
    [connection] = hub.hub.connections
    assert connection._socket is not None
    return connection._socket.transport


async def test_a_full_transport_holds_its_client_and_one_with_room_lets_it_go_on() -> None:
    """No more than the buffer's limit and one frame waits in it; then the peer reads everything."""
    async with served() as hub:
        await hub.log(event("prompt", "a"))
        async with stalled(hub) as opened:
            await until(lambda: hub.board.clients)
            [client] = hub.board.clients.values()
            turn = 0
            while client.outbox.writable:
                turn += 1
                told = said(1, first=turn, text="x" * 1_800)
                await hub.log(report("a", from_=turn - 1, to=turn, entries=told))
                assert transport_of(hub).get_write_buffer_size() <= WRITE_BUFFER_BYTES_MAX + 65_536
            held = transport_of(hub).get_write_buffer_size()
            assert held > WRITE_BUFFER_BYTES_MAX
            await hub.log(permission("b"))
            assert transport_of(hub).get_write_buffer_size() == held
            while not client.outbox.writable or client.outbox.waits or client.missed:
                await opened.read()
                await opened.send(raw.said("ack", frames=len(opened.frames)))
            assert transport_of(hub).get_write_buffer_size() < held


async def test_a_peer_that_reads_again_is_given_values_and_is_in_step() -> None:
    """What it missed comes as present values; then its rows are those of the board."""
    limits = {"in_flight_bytes_max": 64 * 1024, "queued_bytes_max": 8 * 1024}
    async with served(**limits) as hub:
        await hub.log(*(event("prompt", f"s{n}") for n in range(30)), event("prompt", "a"))
        async with stalled(hub) as opened:
            await until(lambda: hub.board.clients)
            [client] = hub.board.clients.values()
            turn = 0
            while "overview" not in client.missed:
                turn += 1
                await hub.log(
                    *(event("prompt", f"s{n}", text="x" * 500, at=NOW + turn) for n in range(30))
                )
            reference = ReferenceClient()
            reference.opening("a")
            rows = hub.get_rows()
            while reference.rows != rows:
                reference.feed((await opened.read()).text)
                await opened.send(raw.said("ack", frames=len(opened.frames)))
            assert len(reference.frames) < turn * 30
            told = await asyncio.to_thread(hub.get, "/api/live")
            assert reference.rows == {row["id"]: row for row in told["sessions"]}
            await hub.log(event("stop", "s0", at=NOW + 10**6))
            while reference.rows["s0"]["status"] != "idle":
                reference.feed((await opened.read()).text)


async def test_a_peer_that_reads_slowly_hears_of_requests_and_is_never_given_much() -> None:
    """Some bytes at a time: its budget holds, and snapshots do not chase each other."""
    budget = 32 * 1024
    async with served(in_flight_bytes_max=budget, queued_bytes_max=8 * 1024) as hub:
        await hub.log(event("prompt", "a"))
        async with peer(hub, receive_bytes=8 * 1024) as opened:
            await opened.send(HELLO + raw.said("subscribe", session="a"))
            await until(lambda: hub.board.clients)
            [client] = hub.board.clients.values()
            reference = ReferenceClient()
            reference.opening("a")
            for turn in range(1, 300):
                told = said(1, first=turn, text="x" * 1_800)
                await hub.log(report("a", from_=turn - 1, to=turn, entries=told))
                if turn % 50 == 0:
                    await hub.log(permission(f"s{turn}"))
                if turn % 3 == 0:
                    reference.feed((await opened.read()).text)
                    await opened.send(raw.said("ack", frames=len(opened.frames)))
                assert client.outbox.in_flight_bytes <= budget + 64 * 1024
                assert client.outbox.queued_bytes <= 8 * 1024 + 64 * 1024
            while len(reference.items) < 5 or reference.opened["a"].stale or client.missed:
                reference.feed((await opened.read()).text)
                await opened.send(raw.said("ack", frames=len(opened.frames)))
            kinds = [(frame["type"], frame.get("part")) for frame in reference.frames]
            assert kinds.count(("session.snapshot", 1)) <= 3


async def test_fragments_keep_their_place_among_whole_messages() -> None:
    """A request in two frames is served before the one that comes behind it."""
    async with served() as hub, peer(hub) as opened:
        await opened.send(HELLO)
        await opened.until("overview.snapshot")
        asked = raw.said("ping", id=1)[6:]  # without its header and mask
        split = framed(asked[:5], fin=False) + framed(asked[5:], opcode=0)
        await opened.send(split + raw.said("ping", id=2) + split.replace(b" 1", b" 3"))
        ids = [(await opened.until("pong")).told["id"] for _ in range(3)]
        assert ids == [1, 2, 3]


async def test_what_was_sent_behind_hello_is_served_in_its_order() -> None:
    """Requests that came before the hub had answered hello are not lost, nor overtaken."""
    async with served() as hub:
        await hub.log(event("prompt", "a"))
        asked = b"".join(raw.said("ping", id=n) for n in range(10))
        async with peer(hub) as opened:
            await opened.send(HELLO + asked)
            assert (await opened.read()).told["type"] == "welcome"
            ids = [(await opened.until("pong")).told["id"] for _ in range(10)]
            assert ids == list(range(10))


@pytest.mark.parametrize(
    "goodbye",
    [framed(b"\x03\xe8", CLOSE), framed(b"x" * 70_000)[:100], framed(b"x", 3), framed(b"[]")],
    ids=["a close frame", "too large", "no opcode", "no object"],
)
async def test_a_peer_that_ends_itself_and_reads_nothing_is_freed(
    monkeypatch: pytest.MonkeyPatch, goodbye: bytes
) -> None:
    """Its socket does not wait for a flush, also where the system itself never gives up."""
    monkeypatch.setattr(wsprotocol, "_OPTIONS", wsprotocol._OPTIONS[:1])
    async with served() as hub:
        await hub.log(report("a", to=500, entries=said(250, text="x" * 900)))
        async with stalled(hub) as opened:
            await until(lambda: any(not c.outbox.writable for c in hub.board.clients.values()))
            transport = transport_of(hub)
            await opened.send(goodbye)
            await until(lambda: not hub.board.clients and not hub.hub.connections)
            await until(lambda: transport.get_extra_info("socket").fileno() == -1)


async def test_the_kernel_holds_little_that_was_not_sent() -> None:
    """Where the system can, the socket says it is full before megabytes wait in it."""
    async with served() as hub, hub.client():
        [connection] = hub.hub.connections
        assert connection._socket is not None
        raw = connection._socket.transport.get_extra_info("socket")
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            held = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
            assert held == UNSENT_BYTES_MAX


async def test_a_refused_handshake_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """A stranger cannot fill the log by asking from a foreign page."""
    async with served() as hub:
        with caplog.at_level(logging.ERROR), pytest.raises(InvalidStatus):
            async with hub.socket(origin="https://evil.example"):
                raise AssertionError("let in")
    assert caplog.records == []


@pytest.mark.parametrize("name", wsprotocol._RELIED_ON)
def test_a_method_that_is_gone_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Another uvicorn than the one that was read is refused before it serves."""
    self_test()
    monkeypatch.delattr(WebSocketsSansIOProtocol, name)
    with pytest.raises(RuntimeError, match=rf"\b{name}\b.* is gone"):
        self_test()


@pytest.mark.parametrize("name", wsprotocol._RELIED_ON_ATTRIBUTES)
def test_an_attribute_that_is_gone_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The same for what uvicorn sets on a connection."""
    for method, member in list(vars(WebSocketsSansIOProtocol).items()):
        if isinstance(member, types.FunctionType):
            monkeypatch.setattr(WebSocketsSansIOProtocol, method, without(member, name))
    with pytest.raises(RuntimeError, match=rf"\b{name}\b.* is gone"):
        self_test()


def without(function: Any, name: str) -> Any:
    """The same function, which calls an attribute otherwise."""
    names = tuple(f"{each}_now" if each == name else each for each in function.__code__.co_names)
    return types.FunctionType(function.__code__.replace(co_names=names), function.__globals__)


def test_everything_that_is_relied_on_is_looked_for() -> None:
    """No name of the base class is used that the look at the start leaves out."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(HubProtocol)))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "super()")
    }
    base, own = vars(WebSocketsSansIOProtocol), vars(HubProtocol)
    made_here = {name for name in used if name.startswith("_")} | {"deflates", "heard_at"}
    made_here |= {name for name in own if name not in base}
    overridden = {name for name in own if name in base and not name.startswith("__")}
    named = {*wsprotocol._RELIED_ON, *wsprotocol._RELIED_ON_ATTRIBUTES}
    assert (used - made_here) | overridden <= named
