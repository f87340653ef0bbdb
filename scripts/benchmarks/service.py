"""The benchmark of a service by itself: fold, start of a hub, hooks, start of ``tower up``.

A value that misses its target says so; it is no failure. Started by ``scripts/bench service``.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks_page import PAGE, write
from fanout import machine, table_row
from rows import Line
from service_fold import fold_us, hub_starts_ms
from service_hooks import answers_ms, loses_ms
from towers import started

HEADING = "## One service by itself"
HEAD = "| row | what | measured | target | reached |\n|---|---|---|---|---|"
FOLD_US, START_MS, ANSWER_MS, LOSES_MS, READY_MS, RESIDENT_MB = 20.0, 2_000, 5.0, 50.0, 500, 90
SETTLE_S = 5.0


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench service", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny and short: do the tools work?")
    parser.add_argument("--rounds", type=int, default=7, help="how often it is started")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values there as well")
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.name}")
    return parser.parse_args()


def at(share: float, values: list[float]) -> float:
    """The value that so many are not above."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def fold_lines(*, quick: bool) -> list[Line]:
    """What one event costs the worker that folds it."""
    made = fold_us(sessions=20 if quick else 1_000, events=2_000 if quick else 100_000)
    return [Line("an event of 1,000 sessions: CPU, median of 5", at(0.5, made), "µs", FOLD_US)]


def start_lines(folder: Path, rounds: int, *, quick: bool) -> list[Line]:
    """A hub from its start until it is ready."""
    count = 200 if quick else 10_000
    empty, full, size_bytes = hub_starts_ms(folder, count, rounds)
    return [
        Line(f"checkpoints of {count:,} sessions: start → ready", at(0.5, full), "ms", START_MS),
        Line("of no session", at(0.5, empty), "ms"),
        Line("the checkpoints", size_bytes / 1e6, "MB"),
    ]


def hook_lines(folder: Path, *, quick: bool) -> list[Line]:
    """What an agent waits for."""
    (folder / "nobody").mkdir()
    with started(folder / "data", folder / "nobody") as tower:
        took = asyncio.run(answers_ms(tower.port, 500, 2 if quick else 20))
    refused = loses_ms(folder, 3 if quick else 30)
    return [
        Line("500/s over HTTP: due → answered, p50", at(0.5, took), "ms"),
        Line("500/s over HTTP: due → answered, p99", at(0.99, took), "ms", ANSWER_MS),
        Line("no tower there: a hook's command, p50", at(0.5, refused), "ms", LOSES_MS),
        Line("no tower there: a hook's command, worst", max(refused), "ms"),
    ]


def up_lines(folder: Path, rounds: int, *, quick: bool) -> list[Line]:
    """``tower up`` with nothing to read."""
    ready: list[float] = []
    for turn in range(rounds + 1):  # the first one makes its tables, and is not counted
        began = time.monotonic()
        with started(folder / "up", folder / "nobody") as tower:
            ready.append((time.monotonic() - began) * 1000)
            if turn == rounds:
                time.sleep(0.5 if quick else SETTLE_S)
                resident_mb = tower.resident_bytes() / 1e6
    return [
        Line("start → its address is printed, it answers", at(0.5, ready[1:]), "ms", READY_MS),
        Line("memory at rest, of all its processes", resident_mb, "MB", RESIDENT_MB),
    ]


def measure(told: argparse.Namespace, folder: Path) -> dict[str, list[Line]]:
    """Row by row, printing each as soon as it is known."""
    rounds = 2 if told.quick else told.rounds
    rows = {
        "fold": lambda: fold_lines(quick=told.quick),
        "hub-start": lambda: start_lines(folder, rounds, quick=told.quick),
        "hooks": lambda: hook_lines(folder, quick=told.quick),
        "tower-up": lambda: up_lines(folder, rounds, quick=told.quick),
    }
    print(HEAD, flush=True)
    measured = {}
    for name, make in rows.items():
        measured[name] = make()
        for line in measured[name]:
            print(table_row(name, line), flush=True)
    return measured


def section(measured: dict[str, list[Line]]) -> str:
    """What stands in the page."""
    about = machine()
    words = (
        f"Measured by `scripts/bench service` on {datetime.now(UTC).date()}, {about['cpu']}, "
        f"{about['cores']} cores, Python {about['python']}."
    )
    lines = [table_row(name, line) for name, some in measured.items() for line in some]
    return "\n".join([HEADING, "", *textwrap.wrap(words, 118), "", HEAD, *lines, ""])


def main() -> int:
    """Measure, print, write; gives the exit code."""
    told = parse()
    if told.quick:
        print("quick: these numbers mean nothing", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(told, Path(folder))
    if told.json:
        rows: dict[str, Any] = {
            name: [{**line._asdict(), "reached": line.reached} for line in lines]
            for name, lines in measured.items()
        }
        told.json.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    if told.write:
        write(HEADING, section(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
