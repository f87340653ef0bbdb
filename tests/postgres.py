"""A real PostgreSQL of this run's own: it trusts everybody on loopback, and keeps nothing."""

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
    """A running server."""

    def __init__(self, programs: Path, port: int) -> None:
        self.url = f"postgresql://tower@127.0.0.1:{port}/postgres"
        self._programs = programs
        self._port = str(port)
        self._count = itertools.count(1)

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
def running(port: int) -> Iterator[Postgres]:
    """A server on a port, until the end of the block."""
    programs = find_programs()
    assert programs is not None
    user = server_user()
    # Not below pytest's own folders: the server's user may not enter them.
    folder = Path(tempfile.mkdtemp(prefix="tower-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        yield from _serve(programs, folder, port, user)
    finally:
        shutil.rmtree(folder)


def _serve(programs: Path, folder: Path, port: int, user: str | None) -> Iterator[Postgres]:
    log, data = folder / "log", folder / "data"
    as_user = {"user": user, "cwd": folder, "stdin": subprocess.DEVNULL}
    made = [programs / "initdb", "-D", data, "-U", "tower", "-A", "trust", "-E", "UTF8"]
    made += ["--locale=C", "--no-sync", "--no-instructions"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, **as_user)  # type: ignore[call-overload]
    options = [part for name, value in OPTIONS.items() for part in ("-c", f"{name}={value}")]
    command = [programs / "postgres", "-D", data, "-p", str(port), *options]
    with (
        log.open("wb") as told,
        subprocess.Popen(command, stdout=told, stderr=told, **as_user) as server,  # type: ignore[call-overload]
    ):
        try:
            postgres = Postgres(programs, port)
            _wait_for(server, postgres, log)
            yield postgres
        finally:
            server.send_signal(signal.SIGQUIT)  # at once, with its children and shared memory


def _wait_for(server: "subprocess.Popen[bytes]", postgres: Postgres, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not postgres.is_ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text()}")
        time.sleep(0.02)
