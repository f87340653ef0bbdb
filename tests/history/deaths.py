"""Many recorders that die over one stream, one after the other, and what is recorded in the end.

By hand: ``python -m tests.history.deaths --deaths 1000`` starts a Redis of its own, records into a
file of SQLite, and prints what it saw as JSON. Every twentieth death is the system's SIGKILL.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bus.redis import RedisBus
from history.database import Database
from history.store import Store
from session.delta import Delta
from tests.bus.conftest import Server
from tests.history.exact import with_tables
from tests.history.mortal import PARTITIONS, POINTS, Fate, Life, raise_death
from tests.history.stream import stream
from tests.history.told import Told, check

KILLED_EVERY = 20
LIFE_S_MAX = 30


class Deaths:
    """One stream, and the recorders that die over it."""

    def __init__(self, server: Server, database_url: str, seed: int) -> None:
        self.server = server
        self.database_url = database_url
        self.chance = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.log = RedisBus(server.url, partitions=PARTITIONS)
        self.acknowledged = 0

    async def run(self, deltas: list[Delta], deaths: int) -> None:
        """Append a part of the stream in each life, then let one live that records the rest."""
        parts = iter(_parts(deltas, deaths))
        for number in range(deaths):
            point = self.chance.choice(POINTS)
            is_killed = number % KILLED_EVERY == KILLED_EVERY - 1
            part = next(parts)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._append(part))
                tasks.create_task((self._kill if is_killed else self._die)(number, point))
            self.seen[f"{point}, {'SIGKILL' if is_killed else 'in process'}"] += 1
        for part in parts:
            await self._append(part)
        await self._finish()

    async def _append(self, deltas: list[Delta]) -> None:
        """In pieces, so that some are new while others are read again."""
        while deltas:
            size = self.chance.randrange(1, 4)
            self.acknowledged += len(await self.log.append(deltas[:size]))
            deltas = deltas[size:]

    async def _die(self, number: int, point: str) -> None:
        life = Life(self.server.url, self.database_url, f"c{number}", Fate(point, raise_death))
        async with asyncio.timeout(LIFE_S_MAX):
            await life.live()

    async def _kill(self, number: int, point: str) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.history.mortal",
            self.server.url, self.database_url, point, f"c{number}",
        )  # fmt: skip
        async with asyncio.timeout(LIFE_S_MAX):
            assert await child.wait() == -signal.SIGKILL

    async def _finish(self) -> None:
        """One that lives until nothing is left."""
        life = Life(self.server.url, self.database_url, "last", Fate("never", raise_death))
        work = asyncio.create_task(life.live())
        async with asyncio.timeout(LIFE_S_MAX):
            while not await self._is_recorded(life):  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    async def _is_recorded(self, life: Life) -> bool:
        for partition, scribe in enumerate(life.scribes):
            end = await self.log.position(partition)
            if not hasattr(scribe, "_ledger") or not scribe._ledger.has_written(end):
                return False
        return await self.pending() == 0

    async def pending(self) -> int:
        """How many entries were delivered and not acknowledged."""
        counts = []
        for partition in range(PARTITIONS):
            words = ("XPENDING", f"tower:{{{partition}}}:deltas", "recorder")
            counts.append((await self.log._calls.command(*words))["pending"])
        return sum(counts)

    async def compare(self) -> dict[str, int]:
        """Every row equals what one fold of the whole log tells; gives how many there are."""
        told = await Told.of(self.log)
        assert told.count == self.acknowledged
        database = Database(self.database_url)
        try:
            return await check(Store(database), told)
        finally:
            await database.close()


def _parts(deltas: list[Delta], count: int) -> Iterator[list[Delta]]:
    """So many parts, none of them empty, and then what is left."""
    size = max(1, len(deltas) // (count + 1))
    for at in range(count):
        yield deltas[at * size : (at + 1) * size]
    yield deltas[count * size :]


async def die_often(
    server: Server, database_url: str, deaths: int, deltas: int, seed: int
) -> dict[str, Any]:
    """All of it; raises AssertionError where a row is lost or there twice."""
    began = time.monotonic()
    made = Deaths(server, database_url, seed)
    try:
        await made.run(stream(seed, deltas), deaths)
        rows = await made.compare()
    finally:
        await made.log.close()
    told = {"deaths": deaths, "at": dict(sorted(made.seen.items())), "deltas": made.acknowledged}
    return {**told, "rows": rows, "took_s": round(time.monotonic() - began, 1)}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deaths", type=int, default=1_000)
    parser.add_argument("--deltas", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        url = asyncio.run(with_tables(f"sqlite:///{folder}/history.db"))
        server = Server(Path(folder))
        stack.callback(server.kill)
        server.start()
        told = asyncio.run(die_often(server, url, asked.deaths, asked.deltas, asked.seed))
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
