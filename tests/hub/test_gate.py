"""The gate before every route: Host, Origin, credential."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from hub import auth
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


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"])
def test_what_a_proxy_has_passed_on_is_not_from_home(header: str) -> None:
    """A proxy on this machine would make the whole world a program of this machine."""
    assert client().get("/metrics").status_code == 200
    passed_on = {header: "127.0.0.1"}
    assert client().get("/metrics", headers=passed_on).status_code == 401
    assert client().get("/metrics", headers={**passed_on, **BEARER}).status_code == 200


def test_a_token_that_is_none_is_refused_at_home_too() -> None:
    """It meant a workspace: what it sends must not end up in another one."""
    for token in ("", "wrong"):
        told = {"Authorization": f"Bearer {token}"}
        assert client().get("/metrics", headers=told).status_code == 401


def test_before_the_tokens_are_known_nobody_is_refused_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503 and come back, the owner is served, and an agent is not alarmed."""
    monkeypatch.setattr(auth, "UNDECIDED_S", 0.01)
    door = make_door()
    door.await_keys()
    stranger = {"Authorization": "Bearer perhaps-good"}
    with client(door) as one:
        answer = one.get("/api/me", headers=stranger)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        hook = one.post("/v1/hooks/claude-code", headers=stranger)
        assert (hook.status_code, hook.content) == (200, b"")
        assert one.get("/api/me", headers=BEARER).status_code == 200
        assert one.get("/api/me").status_code == 401


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/api/me", "/nothing", "/login"])
def test_every_answer_has_the_headers(path: str) -> None:
    """Whatever it is, and whoever asks."""
    for headers in ({}, BEARER, {"Host": "evil.example"}):
        told = client().get(path, headers=headers).headers
        assert "default-src 'none'" in told["content-security-policy"]
        assert "frame-ancestors 'none'" in told["content-security-policy"]
        assert told["x-content-type-options"] == "nosniff"
        assert told["referrer-policy"] == "no-referrer"
        assert "camera=()" in told["permissions-policy"]
        assert told["cross-origin-opener-policy"] == "same-origin"
        assert told["cross-origin-resource-policy"] == "same-origin"
        assert told["cache-control"] == "no-store" or path == "/"
