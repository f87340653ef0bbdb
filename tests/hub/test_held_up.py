"""A hub that was held up blames nobody for it: what was said meanwhile is read before it judges.

On both loops, for they look at timers and sockets in a different order.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest
import uvloop

from hub import httpprotocol, websocket
from tests.hub.raw import HELLO, peer, said
from tests.hub.servers import DEADLINE_S, hold_up, served, until

BUSY_S = 0.3
"""Longer than whatever is allowed here."""


async def held_up(send: Callable[[], Any]) -> None:
    """Something is sent, and at once the loop is kept busy, as by whatever a socket brought it.

    uvloop looks at its timers next, and at its sockets only then.
    """
    here, there = socket.socketpair()
    done = asyncio.Event()

    def work() -> None:
        here.recv(1)
        send()
        hold_up(BUSY_S)
        done.set()

    with here, there:
        asyncio.get_running_loop().add_reader(here, work)
        there.send(b"!")
        await done.wait()
        asyncio.get_running_loop().remove_reader(here)


GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

Body = Callable[[pytest.MonkeyPatch], Coroutine[Any, Any, None]]


def on_both_loops(body: Body) -> Callable[..., None]:
    """A test of it on each."""

    def test(monkeypatch: pytest.MonkeyPatch, make_loop: Any) -> None:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(body(monkeypatch))

    test.__doc__ = body.__doc__
    return pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])(
        test
    )


@on_both_loops
async def test_a_request_that_was_said_in_time_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its deadline passed while the hub did not look."""
    monkeypatch.setattr(httpprotocol, "PAUSE_S", 0.2)
    accepted = asyncio.Event()
    made = httpprotocol.HttpProtocol.connection_made

    def make(protocol: Any, transport: Any) -> None:
        made(protocol, transport)
        accepted.set()

    monkeypatch.setattr(httpprotocol.HttpProtocol, "connection_made", make)
    async with served() as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        await accepted.wait()
        await held_up(lambda: writer.write(GET))
        async with asyncio.timeout(DEADLINE_S):
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()


@on_both_loops
async def test_a_hello_that_was_said_in_time_is_welcomed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same of a socket's first word."""
    async with served(hello_timeout_ms=200) as hub, peer(hub) as opened:
        await until(lambda: hub.hub.connections)
        await held_up(lambda: opened.socket.send(HELLO))
        await opened.until("welcome")


@on_both_loops
async def test_a_client_that_spoke_meanwhile_is_not_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The hub has not listened for as long as a peer may be silent."""
    monkeypatch.setattr(websocket, "SWEEP_S", 0.01)
    async with served(silent_ms=200) as hub, peer(hub) as opened:
        await opened.send(HELLO)
        await opened.until("welcome")
        sweeping = asyncio.create_task(hub.hub.run())
        for number in range(3):
            await held_up(partial(opened.socket.send, said("ping", id=number)))
            await opened.until("pong")
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)
