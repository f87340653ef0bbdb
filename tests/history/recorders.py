"""Recorders at work on one Redis and one database, and what a test asks of them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from bus.base import Checkpoint, Receipt
from bus.position import START_ID, ordinal_of, parse
from bus.redis import RedisBus
from history.database import Database
from history.recorder import Recorder
from history.store import Store
from session.delta import Delta, Time
from tests.bus.conftest import Server
from tests.history.looking import rows_of
from tests.hub.made import event
from tests.hub.servers import until

PARTITIONS = 2
MINUTE_MS = 60_000


class Watched(RedisBus):
    """A log that counts what its recorder does to it."""

    def __init__(self, url: str) -> None:
        super().__init__(url, partitions=PARTITIONS)
        self.asked = self.stored = self.appended = 0
        self.loses_releases = False

    async def lease(self, name: str, holder: str, ttl_ms: int) -> bool:
        """Taken or renewed."""
        self.asked += 1
        return await super().lease(name, holder, ttl_ms)

    async def release(self, name: str, holder: str) -> None:
        """Given up, unless its holder is one that was killed."""
        if not self.loses_releases:
            await super().release(name, holder)

    async def save_checkpoint(self, partition: int, checkpoint: Checkpoint) -> None:
        """Stored."""
        self.stored += 1
        await super().save_checkpoint(partition, checkpoint)

    async def append(self, deltas: list[Delta]) -> list[Receipt]:
        """Told."""
        self.appended += 1
        return await super().append(deltas)


class Running:
    """A recorder at work."""

    def __init__(self, url: str, database_url: str) -> None:
        self.bus = Watched(url)
        self.database = Database(database_url)
        self.store = Store(self.database)
        self.recorder = Recorder(self.bus, self.store, flush_s=0.01)
        self.task = asyncio.create_task(self.recorder.run())

    async def end(self, *, killed: bool = False) -> None:
        """An orderly end, or one that tells nobody."""
        self.bus.loses_releases = killed
        if killed:
            for each in self.recorder._scribes.values():
                each._write_the_rest = nothing  # type: ignore[method-assign]
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def recorded(self, log: RedisBus) -> None:
        """Return when the database holds everything that the log holds now."""
        ends = [await log.position(each) for each in range(PARTITIONS)]
        async with asyncio.timeout(8):
            while not await self._is_recorded(log, ends):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def _is_recorded(self, log: RedisBus, ends: list[str]) -> bool:
        for partition, end in enumerate(ends):
            if parse(end).id == START_ID:
                continue  # of a log that began anew, and where nothing was said since
            place = (await self.store.position(partition)).place
            is_there = await log.holds(partition, place) and ordinal_of(place) >= ordinal_of(end)
            if not is_there:
                return False
        return True

    @property
    def statuses(self) -> dict[str, str]:
        """Its sessions, each of which it has once."""
        sessions = list(self.recorder.sessions())
        told = {each.id: each.status for each in sessions}
        assert len(told) == len(sessions)
        return told


async def nothing() -> None:
    """What the dead write."""


@contextlib.asynccontextmanager
async def recorders(server: Server, url: str, count: int) -> AsyncIterator[list[Running]]:
    """So many of them, ended at the end."""
    made = [Running(server.url, url) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            await each.end()
            await each.bus.close()
            await each.database.close()


def leaders(made: list[Running]) -> list[Running]:
    """Those that lead."""
    return [each for each in made if each.recorder.is_leading]


async def lead(made: list[Running]) -> tuple[Running, list[Running]]:
    """The leader once there is one, and the others."""
    await until(lambda: leaders(made))
    (leader,) = leaders(made)
    return leader, [each for each in made if each is not leader]


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def prompts(start: int, stop: int) -> list[Delta]:
    """As many sessions that have just begun to work."""
    return [event("prompt", f"s{number}", at=now_ms()) for number in range(start, stop)]


def names(start: int, stop: int) -> list[str]:
    """Their names."""
    return sorted(f"s{number}" for number in range(start, stop))


async def rows(store: Store) -> dict[str, dict[str, Any]]:
    """The sessions in the database by name, each of which is there once."""
    found = await rows_of(store, "sessions")
    told = {row["id"]: row for row in found}
    assert len(told) == len(found)
    return told


async def times(log: RedisBus) -> list[str]:
    """The time deltas on the log."""
    told = []
    for partition in range(PARTITIONS):
        end = ordinal_of(await log.position(partition))
        at = 0
        while at < end:
            batch = await anext(log.tail(partition, None))
            told += [delta.kind for delta in batch.deltas if isinstance(delta, Time)]
            at = ordinal_of(batch.position)
    return told


def value(metric: object) -> float:
    """What a counter has come to."""
    return float(metric._value.get())  # type: ignore[attr-defined]
