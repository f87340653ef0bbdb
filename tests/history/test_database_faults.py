"""A database that is locked, full or gone, and recorders that have been overtaken."""

import asyncio
import contextlib
import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path

import pytest

from bus.redis import RedisBus
from history import database as database_module
from history import metrics, scribe
from history.store import Store
from session.delta import Delta
from tests import postgres as postgres_server
from tests.bus.conftest import Server, running
from tests.conftest import free_port
from tests.history.exact import Life, with_tables
from tests.history.looking import rows_of
from tests.history.mortal import PARTITIONS, Fate, raise_death
from tests.history.mortal import Life as Scribes
from tests.history.stream import stream
from tests.history.told import Told, check
from tests.hub.made import event, report, said
from tests.ingest.reading import until
from tests.postgres import Postgres

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is away is soon asked again, and what others left is soon looked for."""
    monkeypatch.setattr(scribe, "RECLAIM_S", 0.1)
    monkeypatch.setattr(scribe, "READ_MS", 50)
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 10)
    monkeypatch.setattr(scribe, "RETRY_S", 0.01)
    monkeypatch.setattr(scribe, "RETRY_S_MAX", 0.02)


def pending(life: Life) -> int:
    """How many deltas were delivered and not acknowledged."""
    return len(life.bus._groups[scribe.GROUP].pending)


async def has_read(life: Life, count: int) -> None:
    """Return when so many deltas wait to be written, and it was tried in vain."""
    failures = metrics.failures_total._value.get()
    ledger = life.recorder._scribes[0]._ledger
    await until(lambda: ledger.waiting == count)
    await until(lambda: metrics.failures_total._value.get() > failures + 2)
    assert pending(life) == count


async def started(url: str) -> AsyncGenerator[Life, None]:
    """A service that records."""
    life = Life(url)
    try:
        await life.recorder.led.wait()
        yield life
    finally:
        await life.end()


@pytest.fixture
async def life(database_url: str) -> AsyncIterator[Life]:
    """A service on the test's database."""
    async for each in started(database_url):
        yield each


def prompts(start: int, stop: int) -> list[Delta]:
    """As many sessions that have just begun to work."""
    return [event("prompt", f"s{number}") for number in range(start, stop)]


def path_of(life: Life) -> str:
    """Where the file of SQLite is."""
    return str(life.database.url.database)


@on_sqlite
async def test_while_another_one_locks_the_database_reading_goes_on(life: Life) -> None:
    """Nothing is acknowledged meanwhile, and afterwards everything is written."""
    other = sqlite3.connect(path_of(life), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    await life.bus.append(prompts(0, 5))
    await has_read(life, 5)
    await life.bus.append(prompts(5, 9))
    await has_read(life, 9)
    other.execute("ROLLBACK")
    other.close()
    await life.written()
    await until(lambda: pending(life) == 0)
    assert len(await rows_of(life.store, "sessions")) == 9


@on_sqlite
async def test_a_full_disk_is_waited_for(life: Life) -> None:
    """No crash, nothing acknowledged; when there is room it goes on where it was."""
    await life.bus.append(prompts(0, 3))
    await life.written()
    async with life.database.write() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    await life.bus.append([report("big", to=90, entries=said(90, text="x" * 2_000))])
    await has_read(life, 1)
    lead, scribes = life.recorder.led.is_set(), dict(life.recorder._scribes)
    # The one connection that writes is busy for moments only: this one gets its turn.
    async with life.database.write() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    await life.written()
    assert (lead, scribes) == (True, life.recorder._scribes)
    await until(lambda: pending(life) == 0)
    assert len(await rows_of(life.store, "sessions")) == 4
    assert len(await rows_of(life.store, "session_events")) == 93


@pytest.fixture
def server_to_stop() -> Iterator[Postgres]:
    """A PostgreSQL for the test that stops it."""
    with postgres_server.running(free_port(), is_durable=True) as server:
        yield server


@pytest.mark.postgres
async def test_a_postgresql_that_is_stopped_is_waited_for(
    server_to_stop: Postgres,
) -> None:
    """Reading goes on until an unknown session is spoken of; then everything is written."""
    url = await with_tables(server_to_stop.create())
    async with contextlib.aclosing(started(url)) as lives:
        life = await anext(lives)
        await life.bus.append(prompts(0, 3))
        await life.written()
        server_to_stop.stop()
        stops = [event("stop", f"s{number}") for number in range(3)]
        await life.bus.append([*stops, report("s0", to=9, entries=said(9))])
        await has_read(life, 4)
        await life.bus.append(prompts(3, 6))
        server_to_stop.start()
        await life.written()
        await until(lambda: pending(life) == 0)
        told = await rows_of(life.store, "sessions")
        assert [row["status"] for row in told] == ["idle"] * 3 + ["running"] * 3
        messages = await rows_of(life.store, "session_events")
        assert len([row for row in messages if row["kind"] == "message"]) == 9


# Overtaken.


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    """A real redis-server."""
    yield from running(Server(tmp_path))


@pytest.fixture
async def log(redis: Server) -> AsyncIterator[RedisBus]:
    """The log, as an ingest has it."""
    bus = RedisBus(redis.url, partitions=PARTITIONS)
    yield bus
    await bus.close()


async def recorded(log: RedisBus, store: Store) -> None:
    """Return when the database holds everything that the log holds now."""
    async with asyncio.timeout(20):
        for partition in range(PARTITIONS):
            end = await log.position(partition)
            while (await store.position(partition)).place != end:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.mark.redis_server
@on_sqlite
async def test_a_recorder_that_slept_through_its_lease_is_fenced(
    redis: Server, log: RedisBus, database_url: str
) -> None:
    """It wakes, and reads and writes as if it led: nothing of that is there twice, or lost."""
    deltas = iter([stream(3, 600)[at : at + 100] for at in range(0, 600, 100)])
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.history.mortal", redis.url, database_url, "never", "zombie",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await log.append(next(deltas))
    next_one = Scribes(redis.url, database_url, "next", Fate("never", raise_death))
    store = Store(next_one.database)
    await recorded(log, store)
    child.send_signal(signal.SIGSTOP)
    work = asyncio.create_task(next_one.live())
    await log.append(next(deltas))
    await recorded(log, store)
    child.send_signal(signal.SIGCONT)
    for part in deltas:
        await log.append(part)
    told = (await child.communicate())[1]
    assert b"Fenced" in told
    await recorded(log, store)
    assert not work.done()
    await check(store, await Told.of(log))
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.redis_server
async def test_two_recorders_at_once_lose_nothing_and_write_nothing_twice(
    redis: Server, log: RedisBus, database_url: str
) -> None:
    """A lease may be forgotten by a log that fails over: each is fenced, and begins anew."""
    deltas, fenced, is_over = stream(6, 400), 0, False

    async def record(name: str) -> None:
        nonlocal fenced
        while not is_over:  # a failure that comes with the cancellation hides it
            life = Scribes(redis.url, database_url, name, Fate("never", raise_death))
            try:
                await life.live()
            except* scribe.HistoryError:
                fenced += 1

    works = [asyncio.create_task(record(name)) for name in ("one", "two")]
    for at in range(0, len(deltas), 10):
        await log.append(deltas[at : at + 10])
    store = Store(Scribes(redis.url, database_url, "none", Fate("never", raise_death)).database)
    await recorded(log, store)
    await check(store, await Told.of(log))
    assert fenced
    is_over = True
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)
    await store.database.close()
