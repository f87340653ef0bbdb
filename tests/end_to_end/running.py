"""A real ``tower up``, the board's HTTP interface and a client of its WebSocket."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from tower.cli import main; main()"]
Frame = dict[str, Any]


class Tower:
    """A running service: its process, its address and its credential."""

    def __init__(self, process: subprocess.Popen[str], login_url: str, data: Path) -> None:
        self.process = process
        self.login_url = login_url
        self.address = urlsplit(login_url).netloc
        self.token = (data / "token").read_text().strip()
        self.connection = http.client.HTTPConnection(self.address, timeout=10)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request over a connection that is kept."""
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read()

    def get(self, path: str) -> Any:
        """A JSON answer of the API, with the owner's token."""
        status, _, body = self.ask("GET", path, Authorization=f"Bearer {self.token}")
        assert status == 200, (path, status, body)
        return json.loads(body)

    def hook(self, payload: dict[str, Any]) -> float:
        """Post one payload as an agent would; gives the milliseconds until the answer."""
        data = json.dumps(payload).encode()
        began = time.perf_counter()
        status, _, body = self.ask("POST", "/v1/hooks/claude-code", data)
        took_ms = (time.perf_counter() - began) * 1000
        assert (status, body) == (200, b"")
        return took_ms

    def live(self) -> dict[str, Any]:
        """The rows of the board by id."""
        return {row["id"]: row for row in self.get("/api/live")["sessions"]}

    def end(self, within_s: float = 10.0) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    @property
    def rss_mb(self) -> float:
        """What the process holds in memory."""
        command = ["ps", "-o", "rss=", "-p", str(self.process.pid)]
        return int(subprocess.check_output(command, text=True)) / 1024


def command(home: Path, data: Path, *more: str, port: int = 0) -> list[str]:
    """``tower up`` on a port and folders of the test's own."""
    arguments = ["up", "--port", str(port), "--data-dir", str(data), "--claude-dir", str(home)]
    return [*COMMAND, *arguments, "--no-browser", *more]


def environment(data: Path) -> dict[str, str]:
    """Nothing of the user's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOWER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "XDG_CONFIG_HOME": str(data)} | {
        "CODEX_HOME": str(data / "no-codex")
    }


@contextlib.contextmanager
def started(home: Path, data: Path, *more: str, port: int = 0) -> Iterator[Tower]:
    """A tower that is up, and ended at the end."""
    data.mkdir(exist_ok=True)
    process = subprocess.Popen(
        command(home, data, *more, port=port), cwd=data, env=environment(data), text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    tower = None
    try:
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"no URL in {line!r}"
        if "--no-auth" in more:
            (data / "token").touch()
        tower = Tower(process, found[0], data)
        yield tower
    finally:
        if tower is not None:
            tower.connection.close()
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()


def until(condition: Callable[[], Any], within_s: float = 30.0) -> Any:
    """What the condition gives as soon as it is true; fails after the deadline."""
    deadline = time.monotonic() + within_s
    while not (told := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return told


class Client:
    """One WebSocket: what it was told, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []

    async def send(self, kind: str, **fields: Any) -> None:
        """One frame."""
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self, *kinds: str, within_s: float = 10.0) -> Frame:
        """The next frame of one of these types; others are kept in ``frames``."""
        async with asyncio.timeout(within_s):
            while True:
                frame: Frame = json.loads(await self.socket.recv())
                self.frames.append(frame)
                with contextlib.suppress(ConnectionClosed):  # what was sent before it is here still
                    await self.send("ack", frames=len(self.frames))
                if frame["type"] in kinds:
                    return frame

    async def opened(self, session: str, *, activate: bool = False) -> list[Frame]:
        """Subscribe; gives everything up to the last part of the answer."""
        before = len(self.frames)
        await self.send("subscribe", session=session, activate=activate)
        while True:
            frame = await self.next("session.snapshot", "error")
            assert frame["type"] != "error", frame
            if frame["session"] == session and frame["part"] == frame["parts"]:
                return self.frames[before:]


@contextlib.asynccontextmanager
async def client(tower: Tower, **hello: Any) -> AsyncIterator[Client]:
    """A client that has said hello."""
    headers = {"Authorization": f"Bearer {tower.token}"}
    url = f"ws://{tower.address}/ws"
    async with connect(
        url, subprotocols=["hub.v1.json"], additional_headers=headers, max_size=None
    ) as socket:
        made = Client(socket)
        await made.send("hello", protocol=1, client="test", **hello)
        yield made
