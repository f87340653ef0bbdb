"""How many watch, over several workers on one bus: summed, forgotten, never in the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from hub import presence
from hub.limits import Limits
from hub.live.client import Client
from hub.live.hello import parse_hello
from hub.live.switchboard import Switchboard
from hub.presence import TOPIC, Presence, Told
from hub.worker import Worker
from tests.hub.made import NOW
from tests.hub.servers import until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers tell each other at once, and forget soon."""
    for name, value in (("LOOK_S", 0.01), ("SAY_S", 0.05), ("FORGET_S", 0.5)):
        monkeypatch.setattr(presence, name, value)


class Flaky(MemoryBus):
    """A log whose signals are lost while ``is_away``."""

    is_away = False

    async def publish(self, topic: str, data: bytes) -> None:
        """Nothing, or an error."""
        if self.is_away:
            raise BusUnavailable("away")
        await super().publish(topic, data)


class Present:
    """One worker of a bus: its board, and the task that speaks for it."""

    def __init__(self, bus: MemoryBus, name: str) -> None:
        self.worker = Worker(bus, Switchboard(Limits(), name))
        self.board = self.worker.board
        self.task = asyncio.create_task(Presence(bus, self.worker).run())

    def attach(self, name: str, workspace: str = "default") -> Client:
        """Somebody watches."""
        client = Client(name, workspace, self.board.limits, lambda: None)
        told = {"type": "hello", "protocol": 1}
        self.board.attach(client, parse_hello(told, self.board.limits), NOW)
        return client

    def watching(self, workspace: str = "default") -> int:
        """How many this worker believes in."""
        return self.board.cache.totals_of(workspace).watching


@contextlib.asynccontextmanager
async def two(bus: MemoryBus) -> AsyncIterator[tuple[Present, Present]]:
    """Two workers of one bus."""
    await bus.open()
    pair = Present(bus, "w-1"), Present(bus, "w-2")
    yield pair
    for each in pair:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in pair), return_exceptions=True)


async def test_everybody_is_counted_on_every_worker() -> None:
    """By workspace, and no longer than they are there."""
    async with two(MemoryBus()) as (one, other):
        one.attach("a")
        gone = other.attach("b")
        other.attach("c", "elsewhere")
        for each in (one, other):
            await until(lambda e=each: (e.watching(), e.watching("elsewhere")) == (2, 1))
        other.board.detach(gone)
        for each in (one, other):
            await until(lambda e=each: (e.watching(), e.watching("elsewhere")) == (1, 1))


async def test_a_worker_that_falls_silent_is_forgotten() -> None:
    """One that was killed says no goodbye; one's own clients are counted all along."""
    async with two(MemoryBus()) as (one, other):
        one.attach("a")
        other.attach("b")
        await until(lambda: one.watching() == 2)
        other.task.cancel()
        await until(lambda: one.watching() == 1)


async def test_what_nobody_understands_is_passed_over() -> None:
    """A signal of another version, or none at all."""
    bus = MemoryBus()
    async with two(bus) as (one, other):
        other.attach("b")
        await until(lambda: one.watching() == 1)
        for data in (b"", b"\xff", msgspec.msgpack.encode([1]), msgspec.msgpack.encode({"x": 1})):
            await bus.publish(TOPIC, data)
        await bus.publish(TOPIC, msgspec.msgpack.encode(Told("w-3", {"default": 5})))
        await until(lambda: one.watching() == 6)
        assert not one.task.done()


async def test_without_a_bus_one_counts_oneself() -> None:
    """And hears of the others again once it is back."""
    bus = Flaky()
    async with two(bus) as (one, other):
        bus.is_away = True
        one.attach("a")
        other.attach("b")
        await until(lambda: one.watching() == other.watching() == 1)
        bus.is_away = False
        await until(lambda: one.watching() == other.watching() == 2)
