"""A real `tower up` for browser tests, and what is done to it from outside."""

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S, POLL_S = 30, 0.05
COMMAND = [sys.executable, "-c", "from tower.cli import main; main()"]


class Tower(NamedTuple):
    """A running service: where it is, its one-time URL and its token."""

    url: str
    login_url: str
    token: str
    home: Path

    def hook(self, **payload: object) -> None:
        """Post one hook payload as an agent would."""
        self.post("/v1/hooks/claude-code", payload)

    def hook_of(self, user: str, host: str, payload: dict[str, object]) -> None:
        """The same from another machine."""
        self.post("/v1/hooks/claude-code", payload, {"X-Tower-User": user, "X-Tower-Host": host})

    def get(self, path: str) -> dict[str, object]:
        """A JSON answer of the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            told: dict[str, object] = json.load(answer)
            return told

    def patch(self, path: str, body: dict[str, object]) -> None:
        """Change something as the owner."""
        self.change("PATCH", path, body)

    def change(self, method: str, path: str, body: dict[str, object]) -> None:
        """Do anything as the owner."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            assert answer.status == 200

    def post(self, path: str, body: dict[str, object], more: dict[str, str] | None = None) -> None:
        """Post JSON as whoever may send it without a token."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(more or {})}
        request = urllib.request.Request(self.url + path, data, headers, method="POST")
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            assert answer.status == 200


def run(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """A `tower` command as a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, **options
    )  # type: ignore[call-overload, no-any-return]


async def until(true: Callable[[], bool]) -> None:
    """Return when it holds; fail after a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110 - the service tells no event of this
            await asyncio.sleep(POLL_S)


def up(folder: Path, port: int = 0) -> subprocess.Popen[str]:
    """A service whose home and data are in ``folder``, which may have been used before."""
    home, data = folder / "home", folder / "data"
    (home / "projects" / "-made-up").mkdir(parents=True, exist_ok=True)
    arguments = ["up", "--port", str(port), "--data-dir", str(data), "--claude-dir", str(home)]
    return run(*arguments, "--codex-dir", str(folder / "no-codex"), "--no-browser")


def ready(process: subprocess.Popen[str], folder: Path) -> Tower:
    """Wait until it says where it is."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"(http://[^/]+)/#code=\S+", line)
    assert found, f"no URL in {line!r}"
    token = (folder / "data" / "token").read_text().strip()
    return Tower(found[1], found[0], token, folder / "home")


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """It is ended at the end, unless it was before."""
    assert process.stdout is not None
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Tower]:
    """A tower on a free port with a home of its own, ended at the end."""
    with ended(up(folder)) as process:
        yield ready(process, folder)
