"""A running system that is about to be hurt: Redis, an ingest, a recorder and two hubs under load.

Every role talks to Redis over a line of its own, and every client to its hub; each line and each
process can be hurt alone. Everything that is started here is ended with the stack, also when the
run fails; nothing else is touched. Injuries are in ``tests/faults/injuries``.
"""

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests import postgres
from tests.bus.conftest import Server
from tests.end_to_end.cluster_crowd import Crowd, Spec
from tests.end_to_end.cluster_log import LogReader
from tests.end_to_end.cluster_story import Story
from tests.end_to_end.namespaces import ADDRESSES, Machines
from tests.faults.asker import Asker
from tests.faults.proxy import Proxy, line_to
from tests.tower.commands import ROOT
from tests.tower.processes import RoleProcess, role

ROLES = ("ingest", "recorder", "hub-a", "hub-b")
HUBS = ("hub-a", "hub-b")
DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec")
SHIM = Path(__file__).with_name("shim")
PORTS = (11_000, 32_000)  # below those that clients are given


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How large a scene is, and of what."""

    sessions: int = 40
    clients: int = 24
    rate: int = 100
    seed: int = 1
    times: int = 5  # what dies again and again dies so often
    peace_s: float = 6.0  # before anything is hurt
    calm: float = 1.0  # of the time that a fault is given when it is healed
    patience: float = 1.0  # how many times as long as promised everything may take
    on_postgres: bool = False
    redis_options: tuple[str, ...] = DURABLE
    redis_env: dict[str, str] = {}
    machines: Machines | None = None  # hubs are on one, clients on the other
    shims: dict[str, dict[str, str]] = {}  # role → how it is hurt from inside
    soak_s: float = 240.0
    folders: dict[str, Path] = {}  # where something else than the scene's own folder is wanted


class Scene:
    """``start`` brings it up; ``seen`` and ``complaints`` are what injuries have to say."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack, shape: Shape) -> None:
        self.folder, self.stack, self.shape = folder, stack, shape
        self.redis = Server(self.place("redis"), *shape.redis_options, env=shape.redis_env)
        self.postgres: postgres.Postgres | None = None
        self.roles: dict[str, RoleProcess] = {}
        self.lines: dict[str, Proxy] = {}
        self.doors: dict[str, Proxy] = {}
        self.crowd: Crowd
        self.log: LogReader
        self.story: Story
        self.asker: Asker
        self.marks: list[tuple[float, str]] = []
        self.seen: dict[str, Any] = {}
        self.complaints: list[str] = []
        self._ports = {name: lasting_port() for name in ROLES}
        self._lives: dict[str, int] = {}
        self._database = ""

    def place(self, name: str) -> Path:
        """A folder for one part."""
        folder = self.shape.folders.get(name, self.folder / name)
        folder.mkdir(exist_ok=True)
        return folder

    # Bringing it up.

    def start(self) -> None:
        """All parts, and the load."""
        self.stack.callback(self.redis.kill)
        self.redis.start()
        if self.shape.on_postgres:
            made = postgres.running(lasting_port(), is_durable=True)
            self.postgres = self.stack.enter_context(made)
            self._database = self.postgres.create()
        for name in ROLES:
            self.lines[name] = self.stack.enter_context(line_to(self.redis.port))
            self.begin(name)
        for each in self.roles.values():
            each.become_ready()
        self.story = Story(self.roles["ingest"].address, self.shape.seed, self.shape.sessions)
        self.stack.callback(self.story.ended.set)
        self.stack.callback(self.story.abandoned.set)
        self.asker = Asker(self.story)
        self.story.begin()
        self.log = LogReader(self.redis.url)
        self.log.start()
        self.stack.callback(self.log.stop)
        self.seen["before"] = self.usage()
        for name in HUBS:
            self.doors[name] = self.stack.enter_context(line_to(self._ports[name]))
        self._attract()

    @property
    def database_url(self) -> str:
        """Where history is."""
        return self._database or f"sqlite:///{self.place('history') / 'history.db'}"

    def begin(self, name: str, command: str = "") -> RoleProcess:
        """A role's process; one that was ended comes again on its port."""
        life = self._lives[name] = self._lives.get(name, 0) + 1
        port = self._ports.setdefault(name, lasting_port())
        line = self.lines.get(name) or self.lines["recorder"]
        listens = ("--host", ADDRESSES[0]) if self.shape.machines and name in HUBS else ()
        started = role(
            self.place(f"{name}.{life}"), command or name.partition("-")[0],
            f"redis://{line.address}/0", "--port", str(port), *listens,
            TOWER_DATABASE_URL=self.database_url, **self._shim(name),
        )  # fmt: skip
        self.roles[name] = self.stack.enter_context(started)
        return self.roles[name]

    def _shim(self, name: str) -> dict[str, str]:
        told = self.shape.shims.get(name, {})
        return {"PYTHONPATH": f"{SHIM}{os.pathsep}{ROOT}", **told} if told else {}

    def _attract(self) -> None:
        """Half of the watchers begin at each hub; every third wants few rows."""
        machines = self.shape.machines
        hubs = [door.address for door in self.doors.values()]
        if machines is not None:
            hubs = [self.roles[name].address for name in HUBS]
        specs = []
        for n in range(self.shape.clients):
            hello: dict[str, Any] = {"rate_hz": 5}
            if n % 3 == 1:
                hello["view"] = {"status": ["running", "waiting"], "limit": 20}
            specs.append(
                Spec(f"c{n:03}", hubs if n % 2 else hubs[::-1], hello, self.shape.seed + n)
            )
        names = [agent.name for agent in self.story.agents]
        there = machines.laptop if machines is not None else ""
        self.crowd = Crowd(specs, names, self.place("recordings"), -1, there)
        self.stack.callback(self.crowd.end)
        self.crowd.tell("watch")

    # Under load.

    def work(self) -> list[threading.Thread]:
        """Agents go on until ``story.ended``."""
        self.asker.start()
        return [self.story.run(self.shape.rate), self.asker]

    def mark(self, kind: str) -> float:
        """Remember when something was done."""
        self.marks.append((time.time(), kind))
        return self.marks[-1][0]

    def when(self, kind: str) -> float:
        """When it was done last."""
        return next(at for at, each in reversed(self.marks) if each == kind)

    def demand(self, held: bool, complaint: str) -> None:
        """What an injury can see itself."""
        if not held:
            self.complaints.append(complaint)

    def until(self, condition: Callable[[], Any], within_s: float, complaint: str) -> float:
        """Wait for something; a complaint if it does not come in time. Gives how long it took."""
        began = time.monotonic()
        while not _holds(condition):
            if time.monotonic() - began > within_s * self.shape.patience:
                self.complaints.append(f"{complaint}, not within {within_s:g} s")
                break
            time.sleep(0.02)
        return round(time.monotonic() - began, 2)

    # Processes.

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash would."""
        self.roles[name].process.kill()
        self.roles[name].process.wait()

    @contextlib.contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """SIGSTOP: it takes connections, and does nothing."""
        process = self.roles[name].process
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def usage(self) -> dict[str, Any]:
        """Memory and descriptors of every process that lives."""
        told = {}
        for name, each in self.roles.items():
            with contextlib.suppress(OSError):
                proc = Path(f"/proc/{each.process.pid}")
                pages = int((proc / "statm").read_text().split()[1])
                rss_mb = round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
                told[name] = {"pid": each.process.pid, "rss_mb": rss_mb,
                              "descriptors": len(list((proc / "fd").iterdir()))}  # fmt: skip
        return told


def lasting_port() -> int:
    """One that is free and stays so while its process is away: no client is ever given it."""
    while True:
        port = random.randrange(*PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _holds(condition: Callable[[], Any]) -> bool:
    """An answer that does not come is none."""
    try:
        return bool(condition())
    except (OSError, AssertionError):
        return False
