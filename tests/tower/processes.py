"""Roles as processes of their own: started, asked over HTTP, and ended at the end."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.tower.commands import COMMAND, environment

TOKEN = "made-up-token-of-the-owner"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
READY_S = 120.0  # machines that run tests are slow at times


class RoleProcess:
    """One ``tower hub``, ``tower ingest`` or ``tower recorder`` that listens."""

    def __init__(self, process: subprocess.Popen[str], address: str, errors: Path) -> None:
        self.process = process
        self.address = address
        self.port = int(address.rpartition(":")[2])
        self._errors = errors

    @property
    def errors(self) -> str:
        """What it has logged."""
        return self._errors.read_text()

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request; the credential is the caller's to give."""
        return ask(self.address, path, method, body, **headers)

    def get(self, path: str) -> Any:
        """A JSON answer, with the owner's token."""
        status, _, body = self.ask(path, **BEARER)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def post(self, *lines: bytes) -> None:
        """Deltas for an ingest, which must take them."""
        status, _, body = self.ask("/v1/deltas", "POST", b"\n".join(lines))
        assert status == 200, body

    @property
    def is_ready(self) -> bool:
        """What ``/readyz`` says."""
        return self.ask("/readyz")[0] == 200

    def become_ready(self) -> "RoleProcess":
        """Return when it is; a line that is cut meanwhile is no answer, and its end a failure."""

        def is_ready() -> bool:
            assert self.process.poll() is None, f"it ended by {self.process.poll()}: {self.errors}"
            with contextlib.suppress(ConnectionError):
                return self.is_ready
            return False

        until(is_ready, READY_S)
        return self

    def end(self, within_s: float = 20.0) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)


def ask(
    address: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own."""
    with contextlib.closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()


@contextlib.contextmanager
def role(home: Path, name: str, url: str, *arguments: str, **more: str) -> Iterator[RoleProcess]:
    """A role that answers; ready it need not be. ``home`` is its own, its neighbours share
    their history with it."""
    home.mkdir(exist_ok=True)
    options = arguments if "--port" in arguments else ("--port", "0", *arguments)
    database = f"sqlite:///{home.parent / 'history.db'}"
    told = {"TOWER_REDIS_URL": url, "TOWER_DATABASE_URL": database, "TOWER_TOKEN": TOKEN, **more}
    errors = home / "errors.txt"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [*COMMAND, name, *options], cwd=home, env=environment(home, **told), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://([^/]+)/", line)
        assert found, f"no URL in {line!r}: {errors.read_text()}"
        yield RoleProcess(process, found[1], errors)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()


def until(condition: Callable[[], Any], within_s: float = READY_S) -> Any:
    """What the condition gives as soon as it is true; fails after the deadline."""
    deadline = time.monotonic() + within_s
    while not (told := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return told
