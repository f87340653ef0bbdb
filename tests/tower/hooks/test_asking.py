"""What the other end of the hooks says, and what it is not told."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tower.hooks.agents import CODEX
from tower.hooks.asking import answer_of, last_heard
from tower.hooks.target import Target

ROWS = b"""{"sessions": [
  {"agent": "codex", "sources": {"hooks": 7}},
  {"agent": "codex", "sources": {"transcript": 8}},
  {"agent": "claude-code", "sources": {"hooks": 9}}
]}"""


@contextlib.contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[tuple[Target, list[str]]]:
    """A server that always answers this, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Target(f"http://127.0.0.1:{server.server_port}", True, True, "h", "u"), asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (405, "answers"), (401, "wants a token"), (403, "TOWER_ALLOWED_HOSTS"),
        (200, "another program"), (404, "another program"), (500, "another program"),
    ],
)  # fmt: skip
def test_a_tower_is_known_by_its_answer(status: int, words: str) -> None:
    """What is wrong comes with what to do."""
    with answering(status) as (target, asked):
        assert words in answer_of(target, CODEX, "secret")
    assert asked == ["/v1/hooks/codex Bearer secret"]


def test_nobody_is_led_elsewhere_with_the_token() -> None:
    """An answer that leads on is a stranger's."""
    with answering(302, Location="/elsewhere") as (target, asked):
        assert answer_of(target, CODEX, "secret") == "another program answers"
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (b'{"sessions": []}', None),
        (ROWS, 7),
        (b"[]", None), (b"{}", None), (b"<html>", None), (b'{"sessions": [{}]}', None),
    ],
)  # fmt: skip
def test_the_last_hook_is_the_latest_of_this_agent(body: bytes, at: int | None) -> None:
    """And unknown where the answer is none of ours."""
    with answering(200, body) as (target, _):
        assert last_heard(target, CODEX, "secret") == at


def test_without_a_credential_it_is_unknown() -> None:
    """Which is no error."""
    with answering(401) as (target, _):
        assert last_heard(target, CODEX, None) is None
