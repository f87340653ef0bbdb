"""The door of real processes, attacked: hub, ingest and recorder on a real Redis, and ``tower up``.

Each attack is refused, and neither an answer nor a log says more than that.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.bus.conftest import Server, running
from tests.end_to_end.running import started
from tests.tower.processes import BEARER, TOKEN, RoleProcess, ask, role, until

HELLO = json.dumps({"type": "hello", "protocol": 1})
DEADLINE_S = 20.0


class Cluster(NamedTuple):
    """Two hubs, an ingest that asks everybody for a token, and what was told to its workspaces."""

    hubs: tuple[RoleProcess, RoleProcess]
    ingest: RoleProcess

    def make(self, role_: str, workspace: str = "default") -> tuple[str, str]:
        """Id and secret of a token, which both hubs and the ingest know."""
        body = json.dumps({"role": role_, "workspace": workspace}).encode()
        status, _, told = self.hubs[0].ask("/api/tokens", "POST", body, **BEARER)
        assert status == 201, told
        made = json.loads(told)
        return made["id"], made["token"]

    def hook(self, session: str, **headers: str) -> int:
        """A prompt of a session; gives the status."""
        payload = {"session_id": session, "hook_event_name": "UserPromptSubmit", "prompt": "Hello"}
        body = json.dumps({**payload, "cwd": "/w/shop"}).encode()
        # As if a proxy had passed it on: then it comes from nowhere near, and needs a token.
        passed_on = {"X-Forwarded-For": "192.0.2.7", **headers}
        return self.ingest.ask("/v1/hooks/claude-code", "POST", body, **passed_on)[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis for all tests of this file."""
    yield from running(Server(tmp_path_factory.mktemp("redis")))


@pytest.fixture(scope="module")
def cluster(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Ready; workspace ``default`` has session ``own``, ``shop`` has ``theirs``."""
    home = tmp_path_factory.mktemp("cluster")
    with contextlib.ExitStack() as stack:
        made = {
            name: stack.enter_context(
                role(home / name, name.partition("-")[0], server.url, TOWER_LOG_LEVEL="debug")
            )
            for name in ("recorder", "hub-1", "hub-2", "ingest")
        }
        for each in made.values():
            each.become_ready()
        cluster = Cluster((made["hub-1"], made["hub-2"]), made["ingest"])
        _, agent = cluster.make("agent", "shop")
        until(lambda: cluster.hook("theirs", **bearer(agent)) == 200)
        until(lambda: cluster.hook("own", **BEARER) == 200)
        until(lambda: cluster.hubs[0].ask("/api/sessions/own", **BEARER)[0] == 200)
        _, viewer = cluster.make("viewer", "shop")
        hub = cluster.hubs[1]
        until(lambda: hub.ask("/api/sessions/theirs", **bearer(viewer))[0] == 200)
        yield cluster


pytestmark = pytest.mark.redis_server


def bearer(secret: str) -> dict[str, str]:
    """As a script shows it."""
    return {"Authorization": f"Bearer {secret}"}


async def handshake(hub: RoleProcess, headers: dict[str, str]) -> int:
    """The status of a WebSocket's handshake."""
    try:
        async with connect(f"ws://{hub.address}/ws", additional_headers=headers, proxy=None):
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def read(socket: ClientConnection) -> dict[str, Any]:
    """The next frame."""
    async with asyncio.timeout(DEADLINE_S):
        told: dict[str, Any] = json.loads(await socket.recv())
        return told


async def closed(socket: ClientConnection) -> int | None:
    """The code that it is closed by; what comes before is passed over."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            await read(socket)
    return socket.close_code


@pytest.mark.parametrize("path", ["/", "/api/live", "/login", "/metrics", "/ws"])
async def test_a_foreign_host_is_refused(cluster: Cluster, path: str) -> None:
    """By hub and by ingest, by HTTP and by WebSocket, with the owner's token in hand."""
    told = {**BEARER, "Host": "evil.example"}
    for each in (*cluster.hubs, cluster.ingest):
        status, headers, body = each.ask(path, **told)
        assert (status, b"evil" in body) == (403, False)
        assert headers["x-content-type-options"] == "nosniff"
    assert await handshake(cluster.hubs[0], {**BEARER, "Host": "evil.example"}) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_foreign_origin_is_refused(cluster: Cluster, origin: str) -> None:
    """So no page of another site reads, writes, or opens a socket."""
    told = {**BEARER, "Origin": origin}
    for path in ("/api/live", "/login", "/api/tokens"):
        assert cluster.hubs[0].ask(path, "POST", b"{}", **told)[0] == 403
    assert cluster.ingest.ask("/v1/events", "POST", b"[]", **told)[0] == 403
    assert await handshake(cluster.hubs[0], told) == 403


async def test_a_stranger_is_refused(cluster: Cluster) -> None:
    """Without a token, with a wrong one, and with one that is in the URL."""
    hub = cluster.hubs[0]
    for headers in ({}, bearer("wrong"), {"Cookie": f"tower_{hub.port}=e30.AAAA"}):
        assert hub.ask(f"/api/live?token={TOKEN}", **headers)[0] == 401
    assert cluster.hook("x") == cluster.hook("x", **bearer("wrong")) == 401
    assert await handshake(hub, bearer("wrong")) == 401
    async with connect(f"ws://{hub.address}/ws?token={TOKEN}", proxy=None) as socket:
        await socket.send(HELLO)
        assert await closed(socket) == 4501


async def test_another_workspaces_session_cannot_be_watched(cluster: Cluster) -> None:
    """Neither opened, resumed nor asked for again: it is answered like one that is not there."""
    hub = cluster.hubs[0]
    resume = [{"session": each, "cursor": "x:1"} for each in ("theirs", "no-such")]
    hello = json.dumps({"type": "hello", "protocol": 1, "resume": resume})
    async with connect(f"ws://{hub.address}/ws", additional_headers=BEARER, proxy=None) as socket:
        await socket.send(hello)
        for kind in ("subscribe", "resync"):
            for session in ("theirs", "no-such"):
                more = {"scope": "session"} if kind == "resync" else {}
                await socket.send(json.dumps({"type": kind, "session": session, **more}))
        await socket.send(json.dumps({"type": "ping", "id": 7}))
        told: list[dict[str, Any]] = []
        while not told or told[-1]["type"] != "pong":
            told.append(await read(socket))
    about = {
        name: [
            json.dumps(each).replace(name, "") for each in told if each.get("session") == name
        ]
        for name in ("theirs", "no-such")
    }  # fmt: skip
    assert about["theirs"] == about["no-such"] != []
    assert not any("snapshot" in each or "patch" in each for each in about["theirs"])
    others = [each for each in told if each.get("session") not in ("theirs", "no-such")]
    assert "theirs" not in json.dumps(others)
    assert "Hello" not in json.dumps(about)


async def test_an_agent_writes_into_its_own_workspace_alone(cluster: Cluster) -> None:
    """Whatever id it chooses and whatever its deltas say: nobody else's session changes."""
    _, agent = cluster.make("agent", "den")
    _, viewer = cluster.make("viewer", "den")
    _, shops = cluster.make("viewer", "shop")
    hub = cluster.hubs[0]
    before = hub.ask("/api/sessions/theirs", **bearer(shops))[2]
    assert cluster.hook("theirs", **bearer(agent)) == 200
    event = {"id": "e1", "session": "theirs", "agent": "made-up", "kind": "prompt",
             "workspace": "shop"}  # fmt: skip
    body, passed_on = json.dumps(event).encode(), {"Via": "1.1 proxy"}
    cluster.ingest.ask("/v1/events", "POST", body, **bearer(agent), **passed_on)
    until(lambda: hub.ask("/api/sessions/theirs", **bearer(viewer))[0] == 200)
    assert hub.ask("/api/sessions/theirs", **bearer(shops))[2] == before
    assert hub.ask("/api/sessions/theirs", **BEARER)[0] == 404
    assert cluster.hook("theirs", **bearer(viewer)) == 403


async def test_a_revoked_token_is_out_at_once_on_every_process(cluster: Cluster) -> None:
    """A socket at the other hub is closed by 4005, its cookie is none, and its agent is refused."""
    id_, secret = cluster.make("operator", "shop")
    one, other = cluster.hubs
    until(lambda: other.ask("/api/me", **bearer(secret))[0] == 200)
    until(lambda: cluster.hook("theirs", **bearer(secret)) == 200)
    status, headers, _ = other.ask("/login", "POST", json.dumps({"token": secret}).encode())
    assert status == 204
    cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
    async with contextlib.AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(
                connect(f"ws://{other.address}/ws", additional_headers=told, proxy=None)
            )
            for told in (bearer(secret), cookie)
        ]
        for socket in sockets:
            await socket.send(HELLO)
            assert (await read(socket))["type"] == "welcome"
        assert one.ask(f"/api/tokens/{id_}", "DELETE", **BEARER)[0] == 200
        assert [await closed(socket) for socket in sockets] == [4005, 4005]
    for told in (bearer(secret), cookie):
        assert [each.ask("/api/me", **told)[0] for each in (other,)] == [401]
    until(lambda: one.ask("/api/me", **bearer(secret))[0] == 401)
    until(lambda: cluster.hook("theirs", **bearer(secret)) == 401)
    # Also where the machine's own programs need none: it would be written elsewhere else.
    body = b'{"session_id":"theirs","hook_event_name":"Stop"}'
    assert cluster.ingest.ask("/v1/hooks/claude-code", "POST", body, **bearer(secret))[0] == 401
    async with connect(f"ws://{other.address}/ws", proxy=None) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": 1, "token": secret}))
        assert await closed(socket) == 4501


async def test_no_secret_is_in_a_log(cluster: Cluster) -> None:
    """Whatever way it came, at the most talkative level."""
    _, secret = cluster.make("viewer")
    hub = cluster.hubs[0]
    until(lambda: hub.ask("/api/me", **bearer(secret))[0] == 200)
    _, headers, _ = hub.ask("/login", "POST", json.dumps({"token": secret}).encode())
    cookie = headers["set-cookie"].partition(";")[0]
    hub.ask("/login", "POST", b'{"code":"made-up-code"}')
    for each in (*cluster.hubs, cluster.ingest):
        each.ask(f"/api/live?token={secret}&code=made-up-code", Cookie=cookie)
        each.ask("/api/nothing", **bearer(secret))
    async with connect(f"ws://{hub.address}/ws?token={secret}", proxy=None) as socket:
        await socket.send(json.dumps({"type": "hello", "protocol": 1, "token": secret}))
        assert (await read(socket))["type"] == "welcome"
    logs = "".join(each.errors for each in (*cluster.hubs, cluster.ingest))
    for word in (secret, secret[12:], cookie.partition("=")[2], "made-up-code", TOKEN):
        assert word not in logs


def test_it_is_kept_who_did_what(cluster: Cluster) -> None:
    """In the database, by whichever hub was asked."""
    id_, secret = cluster.make("operator", "shop")
    hub = cluster.hubs[1]
    until(lambda: hub.ask("/api/sessions/theirs", **bearer(secret))[0] == 200)

    def told() -> list[dict[str, Any]]:
        acts = json.loads(cluster.hubs[0].ask("/api/audit", **bearer(secret))[2])["acts"]
        return [each for each in acts if each["actor"] == id_]

    [act] = until(told)
    assert (act["action"], act["session"], act["workspace"]) == ("open", "theirs", "shop")
    assert act["address"] == "127.0.0.1"


def test_only_a_trusted_proxy_is_believed(server: Server, tmp_path: Path) -> None:
    """Of its word the rightmost address that is no proxy's counts, and of the scheme, Secure."""
    login = json.dumps({"token": TOKEN}).encode()
    forged = {"X-Forwarded-For": "198.51.100.9, 192.0.2.7", "X-Forwarded-Proto": "https"}

    def addresses(hub: RoleProcess) -> set[str]:
        acts = json.loads(hub.ask("/api/audit", **BEARER)[2])["acts"]
        return {each["address"] for each in acts if each["action"] == "sign_in"}

    (tmp_path / "a").mkdir()
    for folder, proxies, address in (
        ("a", "10.0.0.1", "127.0.0.1"),
        ("b", "127.0.0.1", "192.0.2.7"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        with (
            role(tmp_path / folder / "recorder", "recorder", server.url) as recorder,
            role(
                tmp_path / folder / "hub", "hub", server.url, TOWER_TRUSTED_PROXIES=proxies
            ) as hub,
        ):
            recorder.become_ready()
            hub.become_ready()
            status, headers, _ = hub.ask("/login", "POST", login, **forged)
            assert status == 204
            assert ("Secure" in headers["set-cookie"]) is (proxies == "127.0.0.1")
            assert until(lambda hub=hub: addresses(hub)) == {address}  # type: ignore[misc]


def test_a_cookie_is_nothing_after_signing_out_not_even_after_a_restart(tmp_path: Path) -> None:
    """Of `tower up`, whose log forgets: its database does not."""
    data, home = tmp_path / "data", tmp_path / "home"
    (home / "projects").mkdir(parents=True)
    with started(home, data) as tower:
        port = int(tower.address.rpartition(":")[2])
        code = tower.login_url.partition("code=")[2]
        login = json.dumps({"code": code}).encode()
        cookies = [
            tower.ask("POST", "/login", body)[1]["set-cookie"].partition(";")[0]
            for body in (login, json.dumps({"token": tower.token}).encode())
        ]
        assert tower.ask("POST", "/login", login)[0] == 401
        assert tower.ask("POST", "/logout", Cookie=cookies[0])[0] == 204
        assert [tower.ask("GET", "/api/me", Cookie=each)[0] for each in cookies] == [401, 200]
        assert tower.end() == 0
    with started(home, data, port=port) as tower:
        assert [ask(tower.address, "/api/me", Cookie=each)[0] for each in cookies] == [401, 200]
