"""One partition being recorded: what is read, written, acknowledged, and in which order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bus.memory import MemoryBus
from history import metrics
from history import scribe as scribe_module
from history import store as store_module
from history.change import Change, Spent, Step
from history.database import Database
from history.scribe import Scribe
from history.store import Store
from tests.history.looking import rows_of
from tests.hub.made import NOW, event
from tests.ingest.reading import until


@pytest.fixture
def store(database: Database) -> Store:
    """A store on either system."""
    return Store(database)


@contextlib.asynccontextmanager
async def at_work(bus: MemoryBus, store: Store, consumer: str = "one") -> AsyncIterator[Scribe]:
    """A scribe that has begun, and is dropped at the end with all that it has not written."""
    scribe = Scribe(bus, store, 0, consumer, flush_s=0.001)
    scribe._write_the_rest = nothing  # type: ignore[method-assign]
    scribe.on_deleted, scribe.on_written = lambda _: None, lambda: None
    await scribe.begin()
    work = asyncio.create_task(scribe.run())
    try:
        yield scribe
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def nothing() -> None:
    """Whoever is dropped writes nothing any more."""


async def written(scribe: Scribe, bus: MemoryBus) -> None:
    """Return when everything on the log is written and acknowledged."""
    end = await bus.position(0)
    await until(lambda: scribe._ledger.has_written(end) and not pending(bus))


def pending(bus: MemoryBus) -> int:
    """How many deltas were delivered and not acknowledged."""
    return len(bus._groups[scribe_module.GROUP].pending)


async def test_a_log_that_does_not_hold_what_is_recorded_is_recorded_all_the_same(
    store: Store,
) -> None:
    """An empty one at first, and at every start of a service another one in memory."""
    for name in ("a", "b"):
        bus = MemoryBus()
        async with at_work(bus, store) as scribe:
            await bus.append([event("prompt", name)])
            await written(scribe, bus)
    assert [row["id"] for row in await rows_of(store, "sessions")] == ["a", "b"]


async def read_and_left(bus: MemoryBus, consumer: str, count: int) -> None:
    """So many deltas are delivered to a consumer that then does nothing more."""
    group = await bus.group(scribe_module.GROUP, consumer, 0)
    assert len(await group.read(count, 0)) == count


@pytest.mark.parametrize(
    "left", [[("dead", 65)], [("one", 30), ("dead", 35), ("one", 35)]], ids=["dead", "mixed"]
)
async def test_what_was_delivered_and_not_written_is_recorded_however_much_it_is(
    store: Store, left: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the log's order, whoever it was delivered to: what comes later must not hide it."""
    monkeypatch.setattr(scribe_module, "READ_DELTAS_MAX", 25)
    bus = MemoryBus()
    await bus.group(scribe_module.GROUP, "one", 0)
    count = sum(each for _, each in left)
    await bus.append([event("prompt", f"s{number}") for number in range(count + 5)])
    for consumer, each in left:
        await read_and_left(bus, consumer, each)
    lost = metrics.lost_total._value.get()
    async with at_work(bus, store) as scribe:
        await written(scribe, bus)
    assert len(await rows_of(store, "sessions")) == count + 5
    assert metrics.lost_total._value.get() == lost


class Held:
    """A database that takes no step until it is let go; what it was given waits."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_open = asyncio.Event()
        self.tries = 0
        self._commit = store.commit
        monkeypatch.setattr(store, "commit", self.commit)

    async def commit(self, step: Step) -> Spent:
        """As the store's own, once it may."""
        self.tries += 1
        await self.is_open.wait()
        return await self._commit(step)


async def test_nothing_is_acknowledged_or_trimmed_before_it_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it looks at what is pending, and however old its checkpoint is."""
    monkeypatch.setattr(scribe_module, "RECLAIM_S", 0.01)
    monkeypatch.setattr(scribe_module, "READ_MS", 5)
    monkeypatch.setattr(scribe_module, "CHECKPOINT_S", 0.005)
    monkeypatch.setattr(scribe_module, "KEEP_S", 0.0)
    bus, held = MemoryBus(), Held(store, monkeypatch)
    reclaims = counted(monkeypatch, Scribe, "_reclaim")
    trims = counted(monkeypatch, Scribe, "_trim")
    async with at_work(bus, store) as scribe:
        await bus.append([event("prompt", "a")])
        await until(lambda: held.tries > 0)
        seen = len(reclaims), len(trims)
        await until(lambda: len(reclaims) > seen[0] + 2 and len(trims) > seen[1] + 2)
        assert pending(bus) == 1
        assert bus._ring.first == 1
        held.is_open.set()
        await written(scribe, bus)
        await until(lambda: bus._ring.first == 2)


def counted(monkeypatch: pytest.MonkeyPatch, kind: type, name: str) -> list[None]:
    """One item for each time that a method was called."""
    calls: list[None] = []
    plain = getattr(kind, name)

    async def count(*arguments: Any) -> Any:
        calls.append(None)
        return await plain(*arguments)

    monkeypatch.setattr(kind, name, count)
    return calls


async def test_what_waits_for_the_database_is_what_the_lag_tells_of(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest that is not written, whatever came later and however often it was tried."""
    bus, held = MemoryBus(), Held(store, monkeypatch)
    async with at_work(bus, store) as scribe:
        for number in range(3):
            await bus.append([event("prompt", "a", at=NOW + number)])
            await until(lambda: held.tries > 0)
        end = await bus.position(0)
        await until(lambda: scribe._ledger.has_taken(end))
        assert scribe.waiting_since_ms == NOW
        held.is_open.set()
        await written(scribe, bus)
        assert scribe.waiting_since_ms is None


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_a_scribe_that_is_stopped_while_it_writes_writes_each_delta_once(
    store: Store, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was being written is written, and so is the rest; nothing is left to be read again."""
    inside, write_parts = asyncio.Event(), store_module._write_parts

    async def told(connection: AsyncConnection, changes: Sequence[Change]) -> None:
        inside.set()
        await write_parts(connection, changes)

    monkeypatch.setattr(store_module, "_write_parts", told)
    bus = MemoryBus()
    scribe = Scribe(bus, store, 0, "one", flush_s=0.001)
    scribe.on_deleted, scribe.on_written = lambda _: None, lambda: None
    await scribe.begin()
    work = asyncio.create_task(scribe.run())
    await bus.append([event("prompt", f"s{number}") for number in range(40)])
    await inside.wait()
    await bus.append([event("prompt", "late")])
    for _ in range(turns):
        await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    known = {row["id"] for row in await rows_of(store, "sessions")}
    assert known >= {f"s{number}" for number in range(40)}
    assert (await store.position(0)).place == scribe._ledger.position.place
    assert pending(bus) <= 1  # the late one may not have been folded
