"""Another process records what is read for the first time, and this one goes on where it ended."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.memory import MemoryBus
from history import metrics
from history.database import Database
from history.recorder import Recorder
from history.store import Store
from ingest import background
from session.delta import Delta
from session.persons import PERSON
from tests.history.looking import rows_of
from tests.hub.made import event
from tests.hub.servers import until
from tower import aside

DEADLINE_S = 30


@pytest.fixture
def order(tmp_path: Path) -> aside.Order:
    """A database that is not there yet."""
    return aside.Order(
        database_url=f"sqlite:///{tmp_path / 'history.db'}", migrate=True, retain_days=None,
        flush_s=0.01, log_level="warning",
    )  # fmt: skip


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The processes that were started."""
    processes: list[Process] = []
    start = background.start

    async def told(*arguments: str, **more: Any) -> Process:
        processes.append(await start(*arguments, **more))
        return processes[-1]

    monkeypatch.setattr(background, "start", told)
    return processes


def prompts(count: int) -> list[Delta]:
    """Each of a session of its own."""
    return [event("prompt", f"s{number}") for number in range(count)]


async def read_by_it(bus: MemoryBus) -> None:
    """Return when it has read the log, and written what it read."""

    def has_read() -> bool:
        group = bus._groups.get("recorder")
        return group is not None and group.reader.ordinal > 0 and not group.pending

    await until(has_read)


async def recorded(order: aside.Order) -> set[str]:
    """Whose rows there are."""
    database = Database(order.database_url)
    try:
        return {row["id"] for row in await rows_of(Store(database), "sessions")}
    finally:
        await database.close()


async def test_it_ends_when_all_that_was_read_is_written(order: aside.Order) -> None:
    """Also what came on the log in the meantime; and it counts as if it were counted here."""
    bus, ended = MemoryBus(), asyncio.Event()
    before = metrics.rows_total.labels("sessions")._value.get()
    await bus.append(prompts(20))
    recording = asyncio.create_task(aside.record(bus, order, ended, lambda _: None))
    await until(lambda: "recorder" in bus._groups)
    await bus.append([event("prompt", "late")])
    ended.set()
    async with asyncio.timeout(DEADLINE_S):
        await recording
    assert await recorded(order) == {*(f"s{number}" for number in range(20)), "late"}
    assert metrics.rows_total.labels("sessions")._value.get() >= before + 21
    assert not bus._groups["recorder"].pending


async def test_what_it_has_not_written_when_it_is_killed_is_recorded_here(
    order: aside.Order, begun: list[Process], caplog: pytest.LogCaptureFixture
) -> None:
    """At once: its lease does not outlive it."""
    bus, ended = MemoryBus(), asyncio.Event()
    await bus.append(prompts(5))
    recording = asyncio.create_task(aside.record(bus, order, ended, lambda _: None))
    async with asyncio.timeout(DEADLINE_S):
        await read_by_it(bus)
        os.kill(begun[0].pid, signal.SIGKILL)
        await bus.append([event("prompt", "after")])
        await recording
    assert "ended early" in caplog.text
    database = Database(order.database_url)
    recorder = Recorder(bus, Store(database), 0.01)
    here = asyncio.create_task(recorder.run())
    async with asyncio.timeout(DEADLINE_S):
        await recorder.led.wait()
        await recorder.caught_up()
    here.cancel()
    await asyncio.gather(here, return_exceptions=True)
    await database.close()
    assert await recorded(order) == {*(f"s{number}" for number in range(5)), "after"}


async def test_it_is_gone_when_nobody_waits_for_it_any_more(
    order: aside.Order, begun: list[Process]
) -> None:
    """What it had folded by then is written."""
    bus = MemoryBus()
    await bus.append(prompts(5))
    recording = asyncio.create_task(aside.record(bus, order, asyncio.Event(), lambda _: None))
    async with asyncio.timeout(DEADLINE_S):
        await read_by_it(bus)
        recording.cancel()
        await asyncio.gather(recording, return_exceptions=True)
    assert begun[0].returncode == 0
    assert len(await recorded(order)) == 5


async def test_a_session_that_a_person_deletes_meanwhile_is_told_here(order: aside.Order) -> None:
    """Whoever reads its file must not read it again."""
    bus, ended, told = MemoryBus(), asyncio.Event(), asyncio.Queue[tuple[str, str]]()
    await bus.append(prompts(1))
    recording = asyncio.create_task(aside.record(bus, order, ended, told.put_nowait))
    for kind in ("end", "delete"):
        await bus.append([msgspec.structs.replace(event(kind, "s0"), source=PERSON)])
    async with asyncio.timeout(DEADLINE_S):
        assert await told.get() == ("default", "s0")
        ended.set()
        await recording
    assert await recorded(order) == set()
