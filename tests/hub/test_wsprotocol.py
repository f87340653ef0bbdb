"""The protocol class: bounds on what waits, an end for who takes nothing, names that are there."""

import asyncio
import json
import logging
import socket

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from hub import wsprotocol
from hub.wsprotocol import UNSENT_BYTES_MAX, HubProtocol, self_test
from tests.hub.made import permission, report, said
from tests.hub.servers import BEARER, DEADLINE_S, Served, served, until

HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Authorization: {credential}\r\n\r\n"
)


def framed(**told: object) -> bytes:
    """A client's frame as bytes."""
    return Frame(Opcode.TEXT, json.dumps(told).encode()).serialize(mask=True)


async def stalled(hub: Served) -> socket.socket:
    """A peer with 8 KiB for what it receives, which says hello, opens a session and never reads."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, ("127.0.0.1", hub.port))
    text = HANDSHAKE.format(port=hub.port, credential=BEARER["Authorization"])
    await loop.sock_sendall(peer, text.encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += await loop.sock_recv(peer, 1)
    asked = framed(type="hello", protocol=1) + framed(type="subscribe", session="a")
    await loop.sock_sendall(peer, asked)
    return peer


async def ended(peer: socket.socket) -> int:
    """Wait until the socket is cut; how many bytes the hub had got rid of."""
    loop = asyncio.get_running_loop()
    taken = 0
    async with asyncio.timeout(DEADLINE_S):
        try:
            while data := await loop.sock_recv(peer, 65_536):
                taken += len(data)
        except ConnectionResetError:
            pass
    return taken


async def test_a_peer_that_never_reads_is_cut_off_and_freed() -> None:
    """Nothing of it stays: not its client, not its task, not its descriptor."""
    limits = {"in_flight_bytes_max": 48 * 1024, "behind_degrade_ms": 50, "behind_abort_ms": 150}
    async with served(**limits) as hub:
        await hub.log(report("a", to=500, entries=said(250, text="x" * 900)))
        peer = await stalled(hub)
        await until(lambda: hub.board.clients)
        for turn in range(200):
            await hub.log(permission(f"s{turn}", "c", summary="x" * 900))
        await until(lambda: not hub.board.clients)
        await until(lambda: not hub.hub._open)
        taken = await ended(peer)
        peer.close()
        assert taken <= 48 * 1024 + UNSENT_BYTES_MAX + 128 * 1024


async def test_a_peer_that_answers_no_ping_is_cut_off() -> None:
    """It reads nothing and says nothing: uvicorn alone would wait for its flush for ever."""
    async with served(ping_s=0.1) as hub:
        await hub.log(report("a", to=500, entries=said(250, text="x" * 900)))
        peer = await stalled(hub)
        await until(lambda: hub.board.clients)
        await until(lambda: not hub.board.clients)
        await until(lambda: not hub.hub._open)
        await ended(peer)
        peer.close()


async def test_the_kernel_holds_little_that_was_not_sent() -> None:
    """Where the system can, the socket says it is full before megabytes wait in it."""
    async with served() as hub, hub.client():
        [connection] = hub.hub._open
        told = connection._scope["extensions"][wsprotocol.EXTENSION]
        raw = told["abort"].__self__.get_extra_info("socket")
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


def test_a_name_that_is_gone_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another uvicorn than the one that was read is refused before it serves."""
    self_test()
    monkeypatch.delattr(HubProtocol.__mro__[1], "keepalive_timeout")
    with pytest.raises(RuntimeError, match="keepalive_timeout"):
        self_test()
