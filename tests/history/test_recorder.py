"""Several recorders on one real Redis and one database: one leads, and none loses its place."""

import shutil
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bus import keys
from bus.base import Checkpoint
from bus.errors import BusUnavailable
from bus.redis import RedisBus
from history import metrics, scribe, timer
from history import recorder as recorder_module
from tests.bus.conftest import Server, running
from tests.history.recorders import (
    MINUTE_MS,
    PARTITIONS,
    lead,
    leaders,
    names,
    now_ms,
    prompts,
    recorders,
    rows,
    times,
    value,
)
from tests.hub.made import event, past
from tests.hub.servers import until

pytestmark = [
    pytest.mark.redis_server,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps nothing when it is killed."""
    yield from running(Server(tmp_path))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases, looks, retries and the timer are quick."""
    monkeypatch.setattr(recorder_module, "LEASE_MS", 500)
    monkeypatch.setattr(recorder_module, "RENEW_S", 0.05)
    monkeypatch.setattr(recorder_module, "LOOK_S", 0.02)
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.02)
    monkeypatch.setattr(scribe, "CHECKPOINT_S", 0.02)
    monkeypatch.setattr(timer, "run", partial(timer.run, interval_s=0.02))


@pytest.fixture
async def log(server: Server) -> AsyncIterator[RedisBus]:
    """The log, as an ingest has it."""
    bus = RedisBus(server.url, partitions=PARTITIONS)
    yield bus
    await bus.close()


async def test_exactly_one_of_several_leads(
    server: Server, log: RedisBus, database_url: str
) -> None:
    """However often the others ask; only the leader records, stores and tells the time."""
    silent = event("prompt", "silent", at=now_ms() - 11 * MINUTE_MS)
    await log.append([silent, *prompts(0, 20)])
    async with recorders(server, database_url, 3) as made:
        leader, others = await lead(made)
        before = {each: each.bus.asked for each in others}
        await until(lambda: leader.statuses.get("silent") == "stale")
        await leader.recorded(log)
        await until(lambda: all(each.bus.asked > before[each] + 10 for each in others))
        assert leaders(made) == [leader]
        assert [(each.bus.stored, each.bus.appended) for each in others] == [(0, 0), (0, 0)]
        assert all(each.statuses == {} for each in others)
        await until(lambda: leader.bus.stored >= PARTITIONS)
        assert await times(log) == ["stale"]
        assert sorted(await rows(leader.store)) == sorted(["silent", *names(0, 20)])


async def test_another_one_leads_when_the_leader_steps_down(
    server: Server, log: RedisBus, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, for the lease is given up and does not have to run out."""
    monkeypatch.setattr(recorder_module, "LEASE_MS", 600_000)
    async with recorders(server, database_url, 2) as made:
        leader, (other,) = await lead(made)
        await leader.end()
        await until(lambda: other.recorder.is_leading)
        await log.append(prompts(0, 3))
        await other.recorded(log)
        assert not leader.recorder.is_leading
        assert sorted(await rows(other.store)) == names(0, 3)


async def test_what_was_read_is_written_by_an_orderly_end(
    server: Server, log: RedisBus, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left for the next one to read again."""
    async with recorders(server, database_url, 1) as (only,):
        only.recorder._flush_s = 600.0
        await lead([only])
        await log.append(prompts(0, 9))
        await until(lambda: sorted(only.statuses) == names(0, 9))
        await only.end()
        assert sorted(await rows(only.store)) == names(0, 9)
        group = [await only.bus.group(scribe.GROUP, "next", each) for each in range(PARTITIONS)]
        assert [await each.reclaim(0, 100) for each in group] == [[], []]


async def test_another_one_leads_when_the_leader_is_killed(
    server: Server, log: RedisBus, database_url: str
) -> None:
    """Once the lease has run out, and it goes on from where history is written."""
    await log.append(prompts(0, 10))
    async with recorders(server, database_url, 2) as made:
        leader, (other,) = await lead(made)
        await leader.recorded(log)
        await leader.end(killed=True)
        stop = event("stop", "s3", at=now_ms())
        await log.append([stop, *prompts(10, 20)])
        await until(lambda: other.recorder.is_leading)
        await other.recorded(log)
        assert sorted(other.statuses) == sorted(await rows(other.store)) == names(0, 20)
        assert (await rows(other.store))["s3"]["status"] == "idle"


async def test_a_leader_that_hears_nothing_of_the_log_leads_no_more(
    server: Server, database_url: str
) -> None:
    """It cannot know whom the log has let lead meanwhile; when the log is back, one leads again."""
    async with recorders(server, database_url, 2) as made:
        leader, _ = await lead(made)
        with server.hung():
            await until(lambda: not leader.recorder.is_leading)
        await lead(made)


async def test_a_session_that_speaks_again_after_days_goes_on_from_its_state(
    server: Server, log: RedisBus, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was let go, and is not at hand: its row tells what it was."""
    monkeypatch.setattr(scribe, "PAST_MAX", 0)
    await log.append([past("s0", 9 * 24 * 60 * MINUTE_MS, messages=7, branch="b"), *prompts(1, 9)])
    async with recorders(server, database_url, 1) as (first,):
        await lead([first])
        await first.recorded(log)
    async with recorders(server, database_url, 1) as (second,):
        await lead([second])
        await until(lambda: sorted(second.statuses) == names(1, 9))
        await log.append([event("prompt", "s0", at=now_ms(), prompt="again")])
        await second.recorded(log)
        row = (await rows(second.store))["s0"]
        assert (row["status"], row["past"], row["messages"]) == ("running", False, 7)
        assert sorted(await rows(second.store)) == names(0, 9)


async def test_a_server_that_was_emptied_is_recorded_under_a_new_count(
    server: Server, log: RedisBus, database_url: str
) -> None:
    """What was recorded stays, and what comes is recorded on top of it."""
    await log.append(prompts(0, 10))
    async with recorders(server, database_url, 1) as (only,):
        await lead([only])
        await only.recorded(log)
        before = [await only.store.position(each) for each in range(PARTITIONS)]
        server.ask("FLUSHALL")
        await log.append([event("stop", "s3", at=now_ms()), *prompts(20, 30)])
        await until(lambda: only.statuses.get("s3") == "idle")
        await only.recorded(log)
        found = await rows(only.store)
        assert sorted(found) == sorted([*names(0, 10), *names(20, 30)])
        assert found["s3"]["status"] == "idle"
        after = [await only.store.position(each) for each in range(PARTITIONS)]
        for old, new in zip(before, after, strict=True):
            assert new.numbering == new.epoch != old.epoch


async def test_a_deleted_stream_costs_nothing_that_was_recorded(
    server: Server, log: RedisBus, database_url: str
) -> None:
    """New events are folded upon it."""
    await log.append(prompts(0, 10))
    async with recorders(server, database_url, 1) as (only,):
        await lead([only])
        await only.recorded(log)
        for partition in range(PARTITIONS):
            server.ask("DEL", keys.deltas(partition))
        await log.append([event("stop", "s3", at=now_ms()), *prompts(10, 11)])
        await until(lambda: only.statuses.get("s3") == "idle" and "s10" in only.statuses)
        await only.recorded(log)
        assert sorted(await rows(only.store)) == names(0, 11)


@pytest.mark.parametrize("garbage", [False, True])
async def test_a_log_of_which_nothing_is_left_is_recorded_all_the_same(
    server: Server, log: RedisBus, database_url: str, garbage: bool
) -> None:
    """Trimmed whole, with no checkpoint that can be read."""
    await log.append(prompts(0, 10))
    for partition in range(PARTITIONS):
        position = await log.position(partition)
        if garbage:
            stored = Checkpoint(await log.lineage(partition), position, b"garbage")
            await log.save_checkpoint(partition, stored)
        await log.trim(partition, position)
    async with recorders(server, database_url, 1) as (only,):
        await lead([only])
        await log.append(prompts(10, 20))
        await only.recorded(log)
        assert sorted(only.statuses) == sorted(await rows(only.store)) == names(10, 20)


async def test_entries_trimmed_before_they_were_recorded_are_counted(
    server: Server, log: RedisBus, database_url: str
) -> None:
    """Nobody may cut the log there; that it was is told, never silent."""
    await log.append(prompts(0, 10))
    async with recorders(server, database_url, 1) as (first,):
        await lead([first])
        await first.recorded(log)
    await log.append(prompts(10, 20))
    for partition in range(PARTITIONS):
        await log.trim(partition, await log.position(partition))
    await log.append(prompts(20, 40))
    before = value(metrics.lost_total)
    async with recorders(server, database_url, 1) as (second,):
        await second.recorded(log)
        assert value(metrics.lost_total) == before + 10
        assert sorted(await rows(second.store)) == sorted([*names(0, 10), *names(20, 40)])


async def test_what_a_database_lost_is_recorded_again(
    server: Server, log: RedisBus, database_url: str
) -> None:
    """It was put back to an earlier state; what the log still has is there again, once."""
    path, before = Path(database_url.removeprefix("sqlite:///")), value(metrics.lost_total)
    for start in (0, 10):
        await log.append(prompts(start, start + 10))
        async with recorders(server, database_url, 1) as (first,):
            await lead([first])
            await first.recorded(log)
        if start == 0:
            shutil.copy(path, path.with_suffix(".kept"))
    path.with_suffix(".kept").replace(path)
    await log.append(prompts(20, 25))
    async with recorders(server, database_url, 1) as (second,):
        await second.recorded(log)
        assert value(metrics.lost_total) == before
        assert sorted(await rows(second.store)) == names(0, 25)


async def test_a_leader_whose_work_fails_begins_it_anew(
    server: Server, log: RedisBus, database_url: str,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """One that holds the lease and does nothing would be worse than none."""
    fails = iter([RuntimeError("made up")])
    run = timer.run

    async def fail_once(*arguments: Any) -> None:
        for error in fails:
            raise error
        await run(*arguments)

    monkeypatch.setattr(timer, "run", fail_once)
    async with recorders(server, database_url, 1) as (only,):
        await until(lambda: only.recorder.is_leading)
        await until(lambda: "made up" in caplog.text)
        await log.append([event("prompt", "silent", at=now_ms() - 11 * MINUTE_MS)])
        await until(lambda: only.statuses.get("silent") == "stale")
        await only.recorded(log)


async def test_a_recorder_waits_for_a_log_that_is_not_there(
    server: Server, log: RedisBus, database_url: str
) -> None:
    """It says why it is not ready, and leads when the log comes."""
    server.kill()
    async with recorders(server, database_url, 1) as (only,):
        with pytest.raises(BusUnavailable):
            await log.lineage(0)
        assert "log" in (await only.recorder.unready() or "")
        assert not only.recorder.is_leading
        server.start()
        await lead([only])
        assert await only.recorder.unready() is None


async def test_a_leader_waits_for_a_database_that_is_not_there(
    server: Server, log: RedisBus, database_url: str, tmp_path: Path
) -> None:
    """It leads, says why it is not ready, and records when the database comes."""
    there, away = tmp_path / "history.db", tmp_path / "away"
    away.mkdir()
    there.rename(away / "history.db")
    there.symlink_to(tmp_path / "there" / "history.db")
    await log.append(prompts(0, 5))
    async with recorders(server, database_url, 1) as (only,):
        await lead([only])
        assert "database" in (await only.recorder.unready() or "")
        assert not only.recorder.led.is_set()
        away.rename(tmp_path / "there")
        await only.recorded(log)
        assert await only.recorder.unready() is None
        assert sorted(await rows(only.store)) == names(0, 5)
