"""The points at which capacity is measured, and how: one thing grows, everything else stays.

Most are measured on the whole service in one process, on one core (``our_server``); several
workers are measured as roles of their own. Used by ``capacity.py``.
"""

import asyncio
import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ids import session_id
from kernel import look
from posting import Agents
from processes import Bench, Result, Server
from roles import TOKEN, Roles, running
from rows import shown_ms

SESSIONS, CLIENTS, RATE = 200, 100, 500
WARM_S, SECONDS = 4.0, 5.0
ROLE_CLIENTS, ROLE_SESSIONS = 400, 100
BORN_EVERY_S = 20.0
STALE_MS = 1_500.0
AXES: dict[str, tuple[int, ...]] = {
    "sessions": (10, 100, 1_000, 3_000, 10_000),
    "clients": (1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000),
    "events": (0, 100, 250, 500, 1_000, 2_000, 3_000),
    "subscriptions": (0, 1, 2, 4),
    "workers": (1, 2, 3, 4),
}


class Point(NamedTuple):
    """One measurement: what was asked, and what it took. CPU in cores, memory in MB."""

    axis: str
    at: int
    sessions: int
    clients: int
    events: float  # a second
    subscriptions: int  # of each client
    workers: int
    cpu: float  # of the hub, or of all hubs
    memory_mb: float  # of one hub
    frames: float  # a second, to all clients
    wire_mb: float  # a second
    freshness_ms: float | None
    redis_cpu: float = 0.0
    ingest_cpu: float = 0.0
    recorder_cpu: float = 0.0

    @property
    def keeps_up(self) -> bool:
        """Whether clients were never more than the slowest tick and a half behind.

        Else the machine had no time for all, and the point says nothing of what it asked for.
        """
        return not self.events or (self.freshness_ms or 0.0) <= STALE_MS


def measure(bench: Bench, axis: str, at: int) -> Point:
    """One point of an axis."""
    if axis == "workers":
        return _several(bench, at)
    asked = {"sessions": SESSIONS, "clients": CLIENTS, "events": RATE, "subscriptions": 0}
    asked[axis] = at
    return _one(bench, axis, asked)


def hello_of(subscriptions: int, **more: Any) -> dict[str, Any]:
    """A greeting that opens the first so many sessions, as if they had been open before."""
    resume = [{"session": session_id(n), "cursor": ""} for n in range(subscriptions)]
    return {"subscriptions": max(2, subscriptions), "resume": resume, **more}


def _one(bench: Bench, axis: str, asked: dict[str, int]) -> Point:
    """The service in one process, its agents inside it."""
    sessions, clients = asked["sessions"], asked["clients"]
    with bench.ours(sessions=sessions, rate=asked["events"], asks_every=200) as server:
        hello = hello_of(asked["subscriptions"])
        with bench.holding(
            server, clients, bench.seconds(SECONDS), hello=hello, examine=max(1, clients // 20),
            warm=bench.seconds(WARM_S),
        ) as told:  # fmt: skip
            memory = server.resident_bytes()
    there = told["opened"] - told["closed"]  # on a machine that is too busy not all come in time
    return Point(
        axis, asked[axis], sessions, there, float(asked["events"]), asked["subscriptions"], 1,
        told["server_cpu_seconds"] / told["seconds"], memory / 1e6,
        told["frames"] / told["seconds"], told["wire_bytes"] / 1e6 / told["seconds"],
        shown_ms(told),
    )  # fmt: skip


def _several(bench: Bench, workers: int) -> Point:
    """So many hubs on a real Redis; all clients are shared out, and each hub folds everything."""
    clients = bench.scaled(ROLE_CLIENTS) // workers
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="capacity-")))
        roles = stack.enter_context(running(folder, workers))
        agents = stack.enter_context(_posting(roles))
        for hub in roles.hubs:
            server = Server(hub.process.pid, hub.port)
            hello = hello_of(0, rate_hz=5, token=TOKEN)
            stack.enter_context(
                bench.holding(server, clients, 0.2, hello=hello, examine=20, warm=bench.seconds(2))
            )
        told = _watched(roles, agents, bench.seconds(2 * SECONDS))
    return Point(
        "workers", workers, ROLE_SESSIONS, clients * workers, told["events"], 0, workers,
        told["hubs"], told["memory_mb"], told["frames"], told["wire_mb"], None, told["redis"],
        told["ingest"], told["recorder"],
    )  # fmt: skip


def _watched(roles: Roles, agents: Agents, seconds: float) -> Result:
    """CPU of every role, and what hubs say that they sent, over some seconds."""

    def read() -> Result:
        held = {name: look(each.process.pid) for name, each in roles.by_name.items()}
        pages = [each.metrics() for each in roles.hubs]
        total = {
            name: sum(v for page in pages for (each, _), v in page.items() if each == name)
            for name in ("tower_hub_frames_total", "tower_hub_sent_bytes_total")
        }
        return {"at": time.monotonic(), "held": held, **total, "events": agents.taken}

    before = read()
    time.sleep(seconds)
    after = read()
    took_s = after["at"] - before["at"]

    def cpu(name: str) -> float:
        return float(after["held"][name].cpu_s - before["held"][name].cpu_s) / took_s

    hubs = [each.name for each in roles.hubs]
    grown = {name: (after[name] - before[name]) / took_s for name in after if name.startswith("t")}
    return {
        "events": (after["events"] - before["events"]) / took_s, "hubs": sum(map(cpu, hubs)),
        "memory_mb": sum(after["held"][name].rss_bytes for name in hubs) / len(hubs) / 1e6,
        "frames": grown["tower_hub_frames_total"],
        "wire_mb": grown["tower_hub_sent_bytes_total"] / 1e6,
        **{name: cpu(name) for name in ("redis", "ingest", "recorder")},
    }  # fmt: skip


@contextlib.contextmanager
def _posting(roles: Roles) -> Iterator[Agents]:
    """Agents that post from a thread of their own."""
    agents = Agents(roles.ingest_port, ROLE_SESSIONS, 1)
    ready, loops = threading.Event(), []

    async def post() -> None:
        await agents.begin()
        task = asyncio.create_task(agents.run(RATE, BORN_EVERY_S))
        loops.append((asyncio.get_running_loop(), task))
        ready.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    thread = threading.Thread(target=asyncio.run, args=(post(),), daemon=True)
    thread.start()
    ready.wait(30)
    try:
        yield agents
    finally:
        for loop, task in loops:
            loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
