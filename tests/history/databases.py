"""A PostgreSQL that a test stops and starts again. What it holds stays."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests import postgres
from tests.conftest import free_port
from tests.postgres import Postgres


class StoppablePostgres(Postgres):
    """A server of one test's own."""

    def __init__(self, programs: Path, port: int, folder: Path) -> None:
        super().__init__(programs, port)
        self._log = folder / "log"
        self._data = folder / "data"
        self._user = postgres.server_user()
        self._server: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            shutil.chown(folder, self._user)
        options = ("-D", str(self._data), "-U", "tower", "-A", "trust", "-E", "UTF8", "--no-sync")
        assert self._popen("initdb", *options).wait() == 0, self._log.read_text()

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = [
            part for name, told in postgres.OPTIONS.items() for part in ("-c", f"{name}={told}")
        ]
        self._server = self._popen("postgres", "-D", str(self._data), "-p", self._port, *options)
        postgres._wait_for(self._server, self, self._log)

    def stop(self) -> None:
        """End it at once, whoever is connected."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(postgres.START_S)
            self._server = None

    def _popen(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._programs / program, *arguments], user=self._user, cwd=self._log.parent,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip


@contextlib.contextmanager
def stoppable() -> Iterator[StoppablePostgres]:
    """A started server until the end of the block."""
    programs = postgres.find_programs()
    assert programs is not None
    # Not below pytest's own folders: the server's user may not enter them.
    folder = Path(tempfile.mkdtemp(prefix="tower-postgres-"))
    try:
        server = StoppablePostgres(programs, free_port(), folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
