"""The processes of a measurement: compiled tools, servers on one core, the load on another.

Reads CPU and memory where the kernel tells them. Used by the rows of the fan-out.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SERVER_CORE, CLIENT_CORE = 0, 1
START_TIMEOUT_S = 30.0
LOAD_TIMEOUT_S = 120.0
SERVER_SECONDS_MAX = 300
ACK_MS = 500  # as the dashboard does

Result = dict[str, Any]


class ToolFailed(Exception):
    """A process of the measurement ended where it should not; the text says what it told."""


def compile_tools(folder: Path) -> None:
    """Compile the C tools into a folder; raises ToolFailed with what the compiler says."""
    for name, libraries in (("load", ["-lz"]), ("floor", [])):
        command = ["gcc", "-O2", "-Wall", "-Wextra", "-o", str(folder / name)]
        made = subprocess.run(
            [*command, str(HERE / f"{name}.c"), *libraries],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            hint = "gcc with the headers of the C library and of zlib is needed"
            raise ToolFailed(f"{name}.c does not compile ({hint}):\n{made.stderr}")


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside stays on one core, all its threads, where there are two."""
    all_cores = os.sched_getaffinity(0)
    if {SERVER_CORE, CLIENT_CORE} <= all_cores:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_cores)


def words_of(options: dict[str, Any]) -> list[str]:
    """``{"rate": 5, "no_turns": True}`` as ``--rate 5 --no-turns``; None and False are left out."""
    words: list[str] = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words.append(json.dumps(value) if isinstance(value, dict) else str(value))
    return words


class Server:
    """A running server, and what the kernel knows of it."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    def resident_bytes(self) -> int:
        """Its resident memory."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        found = re.search(r"^Rss:\s+(\d+) kB", text, re.MULTILINE)
        return int(found.group(1)) * 1024 if found else 0

    def kernel_bytes(self) -> int | None:
        """What the kernel holds for its sockets, or None where ``ss`` is missing."""
        if shutil.which("ss") is None:
            return None
        asked = ["ss", "-tmnH", "state", "established", f"sport = :{self.port}"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        held = re.findall(r"skmem:\(r(\d+),rb\d+,t\d+,tb\d+,f(\d+),w(\d+),o(\d+),bl(\d+)", told)
        return sum(int(each) for socket in held for each in socket)


class Bench:
    """The tools in a folder, and how long and how large everything is."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self.folder = folder
        self.quick = quick
        self.rounds = 1 if quick else 3

    def scaled(self, usual: int, least: int = 20) -> int:
        """So many clients or sessions, or few where it has to be quick."""
        return max(least, usual // 20) if self.quick else usual

    def seconds(self, usual: float) -> float:
        """So long, or a moment."""
        return 0.4 if self.quick else usual

    def ours(self, **options: Any) -> contextlib.AbstractContextManager[Server]:
        """Our service with a fleet inside."""
        return self.server([sys.executable, str(HERE / "our_server.py"), *words_of(options)])

    def baseline(self, way: str, **options: Any) -> contextlib.AbstractContextManager[Server]:
        """A naive server."""
        return self.server([sys.executable, str(HERE / "baselines.py"), way, *words_of(options)])

    def floor(self, **options: Any) -> contextlib.AbstractContextManager[Server]:
        """Nothing but send()."""
        return self.server([str(self.folder / "floor"), *words_of(options)])

    @contextlib.contextmanager
    def server(self, command: list[str], core: int = SERVER_CORE) -> Iterator[Server]:
        """A process that announces where it listens; it ends with the block."""
        command += ["--seconds", str(SERVER_SECONDS_MAX)]
        with (
            tempfile.TemporaryFile("w+", dir=self.folder) as errors,
            _running(command, errors, core) as process,
        ):
            told = _next_line(process, START_TIMEOUT_S)
            if told is None:
                errors.seek(0)
                raise ToolFailed(f"{' '.join(command)} did not start:\n{errors.read()[-2000:]}")
            yield Server(told["pid"], told["port"])

    def load(self, server: Server, clients: int, seconds: float, **options: Any) -> Result:
        """Measure so long with so many clients; ``hello`` makes them speak hub.v1."""
        with self.holding(server, clients, seconds, **options) as result:
            return result

    @contextlib.contextmanager
    def holding(
        self, server: Server, clients: int, seconds: float, **options: Any
    ) -> Iterator[Result]:
        """The same; the clients stay connected inside the block."""
        hello = options.pop("hello", None)
        if hello is not None:
            # A row with a workspace is one in full: its stamp is older than its frame.
            options["skip"] = '"workspace":'
            options["hello"] = {"type": "hello", "protocol": 1, **hello}
            options["ack_ms"] = ACK_MS
        options = {"warm": 0.2 if self.quick else 2.0, **options}
        words = words_of(
            {
                "port": server.port, "server_pid": server.pid, "clients": clients,
                "seconds": seconds, "hold": True, **options,
            }
        )  # fmt: skip
        with _running([str(self.folder / "load"), *words], None, CLIENT_CORE) as process:
            opened = _next_line(process, LOAD_TIMEOUT_S)
            result = _next_line(process, LOAD_TIMEOUT_S)
            if opened is None or result is None:
                raise ToolFailed("the load client could not connect, or died")
            if result["closed"]:
                print(f"  {result['closed']} of {clients} connections were lost", file=sys.stderr)
            yield result


@contextlib.contextmanager
def _running(command: list[str], errors: Any, core: int) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with on_core(core):
        started = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            env=environment,
        )  # fmt: skip
    with started as process:
        try:
            yield process
        finally:
            process.kill()


def _next_line(process: "subprocess.Popen[str]", timeout_s: float) -> Result | None:
    """The next line that a process prints, as JSON; None where it ends without one."""
    watchdog = threading.Timer(timeout_s, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline() if process.stdout else ""
    finally:
        watchdog.cancel()
    told: Result | None = json.loads(line) if line else None
    return told
