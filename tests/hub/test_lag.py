"""A worker that looks at itself: its loop, and how far it is behind a log that may be away."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from bus.errors import BusUnavailable
from hub import lag, metrics
from tests.hub.servers import Live, Served, hold_up, served, until


class Log:
    """What the worker is told of its lag."""

    def __init__(self) -> None:
        self.entries = 0
        self.is_away = False
        self.asked = 0

    async def lag(self) -> int:
        """So many entries, or an error."""
        self.asked += 1
        if self.is_away:
            raise BusUnavailable("no answer")
        return self.entries


@contextlib.asynccontextmanager
async def looked_at(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Served, Log]]:
    """A hub that looks at a made-up log all the time."""
    monkeypatch.setattr(lag, "BUS_S", 0.01)
    monkeypatch.setattr(lag, "LOOP_S", 0.01)
    async with served() as hub:
        log = Log()
        monkeypatch.setattr(hub.hub.worker, "lag", log.lag)
        looking = asyncio.create_task(lag.run(hub.hub.worker))
        yield hub, log
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def notices(live: Live) -> list[str]:
    """The codes of what people were told."""
    return [frame["code"] for frame in live.reference.frames if frame["type"] == "notice"]


async def test_everybody_is_told_once_that_the_log_is_away_and_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However often it is looked for meanwhile; who comes in between is told as well."""
    async with looked_at(monkeypatch) as (hub, log), hub.client() as live:
        await until(lambda: log.asked > 1)
        assert notices(live) == []
        log.is_away = True
        await live.until(lambda: notices(live))
        asked = log.asked
        await until(lambda: log.asked > asked + 5)
        async with hub.client() as late:
            await late.until(lambda: notices(late) == ["log_away"])
            log.is_away = False
            for each in (live, late):
                await each.until(lambda e=each: notices(e) == ["log_away", "log_back"])
        async with hub.client() as later:
            await later.send("ping", id=1)
            await later.until(lambda: later.reference.frames[-1]["type"] == "pong")
            assert notices(later) == []


async def test_the_lag_is_a_gauge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of entries that are not folded yet; while the log is away it is no number."""
    async with looked_at(monkeypatch) as (hub, log):
        log.entries = 7
        await until(lambda: "tower_bus_lag_entries 7.0" in metrics_text())
        assert "tower_bus_lag_entries 7.0" in await asyncio.to_thread(hub.get_text, "/metrics")
        log.is_away = True
        await until(lambda: "tower_bus_lag_entries nan" in metrics_text())


def metrics_text() -> str:
    """The gauge as it is shown."""
    [sample] = metrics.bus_lag.collect()[0].samples
    return f"{sample.name} {sample.value}"


async def test_a_loop_that_was_held_up_is_told_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By how long; one that runs freely is silent."""
    async with looked_at(monkeypatch) as (_, log):
        await until(lambda: log.asked > 1)
        with caplog.at_level(logging.WARNING, "hub.lag"):
            hold_up(lag.LAG_WARN_S + 0.1)
            await until(lambda: "held up" in caplog.text)
