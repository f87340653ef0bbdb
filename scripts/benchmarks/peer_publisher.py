"""Publishes the events of a made-up fleet to a broadcaster, in the way that it takes them fastest.

One message for each event, or with ``--batch-ms`` one for all of so long. An event carries the
time at which it happened, so that a publisher that is behind is seen. Started by ``peers.py``.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack  # type: ignore[import-untyped]
import msgspec
import serving
from generator import Fleet, drive
from redis.asyncio import Redis
from websockets.asyncio.client import connect

from bus.connect import connect as connect_bus
from session.delta import Event

CHANNEL = "board"
SOCKET_IO_CHANNEL = "socket.io#/#"
SOCKET_IO_EVENT = 2
API_KEY = "benchmark"
ANSWER_BYTES_MAX = 1 << 20

Publish = Callable[[list[list[Event]]], Awaitable[None]]


def text(events: list[Event]) -> bytes:
    """A message: one event, or a list of several."""
    return msgspec.json.encode(events[0] if len(events) == 1 else events)


def packet(events: list[Event]) -> bytes:
    """The same as an emitter of Socket.IO writes it, a program that is no node itself."""
    told = msgspec.to_builtins(events[0] if len(events) == 1 else events)
    sent = {"type": SOCKET_IO_EVENT, "data": ["event", told], "nsp": "/"}
    made: bytes = msgpack.packb(["publisher", sent, {"rooms": [], "except": [], "flags": {}}])
    return made


async def to_redis(port: int, channel: str, encode: Callable[[list[Event]], bytes]) -> Publish:
    """Pub/sub of Redis, everything that is due in one pipeline."""
    redis = Redis(port=port)
    await redis.ping()

    async def publish(messages: list[list[Event]]) -> None:
        pipeline = redis.pipeline(transaction=False)
        for each in messages:
            pipeline.execute_command("PUBLISH", channel, encode(each))
        await pipeline.execute()

    return publish


async def to_tower(port: int) -> Publish:
    """The log of Agent Tower, as its ingest appends to it: what is due in one call."""
    bus = connect_bus(f"redis://127.0.0.1:{port}")
    await bus.open()

    async def publish(messages: list[list[Event]]) -> None:
        await bus.append([event for each in messages for event in each])

    return publish


async def to_nchan(port: int) -> Publish:
    """nchan's publisher over one WebSocket, which saves it a request for each message."""
    socket = await connect(f"ws://127.0.0.1:{port}/publish", compression=None, max_size=None)

    async def swallow() -> None:
        async for _ in socket:
            pass  # it answers every message with what it knows of the channel

    swallowing = asyncio.create_task(swallow())

    async def publish(messages: list[list[Event]]) -> None:
        if swallowing.done():
            raise RuntimeError("nchan closed the publisher's socket")
        for each in messages:
            await socket.send(text(each), text=True)

    return publish


async def to_nats(port: int) -> Publish:
    """NATS over TCP, in its own words."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b'CONNECT {"verbose":false,"pedantic":false}\r\n')

    async def publish(messages: list[list[Event]]) -> None:
        for each in messages:
            body = text(each)
            writer.write(b"PUB %s %d\r\n%s\r\n" % (CHANNEL.encode(), len(body), body))
        await writer.drain()

    return publish


async def to_centrifugo(port: int) -> Publish:
    """Centrifugo's HTTP API on one connection, everything that is due in one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=ANSWER_BYTES_MAX)

    async def publish(messages: list[list[Event]]) -> None:
        commands = b",".join(
            b'{"publish":{"channel":"%s","data":%s}}' % (CHANNEL.encode(), text(each))
            for each in messages
        )
        body = b'{"commands":[%s],"parallel":false}' % commands
        head = (
            f"POST /api/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {API_KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 200"):
            raise RuntimeError(answer.decode())
        if b"chunked" in answer:
            await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            await reader.readexactly(int(answer.partition(b"content-length:")[2].split()[0]))

    return publish


WAYS: dict[str, Callable[[int], Awaitable[Publish]]] = {
    "tower": to_tower,
    "socket.io": lambda port: to_redis(port, SOCKET_IO_CHANNEL, packet),
    "redis": lambda port: to_redis(port, CHANNEL, text),
    "nchan": to_nchan,
    "nats": to_nats,
    "centrifugo": to_centrifugo,
}


async def run(told: argparse.Namespace) -> None:
    """Publish until cancelled; events that are due are published in the order of their making."""
    publish = await WAYS[told.way](told.port)
    fleet = Fleet(told.sessions)
    begin = fleet.begin()
    if told.way == "tower":
        await publish([begin])  # the others keep nothing that a beginning would change
    serving.announce(told.port)
    waiting: list[Event] = []

    async def note(count: int) -> None:
        waiting.extend(fleet.next() for _ in range(count))
        if not told.batch_ms:
            await flush()

    async def flush() -> None:
        events = waiting.copy()
        waiting.clear()
        await publish([events] if told.batch_ms else [[each] for each in events])

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(drive(told.rate, note))
        while told.batch_ms:
            await asyncio.sleep(told.batch_ms / 1000)
            if waiting:
                await flush()


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=list(WAYS))
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=60, help="stop by itself after so long")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--rate", type=float, default=20, help="events a second in all")
    parser.add_argument("--batch-ms", type=float, default=0, help="collect events for so long")
    return parser.parse_args()


def main() -> Any:
    """Publish until the time is over, or whoever started this ends it."""
    told = parse()
    serving.run(lambda: run(told), told.seconds)


if __name__ == "__main__":
    main()
