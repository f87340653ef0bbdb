"""The ``tower`` command in a process of its own, and a stand-in for the tower it talks to."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from backports import zstd

from session import codec
from session.delta import Report

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from tower.cli import main; main()"]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """Everything it said, without the line breaks of a narrow screen."""
        return " ".join((self.out + self.err).replace("│", " ").split())


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of the user's own: neither settings nor folders."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOWER_")}
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        kept.pop(name, None)
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "NO_COLOR": "1"}
    own |= {"XDG_DATA_HOME": str(home / "data"), "PYTHONPATH": str(ROOT), "COLUMNS": "300"}
    return {**kept, **own, **more}


def start(home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start a command in an empty folder; ``more`` goes to its environment."""
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=home, env=environment(home, **more), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(home: Path, *arguments: str, **more: str) -> Done:
    """Run a command to its end; none may end in a traceback."""
    process = start(home, *arguments, **more)
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err, err
    return Done(process.returncode, out, err)


class StandIn:
    """Takes deltas as a tower does, or answers what it is told to."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.tokens: list[str | None] = []
        self.answers: list[int] = []  # statuses to give before any is taken
        self.news = threading.Condition()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "zstd":
                    body = zstd.decompress(body)
                status = stand_in.take(self.path, self.headers.get("Authorization"), body)
                answer = b"{}" if status == 200 else b'{"detail":"told so"}'
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, path: str, token: str | None, body: bytes) -> int:
        """One request."""
        assert path == "/v1/deltas"
        with self.news:
            self.tokens.append(token)
            if self.answers:
                return self.answers.pop(0)
            for line in body.splitlines():
                delta = codec.from_json_line(line)
                assert isinstance(delta, Report)
                self.reports.append(delta)
            self.news.notify_all()
        return 200

    @property
    def sessions(self) -> set[str]:
        """The ids that were heard."""
        return {each.session for each in self.reports}


@contextlib.contextmanager
def stand_in() -> Iterator[StandIn]:
    """A stand-in on a port of its own."""
    made = StandIn()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


@contextlib.contextmanager
def babbler(words: bytes) -> Iterator[int]:
    """A port where another program answers something that is no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(65_536)
                        connection.sendall(words)

        thread = threading.Thread(target=babble)
        thread.start()
        try:
            port: int = server.getsockname()[1]
            yield port
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
