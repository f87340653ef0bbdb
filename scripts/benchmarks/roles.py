"""The roles as they are deployed: ingest, hubs and a recorder, each a process, on a real Redis.

Every run has a folder of its own, and nothing of the user's settings. Used by the benchmarks of
endurance, of reconnect storms and of capacity.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from kernel import Held, look
from towers import ROOT

from locustfiles.figures import Series, read

TOKEN = "made-up-token-of-the-owner"  # noqa: S105 - of a run on loopback
BEARER = {"Authorization": f"Bearer {TOKEN}"}
COMMAND = [sys.executable, "-c", "from tower.cli import main; main()"]
READY_S = 60.0
POLL_S = 0.05


class Role:
    """One process, and where it listens."""

    def __init__(self, name: str, process: "subprocess.Popen[str]", port: int) -> None:
        self.name = name
        self.process = process
        self.port = port

    def held(self) -> Held:
        """What it holds at this moment."""
        return look(self.process.pid)

    def metrics(self) -> Series:
        """What it says of itself. Raises OSError where it does not answer."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        request = urllib.request.Request(url, headers=BEARER)
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own process
            return read(answer.read().decode())

    def is_ready(self) -> bool:
        """What ``/readyz`` says."""
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{self.port}/readyz"
            with urllib.request.urlopen(url, timeout=5):
                return True
        return False

    def kill(self) -> None:
        """As a crash would."""
        self.process.kill()
        self.process.wait()


class Roles:
    """All processes of one run; ended with ``close``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_name: dict[str, Role] = {}
        self._stack = contextlib.ExitStack()
        self.by_name["redis"] = self._start_redis()

    @property
    def redis_url(self) -> str:
        """Where the log is."""
        return f"redis://127.0.0.1:{self.by_name['redis'].port}/0"

    @property
    def ingest_port(self) -> int:
        """Where agents post to."""
        return self.by_name["ingest"].port

    @property
    def hubs(self) -> list[Role]:
        """The hub workers that are known, dead ones as well."""
        return [each for name, each in self.by_name.items() if name.startswith("hub")]

    def _start_redis(self) -> Role:
        if shutil.which("redis-server") is None:
            raise SystemExit("bench: redis-server is missing; scripts/test installs it")
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(self.folder), "--logfile", str(self.folder / "redis.log")]
        process = self._started(command, subprocess.DEVNULL, {})
        wait_for(lambda: _answers(port), "redis-server did not start")
        return Role("redis", process, port)

    def start(self, name: str, port: int = 0, core: int | None = None) -> Role:
        """``ingest``, ``recorder``, or a hub by a name that begins so; on one core where told."""
        command = [*COMMAND, name.partition("-")[0], "--port", str(port)]
        home = self.folder / name
        home.mkdir(exist_ok=True)
        process = self._started(command, subprocess.PIPE, self._environment(home))
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        line = process.stdout.readline() if process.stdout else ""
        found = re.search(r"http://[^/]+:(\d+)/", line)
        if found is None:
            told = (self.folder / "errors").read_text()[-2000:]
            raise SystemExit(f"bench: {name} did not start: {told}")
        self.by_name[name] = Role(name, process, int(found[1]))
        return self.by_name[name]

    def become_ready(self) -> None:
        """Return when every role is."""
        for each in self.by_name.values():
            if each.name != "redis":
                wait_for(each.is_ready, f"{each.name} did not become ready")

    def errors(self) -> str:
        """Everything that all of them have logged."""
        return (self.folder / "errors").read_text()

    def _started(
        self, command: list[str], stdout: int, environment: dict[str, str]
    ) -> "subprocess.Popen[str]":
        with (self.folder / "errors").open("a") as errors:
            process = subprocess.Popen(
                command, cwd=self.folder, env={**_clean(), **environment}, text=True,
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors,
            )  # fmt: skip
        self._stack.callback(_end, process)
        return process

    def _environment(self, home: Path) -> dict[str, str]:
        return {
            "TOWER_REDIS_URL": self.redis_url, "TOWER_TOKEN": TOKEN, "NO_COLOR": "1",
            "TOWER_DATABASE_URL": f"sqlite:///{self.folder / 'history.db'}", "HOME": str(home),
            "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home), "PYTHONPATH": str(ROOT),
        }  # fmt: skip

    def close(self) -> None:
        """End them all, the last one first."""
        self._stack.close()


def end_by_signal() -> None:
    """SIGTERM cancels the task that calls this, so that the roles are ended as well."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TOWER_")}


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout:
        process.stdout.close()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as opened:
        opened.sendall(b"PING\r\n")
        return opened.recv(5) == b"+PONG"
    return False


def wait_for(condition: Callable[[], bool], complaint: str) -> None:
    """Return when it holds. Raises SystemExit with the complaint where it takes too long."""
    deadline = time.monotonic() + READY_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: {complaint}")
        time.sleep(POLL_S)


@contextlib.contextmanager
def running(folder: Path, hubs: int) -> Iterator[Roles]:
    """Redis, an ingest, a recorder and so many hubs, all of them ready."""
    roles = Roles(folder)
    try:
        for name in ("ingest", "recorder", *(f"hub-{n + 1}" for n in range(hubs))):
            roles.start(name)
        roles.become_ready()
        yield roles
    finally:
        roles.close()
