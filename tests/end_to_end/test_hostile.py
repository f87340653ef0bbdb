"""Strangers at the door of a real tower: they cost little, and nobody else notices."""

import asyncio
import contextlib
import http.client
import json
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.running import Tower, client, started, until

HALF_HEADS = {
    "silent": b"",
    "a byte": b"G",
    "half a handshake": b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgr",
}
HALF_BODIES = {
    path: (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n"
        "Expect: 100-continue\r\n\r\n{"
    ).encode()
    for path in ("/login", "/v1/hooks/claude-code")
}
HANDSHAKE = (
    "GET /ws?token=wrong-secret HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
)
LET_GO_S = 10.0
FILES_MAX = 96


@pytest.fixture
def tower(tmp_path: Path) -> Iterator[Tower]:
    """A tower with one session."""
    (tmp_path / "home" / "projects").mkdir(parents=True)
    with started(tmp_path / "home", tmp_path / "data", "--no-watch") as running:
        say(running, "s")
        until(lambda: "s" in running.live())
        yield running


def say(tower: Tower, session: str) -> None:
    """A prompt of a session."""
    tower.hook({"session_id": session, "hook_event_name": "UserPromptSubmit", "prompt": "x"})


def dial(tower: Tower) -> socket.socket:
    """A connection that says nothing yet."""
    host, _, port = tower.address.partition(":")
    return socket.create_connection((host, int(port)), timeout=LET_GO_S + 2)


@pytest.mark.parametrize("begun", [HALF_HEADS, HALF_BODIES], ids=["heads", "bodies"])
def test_who_does_not_finish_a_request_is_let_go(tower: Tower, begun: dict[str, bytes]) -> None:
    """Silent, in the middle of a head, or of a body: in ten seconds the place is free."""
    with contextlib.ExitStack() as stack:
        peers = {name: stack.enter_context(dial(tower)) for name in begun}
        for name, data in begun.items():
            peers[name].sendall(data)
        began = time.monotonic()
        ended = set()
        for name, peer in peers.items():
            peer.settimeout(max(0.01, LET_GO_S + 1 - (time.monotonic() - began)))
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while peer.recv(4_096):
                    pass
                ended.add(name)
        assert ended == set(begun)


def test_who_goes_in_the_middle_of_a_body_leaves_no_word_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A stranger cannot fill it."""
    (tmp_path / "home" / "projects").mkdir(parents=True)
    with started(tmp_path / "home", tmp_path / "data", "--no-watch") as tower:
        for data in HALF_BODIES.values():
            with dial(tower) as peer:
                peer.sendall(data)
                assert peer.recv(12) == b"HTTP/1.1 100"  # the body is awaited
        assert tower.ask("GET", "/healthz")[0] == 200
        assert tower.end() == 0
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_secret_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], level: str
) -> None:
    """Neither a token nor a one-time code, right or wrong, nor a query, however much is logged."""
    (tmp_path / "home" / "projects").mkdir(parents=True)
    data = tmp_path / "data"
    data.mkdir()
    (data / "tower.toml").write_text(f'log_level = "{level}"\n')
    with started(tmp_path / "home", data, "--no-watch") as tower:
        code = tower.login_url.rpartition("=")[2]
        for body in ({"token": "wrong-secret"}, {"code": "wrong-secret"}, {"code": code}):
            tower.ask("POST", "/login?token=wrong-secret", json.dumps(body).encode())
        tower.ask("GET", "/api/live?token=wrong-secret", Authorization="Bearer wrong-secret")
        assert tower.live() == {}
        asyncio.run(be_seen(tower))
        with dial(tower) as peer:
            peer.sendall(HANDSHAKE.format(token=tower.token).encode())
            assert peer.recv(12) == b"HTTP/1.1 101"
        token = tower.token
        assert tower.end() == 0
    told = capfd.readouterr().err
    assert not [secret for secret in (token, code, "wrong-secret") if secret in told]


async def be_seen(tower: Tower) -> None:
    """A WebSocket of the owner, and one with a wrong token in its hello."""
    async with client(tower) as opened:
        await opened.next("welcome")
    async with client(tower, token="wrong-secret") as opened:
        with pytest.raises(ConnectionClosed):
            await opened.next("never")


def is_answering(tower: Tower) -> bool:
    """Whether a newcomer is let in; one that is not is cut off."""
    try:
        return tower.ask("GET", "/healthz")[0] == 200
    except (OSError, http.client.HTTPException):
        tower.connection.close()
        return False


async def test_a_tower_without_descriptors_left_recovers(tower: Tower) -> None:
    """Who is connected is served on; newcomers are, once others have gone."""
    limits = resource.prlimit(tower.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(tower.process.pid, resource.RLIMIT_NOFILE, (FILES_MAX, limits[1]))
    async with client(tower) as opened:
        await opened.next("overview.snapshot")
        with contextlib.ExitStack() as stack:
            for _ in range(2 * FILES_MAX):
                stack.enter_context(dial(tower))
            say(tower, "meanwhile")
            patch = await opened.next("overview.patch")
            assert "meanwhile" in [row["id"] for row in patch["set"]]
        tower.connection.close()
        until(lambda: is_answering(tower), 20)
        assert "meanwhile" in tower.live()
        async with client(tower) as another:
            assert (await another.next("welcome"))["protocol"] == 1
    assert tower.end() == 0


def test_a_hook_that_is_far_too_large_is_answered_like_any_other(tower: Tower) -> None:
    """Its agent gets the 200 and no reset in the midst of sending; nothing of it is taken in."""
    for megabytes in (9, 20):
        text = "x" * megabytes * 1_000_000
        tower.hook({"session_id": "big", "hook_event_name": "UserPromptSubmit", "prompt": text})
    say(tower, "s")
    assert "big" not in tower.live()
