"""Several recorders on one real Redis: one leads, all fold, and none loses its place."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from redis.asyncio.connection import Connection

from bus import keys
from bus.base import Checkpoint, Receipt
from bus.errors import BusUnavailable
from bus.position import ordinal_of
from bus.redis import RedisBus
from history import metrics, timer
from history import recorder as recorder_module
from history.recorder import Recorder
from session.delta import Delta, Time
from session.state import summary
from tests.bus.conftest import Server, running
from tests.hub.made import event, plain
from tests.hub.servers import until

pytestmark = pytest.mark.redis_server

T = TypeVar("T")

PARTITIONS = 2
MINUTE_MS = 60_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps nothing when it is killed."""
    yield from running(Server(tmp_path))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases, looks and the timer are quick."""
    monkeypatch.setattr(recorder_module, "LEASE_MS", 500)
    monkeypatch.setattr(recorder_module, "RENEW_S", 0.05)
    monkeypatch.setattr(recorder_module, "LOOK_S", 0.02)
    monkeypatch.setattr(timer, "run", partial(timer.run, interval_s=0.02))


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

    def __init__(self, url: str) -> None:
        self.bus = Watched(url)
        self.recorder = Recorder(self.bus, store_s=0.02)
        self.task = asyncio.create_task(self.recorder.run())

    async def end(self, *, killed: bool = False) -> None:
        """An orderly end, or one that tells nobody."""
        self.bus.loses_releases = killed
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def folded(self, log: RedisBus) -> None:
        """Return when it has folded everything that the log holds now."""
        ends = [ordinal_of(await log.position(each)) for each in range(PARTITIONS)]
        places = self.recorder.ledgers
        await until(lambda: [ordinal_of(each.position or "") for each in places] == ends)

    async def stored(self, log: RedisBus) -> None:
        """Return when the checkpoints hold everything that the log holds now."""
        async with asyncio.timeout(8):
            for partition in range(PARTITIONS):
                end = ordinal_of(await log.position(partition))
                while end and await self._reached(log, partition) < end:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    @staticmethod
    async def _reached(log: RedisBus, partition: int) -> int:
        stored = await log.load_checkpoint(partition)
        return -1 if stored is None else ordinal_of(stored.position)

    @property
    def rows(self) -> dict[str, object]:
        """Its sessions as rows."""
        return {each.id: plain(summary(each)) for each in self.recorder.sessions()}


@pytest.fixture
async def log(server: Server) -> AsyncIterator[RedisBus]:
    """The log, as an ingest has it."""
    bus = RedisBus(server.url, partitions=PARTITIONS)
    yield bus
    await bus.close()


@contextlib.asynccontextmanager
async def recorders(server: Server, count: int) -> AsyncIterator[list[Running]]:
    """So many of them, ended at the end."""
    made = [Running(server.url) for _ in range(count)]
    try:
        yield made
    finally:
        for each in made:
            await each.end()
            await each.bus.close()


def leaders(made: list[Running]) -> list[Running]:
    """Those that lead."""
    return [each for each in made if each.recorder.is_leading]


async def lead(made: list[Running]) -> tuple[Running, list[Running]]:
    """The leader once there is one, and the others."""
    await until(lambda: leaders(made))
    (leader,) = leaders(made)
    return leader, [each for each in made if each is not leader]


def prompts(start: int, stop: int) -> list[Delta]:
    """As many sessions that have just begun to work."""
    now = time.time_ns() // 1_000_000
    return [event("prompt", f"s{number}", at=now) for number in range(start, stop)]


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


async def test_exactly_one_of_several_leads(server: Server, log: RedisBus) -> None:
    """However often the others ask; only the leader stores and tells the time, all of them fold."""
    old = time.time_ns() // 1_000_000 - 11 * MINUTE_MS
    await log.append([event("prompt", "silent", at=old), *prompts(0, 20)])
    async with recorders(server, 3) as made:
        leader, others = await lead(made)
        before = {each: each.bus.asked for each in others}
        await leader.stored(log)
        await until(lambda: leader.rows["silent"]["status"] == "stale")
        await until(lambda: all(each.bus.asked > before[each] + 10 for each in others))
        for each in others:
            await each.folded(log)
            assert each.rows == leader.rows
        assert leaders(made) == [leader]
        assert [(each.bus.stored, each.bus.appended) for each in others] == [(0, 0), (0, 0)]
        assert leader.bus.stored >= PARTITIONS
        assert await times(log) == ["stale"]


async def test_another_one_leads_when_the_leader_steps_down(
    server: Server, log: RedisBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, for the lease is given up and does not have to run out."""
    monkeypatch.setattr(recorder_module, "LEASE_MS", 600_000)
    async with recorders(server, 2) as made:
        leader, (other,) = await lead(made)
        await leader.end()
        await until(lambda: other.recorder.is_leading)
        await log.append(prompts(0, 3))
        await other.stored(log)
        assert not leader.recorder.is_leading


async def test_another_one_leads_when_the_leader_is_killed(server: Server, log: RedisBus) -> None:
    """Once the lease has run out, and it goes on from where it has folded itself."""
    await log.append(prompts(0, 10))
    async with recorders(server, 2) as made:
        leader, (other,) = await lead(made)
        await leader.stored(log)
        await leader.end(killed=True)
        await log.append(prompts(10, 20))
        await until(lambda: other.recorder.is_leading)
        await other.stored(log)
        assert sorted(other.rows) == sorted(f"s{number}" for number in range(20))


async def test_a_leader_that_hears_nothing_of_the_log_leads_no_more(server: Server) -> None:
    """It cannot know whom the log has let lead meanwhile; when the log is back, one leads again."""
    async with recorders(server, 2) as made:
        leader, _ = await lead(made)
        with server.hung():
            await until(lambda: not leader.recorder.is_leading)
        await lead(made)


async def test_a_recorder_goes_on_from_the_checkpoint(server: Server, log: RedisBus) -> None:
    """What lies before it is gone from the log, and what came since is folded."""
    await log.append(prompts(0, 10))
    async with recorders(server, 1) as (first,):
        await first.stored(log)
        rows = first.rows
    for partition in range(PARTITIONS):
        await log.trim(partition, await log.position(partition))
    await log.append([event("stop", "s0", at=time.time_ns() // 1_000_000), *prompts(10, 12)])
    async with recorders(server, 1) as (second,):
        await second.folded(log)
        assert second.rows.keys() == rows.keys() | {"s10", "s11"}
        assert second.rows["s0"]["status"] == "idle"
        assert {name: second.rows[name] for name in rows if name != "s0"} == {
            name: row for name, row in rows.items() if name != "s0"
        }
        await lead([second])


async def test_a_server_that_was_emptied_is_folded_anew(server: Server, log: RedisBus) -> None:
    """Nothing of before is kept, the loss is counted, and what comes is recorded."""
    await log.append(prompts(0, 10))
    async with recorders(server, 1) as (only,):
        await only.stored(log)
        before = value(metrics.lost_total)
        server.ask("FLUSHALL")
        await until(lambda: only.rows == {})
        assert value(metrics.lost_total) == before + PARTITIONS
        await log.append(prompts(20, 22))
        await until(lambda: only.recorder.is_leading)
        await only.stored(log)
        assert sorted(only.rows) == ["s20", "s21"]


async def test_a_deleted_stream_costs_nothing_that_was_stored(
    server: Server, log: RedisBus
) -> None:
    """The checkpoint is still there: what is in it stays, and new events are folded upon it."""
    await log.append(prompts(0, 10))
    async with recorders(server, 1) as (only,):
        await only.stored(log)
        for partition in range(PARTITIONS):
            server.ask("DEL", keys.deltas(partition))
        stop = event("stop", "s3", at=time.time_ns() // 1_000_000)
        await log.append([stop, *prompts(10, 11)])
        await until(lambda: "s10" in only.rows)
        await until(lambda: only.rows["s3"]["status"] == "idle")
        assert len(only.rows) == 11


@pytest.mark.parametrize("garbage", [False, True])
async def test_a_log_of_which_nothing_is_left_is_recorded_all_the_same(
    server: Server, log: RedisBus, garbage: bool
) -> None:
    """Trimmed whole, with no checkpoint that can be read: the recorder is ready, and leads."""
    await log.append(prompts(0, 10))
    for partition in range(PARTITIONS):
        position = await log.position(partition)
        if garbage:
            stored = Checkpoint(await log.lineage(partition), position, b"garbage")
            await log.save_checkpoint(partition, stored)
        await log.trim(partition, position)
    async with recorders(server, 1) as (only,):
        await lead([only])
        assert only.rows == {}
        await log.append(prompts(10, 12))
        await only.stored(log)
        assert sorted(only.rows) == ["s10", "s11"]


async def test_entries_trimmed_before_a_recorder_had_them_are_counted(
    server: Server, log: RedisBus
) -> None:
    """The log may be cut behind a checkpoint that nobody renewed; that is told, never silent."""
    await log.append(prompts(0, 10))
    async with recorders(server, 1) as (first,):
        await first.stored(log)
    await log.append(prompts(10, 20))
    for partition in range(PARTITIONS):
        await log.trim(partition, await log.position(partition))
    await log.append(prompts(20, 30))
    before = value(metrics.lost_total)
    async with recorders(server, 1) as (second,):
        await second.folded(log)
        assert value(metrics.lost_total) == before + PARTITIONS
        assert {"s0", "s29"} <= second.rows.keys()


async def test_a_leader_whose_work_fails_begins_it_anew(
    server: Server, log: RedisBus, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that holds the lease and does nothing would be worse than none."""
    fails = iter([RuntimeError("made up")])
    run = timer.run

    async def fail_once(*arguments: object) -> None:
        for error in fails:
            raise error
        await run(*arguments)

    monkeypatch.setattr(timer, "run", fail_once)
    async with recorders(server, 1) as (only,):
        await until(lambda: only.recorder.is_leading)
        await until(lambda: "made up" in caplog.text)
        old = time.time_ns() // 1_000_000 - 11 * MINUTE_MS
        await log.append([event("prompt", "silent", at=old)])
        await until(lambda: only.rows.get("silent", {}).get("status") == "stale")
        await only.stored(log)


async def test_a_recorder_waits_for_a_log_that_is_not_there(server: Server, log: RedisBus) -> None:
    """It says why it is not ready, and leads when the log comes."""
    server.kill()
    async with recorders(server, 1) as (only,):
        with pytest.raises(BusUnavailable):
            await log.lineage(0)
        assert await only.recorder.unready() is not None
        assert not only.recorder.is_leading
        server.start()
        await lead([only])
        assert await only.recorder.unready() is None


async def test_a_recorder_that_is_ended_while_it_asks_ends(
    server: Server, log: RedisBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whatever moment the signal comes: a request under way must not swallow it."""
    await log.append(prompts(0, 5))
    async with recorders(server, 1) as (only,):
        await only.folded(log)
        send = Connection.send_packed_command
        tails = {each for each in asyncio.all_tasks() if "_follow" in repr(each.get_coro())}
        ended: set[asyncio.Task[None] | None] = set()

        async def cancelled(self: Connection, *arguments: object, **more: object) -> None:
            task = asyncio.current_task()
            if task in tails and task not in ended:
                ended.add(task)
                asyncio.get_running_loop().call_soon(task.cancel)
            await send(self, *arguments, **more)

        monkeypatch.setattr(Connection, "send_packed_command", cancelled)
        done, _ = await asyncio.wait(tails, timeout=8)
        assert done == ended == tails
