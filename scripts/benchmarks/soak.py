"""Endurance: the real roles under load for long; does memory stay, and is what clients see true?

Every client is held to the protocol all the time; every few minutes everything rests, and what all
of them show is compared with a fold of the log. Exit code 1 for a violation. Started by
``scripts/bench soak``.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import uvloop
from agreement import PARTIAL, Items, disagreements
from crowd import Crowd, Spec
from posting import Agents
from roles import Roles, end_by_signal, running
from samples import Sample, sample
from soak_page import PAGE, table, write
from truth import Truth

SESSIONS, RATE, CLIENTS = 200, 500.0, 500
BORN_EVERY_S = 20.0
SAMPLE_S = 10.0
REST_EVERY_S = 240.0
QUIET_S = 5.0  # so soon after the last event everything is shown
SETTLE_S = 300.0
LATE_S = 0.01
COME_PER_S = 10.0  # clients, at the beginning
SHOWN_MAX = 12
VIEWS: tuple[dict[str, Any], ...] = (
    {}, {"status": ["running", "waiting"], "limit": 50}, {"limit": 100},
)  # fmt: skip


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (30)")
    parser.add_argument("--hubs", type=int, default=2, help="hub workers (2)")
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"in all ({CLIENTS})")
    parser.add_argument("--sessions", type=int, default=SESSIONS, help=f"at work ({SESSIONS})")
    parser.add_argument("--rate", type=float, default=RATE, help=f"events a second ({RATE:g})")
    parser.add_argument("--seed", type=int, default=1, help="of sessions and clients (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there as well")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name}")
    return parser.parse_args()


def specs(count: int) -> list[Spec]:
    """One in ten is slow, one in ten a judge; most are hidden tabs, a few are quick ones."""
    made = []
    for n in range(count):
        kind = {3: "judge", 7: "stalled" if n % 20 == 7 else "trickling"}.get(n % 10, "chains")
        rate_hz = 60 if n % 50 == 3 else 20 if n % 50 == 24 else 5 if n % 4 == 1 else 1
        made.append(Spec(kind, rate_hz, VIEWS[n % 3], deflated=n % 4 == 2))
    return made


class Soak:
    """One run."""

    def __init__(self, told: argparse.Namespace, roles: Roles) -> None:
        self.told, self.roles = told, roles
        self.samples: list[Sample] = []
        self.rests = self.partial = 0
        self.late_ms: list[float] = []
        self.truth = Truth(roles.redis_url)
        self.agents = Agents(roles.ingest_port, told.sessions, told.seed)
        self.crowd = Crowd([each.port for each in roles.hubs], [])
        self.items = Items(self.crowd, self.truth)

    async def run(self) -> None:
        """Load for so long, with rests; what was found stands in ``crowd``."""
        end_by_signal()
        self.truth.start()
        await self.agents.begin()
        self.crowd.sessions[:] = self.agents.names
        began = time.monotonic()
        async with self._beside():
            await self.crowd.add(specs(self.told.clients), self.told.seed, COME_PER_S)
            while (left_s := began + 60 * self.told.minutes - time.monotonic()) > 0:
                await asyncio.sleep(min(left_s, REST_EVERY_S))
                await self._rest()
        await self.crowd.end()
        self.agents.close()
        self.truth.end()

    @contextlib.asynccontextmanager
    async def _beside(self) -> AsyncIterator[None]:
        """What goes on all the time; where any of it fails, the run is over."""
        work = (
            self.agents.run(self.told.rate, BORN_EVERY_S), self._sample(),
            self._watch(), self._watch_lag(),
        )  # fmt: skip
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
            yield
            for task in tasks:
                task.cancel()

    async def _sample(self) -> None:
        began, due = time.monotonic(), time.monotonic()
        while True:
            minute = (time.monotonic() - began) / 60
            self.samples.append(await asyncio.to_thread(sample, self.roles, minute))
            due += SAMPLE_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.crowd.raise_failures()
            self.crowd.sessions[:] = self.agents.names
            self.items.look()

    async def _watch_lag(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LATE_S)
            self.late_ms.append((time.perf_counter() - began - LATE_S) * 1000)

    async def _rest(self) -> None:
        """Nothing happens, all are there, and what they show is compared with the log."""
        self.crowd.is_settled = True
        await self.agents.rest()
        deadline = time.monotonic() + SETTLE_S
        while await self._is_behind() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(QUIET_S / 2)
        await asyncio.sleep(QUIET_S)
        await asyncio.to_thread(self.truth.look)
        if self.truth.gaps:
            self.crowd.complain("the log", f"{self.truth.gaps} gaps")
        if self.truth.told != self.agents.acknowledged:
            self.crowd.complain("the log", f"lacks or has twice: {self._unequal()}")
        for who, what in disagreements(self.crowd, self.truth):
            if what == PARTIAL:
                self.partial += 1
            else:
                self.crowd.complain(who, f"at rest: {what}")
        self.rests += 1
        said = f"{self.samples[-1].minute:.1f} min, {self.crowd.violation_count} violations"
        print(said, file=sys.stderr, flush=True)
        self.keep()
        self.crowd.is_settled = False
        self.agents.go_on()

    async def _is_behind(self) -> bool:
        """Whether a hub, or this process, has not folded all of the log."""
        told = (await asyncio.to_thread(sample, self.roles, 0.0)).told
        lags = [each.get("lag", 1.0) for each in told.values()]
        unread = await asyncio.to_thread(self.truth.look)
        return unread > 0 or len(lags) < len(self.roles.hubs) or any(lags)

    def _unequal(self) -> list[tuple[str, int, int]]:
        told, taken = self.truth.told, self.agents.acknowledged
        names = [name for name in told | taken if told[name] != taken[name]]
        return [(name, told[name], taken[name]) for name in sorted(names)[:5]]

    def keep(self) -> None:
        """What is known by now, so that a run that is cut off was not for nothing."""
        if self.told.json:
            self.told.json.write_text(json.dumps(self.report(), indent=1) + "\n")

    def report(self) -> dict[str, Any]:
        """Everything that was measured, as JSON."""
        late = sorted(self.late_ms)
        crowd = self.crowd
        return {
            "asked": {name: value for name, value in vars(self.told).items()
                      if isinstance(value, int | float)},
            "events": sum(self.agents.acknowledged.values()),
            "passed_over": self.agents.passed_over, "sessions_in_all": self.agents.born,
            "rests": self.rests, "partial": self.partial,
            "connects": sum(each.connects for each in crowd.members),
            "frames": crowd.frames, "received_mb": crowd.received_bytes / 1e6,
            "items_looked_at": self.items.looked, "items_late": self.items.late,
            "first_late": self.items.first_late, "late_p99_ms": late[int(len(late) * 0.99)],
            "closed_by": {str(code): count for code, count in sorted(crowd.codes.items())},
            "answers": dict(sorted(crowd.answers.items())), "refused": dict(crowd.refused),
            "violations": crowd.violation_count, "first_violations": crowd.violations,
            "samples": [each.as_json() for each in self.samples],
        }  # fmt: skip


def main() -> int:
    """Run, print, write; gives the exit code."""
    told = parse()
    with tempfile.TemporaryDirectory(prefix="soak-") as made:
        with running(Path(made), told.hubs) as roles:
            soak = Soak(told, roles)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(soak.run())
        report = soak.report()
        soak.keep()
        if told.json:
            told.json.with_suffix(".errors").write_text(roles.errors())
    print(table(report))
    if told.write:
        write(report)
    for each in report["first_violations"][:SHOWN_MAX]:
        print(each, file=sys.stderr)
    return 1 if report["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
