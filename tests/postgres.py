"""A real PostgreSQL of this run's own: it trusts everybody on loopback.

It keeps what it has committed if it dies, where it is asked to; never if the machine does.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_S = 30
SERVER_USER = "postgres"  # who runs it where these tests are root's, for it refuses to be
OPTIONS = {
    "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
    "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60",
    "lc_messages": "C",
}  # fmt: skip


def find_programs() -> Path | None:
    """The folder of PostgreSQL's programs: the newest of Debian's, else that on PATH."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(debian, key=lambda path: int(path.parts[-3].partition(".")[0]))
    if newest:
        return newest[-1].parent
    found = shutil.which("initdb")
    return None if found is None else Path(found).resolve().parent


def server_user() -> str | None:
    """Who runs the server: None for this user; raises KeyError where root has nobody for it."""
    if os.geteuid() != 0:
        return None
    pwd.getpwnam(SERVER_USER)
    return SERVER_USER


def why_absent() -> str | None:
    """What is missing for a server to run here, or None."""
    if find_programs() is None:
        return "PostgreSQL's initdb is not here; install postgresql"
    with contextlib.suppress(KeyError):
        server_user()
        return None
    return f"root cannot run PostgreSQL, and there is no user {SERVER_USER}"


class Postgres:
    """A server in a folder of its own, which may be ended and started again."""

    def __init__(self, folder: Path, port: int, *, is_durable: bool) -> None:
        programs = find_programs()
        assert programs is not None
        self.url = f"postgresql://tower@127.0.0.1:{port}/postgres"
        self._programs = programs
        self._port = str(port)
        self._options = {**OPTIONS, **({"synchronous_commit": "on"} if is_durable else {})}
        self._log, self._data = folder / "log", folder / "data"
        self._as_user: dict[str, Any] = {
            "user": server_user(), "cwd": folder, "stdin": subprocess.DEVNULL,
        }  # fmt: skip
        self._server: subprocess.Popen[bytes] | None = None
        self._count = itertools.count(1)

    def make(self) -> None:
        """An empty cluster of databases, before the first start."""
        made = [self._programs / "initdb", "-D", self._data, "-U", "tower", "-A", "trust"]
        made += ["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, **self._as_user)

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = [
            part for name, value in self._options.items() for part in ("-c", f"{name}={value}")
        ]
        command = [self._programs / "postgres", "-D", self._data, "-p", self._port, *options]
        with self._log.open("ab") as told:
            self._server = subprocess.Popen(command, stdout=told, stderr=told, **self._as_user)
        deadline = time.monotonic() + START_S
        while not self.is_ready():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """At once, as a crash would, with its children and shared memory."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()
            self._server = None

    def create(self, template: str = "template0") -> str:
        """Make an empty database, or one that is like ``template``; gives its URL."""
        name = f"made{next(self._count)}"
        self._run("createdb", "-U", "tower", "-T", template, name)
        return self.url.removesuffix("postgres") + name

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        return self._run("pg_isready", "-q", check=False) == 0

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        command = [self._programs / program, "-h", "127.0.0.1", "-p", self._port, *arguments]
        return subprocess.run(command, check=check, stdin=subprocess.DEVNULL).returncode


@contextlib.contextmanager
def running(port: int, *, is_durable: bool = False) -> Iterator[Postgres]:
    """A server on a port, until the end of the block."""
    # Not below pytest's own folders: the server's user may not enter them.
    folder = Path(tempfile.mkdtemp(prefix="tower-postgres-"))
    try:
        if (user := server_user()) is not None:
            shutil.chown(folder, user)
        server = Postgres(folder, port, is_durable=is_durable)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
