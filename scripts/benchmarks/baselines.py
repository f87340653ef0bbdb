"""Naive servers: each broadcasts every event at once to everybody, in one of four ways.

``sequential``, ``gather`` and ``gather-timeout`` are Starlette on uvicorn with its default
WebSocket protocol; ``broadcast`` is the websockets library with its own broadcast().
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import serving
import uvicorn
from generator import Fleet, drive
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websockets

from locustfiles.baseline import WAYS, Naive

BUFFER_BYTES_MAX = 1 << 20

Send = Callable[[str], Awaitable[None]]


async def serve_naive(told: argparse.Namespace) -> None:
    """One of ``locustfiles/baseline.py``, told events by itself; listens until cancelled."""
    naive = Naive(told.way)
    listener = serving.listen()
    config = uvicorn.Config(
        naive.app, lifespan="off", access_log=False, log_config=None, backlog=2048,
        ws_per_message_deflate=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.001)
        serving.announce(listener.getsockname()[1])
        tasks.create_task(generate(told, naive.send, lambda: len(naive.sockets)))


async def serve_broadcast(told: argparse.Namespace) -> None:
    """The websockets library: one text is encoded once and written to every transport."""
    connections: set[ServerConnection] = set()

    async def accept(connection: ServerConnection) -> None:
        connections.add(connection)
        try:
            await connection.wait_closed()
        finally:
            connections.discard(connection)

    async def send(text: str) -> None:
        while _is_full(connections):  # noqa: ASYNC110 - broadcast() itself knows no bound
            await asyncio.sleep(0.001)
        broadcast(connections, text)

    listener = serving.listen()
    async with serve_websockets(accept, sock=listener, compression=None, backlog=2048):
        serving.announce(listener.getsockname()[1])
        await generate(told, send, lambda: len(connections))


def _is_full(connections: set[ServerConnection]) -> bool:
    first: Any = next(iter(connections), None)
    return first is not None and first.transport.get_write_buffer_size() > BUFFER_BYTES_MAX


async def generate(told: argparse.Namespace, send: Send, connected: Callable[[], int]) -> None:
    """Events of a fleet, or frames of one ``--size``; without a rate as fast as it goes."""
    fleet = Fleet(told.sessions, asks_every=told.asks_every)

    async def send_due(count: int) -> None:
        for _ in range(1 if told.size else count):
            text = _frame(told.size) if told.size else msgspec.json.encode(fleet.next()).decode()
            await send(text)

    if told.rate:
        await drive(told.rate, send_due)
    while True:
        if connected():
            await send_due(1)
        await asyncio.sleep(0 if connected() else 0.01)


def _frame(size: int) -> str:
    head = f'{{"title":"ts={time.time_ns()} '
    return head + "x" * (size - len(head) - 2) + '"}'


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=[*WAYS, "broadcast"])
    parser.add_argument("--seconds", type=float, default=60, help="stop by itself after so long")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--rate", type=float, default=0, help="a second in all; 0: saturation")
    parser.add_argument("--asks-every", type=int, default=0, help="each so manieth is a request")
    parser.add_argument("--size", type=int, default=0, help="frames of one size, not events")
    return parser.parse_args()


if __name__ == "__main__":
    words = parse()
    way: Callable[[], Any] = (
        (lambda: serve_broadcast(words))
        if words.way == "broadcast"
        else (lambda: serve_naive(words))
    )
    serving.run(way, words.seconds)
