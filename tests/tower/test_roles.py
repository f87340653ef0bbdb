"""``tower hub``, ``tower ingest`` and ``tower recorder`` as processes on one real Redis."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from session import codec
from session.delta import Entry, Event, Report, Usage
from tests import postgres
from tests.bus.conftest import Server, running
from tests.conftest import free_port
from tests.end_to_end.cluster_watchers import masked, stalled
from tests.tower.commands import run
from tests.tower.processes import BEARER, TOKEN, RoleProcess, ask, role, until

ROLES = ["hub", "ingest", "recorder"]
SPARE = "127.0.0.2"  # another address of the same machine, so that two may have one port


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own."""
    folder = tmp_path / "redis"
    folder.mkdir()
    yield from running(Server(folder))


# Starting.


@pytest.mark.parametrize("name", ROLES)
def test_a_role_without_redis_is_wrong_usage(tmp_path: Path, name: str) -> None:
    """Exit 2, and the variable that is missing by its name."""
    done = run(tmp_path, name, "--port", "0")
    assert done.code == 2
    assert "TOWER_REDIS_URL" in done.told


@pytest.mark.parametrize("name", ["hub", "recorder"])
def test_a_role_without_a_database_is_wrong_usage(tmp_path: Path, name: str) -> None:
    """A hub that reads no history, or a recorder that writes none, would be half of one."""
    done = run(tmp_path, name, "--port", "0", TOWER_REDIS_URL="redis://127.0.0.1:1")
    assert done.code == 2
    assert "TOWER_DATABASE_URL" in done.told


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://127.0.0.1:1", "http"), ("127.0.0.1:6379", "redis"), ("redis://", "host"),
        ("redis://127.0.0.1:port", "port"), ("redis://u:hunter2@host:port", "port"),
    ],
)  # fmt: skip
def test_a_url_that_is_none_is_wrong_usage(tmp_path: Path, name: str, url: str, word: str) -> None:
    """Exit 2, with what is wrong with it, and without the password that is in it."""
    done = run(tmp_path, name, "--port", "0", TOWER_REDIS_URL=url)
    assert done.code == 2
    assert "redis_url" in done.told
    assert word in done.told
    assert "hunter2" not in done.told


@pytest.mark.redis_server
@pytest.mark.parametrize("name", ROLES)
def test_a_role_starts_before_redis_and_waits_for_it(
    tmp_path: Path, server: Server, name: str
) -> None:
    """It answers, says what it lacks, and is ready when the log is there; SIGTERM is exit 0."""
    server.kill()
    with role(tmp_path / "home", name, server.url) as made:
        assert made.ask("/healthz")[0] == 200
        status, headers, body = made.ask("/readyz")
        assert status == 503
        assert "log" in json.loads(body)["detail"]
        assert headers["retry-after"] == "1"
        server.start()
        made.become_ready()
        assert made.end() == 0
        assert "Traceback" not in made.errors


@pytest.mark.redis_server
@pytest.mark.postgres
def test_roles_start_before_the_database_and_wait_for_it(tmp_path: Path, server: Server) -> None:
    """The recorder says what it lacks, and both work once PostgreSQL is there."""
    port = free_port()
    url = f"postgresql://tower@127.0.0.1:{port}/postgres"
    line = codec.to_ndjson([Event(id="1", session="s", kind="prompt", received_at=0)])
    with contextlib.ExitStack() as stack:
        made = {
            name: stack.enter_context(
                role(tmp_path / name, name, server.url, TOWER_DATABASE_URL=url)
            )
            for name in ROLES
        }
        made["ingest"].become_ready().post(line)
        until(lambda: b"database" in made["recorder"].ask("/readyz")[2])
        stack.enter_context(postgres.running(port))
        for each in made.values():
            each.become_ready()
        until(lambda: b'rows_total{table="sessions"}' in made["recorder"].ask("/metrics")[2])
        assert made["hub"].get("/api/sessions")["total"] == 1


@pytest.mark.redis_server
@pytest.mark.parametrize("name", ROLES)
def test_a_role_ends_while_redis_is_away(tmp_path: Path, server: Server, name: str) -> None:
    """Nothing that it waits for holds the end up."""
    with role(tmp_path / "home", name, server.url) as made:
        made.become_ready()
        server.kill()
        until(lambda: name == "hub" or not made.is_ready or name == "recorder")
        assert made.end() == 0
        assert "Traceback" not in made.errors


@pytest.mark.redis_server
@pytest.mark.parametrize("name", ROLES)
def test_metrics_have_a_port_of_their_own(tmp_path: Path, server: Server, name: str) -> None:
    """Open there, with health beside it and nothing else; elsewhere they need a credential."""
    port = free_port()
    places = ("--host", "0.0.0.0", "--metrics-port", str(port))
    with role(tmp_path / "home", name, server.url, *places) as made:
        made.become_ready()
        spare = f"127.0.0.1:{port}"
        main = f"127.0.0.1:{made.port}"
        status, headers, body = ask(spare, "/metrics")
        assert (status, headers["content-type"].partition(";")[0]) == (200, "text/plain")
        prefix = {"hub": "hub", "ingest": "ingest", "recorder": "recorder"}[name]
        assert f"# TYPE tower_{prefix}_" in body.decode()
        assert [ask(spare, path)[0] for path in ("/healthz", "/readyz")] == [200, 200]
        assert [ask(spare, path)[0] for path in ("/api/live", "/ws", "/")] == [404, 404, 404]
        assert ask(main, "/metrics")[0] == 401
        assert ask(main, "/metrics", **BEARER)[0] == 200
        assert ask(main, "/healthz")[0] == 200


@pytest.mark.redis_server
def test_an_ingest_says_when_the_log_is_away(tmp_path: Path, server: Server) -> None:
    """Not ready, 503 for deltas in time, and 200 for hooks all the same."""
    line = codec.to_ndjson([Event(id="1", session="s", kind="prompt", received_at=0)])
    hook = json.dumps({"session_id": "s", "hook_event_name": "Stop"}).encode()
    with role(tmp_path / "home", "ingest", server.url) as made:
        made.become_ready()
        server.kill()
        assert made.ask("/readyz")[0] == 503
        status, headers, _ = made.ask("/v1/deltas", "POST", line)
        assert (status, headers["retry-after"]) == (503, "1")
        assert made.ask("/v1/hooks/claude-code", "POST", hook)[0] == 200
        server.start()
        made.become_ready()
        assert made.ask("/v1/deltas", "POST", line)[0] == 200


# Several hubs.


@pytest.mark.redis_server
def test_a_login_is_good_for_every_hub_of_the_same_port(tmp_path: Path, server: Server) -> None:
    """They sign with one key. A cookie is named after its port: at another one it is nobody's."""
    port = str(free_port())
    with contextlib.ExitStack() as stack:

        def hub(name: str, *places: str) -> RoleProcess:
            return stack.enter_context(role(tmp_path / name, "hub", server.url, *places))

        one = hub("one", "--port", port).become_ready()
        two = hub("two", "--port", port, "--host", SPARE).become_ready()
        other = hub("other").become_ready()
        body = json.dumps({"token": TOKEN}).encode()
        headers = one.ask("/login", "POST", body)[1]
        cookie = headers["set-cookie"].partition(";")[0]
        for made, status in ((one, 200), (two, 200), (other, 401)):
            assert made.ask("/api/me", Cookie=cookie)[0] == status
        renamed = cookie.replace(f"tower_{port}", f"tower_{other.port}")
        assert other.ask("/api/me", Cookie=renamed)[0] == 401


@pytest.mark.redis_server
async def test_presence_counts_the_clients_of_every_hub(tmp_path: Path, server: Server) -> None:
    """Whoever watches hears of all, and of those who leave."""
    with (
        role(tmp_path / "one", "hub", server.url) as one,
        role(tmp_path / "two", "hub", server.url) as two,
    ):
        for made in (one, two):
            await asyncio.to_thread(made.become_ready)
        async with connected(one) as first, connected(one), contextlib.AsyncExitStack() as more:
            await more.enter_async_context(connected(two))
            await watching(first, 3)
            assert await asyncio.to_thread(counted, two, 3)
            await more.aclose()
            await watching(first, 2)


@contextlib.asynccontextmanager
async def connected(hub: RoleProcess) -> Any:
    """A client that has said hello."""
    url = f"ws://{hub.address}/ws"
    async with connect(url, proxy=None, additional_headers=BEARER) as opened:
        await opened.send(json.dumps({"type": "hello", "protocol": 1}))
        yield opened


async def watching(opened: ClientConnection, count: int) -> None:
    """Read until the totals say that so many watch."""
    async with asyncio.timeout(30):
        while True:
            totals = json.loads(await opened.recv()).get("totals") or {}
            if totals.get("watching") == count:
                return


def counted(hub: RoleProcess, count: int) -> bool:
    """What a hub without a socket of the test tells."""
    return bool(until(lambda: hub.get("/api/live")["totals"]["watching"] == count))


@pytest.mark.redis_server
def test_a_recorder_counts_what_is_spent(tmp_path: Path, server: Server) -> None:
    """Tokens, cost and calls without a price, each call once, however often it is told."""
    calls = [
        Usage(message_id="m1", model="a", at=1, input=1, output=2, cost_usd=0.5),
        Usage(message_id="m2", model="b", at=1, input=10, output=20, cost_usd=None),
    ]
    values = {"calls": {"a": {"output": 22, "calls": 2}}}
    reports = [
        Report(id=f"{n}", session=f"s{n}", received_at=0, from_=0, to=1, values=values, usage=calls)
        for n in range(2)
    ]
    with contextlib.ExitStack() as stack:
        made = {
            name: stack.enter_context(role(tmp_path / name, name, server.url)).become_ready()
            for name in ("ingest", "recorder")
        }

        def told() -> str:
            return made["recorder"].ask("/metrics")[2].decode()

        until(lambda: "tower_recorder_leading 1.0" in told())
        made["ingest"].post(codec.to_ndjson(reports))
        until(lambda: 'tower_recorder_rows_total{table="usage"} 4.0' in told())
        page = told()
    for line in (
        'tower_tokens_total{type="input"} 11.0', 'tower_tokens_total{type="output"} 22.0',
        'tower_tokens_total{type="cache_read"} 0.0', "tower_cost_usd_total 0.5",
        "tower_unpriced_calls_total 1.0",
    ):  # fmt: skip
        assert line in page


@pytest.mark.redis_server
def test_what_is_posted_to_an_ingest_is_on_every_hub(tmp_path: Path, server: Server) -> None:
    """And on one that starts when the recorder has stored it."""
    line = codec.to_ndjson(
        [
            Event(id=f"{n}", session=f"s{n}", kind="prompt", received_at=0, fields={"text": "go"})
            for n in range(20)
        ]
    )
    with contextlib.ExitStack() as stack:
        names = ("ingest", "recorder", "hub")
        made = {n: stack.enter_context(role(tmp_path / n, n, server.url)) for n in names}
        for each in made.values():
            each.become_ready()
        made["ingest"].post(line)
        hub = made["hub"]
        until(lambda: hub.get("/api/live")["totals"]["sessions"] == 20)
        until(lambda: b"tower_recorder_leading 1.0" in made["recorder"].ask("/metrics")[2])
        late = stack.enter_context(role(tmp_path / "late", "hub", server.url)).become_ready()
        assert late.get("/api/live")["sessions"] == hub.get("/api/live")["sessions"]


@pytest.mark.redis_server
def test_a_stalled_client_does_not_hold_the_end_of_a_hub_up(tmp_path: Path, server: Server) -> None:
    """The hub is gone 8 s after the signal, whatever its clients do not read."""
    entries = [Entry(id=f"e{n}", kind="message", offset=n, text="x" * 2_000) for n in range(1, 90)]
    lines = codec.to_ndjson(
        [Report(id=f"r{n}", session=f"s{n}", received_at=0, to=99, entries=entries)
         for n in range(4)]
    )  # fmt: skip
    with (
        role(tmp_path / "ingest", "ingest", server.url) as ingest,
        role(tmp_path / "hub", "hub", server.url) as hub,
    ):
        ingest.become_ready()
        hub.become_ready()
        ingest.post(lines)
        names = [f"s{n}" for n in range(4)]
        until(lambda: hub.get("/api/live")["totals"]["sessions"] == 4)
        with stalled(hub.address, TOKEN, names) as client:
            client.sendall(masked({"type": "activate", "session": "s0"}))
            until(lambda: any(map(is_stuck, hub.get("/api/clients")["clients"])))
            began = time.monotonic()
            code = hub.end()
            took_s = time.monotonic() - began
        assert code == 0
        assert took_s < 8
        assert "Traceback" not in hub.errors


def is_stuck(client: dict[str, Any]) -> bool:
    """Whether the hub holds back what the client does not take."""
    return client["state"] == "behind" or client["queued_bytes"] > 0
