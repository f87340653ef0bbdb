"""Services that read transcripts into a history, and are killed while they do; and what they count.

The log in memory dies with its service, as in ``tower up``. Run by hand for the full number of
kills: ``python -m tests.history.exact HOME EXPECTED --kills 20`` prints what it saw as JSON.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select

from bus.memory import MemoryBus
from history.database import Database
from history.recorder import Recorder
from history.store import Store
from history.tables import sessions, usage, usage_days
from ingest.files import Found, scan
from ingest.first_read import DELTA, read_file
from ingest.homes import Home
from ingest.redact.screen import Screen
from session import codec
from session.mark import Mark
from tests.ingest.reading import ORIGIN, until

NAMES = ("input", "output", "cache_write", "cache_read")
REPORTS_MAX = 120
"""A life that is to be killed tells at most so many reports before."""

Figures = dict[str, tuple[list[int], float]]
"""Session → its tokens in the order of ``NAMES``, and its cost in USD."""


class Life:
    """One start of a service. ``marks`` are those that history kept, or none."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.store = Store(self.database)
        self.bus = MemoryBus()
        self.recorder = Recorder(self.bus, self.store, flush_s=0.01)
        self._work = asyncio.create_task(self.recorder.run())
        self.reports = 0
        self._screen = Screen()

    async def read(
        self, files: Iterable[Found], marks: dict[str, Mark], limit: int = 2**31
    ) -> bool:
        """Read files in this order; False when so many reports were told that it must die."""
        await self.recorder.led.wait()
        for found in files:
            for kind, payload in read_file(found, marks.get(found.path), ORIGIN, self._screen):
                if kind != DELTA:
                    continue
                if self.reports >= limit:
                    return False
                self.reports += 1
                await self.bus.append([codec.unpack(payload)])
                await asyncio.sleep(0)
        return True

    async def written(self) -> None:
        """Return when everything that was told is written."""
        end = await self.bus.position(0)
        scribe = self.recorder._scribes[0]
        await until(lambda: self.bus._ring.last == 0 or scribe._ledger.has_written(end), 60)

    async def end(self, *, killed: bool = False) -> None:
        """In order, or as a power cut would."""
        if killed:
            for scribe in self.recorder._scribes.values():
                scribe._write_the_rest = _nothing  # type: ignore[method-assign]
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)
        await self.database.close()


async def _nothing() -> None:
    """What a dead process writes."""


async def marks_of(url: str) -> dict[str, Mark]:
    """Where history says that its readers stand."""
    database = Database(url)
    try:
        return {mark.path: mark for mark in await Store(database).marks()}
    finally:
        await database.close()


async def read_through(url: str, homes: list[Path], chance: random.Random, kills: int) -> int:
    """Read everything in a random order, through so many deaths; gives how many reports it took."""
    files = scan(Home(str(home)) for home in homes)
    chance.shuffle(files)
    told = 0
    for death in range(kills + 1):
        life = Life(url)
        limit = chance.randrange(1, REPORTS_MAX) if death < kills else 2**31
        is_whole = await life.read(files, await marks_of(url), limit)
        if is_whole:
            await life.written()
        told += life.reports
        await life.end(killed=not is_whole)
    return told


# What was counted, by three ways.


async def figures(url: str) -> dict[str, Figures]:
    """By the fold's state, by the rows of sessions, by single calls, and by the sums of days."""
    life = Life(url)
    await life.recorder.led.wait()
    folded: Figures = {}
    for each in life.recorder.sessions():
        folded[each.id] = _figure(each.tokens, each.cost_usd)
    columns = select(sessions.c.id, sessions.c.tokens, sessions.c.cost_usd)
    async with life.database.read() as connection:
        rows = {name: _figure(told, cost) for name, told, cost in await connection.execute(columns)}
        summed = {}
        for table in (usage, usage_days):
            wanted = [table.c[name] for name in (*NAMES, "cost_usd")]
            sums = select(sessions.c.id, *map(func.sum, wanted)).join(
                table, table.c.session_pk == sessions.c.pk
            )
            found = await connection.execute(sums.group_by(sessions.c.id))
            summed[table.name] = {
                name: ([int(count) for count in counts], float(cost or 0))
                for name, *counts, cost in found
            }
    await life.end()
    return {"folded": folded, "sessions": rows, **summed}


def _figure(told: Any, cost_usd: float | None) -> tuple[list[int], float]:
    return [(told or {}).get(name, 0) for name in NAMES], cost_usd or 0.0


def differences(found: Figures, expected: Figures) -> dict[str, Any]:
    """Sessions that do not count as they should: tokens exactly, cost within 1e-5 USD."""
    empty = ([0] * len(NAMES), 0.0)
    wrong: dict[str, Any] = {}
    for name, (told, cost) in expected.items():
        counted, costs = found.get(name, empty)
        if counted != told or abs(costs - cost) > 1e-5:
            wrong[name] = {"found": [counted, costs], "expected": [told, cost]}
    return wrong


async def check(url: str, expected: Figures) -> None:
    """Every way tells the same of every session, and the whole is the sum of all."""
    found = await figures(url)
    for way, counted in found.items():
        assert differences(counted, expected) == {}, way
        assert counted.keys() >= {name for name, (told, _) in expected.items() if any(told)}, way
        for at in range(len(NAMES)):
            whole = sum(told[at] for told, _ in counted.values())
            assert whole == sum(told[at] for told, _ in expected.values()), (way, NAMES[at])
        cost = sum(cost for _, cost in counted.values())
        assert abs(cost - sum(cost for _, cost in expected.values())) <= 1e-4, way


def expected_of(path: Path) -> Figures:
    """The figures of the recorded sessions."""
    told = json.loads(path.read_bytes())["sessions"]
    return {
        name.rpartition("/")[2]: (each["final"][:4], each["cost_usd"])
        for name, each in told.items()
    }


async def with_tables(url: str) -> str:
    """Its tables made."""
    database = Database(url)
    await database.upgrade()
    await database.close()
    return url


async def _by_hand(home: Path, expected: Path, kills: int, seed: int) -> dict[str, Any]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        url = await with_tables(f"sqlite:///{folder}/history.db")
        reports = await read_through(url, [home], random.Random(seed), kills)
        found = await figures(url)
    wanted = expected_of(expected)
    wrong = {way: differences(counted, wanted) for way, counted in found.items()}
    took_s = round(time.monotonic() - began, 1)
    told = {"kills": kills, "seed": seed, "sessions": len(wanted), "reports": reports}
    return {**told, "took_s": took_s, "wrong": wrong}


def main(run: Callable[..., Awaitable[dict[str, Any]]] = _by_hand) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("expected", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    told = asyncio.run(run(asked.home, asked.expected, asked.kills, asked.seed))  # type: ignore[arg-type]
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
    return int(any(told["wrong"].values()))


if __name__ == "__main__":
    raise SystemExit(main())
