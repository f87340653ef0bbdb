"""Before and after: the five scenarios on our service and on three naive servers, in rounds.

Every server of a round is given the same sessions, one after the other, on core 0; the load is on
core 1. A value that misses its target says so; it is no failure. Started by
``scripts/bench scenarios``.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import uvloop
from benchmarks_page import PAGE, write
from processes import CLIENT_CORE, SERVER_CORE
from quantiles import quantile
from scenario_load import Load, Run, Target
from towers import ROOT, started

from locustfiles.baseline import WAYS
from locustfiles.reference_client import Violation
from locustfiles.shapes import SCENARIOS

HEADING = "## The five scenarios, before and after"
NAMES = tuple(SCENARIOS)[:5]
RATES = {"ours, 60 Hz": 60, "ours, 1000 Hz": 1000, "ours, 5 Hz": 5}
SYSTEMS = (*RATES, *WAYS)
DELAY_MS_MAX = {"ours, 60 Hz": 25.0, "ours, 1000 Hz": 3.0}
ATTENTION_MS_MAX = 3.0
FRAMES_MAX = 5.0
START_S = 30.0
IDLE_S, IDLE_PERCENT = 0.5, 5.0
CORES = os.sched_getaffinity(0)
HEAD = (
    "| scenario | server | event → frame p50 | p99 | attention p99 | frames to a client | lost | "
    "of the core | reached |\n|---|---|---|---|---|---|---|---|---|"
)


class Row(NamedTuple):
    """One server in one scenario, over all rounds."""

    scenario: str
    system: str
    p50_ms: float
    p99_ms: float
    attention_p99_ms: float
    attention_count: int
    frames: float
    lost: int
    cpu_percent: float

    @property
    def reached(self) -> bool | None:
        """Whether ours is as good as it has to be; of the others nothing is asked."""
        if self.system not in RATES:
            return None
        return (
            self.lost == 0
            and self.attention_p99_ms <= ATTENTION_MS_MAX
            and self.p99_ms <= DELAY_MS_MAX.get(self.system, self.p99_ms)
            and (RATES[self.system] > FRAMES_MAX or self.frames <= FRAMES_MAX)
        )


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench scenarios", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each server in a round")
    parser.add_argument(
        "--scenario", action="append", choices=NAMES, help="only this one; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values there as well")
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.name}")
    return parser.parse_args()


@contextlib.contextmanager
def naive(way: str) -> Iterator[Target]:
    """A naive server of ``locustfiles/baseline.py`` on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "locustfiles/baseline.py"), way, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield Target(process.pid, port, None)
        finally:
            process.kill()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("bench: a naive server did not start")


@contextlib.contextmanager
def ours(rate_hz: int) -> Iterator[Target]:
    """``tower up`` with nothing but a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="scenarios-") as made:
        folder = Path(made)
        with started(folder / "data", folder / "nobody") as tower:
            deadline = time.monotonic() + START_S
            while tower.cpu_percent(IDLE_S) > IDLE_PERCENT and time.monotonic() < deadline:
                pass  # what a start does beside the running board is no part of the load
            yield Target(tower.pid, tower.port, rate_hz, tower.token)


def move_to(core: int) -> None:
    """Put this process on one core, where there are two to choose from."""
    if {SERVER_CORE, CLIENT_CORE} <= CORES:
        os.sched_setaffinity(0, {core})


def measure(name: str, system: str, seconds: float) -> Run:
    """One server in one scenario, once."""
    scenario = SCENARIOS[name]
    move_to(SERVER_CORE)  # what is started now stays there, with all its threads
    with ours(RATES[system]) if system in RATES else naive(system) as target:
        move_to(CLIENT_CORE)
        load = Load(target, scenario.sessions, scenario.stages[0].viewers)
        rate = scenario.sessions * scenario.events_per_second
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(load.measure(rate, seconds))
        except* Violation as violations:
            found: BaseException = violations
            while isinstance(found, BaseExceptionGroup):
                found = found.exceptions[0]
            raise SystemExit(f"bench: {name}, {system}: {found}") from None


def row(name: str, system: str, runs: list[Run]) -> Row:
    """All rounds as one: delays pooled, as p99 of a few is one value; of the rest the median."""
    delays, asks = ([ms for run in runs for ms in run.delays_ms[lane]]
                    for lane in ("overview", "attention"))  # fmt: skip
    return Row(
        name, system, quantile(delays, 0.5), quantile(delays, 0.99), quantile(asks, 0.99),
        len(asks), median(run.frames for run in runs), sum(run.lost for run in runs),
        median(run.cpu_percent for run in runs),
    )  # fmt: skip


def line(each: Row) -> str:
    """One line of the table."""
    words = {True: "yes", False: "**no**", None: ""}
    return (
        f"| {each.scenario.replace('x', '×')} | {each.system} | {each.p50_ms:.2f} ms "
        f"| {each.p99_ms:.2f} ms | {each.attention_p99_ms:.2f} ms | {each.frames:.1f} /s "
        f"| {each.lost} | {each.cpu_percent:.1f} % | {words[each.reached]} |"
    )


def about(told: argparse.Namespace, late_ms: float) -> str:
    """What was asked, as a paragraph."""
    return (
        "Sessions × events a second of each × clients. *Event → frame* begins before an agent's "
        "hook is written to its HTTP connection, and ends when a client has read the frame that "
        "shows it. Ours is `tower up` as it comes, history included; the naive servers are those "
        "of `locustfiles/baseline.py`. One call in five asks a person. *Lost*: of ours, last "
        "values that a client does not show and requests it never saw (a gap in its cursors would "
        "end the run); of the others, events that never came. *Frames* are those of the board, "
        "attention not among them. To reach: p99 ≤ 25 ms at 60 Hz and ≤ 3 ms at 1000 Hz, "
        "attention ≤ 3 ms, 5 frames/s at 5 Hz, 0 lost. Measured by `scripts/bench scenarios "
        f"--rounds {told.rounds} --seconds {told.seconds:g}` on {datetime.now(UTC):%Y-%m-%d}, two "
        "shared cores: servers on one, agents and clients (plain asyncio, late by "
        f"{late_ms:.1f} ms at p99) on the other."
    )


def main() -> int:
    """Measure, print, write; gives the exit code."""
    told = parse()
    names = told.scenario or NAMES
    runs: dict[tuple[str, str], list[Run]] = {}
    for number in range(told.rounds):
        for name in names:
            for system in SYSTEMS:
                runs.setdefault((name, system), []).append(measure(name, system, told.seconds))
        print(f"round {number + 1} of {told.rounds} is done", file=sys.stderr, flush=True)
    rows = [row(*key, each) for key, each in runs.items()]
    table = "\n".join([HEAD, *map(line, rows)])
    print(table)
    late_ms = median(run.late_ms for each in runs.values() for run in each)
    if told.json:
        document: list[dict[str, Any]] = [
            {**each._asdict(), "reached": each.reached} for each in rows
        ]
        told.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if told.write:
        paragraph = "\n".join(textwrap.wrap(about(told, late_ms), 118))
        write(HEADING, f"{HEADING}\n\n{paragraph}\n\n{table}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
