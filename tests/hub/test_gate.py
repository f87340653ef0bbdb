"""The gate before every route: Host, Origin, credential."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from hub.auth import Door
from hub.gate import Gate
from tests.hub.servers import BEARER, make_app, make_door, make_hub

HOST = "http://127.0.0.1:8787"


def client(door: Door | None = None) -> TestClient:
    """A client of a hub behind that door."""
    hub = make_hub(door or make_door())
    hub.worker.ready.set()
    return TestClient(make_app(hub), base_url=HOST)


@pytest.mark.parametrize("path", ["/", "/api/live", "/login", "/metrics", "/nothing"])
def test_a_foreign_host_is_refused(path: str) -> None:
    """Whatever the credential, a name that we do not know may be DNS rebinding."""
    answer = client().get(path, headers={**BEARER, "Host": "evil.example"})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "TOWER_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_answered_under_any_host(path: str) -> None:
    """A load balancer asks under its own name."""
    answer = client().get(path, headers={"Host": "evil.example", "Origin": "http://evil.example"})
    assert answer.status_code in (200, 503)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/login", "/api/live", "/"])
def test_a_foreign_origin_is_refused(path: str, origin: str) -> None:
    """Another site's page may not even ask."""
    answer = client().post(path, headers={**BEARER, "Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_our_own_and_an_allowed_origin_pass() -> None:
    """The dashboard served here, and one that is hosted elsewhere."""
    door = make_door(origins=["https://board.example"], hosts=["tower.example"])
    for headers in (
        {"Origin": HOST},
        {"Origin": "https://board.example"},
        {"Origin": "http://tower.example", "Host": "tower.example"},
    ):
        assert client(door).get("/api/me", headers={**BEARER, **headers}).status_code == 200


def test_metrics_are_open_on_loopback_alone() -> None:
    """Elsewhere Prometheus brings a token."""
    assert client().get("/metrics").status_code == 200
    abroad = client(make_door(on_loopback=False))
    assert abroad.get("/metrics").status_code == 401
    assert abroad.get("/metrics", headers=BEARER).status_code == 200
    assert abroad.get("/healthz").status_code == 200


def test_without_auth_no_credential_is_asked_for() -> None:
    """Host and Origin still are: a web page must not read the board of its reader."""
    door = make_door(needs_credential=False)
    assert client(door).get("/api/live").status_code == 200
    assert client(door).get("/api/live", headers={"Host": "evil.example"}).status_code == 403
    assert client(door).get("/api/live", headers={"Origin": "http://evil"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/%61pi/live", "/api/../api/live", "/./api/live", "//api/live", "/API/live", "/api;/live"],
)
def test_no_spelling_of_a_path_leads_around_the_gate(path: str) -> None:
    """What is no route is not found, what is one is refused."""
    assert client().get(path).status_code in (401, 404)


async def test_the_scope_is_given_the_grant() -> None:
    """An application behind the gate reads it from the state."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["state"]["grant"])

    scope = {
        "type": "http", "path": "/", "method": "GET",
        "headers": [(b"host", b"localhost"), (b"authorization", BEARER["Authorization"].encode())],
    }  # fmt: skip
    await Gate(app, make_door())(scope, None, None)  # type: ignore[arg-type]
    stranger = {**scope, "state": {}, "headers": [(b"host", b"localhost")]}
    await Gate(app, make_door())(stranger, None, None)  # type: ignore[arg-type]
    assert [grant and grant.role for grant in seen] == ["operator", None]
