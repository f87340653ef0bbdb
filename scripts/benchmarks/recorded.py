"""The benchmark of history: how long people wait for lists, searches, sums and timelines.

Fills a database with made-up sessions first, which takes minutes. A value that misses its target
says so; it is no failure. Started by ``scripts/bench history``.
"""

import argparse
import asyncio
import gc
import json
import random
import re
import sys
import tempfile
import textwrap
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks_page import PAGE
from fanout import machine, shown
from made_history import RARE, WORKSPACE, Maker, Size, fill
from towers import started

from history.database import Database
from history.history import History
from history.queries.filters import SORTS, parse_filter
from session.state import Session
from tower.server import GC_OBJECTS

TARGET_MS = 50.0
LIVE_SESSIONS = 200
FULL = Size(sessions=15_000, entries=5_000_000, live_share=0.1)
QUICK = Size(sessions=150, entries=3_000, live_share=0.1)
HEADING = "## History"
HEAD = "| question | p50 ms | p99 ms | CPU ms | p99 ≤ 50 |\n|---|---|---|---|---|"
CASE_S_MAX = 20.0
SETTLE_S, IDLE_S = 15.0, 30.0
IDLE_PERCENT = 1.0

Ask = Callable[[], Awaitable[Any]]


class Case(NamedTuple):
    """A question that is asked many times, each time a little otherwise."""

    what: str
    ask: Ask


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench history", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny and short: do the tools work?")
    parser.add_argument("--rounds", type=int, help="how often each question is asked (200)")
    parser.add_argument("--live-share", type=float, help="sessions recorded as they ran (0.1)")
    parser.add_argument("--folder", type=Path, help="make the database there, and keep it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values there as well")
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.name}")
    return parser.parse_args()


class Asker:
    """Asks a history what a dashboard would, at a hub that holds some sessions itself."""

    def __init__(self, history: History, maker: Maker, ids: list[str], live: list[Session]) -> None:
        self._history = history
        self._maker = maker
        self._chance = random.Random(2)  # noqa: S311 - the same questions each time
        self._ids = ids
        self._live = {each.id: each for each in live}
        self._huge = ids[max(range(len(ids)), key=maker.counts.__getitem__)]

    async def _list(self, **told: Any) -> Any:
        wanted = parse_filter([(name, str(value)) for name, value in told.items()])
        return await self._history.sessions(WORKSPACE, wanted, self._live)

    async def _deep(self, sort: str) -> Ask:
        """A page in the middle of all."""
        count = len(self._ids) // 2
        page = await self._list(sort=sort, limit=min(1_000, count))
        while page.next is not None and (count := count - len(page.sessions)) > 0:
            cursor = page.next
            page = await self._list(sort=sort, limit=min(1_000, count), cursor=cursor)
        cursor = page.next or ""
        return lambda: self._list(sort=sort, cursor=cursor)

    def _usage(self, by: str, days: int | None) -> Ask:
        since = None if days is None else str(time.time_ns() // 1_000_000 - days * 86_400_000)
        return lambda: self._history.usage(WORKSPACE, by, since)

    def _project(self) -> str:
        return f"project-{self._chance.randrange(100)}"

    async def cases(self) -> list[Case]:
        """Every question."""
        common, usual = self._maker.frequent(0), self._maker.frequent(300)
        row = f"{self._maker.frequent(40)}/{self._maker.frequent(2)}"
        search = {
            "a rare word": RARE, "a usual word": usual, "the commonest word": common,
            "two words": f"{self._maker.frequent(50)} {usual}", "a path": row,
            "a word as it is typed": usual[:4],
        }  # fmt: skip
        deep = {sort: await self._deep(sort) for sort in SORTS}
        return [
            Case("list, first page", self._list),
            *(Case(f"list by {sort}, in the middle", ask) for sort, ask in deep.items()),
            Case("list by cost", lambda: self._list(sort="cost")),
            Case("list, of a project", lambda: self._list(project=self._project())),
            Case("list, of a project by cost",
                 lambda: self._list(project=self._project(), sort="cost")),
            Case("list, of a week and a user",
                 lambda: self._list(user="user-3", since="2026-01-01", until="2026-01-07")),
            *(Case(f"search, {what}", lambda q=q: self._list(q=q))  # type: ignore[misc]
              for what, q in search.items()),
            *(Case(f"usage by {by}, {'all time' if days is None else f'{days} days'}",
                   self._usage(by, days))
              for by in ("day", "model", "project", "tool", "session") for days in (None, 30)),
            Case("timeline, a page of the largest session",
                 lambda: self._history.timeline(
                     WORKSPACE, self._huge, self._chance.randint(60, 20_000), 50)),
            Case("restore, any session",
                 lambda: self._history.session(WORKSPACE, self._chance.choice(self._ids))),
            Case("restore, the largest session",
                 lambda: self._history.session(WORKSPACE, self._huge)),
        ]  # fmt: skip


async def timed(case: Case, rounds: int) -> dict[str, Any]:
    """p50 and p99 in ms, and the CPU for one; the first few are not counted."""
    for _ in range(3):
        await case.ask()
    took: list[float] = []
    until, spent = time.perf_counter() + CASE_S_MAX, time.process_time()
    while len(took) < rounds and time.perf_counter() < until:
        began = time.perf_counter()
        await case.ask()
        took.append((time.perf_counter() - began) * 1000)
    cpu_ms = (time.process_time() - spent) * 1000 / len(took)
    took.sort()
    p50_ms, p99_ms = took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.99))]
    return {"what": case.what, "p50_ms": p50_ms, "p99_ms": p99_ms, "cpu_ms": cpu_ms}


async def measure(path: Path, maker: Maker, rounds: int) -> list[dict[str, Any]]:
    """Each question's values."""
    database = Database(f"sqlite:///{path}")
    history = History(database)
    try:
        ids = [await _id(history, pk) for pk in range(1, maker.size.sessions + 1)]
        held = [await history.outline(WORKSPACE, each) for each in ids[-LIVE_SESSIONS:]]
        asker = Asker(history, maker, ids, [each for each in held if each is not None])
        rows, cases = [], await asker.cases()
        _spare_collections()
        for case in cases:
            rows.append(await timed(case, rounds))
            print(table_row(rows[-1]), flush=True)
    finally:
        await database.close()
    return rows


def _spare_collections() -> None:
    """As a service does at its start; the words of which texts are made are none of its own."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_OBJECTS)


def idle(folder: Path, *, quick: bool) -> dict[str, Any]:
    """What a tower with this history takes while nothing happens, some seconds after its start."""
    with started(folder, folder / "nobody") as tower:
        time.sleep(1.0 if quick else SETTLE_S)
        cpu_percent = tower.cpu_percent(1.0 if quick else IDLE_S)
        return {"cpu_percent": cpu_percent, "resident_bytes": tower.resident_bytes()}


def idle_words(idle: dict[str, Any]) -> str:
    """The same, as a sentence."""
    reached = "reached" if idle["cpu_percent"] <= IDLE_PERCENT else "**not reached**"
    return (
        f"`tower up` with this history and nothing to do takes {idle['cpu_percent']:.2f} % of a "
        f"core (target 1 %: {reached}) and {idle['resident_bytes'] / 1e6:.0f} MB."
    )


async def _id(history: History, pk: int) -> str:
    from sqlalchemy import select

    from history.tables import sessions

    async with history.database.read() as connection:
        found = await connection.execute(select(sessions.c.id).where(sessions.c.pk == pk))
        return str(found.scalar_one())


def table_row(row: dict[str, Any]) -> str:
    """One line of the markdown table."""
    reached = "yes" if row["p99_ms"] <= TARGET_MS else "**no**"
    values = (shown(row[name]) for name in ("p50_ms", "p99_ms", "cpu_ms"))
    return f"| {row['what']} | {' | '.join(values)} | {reached} |"


def section(rows: list[dict[str, Any]], about: str, idle: str) -> str:
    """What stands in the page."""
    lines = [HEADING, "", *textwrap.wrap(about, 118), "", HEAD, *map(table_row, rows), ""]
    lines += textwrap.wrap(idle, 118)
    return "\n".join(lines) + "\n"


def write(text: str) -> None:
    """Put the section into the page, in the place of the last one."""
    page = PAGE.read_text()
    pattern = rf"{re.escape(HEADING)}\n.*?(?=\n## |\Z)"
    if re.search(pattern, page, re.DOTALL):
        page = re.sub(pattern, lambda _: text, page, count=1, flags=re.DOTALL)
    else:
        page = page.rstrip("\n") + "\n\n" + text
    PAGE.write_text(page)


def run(told: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Make, measure, print."""
    size = QUICK if told.quick else FULL
    if told.live_share is not None:
        size = size._replace(live_share=told.live_share)
    path, maker, began = folder / "history.db", Maker(size), time.perf_counter()
    if not path.exists():
        asyncio.run(_make_tables(path))
        fill(path, maker)
    made_s = time.perf_counter() - began
    print(f"made in {made_s:.0f} s, {path.stat().st_size / 1e9:.2f} GB", file=sys.stderr)
    print(HEAD, flush=True)
    rounds = told.rounds or (5 if told.quick else 200)
    _read_once(path)
    rows = asyncio.run(measure(path, maker, rounds))
    size_bytes = path.stat().st_size
    still = idle(folder, quick=told.quick)
    print(f"\n{idle_words(still)}")
    if told.write:
        about = _about(size, sum(maker.counts), size_bytes)
        write(section(rows, about, idle_words(still)))
    return {"machine": machine(), "quick": told.quick, "bytes": size_bytes, "rows": rows,
            "idle": still}  # fmt: skip


def _read_once(path: Path) -> None:
    """Into the system's cache: a disk is not what is measured."""
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 24):
            pass


def _about(size: Size, entries: int, size_bytes: int) -> str:
    """What was asked, as a paragraph."""
    return (
        f"{size.sessions:,} sessions with {entries:,} timeline rows on SQLite "
        f"({size_bytes / 1e9:.1f} GB), {size.live_share:.0%} of the sessions recorded while they "
        f"ran; {LIVE_SESSIONS} are live and held by the hub. One reader, the file in the system's "
        "cache. Measured by `scripts/bench history`, which makes the data: words by Zipf's law, a "
        "few huge sessions and many small ones."
    )


async def _make_tables(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    await database.upgrade()
    await database.close()


def main() -> int:
    """Measure, print, write; gives the exit code."""
    told = parse()
    if told.quick:
        print("quick: these numbers mean nothing", file=sys.stderr)
    with tempfile.TemporaryDirectory() as made:
        folder = told.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        document = run(told, folder)
    if told.json:
        told.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    missed = sum(row["p99_ms"] > TARGET_MS for row in document["rows"])
    if missed:
        print(f"{missed} targets are not reached", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
