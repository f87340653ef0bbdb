"""A client of a real tower that never reads: what it costs, and when it is gone."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.wsprotocol import WRITE_BUFFER_BYTES_MAX
from tests.end_to_end.running import Tower, started, until

RECEIVE_BYTES = 8 * 1024
TAKEN_BYTES_MAX = 64 * 1024
GONE_S = 35.0
END_S = 8.0
SESSIONS = tuple(f"s{n}" for n in range(4))


@pytest.fixture
def tower(tmp_path: Path) -> Iterator[Tower]:
    """A tower with four sessions under way."""
    (tmp_path / "home" / "projects").mkdir(parents=True)
    with started(tmp_path / "home", tmp_path / "data") as running:
        happen(running, 0)
        until(lambda: len(running.live()) == len(SESSIONS))
        yield running


def happen(tower: Tower, turn: int) -> None:
    """Something happens in every session, with some kilobytes of text."""
    for name in SESSIONS:
        prompt = f"{turn} " + "x" * 1_500
        tower.hook({"session_id": name, "hook_event_name": "UserPromptSubmit", "prompt": prompt})


@contextlib.contextmanager
def stalled(tower: Tower) -> Iterator[socket.socket]:
    """A peer that opens every session and then reads nothing."""
    host, _, port = tower.address.partition(":")
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        made.settimeout(5)
        made.connect((host, int(port)))
        made.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {tower.address}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {tower.token}\r\n\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += made.recv(1)
        assert answer.startswith(b"HTTP/1.1 101")
        made.sendall(masked(type="hello", protocol=1, client="stalled"))
        for name in SESSIONS:
            made.sendall(masked(type="subscribe", session=name))
        yield made


def masked(**told: object) -> bytes:
    """A client's frame, masked by zeros."""
    data = json.dumps(told).encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


def connected(tower: Tower) -> list[dict[str, Any]]:
    """The stalled ones, as an operator sees them."""
    told = tower.get("/api/clients")["clients"]
    return [each for each in told if each["client"] == "stalled"]


def is_held(tower: Tower, made: socket.socket) -> bool:
    """Whether the tower still has a descriptor for its end of this connection."""
    ours = f":{made.getsockname()[1]:04X}"
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {f"socket:[{fields[9]}]" for fields in lines if fields[2].endswith(ours)}
    held = set()
    for each in Path(f"/proc/{tower.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            held.add(str(each.readlink()))
    return bool(held & inodes)


def taken(made: socket.socket) -> int:
    """What the peer can still read: all that the hub got rid of."""
    total = 0
    with contextlib.suppress(ConnectionResetError):
        while data := made.recv(65_536):
            total += len(data)
    return total


def test_a_client_that_never_reads_takes_little_and_is_gone_in_time(tower: Tower) -> None:
    """At most 64 KiB leave the process for it; then its place, task and descriptor are free."""
    with stalled(tower) as made:
        began = time.monotonic()
        until(lambda: connected(tower))
        assert is_held(tower, made)
        states, most_bytes, written_bytes, turn = set(), 0, 0, 0
        while told := connected(tower):
            turn += 1
            happen(tower, turn)
            states.add(told[0]["state"])
            written_bytes = max(written_bytes, told[0]["in_flight_bytes"])
            most_bytes = max(most_bytes, told[0]["in_flight_bytes"] + told[0]["queued_bytes"])
            assert time.monotonic() - began < GONE_S
        until(lambda: not is_held(tower, made), GONE_S - (time.monotonic() - began))
        assert states == {"live", "behind"}
        assert most_bytes <= (256 + 64 + 64) * 1024
        # What was written and neither waits in the full write buffer nor was acknowledged.
        assert WRITE_BUFFER_BYTES_MAX < written_bytes <= WRITE_BUFFER_BYTES_MAX + TAKEN_BYTES_MAX
        assert taken(made) <= TAKEN_BYTES_MAX
    assert tower.ask("GET", "/readyz")[0] == 200
    assert tower.end() == 0


def test_stalled_clients_do_not_hold_the_end_up(tower: Tower) -> None:
    """SIGTERM with twenty of them: an orderly end in time."""
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(stalled(tower))
        until(lambda: len(connected(tower)) == 20)
        turn = 0
        while not all(each["state"] == "behind" for each in connected(tower)):
            turn += 1
            happen(tower, turn)
        assert tower.end(END_S) == 0
