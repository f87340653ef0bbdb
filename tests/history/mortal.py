"""A recorder that dies at a chosen point: between reading, writing and acknowledging.

What is wrapped does everything that the real one does, up to that point. As a program it kills
itself: ``python -m tests.history.mortal REDIS DATABASE POINT CONSUMER``.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bus.base import Bus, Delivery, Group
from bus.redis import RedisBus
from history.database import Database
from history.scribe import Scribe
from history.store import Store

POINTS = ("read", "inside", "committed", "acking", "acked")
"""What was read is not folded; the transaction is not committed; nothing is acknowledged; half of
it is; all of it is."""

PARTITIONS = 2
FLUSH_S = 0.002
Meet = Callable[[str], None]


class Death(BaseException):
    """No error that anybody would handle."""


class Fate:
    """Dies the first time that its point is met; ``strike`` is how."""

    def __init__(self, point: str, strike: Callable[[], None]) -> None:
        self.point = point
        self._strike = strike

    def meet(self, point: str) -> None:
        """Whoever works is at this point."""
        if point == self.point:
            self._strike()


def raise_death() -> None:
    """Within this process."""
    raise Death


def kill_process() -> None:
    """Of this process, by the system."""
    os.kill(os.getpid(), signal.SIGKILL)


class MortalDatabase(Database):
    """Its transactions may die before or after they are committed."""

    def __init__(self, url: str, fate: Fate) -> None:
        super().__init__(url)
        self._fate = fate

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction."""
        async with super().write() as connection:
            yield connection
            self._fate.meet("inside")
        self._fate.meet("committed")


class MortalGroup:
    """A consumer that may die with what it was given, or while it acknowledges."""

    def __init__(self, group: Group, fate: Fate) -> None:
        self._group = group
        self._fate = fate

    async def read(self, count: int, wait_ms: int) -> list[Delivery]:
        """New ones."""
        return self._given(await self._group.read(count, wait_ms))

    async def reclaim(self, idle_ms: int, count: int) -> list[Delivery]:
        """Those of the dead."""
        return self._given(await self._group.reclaim(idle_ms, count))

    async def ack(self, positions: Sequence[str]) -> None:
        """Half of them first."""
        if not positions:
            return
        half = len(positions) // 2
        await self._group.ack(positions[:half])
        self._fate.meet("acking")
        await self._group.ack(positions[half:])
        self._fate.meet("acked")

    def _given(self, deliveries: list[Delivery]) -> list[Delivery]:
        if deliveries:
            self._fate.meet("read")
        return deliveries


class MortalBus:
    """A log whose groups are mortal."""

    def __init__(self, bus: Bus, fate: Fate) -> None:
        self._bus = bus
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def group(self, name: str, consumer: str, partition: int) -> MortalGroup:
        """Join a group."""
        return MortalGroup(await self._bus.group(name, consumer, partition), self._fate)


class Life:
    """A recorder at work on every partition, until it dies."""

    def __init__(self, redis_url: str, database_url: str, consumer: str, fate: Fate) -> None:
        self.bus = RedisBus(redis_url, partitions=PARTITIONS)
        self.database = MortalDatabase(database_url, fate)
        mortal: Any = MortalBus(self.bus, fate)
        store = Store(self.database)
        self.scribes = [
            Scribe(mortal, store, partition, consumer, FLUSH_S) for partition in range(PARTITIONS)
        ]

    async def live(self) -> None:
        """Until death; whatever was folded and not written is lost with it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for scribe in self.scribes:
                    tasks.create_task(_work(scribe))
        except* Death:
            pass
        finally:
            await self.database.close()
            await self.bus.close()


async def _work(scribe: Scribe) -> None:
    scribe._write_the_rest = _nothing  # type: ignore[method-assign]
    scribe.on_deleted, scribe.on_written = lambda _: None, lambda: None
    await scribe.begin()
    await scribe.run()


async def _nothing() -> None:
    """What the dead write."""


if __name__ == "__main__":
    redis_url, database_url, point, consumer = sys.argv[1:]
    asyncio.run(Life(redis_url, database_url, consumer, Fate(point, kill_process)).live())
