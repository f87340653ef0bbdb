"""Reconnect storms: a hub is killed, both are killed and come anew, every socket is cut at once.

Two hubs and many clients, while events go on. Every client resumes what it had opened, is held to
the protocol, and its open items are compared with the log's own fold 2 s after it is back. Exit
code 1 for a violation. Started by ``scripts/bench storm``.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import uvloop
from agreement import Items
from benchmarks_page import PAGE, write
from crowd import Crowd, Member, Spec
from posting import Agents
from quantiles import quantile
from roles import Roles, end_by_signal, running
from truth import Truth

HEADING = "## Reconnect storms"
CLIENTS, SESSIONS, RATE = 1_000, 100, 100.0
COME_PER_S = 40.0
BORN_EVERY_S = 20.0
BACK_S_MAX = 30.0
ITEMS_S = 2.0
LOOK_S = 0.25
WAIT_S = 90.0
NEVER_S = 1e6
HEAD = (
    "| what happens | clients | back p50 | p99 | last | target | items looked at, late, unread "
    "| violations | CPU of a hub, of the clients | reached |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


class Row(NamedTuple):
    """One storm."""

    what: str
    clients: int
    p50_s: float
    p99_s: float
    last_s: float
    looked: int
    late: int
    unread: int
    violations: int
    cpu_percent: float
    own_cpu_percent: float

    @property
    def reached(self) -> bool:
        """Whether all were back in time, with what is open."""
        return self.last_s <= BACK_S_MAX and not self.late and not self.violations


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench storm", description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"in all ({CLIENTS})")
    parser.add_argument("--rate", type=float, default=RATE, help=f"events a second ({RATE:g})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values there as well")
    parser.add_argument("--write", action="store_true", help=f"write the table to {PAGE.name}")
    return parser.parse_args()


class Storms:
    """One run of all storms, one after the other."""

    def __init__(self, told: argparse.Namespace, roles: Roles) -> None:
        self.told, self.roles = told, roles
        self.truth = Truth(roles.redis_url)
        self.agents = Agents(roles.ingest_port, SESSIONS, 1)
        self.crowd = Crowd([each.port for each in roles.hubs], [], NEVER_S)
        self.items = Items(self.crowd, self.truth, ITEMS_S)

    async def run(self) -> list[Row]:
        """All are there; then one storm after the other."""
        end_by_signal()
        self.truth.start()
        await self.agents.begin()
        self.crowd.sessions[:] = self.agents.names
        work = (
            self.agents.run(self.told.rate, BORN_EVERY_S), self._look(),
        )  # fmt: skip
        tasks = [asyncio.create_task(each) for each in work]
        specs = [
            Spec("chains", 1 + 4 * (n % 2), {}, deflated=n % 4 == 1)
            for n in range(self.told.clients)
        ]
        await self.crowd.add(specs, 1, COME_PER_S)
        rows = [
            await self._storm("one of two hubs is killed", self._kill_one),
            await self._storm("every socket is cut at once", self._cut_all),
            await self._storm("both hubs are killed and come anew", self._kill_both),
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.crowd.end()
        self.agents.close()
        self.truth.end()
        return rows

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.crowd.sessions[:] = self.agents.names
            self.items.look()

    async def _all_there(self, since: float, members: list[Member]) -> list[float]:
        """Seconds from ``since`` until each was whole again; of those that never were, for ever."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if all(each.is_whole and each.whole_at > since for each in members):
                break
            await asyncio.sleep(LOOK_S)
            self.crowd.raise_failures()
        return [
            each.whole_at - since if each.is_whole and each.whole_at > since else NEVER_S
            for each in members
        ]

    async def _storm(self, what: str, strike: Callable[[], Any]) -> Row:
        await self._all_there(0.0, self.crowd.members)
        await asyncio.sleep(3 * ITEMS_S)
        looked, late, unread = self.items.looked, self.items.late, self.items.unread
        violations, before = self.crowd.violation_count, self._cpu_s()
        began, own = time.monotonic(), time.process_time()
        struck = await strike()
        back = await self._all_there(began, struck)
        took_s, spent = time.monotonic() - began, self._cpu_s()
        own = time.process_time() - own
        await asyncio.sleep(4 * ITEMS_S)
        busiest = max(spent[name] - before.get(name, 0.0) for name in spent)
        row = Row(
            what, len(struck), quantile(back, 0.5), quantile(back, 0.99), max(back),
            self.items.looked - looked, self.items.late - late,
            self.items.unread - unread,
            self.crowd.violation_count - violations, 100 * busiest / took_s,
            100 * own / took_s,
        )  # fmt: skip
        print(line(row), file=sys.stderr, flush=True)
        return row

    def _cpu_s(self) -> dict[str, float]:
        """By process: one that comes anew has another one's name."""
        alive = [each for each in self.roles.hubs if each.process.poll() is None]
        return {f"{each.name} {each.process.pid}": each.held().cpu_s for each in alive}

    async def _kill_one(self) -> list[Member]:
        hub = self.roles.hubs[0]
        struck = [each for each in self.crowd.members if each.port == hub.port]
        hub.kill()
        return struck

    async def _cut_all(self) -> list[Member]:
        for each in self.crowd.members:
            if each.line is not None:
                each.line.cut()
        return self.crowd.members

    async def _kill_both(self) -> list[Member]:
        ports = {each.name: each.port for each in self.roles.hubs}
        for each in self.roles.hubs:
            each.kill()
        for name, port in ports.items():
            await asyncio.to_thread(self.roles.start, name, port)
        return self.crowd.members


def line(row: Row) -> str:
    """One line of the table."""
    return (
        f"| {row.what} | {row.clients:,} | {row.p50_s:.2f} s | {row.p99_s:.2f} s "
        f"| {row.last_s:.2f} s | ≤ {BACK_S_MAX:.0f} s | {row.looked:,}, {row.late}, {row.unread} "
        f"| {row.violations} | {row.cpu_percent:.0f} %, {row.own_cpu_percent:.0f} % "
        f"| {'yes' if row.reached else '**no**'} |"
    )


def about(told: argparse.Namespace) -> str:
    """What was asked, as a paragraph."""
    text = (
        f"{told.clients:,} clients on two hubs, half of them at 1 Hz and half at 5, each with the "
        f"default view and up to three sessions open, while {told.rate:g} events a second go on. "
        "Clients come back by the rules of the protocol: to the next hub, with full jitter up to "
        "2 s, doubled with each try that fails. *Back*: until board and attention are whole "
        "again, from the moment of the blow. *Items*: what each client shows 2 s after it is "
        "back, against a fold of the log; late is one that lacks what was open all the time and "
        "still a second later, or shows what was closed by then; *unread* are those of the late "
        "whose client had been sent what it had not read yet. Measured by `scripts/bench storm` on "
        f"{datetime.now(UTC):%Y-%m-%d}: hubs, ingest, recorder, Redis and all clients share two "
        "cores."
    )
    return "\n".join(textwrap.wrap(text, 118))


def main() -> int:
    """Run, print, write; gives the exit code."""
    told = parse()
    with tempfile.TemporaryDirectory(prefix="storm-") as made, running(Path(made), 2) as roles:
        storms = Storms(told, roles)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            rows = runner.run(storms.run())
    table = "\n".join([HEAD, *map(line, rows)])
    print(table)
    if told.json:
        document = {
            "rows": [{**row._asdict(), "reached": row.reached} for row in rows],
            "violations": storms.crowd.violations, "first_late": storms.items.first_late,
            "refused": dict(storms.crowd.refused), "answers": dict(storms.crowd.answers),
        }  # fmt: skip
        told.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if told.write:
        write(HEADING, f"{HEADING}\n\n{about(told)}\n\n{table}\n")
    for each in storms.crowd.violations[:12]:
        print(each, file=sys.stderr)
    return 1 if storms.crowd.violation_count else 0


if __name__ == "__main__":
    sys.exit(main())
