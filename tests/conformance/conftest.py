"""The engines that the one suite runs against, each empty at the start of a test."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import NamedTuple

import fakeredis
import pytest

from bus import keys
from bus.base import Bus
from bus.memory import MemoryBus
from bus.redis import RedisBus
from bus.redis_clients import Clients, make_clients
from bus.remote import RemoteBus
from bus.remote_server import serve

ENGINES = ["memory", "remote", "fakeredis", pytest.param("redis", marks=pytest.mark.redis_server)]


Spoil = Callable[[int, dict[str, bytes]], Awaitable[None]]


class Engine(NamedTuple):
    """An open log, and for Redis a way to put foreign bytes into it."""

    bus: Bus
    spoil: Spoil


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """One of the engines."""
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            made = Engine(MemoryBus(), no_way_to_spoil)
        elif request.param == "remote":
            made = Engine(await remote_log(stack), no_way_to_spoil)
        elif request.param == "fakeredis":
            made = await redis_engine(stack, "redis://fake", fake_clients)
        else:
            made = await redis_engine(stack, request.getfixturevalue("redis_url"), make_clients)
        await made.bus.open()
        stack.push_async_callback(made.bus.close)
        yield made


@pytest.fixture
def spoil(engine: Engine) -> Spoil:
    """A way to put foreign bytes into a partition of it."""
    return engine.spoil


@pytest.fixture
def bus(engine: Engine) -> Bus:
    """Its log alone."""
    return engine.bus


async def remote_log(stack: AsyncExitStack) -> RemoteBus:
    """A log in memory, over a socket."""
    here, there = socket.socketpair()
    log = MemoryBus()
    served = asyncio.create_task(serve(log, *await asyncio.open_connection(sock=there)))

    async def end() -> None:
        await served  # it ends by itself when its peer is gone
        await log.close()

    stack.push_async_callback(end)
    return RemoteBus(*await asyncio.open_connection(sock=here))


async def redis_engine(stack: AsyncExitStack, url: str, make: Callable[[str], Clients]) -> Engine:
    """A Redis log over an emptied database."""
    clients = make(url)
    for close in clients.closers:
        stack.push_async_callback(close)
    await clients.writer.execute_command("FLUSHDB")

    async def spoil(partition: int, fields: dict[str, bytes]) -> None:
        flat = [part for pair in fields.items() for part in pair]
        await clients.writer.execute_command("XADD", keys.deltas(partition), "*", *flat)

    return Engine(RedisBus(url, make=lambda _: make(url)), spoil)


SERVER = fakeredis.FakeServer()


def fake_clients(_url: str) -> Clients:
    """Clients of the one made-up server."""
    writer, reader = (fakeredis.FakeAsyncRedis(server=SERVER, protocol=2) for _ in range(2))
    return Clients(writer, reader, [writer.aclose, reader.aclose])


async def no_way_to_spoil(_partition: int, _fields: dict[str, bytes]) -> None:
    """Nobody but the program writes to its memory."""
    raise AssertionError
