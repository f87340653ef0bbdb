"""``tower ship`` as a process against real towers: exact through kills, clear about the rest."""

import contextlib
import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.bus.conftest import Server, running
from tests.conftest import free_port
from tests.history.exact import NAMES, Figures, check, differences
from tests.history.stream import Agent
from tests.history.test_exact import counted, made_home
from tests.ingest.redact.planted import Maker
from tests.tower.commands import run, stand_in
from tests.tower.processes import BEARER, TOKEN, RoleProcess, ask, role, until
from tests.tower.shipping import ship

STEPS = 3


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis that forgets nothing that it has acknowledged."""
    folder = tmp_path / "redis"
    folder.mkdir()
    yield from running(Server(folder, "--appendonly", "yes", "--appendfsync", "always"))


def recorded(hub: RoleProcess) -> Figures:
    """What history counts by now."""
    return figures_in(hub.ask("/api/usage?by=session", **BEARER)[2])


def figures_in(answer: bytes) -> Figures:
    """By session."""
    rows = json.loads(answer).get("rows", [])
    return {row["key"]: ([row[name] or 0 for name in NAMES], row["cost_usd"] or 0) for row in rows}


@pytest.mark.redis_server
async def test_what_is_shipped_is_exact_whatever_dies(tmp_path: Path, server: Server) -> None:
    """The shipper, the ingest and Redis are killed while files grow, whole lines or half ones."""
    home, whole = tmp_path / "home", made_home(tmp_path / "whole", 11)
    expected = counted(whole)
    files = {path.relative_to(whole): path.read_bytes() for path in whole.rglob("*.jsonl")}
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    places = ("--port", str(port))
    with contextlib.ExitStack() as running_roles:
        hub = running_roles.enter_context(role(tmp_path / "hub", "hub", server.url))
        running_roles.enter_context(role(tmp_path / "recorder", "recorder", server.url))
        for step in range(1, STEPS + 1):
            with (
                role(tmp_path / "ingest", "ingest", server.url, *places),
                ship(tmp_path / "ship", url, home) as shipping,
            ):
                for name, data in files.items():
                    grow(home / name, data[: len(data) * step // STEPS])
                shipping.says("sent")
                if step == 2:
                    server.kill()
                    grow(home / "projects" / "-made-up" / "more.jsonl", b"{}\n")
                    server.start()
                shipping.kill()
        running_roles.enter_context(role(tmp_path / "ingest", "ingest", server.url, *places))
        with ship(tmp_path / "ship", url, home, "--once") as last:
            assert last.done() == 0, last.errors
        until(lambda: differences(recorded(hub), expected) == {})
    await check(f"sqlite:///{tmp_path / 'history.db'}", expected)


async def test_what_is_shipped_to_one_service_is_exact_when_that_is_killed(
    tmp_path: Path,
) -> None:
    """Its log dies with it, but what it has taken it has written; the shipper runs on."""
    home, whole = tmp_path / "home", made_home(tmp_path / "whole", 12)
    expected = counted(whole)
    files = {path.relative_to(whole): path.read_bytes() for path in whole.rglob("*.jsonl")}
    port = free_port()
    with ship(tmp_path / "ship", f"http://127.0.0.1:{port}", home) as shipping:
        for step in range(1, STEPS + 1):
            with tower(tmp_path, port) as url:  # killed at the end
                sent = len(shipping.told("sent"))
                for name, data in files.items():
                    grow(home / name, data[: len(data) * step // STEPS])
                shipping.says("sent", sent + 1)
        with tower(tmp_path, port) as url:
            address = url.removeprefix("http://")

            def spent() -> Figures:
                return figures_in(ask(address, "/api/usage?by=session", **BEARER)[2])

            until(lambda: differences(spent(), expected) == {})
            assert shipping.end() == 0
    await check(f"sqlite:///{tmp_path / 'tower' / 'data' / 'agenttower' / 'history.db'}", expected)


def grow(path: Path, data: bytes) -> None:
    """Write what is not there yet, as an agent does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    there = path.stat().st_size if path.exists() else 0
    with path.open("ab") as file:
        file.write(data[there:])


def spoken(home: Path, name: str = "s1", turns: int = 5) -> Path:
    """A home with one session."""
    agent = Agent(name, random.Random(1))
    for _ in range(turns):
        list(agent.work())
    path = home / "projects" / "-made-up" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(agent.main.data)
    return home


def test_a_second_run_sends_nothing_and_keeps_no_word(tmp_path: Path) -> None:
    """Offsets alone are kept, readable by their owner only."""
    home = spoken(tmp_path / "home")
    words = {
        word
        for word in (home / "projects/-made-up/s1.jsonl").read_bytes().split(b'"')
        if len(word) > 40
    }
    with tower(tmp_path) as url:
        with ship(tmp_path / "ship", url, home, "--once") as first:
            assert first.done() == 0
            assert first.says("sent")["deltas"] > 0
        with ship(tmp_path / "ship", url, home, "--once") as second:
            assert second.done() == 0
            assert second.told("sent") == []
    [kept] = (tmp_path / "ship" / "state").rglob("*.db")
    assert kept.stat().st_mode & 0o077 == 0
    data = kept.read_bytes()
    assert words
    assert not [word for word in words if word in data]
    with contextlib.closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT count(*) FROM marks").fetchone() == (1,)


def test_secrets_stay_on_the_machine_and_so_does_text_that_may_not_leave(tmp_path: Path) -> None:
    """What is sent has neither; what is counted is there all the same."""
    planted = Maker(1).tokens()[0]
    home = spoken(tmp_path / "home")
    line = {
        "type": "user", "uuid": "u-planted", "sessionId": "s1", "timestamp": "2026-01-01T00:00:00Z",
        "message": {"role": "user", "content": f"deploy with {planted.text}"},
    }  # fmt: skip
    with (home / "projects/-made-up/s1.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    said = {}
    for content in ("full", "none"):
        with stand_in() as stand:
            arguments = ("--once", "--content", content, "--state-dir", str(tmp_path / content))
            with ship(tmp_path / "ship", stand.url, home, *arguments) as shipping:
                assert shipping.done() == 0
            said[content] = b"".join(msgspec.json.encode(each) for each in stand.reports)
        assert stand.sessions == {"s1"}
    assert planted.secret.encode() not in said["full"]
    assert f"[redacted:{planted.kind}]".encode() in said["full"]
    assert b"deploy with" in said["full"]
    assert b"deploy with" not in said["none"]
    assert b'"output"' in said["none"]


@contextlib.contextmanager
def tower(tmp_path: Path, port: int | None = None) -> Iterator[str]:
    """A ``tower up`` that reads nothing itself; gives its URL."""
    home = tmp_path / "tower"
    arguments = ("--port", str(port or free_port()), "--no-watch", "--no-browser")
    with role(home, "up", "", *arguments, TOWER_DATABASE_URL="") as up:
        yield f"http://{up.address}"


def test_a_shipper_follows_and_waits_for_a_tower_that_is_away(tmp_path: Path) -> None:
    """It may be started first; what was written meanwhile is there, and it says so in two lines."""
    home, port = spoken(tmp_path / "home"), free_port()
    with ship(tmp_path / "ship", f"http://127.0.0.1:{port}", home) as shipping:
        shipping.says("away")
        spoken(home, "s2")
        with tower(tmp_path, port) as url:
            shipping.says("back")
            address = url.removeprefix("http://")
            bearer = {"Authorization": f"Bearer {TOKEN}"}

            def ids() -> set[str]:
                body = ask(address, "/api/live", **bearer)[2]
                return {each["id"] for each in json.loads(body)["sessions"]}

            until(lambda: ids() == {"s1", "s2"})
            until(lambda: states(address, bearer) == ["live"])
            assert shipping.end() == 0
            until(lambda: states(address, bearer) == ["ended"])
    assert [each["event"] for each in shipping.heard if each["event"] in ("away", "back")] == [
        "away", "back",
    ]  # fmt: skip
    assert shipping.heard[-1]["event"] == "ended"


def states(address: str, bearer: dict[str, str]) -> list[str]:
    """Of every source."""
    told = json.loads(ask(address, "/api/sources", **bearer)[2])["sources"]
    return [each["state"] for each in told]


def test_a_token_that_is_not_known_is_said_and_may_be_renewed(tmp_path: Path) -> None:
    """`--once` ends with 1; one that follows goes on when its file has a good token."""
    home, token = spoken(tmp_path / "home"), tmp_path / "token"
    token.write_text("wrong\n")
    with stand_in() as stand:
        stand.answers = [401]
        arguments = ("--token-file", str(token), "--once")
        with ship(tmp_path / "ship", stand.url, home, *arguments) as shipping:
            assert shipping.done() == 1
            assert "TOWER_TOKEN" in shipping.says("gave_up")["why"]
        token.write_text("right\n")
        with ship(tmp_path / "ship", stand.url, home, *arguments) as shipping:
            assert shipping.done() == 0
        assert stand.tokens == ["Bearer wrong", "Bearer right"]


def test_two_shippers_do_not_send_the_same(tmp_path: Path) -> None:
    """The second one says so and ends with 1."""
    home = spoken(tmp_path / "home")
    with tower(tmp_path) as url, ship(tmp_path / "ship", url, home) as first:
        first.says("read")
        with ship(tmp_path / "ship", url, home) as second:
            assert second.done() == 1
            assert "another one" in second.errors
        assert first.end() == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "TOWER_TO"),
        (("--to", "tower.example.org"), "https://"),
        (("--to", "ftp://tower.example.org"), "https://"),
        (("--to", "http://:1"), "https://"),
        (("--to", "http://a:b@tower.example.org"), "https://"),
        (("--to", "http://tower.example.org:port"), "https://"),
        (("--to", "https://tower.example.org", "--token-file", "absent"), "token_file"),
        (("--to", "https://tower.example.org", "--ca-file", "absent"), "ca_file"),
    ],
)
def test_wrong_usage_says_what_is_expected(
    tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    """Exit 2, before anything is read."""
    done = run(tmp_path, "ship", *arguments)
    assert done.code == 2
    assert word in done.told


def test_health_and_metrics_have_a_port_of_their_own(tmp_path: Path) -> None:
    """Ready while the tower takes what is sent."""
    home, port = spoken(tmp_path / "home"), free_port()
    address, to = f"127.0.0.1:{port}", free_port()
    with ship(
        tmp_path / "ship", f"http://127.0.0.1:{to}", home, "--metrics-port", str(port)
    ) as shipping:
        shipping.says("away")
        assert ask(address, "/healthz")[0] == 200
        assert ask(address, "/readyz")[0] == 503
        with tower(tmp_path, to):
            shipping.says("back")
            until(lambda: b'tower_ship_deltas_total{outcome="sent"}' in ask(address, "/metrics")[2])
            assert ask(address, "/readyz")[0] == 200
            assert shipping.end() == 0
