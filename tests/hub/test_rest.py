"""Routes over HTTP: what they give, to whom, and how they refuse."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from starlette.testclient import TestClient

from hub.websocket import Hub
from session.delta import Delta
from session.state import SUMMARY_NAMES
from tests.hub.made import event, permission, report, said, tokens
from tests.hub.servers import BEARER, TOKEN, cookie_for, make_app, make_door, make_hub

HOST = "http://127.0.0.1:8787"
DATA = [
    "/api/live", "/api/live/a", "/api/sessions", "/api/sessions/a", "/api/attention",
    "/api/attention/b:b-1", "/api/clients", "/api/me", "/api/about",
    "/api/activity", "/api/models",
]  # fmt: skip
SECURITY = {
    "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy",
    "cross-origin-opener-policy", "cross-origin-resource-policy",
}  # fmt: skip


def log(hub: Hub, *deltas: Delta) -> None:
    """Fold deltas as the worker would."""
    for number, delta in enumerate(deltas, 1):
        known = hub.board.cache.get(delta.key)
        behind = known.session.number if known else 0
        numbered = msgspec.structs.replace(delta, number=behind + number)
        hub.board.apply((numbered,), "m1", delta.received_at)


@pytest.fixture
def hub() -> Hub:
    """A hub with three sessions, one of which waits and one of which is another workspace's."""
    hub = make_hub(make_door())
    hub.worker.ready.set()
    log(hub, report("a", to=3, entries=said(3), calls=tokens(7)), event("prompt", "a"))
    log(hub, permission("b", request={"command": "make"}), event("prompt", "c", workspace="other"))
    return hub


@pytest.fixture
def anybody(hub: Hub) -> Iterator[TestClient]:
    """A client without a credential."""
    with TestClient(make_app(hub), base_url=HOST, client=("127.0.0.1", 5)) as client:
        yield client


@pytest.fixture
def owner(anybody: TestClient) -> TestClient:
    """A client with the owner's token."""
    anybody.headers.update(BEARER)
    return anybody


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem details of a refusal, well formed."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= set(told)
    assert told["status"] == status
    return told


@pytest.mark.parametrize("path", DATA)
def test_data_needs_a_credential(anybody: TestClient, path: str) -> None:
    """Without one it is 401 and says how to get one; with one it is there."""
    refusal = anybody.get(path)
    problem(refusal, 401)
    assert refusal.headers["www-authenticate"] == "Bearer"
    problem(anybody.get(path, headers={"Authorization": "Bearer wrong"}), 401)
    problem(anybody.get(path, headers={"Cookie": "tower_8787=a.b"}), 401)
    assert anybody.get(path, headers=BEARER).status_code == 200


@pytest.mark.parametrize("path", ["/api/nothing", "/api/", "/api/sessions/a/b", "/api/live/a/b"])
def test_what_is_not_there_is_not_told_to_strangers(anybody: TestClient, path: str) -> None:
    """401 before 404; with a credential a problem with its status."""
    problem(anybody.get(path), 401)
    problem(anybody.get(path, headers=BEARER), 404)


def test_a_method_that_is_not_served_is_a_problem_too(owner: TestClient) -> None:
    """405 in the same form."""
    problem(owner.post("/api/live"), 405)


def test_live_is_the_default_view_with_items_and_totals(owner: TestClient) -> None:
    """Rows in the board's order, with every name of the summary."""
    told = owner.get("/api/live").json()
    assert set(told) == {"cursor", "sessions", "attention", "totals"}
    assert [row["id"] for row in told["sessions"]] == ["b", "a"]
    assert set(told["sessions"][0]) == set(SUMMARY_NAMES)
    assert [item["session"] for item in told["attention"]] == ["b"]
    assert told["totals"]["sessions"] == 2


def test_live_session_is_a_snapshot(owner: TestClient) -> None:
    """Detail, timeline and the cursor of the socket's snapshots."""
    told = owner.get("/api/live/a").json()
    assert (told["session"], told["live"], told["cursor"]) == ("a", True, "m1:3")
    assert [entry["seq"] for entry in told["timeline"]] == [1, 2, 3, 4]
    assert told["detail"]["tokens"]["output"] == 7


@pytest.mark.parametrize("id_", ["team/app#1", "one\ntwo\n", "a/timeline/b", "../../etc"])
def test_an_id_is_any_text(owner: TestClient, hub: Hub, id_: str) -> None:
    """Slashes and line breaks are part of it wherever a session or its item is asked for."""
    log(hub, permission(id_, request={"command": "make"}))
    name = quote(id_, safe="")
    assert owner.get(f"/api/live/{name}").json()["session"] == id_
    assert owner.get(f"/api/sessions/{name}").json()["id"] == id_
    assert owner.get(f"/api/sessions/{name}/timeline").status_code == 200
    (item,) = (
        each for each in owner.get("/api/attention").json()["open"] if each["session"] == id_
    )
    told = owner.get(f"/api/attention/{quote(item['id'], safe='')}").json()
    assert told["request"] == {"command": "make"}


@pytest.mark.parametrize("path", ["/api/live", "/api/live/a"])
def test_an_unchanged_snapshot_is_not_sent_again(owner: TestClient, hub: Hub, path: str) -> None:
    """304 with the same tag until something changes."""
    tag = owner.get(path).headers["etag"]
    again = owner.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert owner.get(path, headers={"If-None-Match": f'W/"x", {tag}'}).status_code == 304
    assert owner.get(path, headers={"If-None-Match": f"W/{tag}"}).status_code == 304
    log(hub, event("stop", "a", at=1_790_000_000_005))
    changed = owner.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_sessions_are_listed_by_latest_activity(owner: TestClient, hub: Hub) -> None:
    """A page and how many there are."""
    log(hub, event("stop", "a", at=1_790_000_000_005))
    told = owner.get("/api/sessions").json()
    assert ([row["id"] for row in told["sessions"]], told["total"]) == (["a", "b"], 2)
    told = owner.get("/api/sessions", params={"limit": 1}).json()
    assert ([row["id"] for row in told["sessions"]], told["total"]) == (["a"], 2)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1.5", "1e3", "9" * 5_000])
def test_a_limit_that_makes_no_sense_is_refused(owner: TestClient, limit: str) -> None:
    """400, which names the parameter."""
    assert "limit" in problem(owner.get("/api/sessions", params={"limit": limit}), 400)["detail"]


def test_a_session_is_one_flat_object(owner: TestClient) -> None:
    """Summary and detail together."""
    told = owner.get("/api/sessions/a").json()
    assert set(SUMMARY_NAMES) | {"models", "tools", "token_series", "errors_list"} <= set(told)


def test_items_are_listed_and_one_is_told_with_its_request(owner: TestClient) -> None:
    """The list is short, the item is whole."""
    [item] = owner.get("/api/attention").json()["open"]
    assert "request" not in item
    whole = owner.get("/api/attention/" + item["id"]).json()
    assert {name: whole[name] for name in item} == item
    assert whole["request"] == {"command": "make"}
    problem(owner.get("/api/attention/x"), 404)


@pytest.mark.parametrize(
    "path", ["/api/live/c", "/api/sessions/c", "/api/live/x", "/api/sessions/x"]
)
def test_another_workspaces_session_is_not_found(owner: TestClient, path: str) -> None:
    """As one that never was."""
    problem(owner.get(path), 404)


def test_a_cookie_of_another_workspace_sees_its_own(anybody: TestClient, hub: Hub) -> None:
    """The grant decides, not the path."""
    cookie = cookie_for(hub.door, "viewer", "other")
    headers = {"Cookie": cookie}
    rows = anybody.get("/api/live", headers=headers).json()
    assert ([row["id"] for row in rows["sessions"]], rows["attention"]) == (["c"], [])
    problem(anybody.get("/api/sessions/a", headers=headers), 404)
    assert anybody.get("/api/attention", headers=headers).json() == {"open": []}
    me = anybody.get("/api/me", headers=headers).json()
    assert me == {"role": "viewer", "workspace": "other", "auth": True}


def test_me_tells_what_the_credential_allows(owner: TestClient) -> None:
    """The owner is an operator of the default workspace."""
    told = owner.get("/api/me").json()
    assert told == {"role": "operator", "workspace": "default", "auth": True}


@pytest.mark.parametrize("form", [True, False])
def test_a_token_or_a_code_becomes_a_cookie(anybody: TestClient, hub: Hub, form: bool) -> None:
    """As a form or as JSON; a code works once; the cookie opens the routes."""
    for told in ({"token": TOKEN}, {"code": hub.door.issue_code()}):
        anybody.cookies.clear()
        answer = anybody.post("/login", **({"data": told} if form else {"json": told}))
        assert answer.status_code == 204
        assert answer.headers["cache-control"] == "no-store"
        assert "HttpOnly; SameSite=Strict" in answer.headers["set-cookie"]
        assert anybody.get("/api/me").status_code == 200
        again = anybody.post("/login", json=told)
        assert again.status_code == (204 if "token" in told else 401)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 401),
        (b'{"token":"wrong"}', "application/json", 401),
        (b'{"code":""}', "application/json", 401),
        (b"token=wrong", "application/x-www-form-urlencoded", 401),
        (b"", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"token":5}', "application/json", 400),
        (b'{"token":"\xff"}', "application/json", 400),
        (b'{"token":"\\ud800"}', "application/json", 400),
        (b"[" * 4_000, "application/json", 400),
        (b"token=%ff&x=%00", "application/x-www-form-urlencoded", 401),
        (b"a=1&" * 1_000, "application/x-www-form-urlencoded", 401),
        (b"x" * 5_000, "application/json", 413),
    ],
)
def test_a_bad_login_is_a_problem(
    anybody: TestClient, content: bytes, kind: str, status: int
) -> None:
    """400 for what cannot be read, 401 for what is not valid, 413 for what is too much."""
    answer = anybody.post("/login", content=content, headers={"Content-Type": kind})
    problem(answer, status)
    assert "set-cookie" not in answer.headers


def test_a_login_without_a_length_is_bounded_too(anybody: TestClient) -> None:
    """A body in chunks is counted as it comes."""
    chunks = (b"x" * 1_000 for _ in range(100))
    problem(anybody.post("/login", content=chunks), 413)


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/", "/assets/none.js", "/icon.svg"]
)
def test_open_routes_hold_no_data(anybody: TestClient, path: str) -> None:
    """They answer without a credential, and name no session."""
    answer = anybody.get(path)
    assert answer.status_code in (200, 404, 503)
    assert "make" not in answer.text


def test_readiness_follows_the_worker(anybody: TestClient, hub: Hub) -> None:
    """503 with a time to come back, for data as well, then 200; it is healthy all along."""
    hub.worker.ready.clear()
    problem(anybody.get("/api/live", headers=BEARER), 503)
    refusal = anybody.get("/readyz")
    problem(refusal, 503)
    assert refusal.headers["retry-after"] == "1"
    hub.worker.ready.set()
    assert anybody.get("/readyz").text == "ready\n"
    assert anybody.get("/healthz").text == "ok\n"


@pytest.mark.parametrize(
    "path", [*DATA, "/", "/healthz", "/metrics", "/nothing", "/api/x", "/login"]
)
@pytest.mark.parametrize("headers", [{}, BEARER, {"Host": "evil.example"}, {"Origin": "null"}])
def test_every_answer_has_the_security_headers(
    anybody: TestClient, path: str, headers: dict[str, str]
) -> None:
    """Refusals and errors as well."""
    answer = anybody.get(path, headers=headers)
    assert set(answer.headers) >= SECURITY
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "server" not in answer.headers


def test_hostile_ids_come_back_as_data(owner: TestClient, hub: Hub) -> None:
    """Markup, line breaks and slashes in an id are neither HTML nor a path."""
    nasty = "<script>alert(1)</script>\n\r\x00"
    log(hub, event("prompt", nasty, text=nasty))
    answer = owner.get("/api/live")
    assert answer.headers["content-type"] == "application/json"
    assert nasty in [row["id"] for row in answer.json()["sessions"]]
    assert "alert(1)" not in owner.get("/metrics").text
