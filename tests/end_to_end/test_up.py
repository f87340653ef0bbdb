"""One service from one command: its door, its board, its start and its end."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.end_to_end.running import Tower, client, command, environment, started, until
from tests.session.made import assistant, prompt, tool_use, usage

LONG_MS = 3_600_000


def now() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a live session, one with a subagent, and an old one."""
    folder = tmp_path / "home" / "projects" / "-made-up"
    (folder / "parent" / "subagents").mkdir(parents=True)
    at = now()
    work = prompt("build it", at) + assistant("m1", tool_use("t1"), at=at, usage=usage(20))
    (folder / "live.jsonl").write_bytes(work)
    (folder / "parent.jsonl").write_bytes(prompt("lead", at) + assistant("m2", at=at))
    (folder / "parent" / "subagents" / "agent-1.jsonl").write_bytes(assistant("m3", at=at))
    (folder / "old.jsonl").write_bytes(prompt("long ago", at - 48 * LONG_MS))
    return tmp_path / "home"


@pytest.fixture
def tower(home: Path, tmp_path: Path) -> Iterator[Tower]:
    """A tower on that home, whose first read is over."""
    with started(home, tmp_path / "data") as running:
        until(lambda: len(running.live()) == 3)
        yield running


def test_health_needs_nothing(tower: Tower) -> None:
    """Neither a credential nor a known Host."""
    for path in ("/healthz", "/readyz"):
        assert tower.ask("GET", path, Host="who.example")[0] == 200
    assert tower.ask("GET", "/metrics")[0] == 200


def test_the_board_shows_the_sessions_of_the_home(tower: Tower) -> None:
    """Live ones as they are, old ones as past, subagents with their parent."""
    rows = tower.live()
    assert {name: row["status"] for name, row in rows.items()} == {
        "live": "running", "parent": rows["parent"]["status"], "old": "ended",
    }  # fmt: skip
    assert rows["live"]["tokens"]["output"] == 20
    assert rows["parent"]["tokens"]["output"] == 20
    assert rows["old"]["title"] == "long ago"
    assert rows["old"]["ended_at"] == rows["old"]["updated_at"]


async def test_hello_is_answered_in_order(tower: Tower) -> None:
    """``welcome``, ``attention`` in full, ``overview.snapshot``."""
    async with client(tower) as opened:
        frame = await opened.next("overview.snapshot")
    assert [each["type"] for each in opened.frames] == [
        "welcome", "attention", "overview.snapshot",
    ]  # fmt: skip
    assert opened.frames[1]["full"] is True
    assert {row["id"] for row in frame["sessions"]} == {"live", "parent", "old"}


async def test_a_written_line_reaches_a_client(tower: Tower, home: Path) -> None:
    """From the file to the row, without anybody asking."""
    async with client(tower) as opened:
        await opened.next("overview.snapshot")
        with (home / "projects" / "-made-up" / "live.jsonl").open("ab") as file:
            file.write(assistant("m9", at=now(), usage=usage(1_000)))
        while True:
            frame = await opened.next("overview.patch")
            rows = {row["id"]: row for row in frame["set"]}
            if rows.get("live", {}).get("tokens", {}).get("output") == 1_020:
                return


def test_the_one_time_url_becomes_a_cookie(tower: Tower) -> None:
    """It works once; without it, or any credential, there are no data."""
    assert tower.ask("GET", "/api/me")[0] == 401
    code = tower.login_url.partition("#code=")[2]
    status, headers, _ = tower.ask("POST", "/login", json.dumps({"code": code}).encode())
    assert status == 204
    cookie = headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict"} <= set(re.split("; ", cookie))
    status, _, body = tower.ask("GET", "/api/me", Cookie=cookie.partition(";")[0])
    assert (status, json.loads(body)["role"]) == (200, "operator")
    assert tower.ask("POST", "/login", json.dumps({"code": code}).encode())[0] == 401


def test_a_restart_keeps_cookies_valid(home: Path, tmp_path: Path) -> None:
    """The key is kept with the token."""
    port, data = free_port(), tmp_path / "data"
    with started(home, data, port=port) as first:
        code = first.login_url.partition("#code=")[2]
        told = first.ask("POST", "/login", json.dumps({"code": code}).encode())[1]
        first.end()
    with started(home, data, port=port) as second:
        cookie = told["set-cookie"].partition(";")[0]
        assert second.ask("GET", "/api/me", Cookie=cookie)[0] == 200


def half_made(history: Path) -> None:
    """As a first start leaves it that was killed before there were tables."""
    history.write_bytes(b"")


def of_a_release_before(history: Path) -> None:
    """Without the tables of the door, which came later."""
    with contextlib.closing(sqlite3.connect(history)) as connection:
        for name in ("tokens", "logouts", "audit"):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
        connection.commit()


@pytest.mark.parametrize("left", [half_made, of_a_release_before])
def test_a_history_that_is_not_of_this_release_is_brought_up_to_date(
    home: Path, tmp_path: Path, left: Callable[[Path], None]
) -> None:
    """The board cannot be read before that, and the start waits for it, not it for the start."""
    data = tmp_path / "data"
    with started(home, data) as tower:
        until(lambda: len(tower.live()) == 3)
        assert tower.end() == 0
    left(data / "history.db")
    with started(home, data) as again:
        until(lambda: len(again.live()) == 3)


def test_bad_hooks_harm_nobody(tower: Tower) -> None:
    """Over one connection that is kept: each is answered, and the next is taken in."""
    bodies = [
        b"", b"{oh", b"[" * 20_000, b'{"x":NaN}', b'{"session_id":"\\ud800"}', b"\xff" * 100,
        json.dumps({"session_id": "s", "x": "y" * 10_000_000}).encode(),
        b'{"session_id":"s","hook_event_name":"PermissionRequest","tool_name":"B","tool_input":'
        b'{"n":' + b"9" * 40 + b"}}",
    ]  # fmt: skip
    for body in bodies:
        status, _, answer = tower.ask("POST", "/v1/hooks/claude-code", body)
        assert (status, answer) == (200, b"")
        tower.hook({"session_id": "fine", "hook_event_name": "UserPromptSubmit", "prompt": "x"})
    assert until(lambda: tower.live().get("fine"))["status"] == "running"


def test_a_broken_transcript_harms_nobody(tower: Tower, home: Path) -> None:
    """Its good lines are read, its neighbours too."""
    folder = home / "projects" / "-made-up"
    at = now()
    (folder / "broken.jsonl").write_bytes(
        prompt("before", at) + b'{"type":"user","message":\n' + b"[" * 5_000 + b"\n"
        b'{"type":"assistant","message":{"usage":' + b"9" * 5_000 + b"}}\n" + prompt("after", at)
    )
    (folder / "beside.jsonl").write_bytes(prompt("beside", at))
    until(lambda: {"broken", "beside"} <= tower.live().keys())
    told = tower.get("/api/live/broken")["timeline"]
    assert [each["text"] for each in told if each["kind"] == "prompt"] == ["before", "after"]


def test_a_foreign_page_gets_nothing(tower: Tower) -> None:
    """By its Origin, and by a name that is not ours."""
    for path in ("/api/live", "/v1/hooks/claude-code", "/"):
        assert tower.ask("POST", path, b"{}", Origin="https://evil.example")[0] == 403
        assert tower.ask("GET", path, Host="rebound.example")[0] == 403


# Start and end.


def test_sigterm_is_exit_0(tower: Tower) -> None:
    """An orderly end is no failure for whoever started it."""
    assert tower.end() == 0


async def test_clients_are_told_goodbye(tower: Tower) -> None:
    """``bye`` and 4000, so that they come back."""
    async with client(tower) as opened:
        await opened.next("overview.snapshot")
        tower.process.terminate()
        told = await opened.next("bye")
        await opened.socket.wait_closed()
    assert told["code"] == opened.socket.close_code == 4000
    assert told["retry_ms"] > 0


def test_a_stalled_client_does_not_hold_the_end_up(home: Path, tmp_path: Path) -> None:
    """It is let go, not waited for."""
    folder = home / "projects" / "-made-up"
    for at in range(8):
        lines = [prompt(f"{n}" + "x" * 2_000, now()) for n in range(200)]
        (folder / f"big{at}.jsonl").write_bytes(b"".join(lines))
    with started(home, tmp_path / "data") as tower, stalled(tower) as socket_:
        until(lambda: len(tower.live()) == 11)
        for at in range(8):
            socket_.sendall(masked({"type": "subscribe", "session": f"big{at}"}))
        tower.hook({"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "x"})
        until(lambda: "s" in tower.live())
        began = time.monotonic()
        code = tower.end(20)
        took_s = time.monotonic() - began
    assert code == 0
    assert took_s < 10


@contextlib.contextmanager
def stalled(tower: Tower) -> Iterator[socket.socket]:
    """A client that says hello and never reads again, with hardly any room in its kernel."""
    host, _, port = tower.address.partition(":")
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.connect((host, int(port)))
        made.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {tower.address}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {tower.token}\r\n\r\n".encode()
        )
        assert made.recv(12) == b"HTTP/1.1 101"
        made.sendall(masked({"type": "hello", "protocol": 1, "subscriptions": 8}))
        yield made


def masked(told: dict[str, object]) -> bytes:
    """A client's frame, masked by zeros."""
    data = json.dumps(told).encode()
    assert len(data) < 126
    return bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data


def ended(home: Path, data: Path, *more: str, port: int = 0) -> tuple[int, str]:
    """The exit code and the words of a tower that does not start."""
    data.mkdir(exist_ok=True)
    done = subprocess.run(
        command(home, data, *more, port=port), cwd=data, env=environment(data), text=True,
        capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_port_that_is_taken_is_exit_1(home: Path, tmp_path: Path) -> None:
    """With the address, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, told = ended(home, tmp_path / "data", port=port)
    assert code == 1
    assert f"127.0.0.1:{port}" in told
    assert "--port" in told


def test_no_auth_is_for_loopback_alone(home: Path, tmp_path: Path) -> None:
    """Elsewhere it is wrong usage; on loopback nobody is asked."""
    code, told = ended(home, tmp_path / "data", "--no-auth", "--host", "0.0.0.0")
    assert code == 2
    assert "--no-auth" in told
    with started(home, tmp_path / "data", "--no-auth") as tower:
        assert tower.ask("GET", "/api/me")[0] == 200
        assert tower.ask("GET", "/api/me", Origin="https://evil.example")[0] == 403


def test_no_watch_reads_nothing(home: Path, tmp_path: Path) -> None:
    """Hooks alone make the board."""
    with started(home, tmp_path / "data", "--no-watch") as tower:
        tower.hook({"session_id": "s", "hook_event_name": "SessionStart", "source": "startup"})
        assert set(until(tower.live)) == {"s"}


def test_ctrl_c_during_the_first_read_ends_quietly(tmp_path: Path) -> None:
    """The child that reads gets the signal too, and must not complain on the terminal."""
    folder = tmp_path / "home" / "projects" / "-big"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_bytes(prompt("x" * 1_000, now()) * 50_000)
    data = tmp_path / "data"
    data.mkdir()
    process = subprocess.Popen(
        command(tmp_path / "home", data), cwd=data, env=environment(data), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert "Traceback" not in told
    assert process.returncode in (0, 130)


def test_a_second_tower_on_the_same_folder_is_wrong_usage(home: Path, tmp_path: Path) -> None:
    """Two would write one history; it names the folder and the flag, and the first one lives on."""
    with started(home, tmp_path / "data") as one:
        code, told = ended(home, tmp_path / "data")
        assert code == 2
        assert "--data-dir" in told
        assert one.ask("GET", "/readyz")[0] == 200
