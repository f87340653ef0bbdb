"""Routes of the door: signing in and out, tokens, who did what, and whom each of them is for."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from history.database import Database
from history.history import History
from hub.auth import Door
from hub.limits import DoorLimits
from hub.websocket import Hub
from session.delta import Delta
from tests.history.recording import Recording
from tests.hub.made import event, permission, report, said, tokens
from tests.hub.servers import BEARER, TOKEN, admit, cookie_for, make_app, make_door, make_hub
from tests.hub.test_rest import HOST, log, problem

LOOPBACK = ("127.0.0.1", 5)
ELSEWHERE = ["live-one", "past-one"]


def of_shop() -> list[Delta]:
    """What another workspace has: one session on the board, and one that is past."""
    past = report("past-one", from_=0, to=3, entries=said(3), calls=tokens(7), cwd="/w/past-one")
    return [
        msgspec.structs.replace(past, workspace="shop"),
        permission("live-one", workspace="shop"),
    ]


async def record(url: str) -> None:
    """Have both in a database."""
    database = Database(url)
    await database.upgrade()
    await Recording(database).log(*of_shop())
    await database.close()


@pytest.fixture
def door() -> Door:
    """A door."""
    return make_door()


@pytest.fixture
def hub(door: Door) -> Hub:
    """A hub that holds a session of each of two workspaces."""
    hub = make_hub(door)
    hub.worker.ready.set()
    log(hub, event("prompt", "mine"))
    log(hub, of_shop()[1])
    return hub


@pytest.fixture
def anybody(hub: Hub, tmp_path: Path) -> Iterator[TestClient]:
    """A client without a credential, at a hub with a database."""
    url = f"sqlite:///{tmp_path / 'history.db'}"
    asyncio.run(record(url))
    database = Database(url)
    hub.history = History(database)
    with TestClient(make_app(hub), base_url=HOST, client=LOOPBACK) as client:
        yield client
        assert client.portal is not None
        client.portal.call(database.close)


def bearer(secret: str) -> dict[str, str]:
    """As a script shows it."""
    return {"Authorization": f"Bearer {secret}"}


def make(client: TestClient, headers: dict[str, str] = BEARER, **wanted: Any) -> dict[str, Any]:
    """A token that the API has made."""
    answer = client.post("/api/tokens", json={"role": "viewer", **wanted}, headers=headers)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


# Tokens.


def test_a_token_is_made_shown_and_revoked(anybody: TestClient) -> None:
    """Its secret is told once; afterwards it opens what it is for, until it is revoked."""
    made = make(anybody, role="operator", workspace="shop", name="Ada", expires="30d")
    shown = {name: value for name, value in made.items() if name != "token"}
    assert anybody.get("/api/tokens", headers=BEARER).json() == {"tokens": [shown]}
    assert made["token"].startswith(made["prefix"])
    mine = bearer(made["token"])
    told = {"role": "operator", "workspace": "shop", "auth": True}
    assert anybody.get("/api/me", headers=mine).json() == told
    revoked = anybody.delete(f"/api/tokens/{made['id']}", headers=BEARER)
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    problem(anybody.get("/api/me", headers=mine), 401)
    assert made["token"] not in anybody.get("/api/tokens", headers=BEARER).text


def test_an_operator_has_the_tokens_of_its_workspace_alone(anybody: TestClient) -> None:
    """It neither sees, makes nor revokes others, and is told nothing of whether there are any."""
    theirs = make(anybody, workspace="default")
    mine = bearer(make(anybody, role="operator", workspace="shop")["token"])
    made = make(anybody, mine, role="agent")
    assert made["workspace"] == "shop"
    seen = {each["workspace"] for each in anybody.get("/api/tokens", headers=mine).json()["tokens"]}
    assert seen == {"shop"}
    refused = anybody.post("/api/tokens", json={"role": "viewer", "workspace": "x"}, headers=mine)
    problem(refused, 403)
    other = anybody.delete(f"/api/tokens/{theirs['id']}", headers=mine)
    nothing = anybody.delete("/api/tokens/t-000000000000", headers=mine)
    assert (other.status_code, other.content) == (nothing.status_code, nothing.content)
    assert other.status_code == 404


def test_no_token_outlives_the_one_that_makes_it(anybody: TestClient) -> None:
    """Else a day's token would be one for ever."""
    mine = bearer(make(anybody, role="operator", expires="1d")["token"])
    for expires in (None, "2d"):
        wanted = {"role": "viewer", "expires": expires}
        problem(anybody.post("/api/tokens", json=wanted, headers=mine), 403)
    assert make(anybody, mine, expires="1h")["state"] == "good"


@pytest.mark.parametrize(
    "body",
    [{}, {"role": "owner"}, {"role": "viewer", "x": 1}, [], {"role": "viewer", "expires": 5}],
)
def test_a_token_that_means_nothing_is_refused(anybody: TestClient, body: Any) -> None:
    """400, and nothing is made."""
    problem(anybody.post("/api/tokens", json=body, headers=BEARER), 400)
    assert anybody.get("/api/tokens", headers=BEARER).json() == {"tokens": []}


# Roles.

CHANGES = [
    ("POST", "/api/sessions/mine/end"), ("POST", "/api/sessions/mine/archive"),
    ("PATCH", "/api/sessions/mine"), ("DELETE", "/api/sessions/mine"), ("PUT", "/api/budgets"),
    ("GET", "/api/clients"), ("GET", "/api/tokens"), ("POST", "/api/tokens"),
    ("DELETE", "/api/tokens/t-1"), ("GET", "/api/audit"),
]  # fmt: skip
READ = [
    "/api/live", "/api/live/mine", "/api/activity", "/api/sessions", "/api/sessions/mine",
    "/api/sessions/mine/timeline", "/api/usage", "/api/models", "/api/budgets", "/api/attention",
    "/api/about", "/api/me", "/api/export?format=json", "/openapi.json", "/docs", "/asyncapi.json",
    "/metrics",
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_viewer_changes_nothing(anybody: TestClient, door: Door, method: str, path: str) -> None:
    """403, and the session is as it was."""
    mine = bearer(admit(door, "viewer"))
    before = anybody.get("/api/sessions/mine", headers=mine).json()
    problem(anybody.request(method, path, headers=mine, json={}), 403)
    assert anybody.get("/api/sessions/mine", headers=mine).json() == before


@pytest.mark.parametrize("path", READ)
def test_a_viewer_reads_and_an_agent_does_not(anybody: TestClient, door: Door, path: str) -> None:
    """An agent's token on some machine opens no board, by header nor by cookie."""
    assert anybody.get(path, headers=bearer(admit(door, "viewer"))).status_code == 200
    problem(anybody.get(path, headers=bearer(admit(door, "agent"))), 403)
    if path != "/metrics":  # which is open on loopback
        problem(anybody.get(path, headers={"Cookie": cookie_for(door, "agent")}), 403)


def test_an_agent_cannot_sign_in(anybody: TestClient, door: Door) -> None:
    """It is told why, and gets no cookie."""
    answer = anybody.post("/login", json={"token": admit(door, "agent")})
    problem(answer, 403)
    assert "set-cookie" not in answer.headers


# Another workspace.

PATHS = [
    "/api/live/{}", "/api/sessions/{}", "/api/sessions/{}/timeline",
    "/api/sessions/{}/entries/said-1", "/api/compare?ids={},mine", "/api/export?format=json&ids={}",
    "/api/attention/{}",
]  # fmt: skip
ACTS = [("POST", "/end"), ("POST", "/archive"), ("PATCH", ""), ("DELETE", "")]


@pytest.mark.parametrize("id_", ELSEWHERE)
@pytest.mark.parametrize("path", PATHS)
def test_what_another_workspace_has_is_answered_like_what_is_not_there(
    anybody: TestClient, path: str, id_: str
) -> None:
    """Status, headers and body are the same but for the id that was asked for."""
    here = anybody.get(path.format(id_), headers=BEARER)
    nothing = anybody.get(path.format("no-such"), headers=BEARER)
    assert here.status_code in (400, 404)
    assert here.status_code == nothing.status_code
    assert here.text.replace(id_, "no-such") == nothing.text
    alike = {**here.headers, "content-length": ""} == {**nothing.headers, "content-length": ""}
    assert alike


@pytest.mark.parametrize("id_", ELSEWHERE)
@pytest.mark.parametrize(("method", "path"), ACTS)
def test_nobody_changes_what_another_workspace_has(
    anybody: TestClient, method: str, path: str, id_: str
) -> None:
    """The same for whatever a person does."""
    body = {"title": "x"} if method == "PATCH" else None
    here, nothing = (
        anybody.request(method, f"/api/sessions/{each}{path}", headers=BEARER, json=body)
        for each in (id_, "no-such")
    )
    assert (here.status_code, here.content) == (nothing.status_code, nothing.content)
    assert here.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/live",
        "/api/activity",
        "/api/sessions",
        "/api/sessions?q=said",
        "/api/attention",
        "/api/models",
        "/api/usage?by=session",
        "/api/usage?by=project",
        "/api/clients",
        "/api/export?format=csv",
        "/api/export?format=html",
        "/api/audit",
        "/api/tokens",
    ],
)
def test_lists_and_sums_are_of_one_workspace(anybody: TestClient, door: Door, path: str) -> None:
    """Of two boards neither has a word of the other's."""
    mine = bearer(admit(door, "operator", "nothing-there"))
    answer = anybody.get(path, headers=mine)
    assert answer.status_code == 200
    assert not any(name in answer.text for name in (*ELSEWHERE, "mine", '"t-'))


def test_totals_are_of_one_workspace(anybody: TestClient, door: Door) -> None:
    """Whoever has nothing counts nothing, and whoever watches there is not counted here."""
    told = anybody.get("/api/live", headers=bearer(admit(door, "viewer", "empty"))).json()
    assert (told["sessions"], told["attention"]) == ([], [])
    assert (told["totals"]["sessions"], told["totals"]["attention"]) == (0, 0)
    assert told["totals"]["tokens"]["output"] == 0


# Signing in and out.


def test_a_cookie_that_signed_out_is_none_for_whoever_copied_it(
    anybody: TestClient, hub: Hub
) -> None:
    """The browser's is taken away as well; another sign-in of the same person stays."""
    assert anybody.post("/login", json={"token": TOKEN}).status_code == 204
    copied = {"Cookie": f"{hub.door.cookies.name}={anybody.cookies[hub.door.cookies.name]}"}
    other = {"Cookie": hub.door.cookie(hub.door.grant_token(TOKEN), secure=False).split(";")[0]}  # type: ignore[arg-type]
    gone = anybody.post("/logout", headers=copied)
    assert gone.status_code == 204
    assert "Max-Age=0" in gone.headers["set-cookie"]
    anybody.cookies.clear()
    problem(anybody.get("/api/me", headers=copied), 401)
    assert anybody.get("/api/me", headers=other).status_code == 200
    assert anybody.post("/logout").status_code == 204


def test_the_cookie_is_secure_behind_tls(hub: Hub) -> None:
    """As the scheme of the request says, which a trusted proxy may say too."""
    for base, is_secure in (("https://127.0.0.1:8787", True), (HOST, False)):
        with TestClient(make_app(hub), base_url=base, client=LOOPBACK) as client:
            told = client.post("/login", json={"token": TOKEN}).headers["set-cookie"]
            assert ("Secure" in told.split("; ")) is is_secure


def test_who_fails_too_often_is_told_to_wait(anybody: TestClient, door: Door) -> None:
    """Even with the right token: a guess that hits must not be told from one that misses."""
    door.limit(DoorLimits(failures_per_minute=3))
    for _ in range(3):
        problem(anybody.post("/login", json={"token": "guess"}), 401)
    for token in ("guess", TOKEN):
        answer = anybody.post("/login", json={"token": token})
        problem(answer, 429)
        assert 0 < int(answer.headers["retry-after"]) <= 20
        assert "set-cookie" not in answer.headers
    # A script that has its token is not locked out by its neighbour.
    assert anybody.get("/api/me", headers=BEARER).status_code == 200
    problem(anybody.get("/api/me", headers=bearer("guess")), 429)


def test_sign_ins_that_go_well_are_bounded_too(anybody: TestClient, door: Door) -> None:
    """Each makes a cookie that can be ended, and that is kept for long."""
    door.limit(DoorLimits(sign_ins_per_minute=2))
    answers = [anybody.post("/login", json={"token": TOKEN}).status_code for _ in range(3)]
    assert answers == [204, 204, 429]


def test_a_credential_that_asks_without_end_is_slowed_down(anybody: TestClient, door: Door) -> None:
    """Another one is not."""
    door.limit(DoorLimits(requests_per_second=1, requests_burst=2))
    mine, other = bearer(admit(door, "viewer")), {"Cookie": cookie_for(door)}
    assert [anybody.get("/api/me", headers=mine).status_code for _ in range(3)] == [200, 200, 429]
    assert anybody.get("/api/me", headers=mine).headers["retry-after"] == "1"
    assert anybody.get("/api/me", headers=other).status_code == 200


# Who did what.


def test_it_is_kept_who_did_what(anybody: TestClient, hub: Hub) -> None:
    """Each act once, with its session, and where it came from; what was refused is none."""
    viewer = bearer(admit(hub.door, "viewer"))
    for _ in range(3):
        anybody.get("/api/sessions/mine", headers=BEARER)
        anybody.get("/api/sessions/mine/timeline", headers=BEARER)
        anybody.get("/api/live/mine", headers=viewer)
        anybody.get("/api/sessions/no-such", headers=viewer)
        anybody.post("/api/sessions/mine/end", headers=viewer)
    anybody.put("/api/budgets", json={"day": 5}, headers=BEARER)
    anybody.patch("/api/sessions/mine", json={"title": "secret words"}, headers=BEARER)
    anybody.get("/api/export?format=csv", headers=BEARER)
    made = make(anybody)
    anybody.delete(f"/api/tokens/{made['id']}", headers=BEARER)
    anybody.post("/login", json={"token": "made-up-guess"})
    anybody.post("/login", json={"token": TOKEN})
    anybody.post("/logout")
    assert anybody.portal is not None
    told = [(act.action, act.session, act.detail) for act in hub.audit._queue]
    assert told == [
        ("open", "mine", None), ("open", "mine", None), ("budgets", None, None),
        ("patch", "mine", "title"), ("export", None, "csv, by filter"),
        ("token_create", None, f"{made['id']} viewer default"),
        ("token_revoke", None, made["id"]), ("sign_in_failed", None, "token"),
        ("sign_in", None, "token"), ("sign_out", None, None),
    ]  # fmt: skip
    assert {act.address for act in hub.audit._queue} == {"127.0.0.1"}
    kept = repr(list(hub.audit._queue))
    assert not any(word in kept for word in ("secret words", "made-up-guess", TOKEN, made["token"]))


def test_an_operator_is_told_what_was_done_in_its_workspace(anybody: TestClient, hub: Hub) -> None:
    """The owner of all, and of what belongs to none; both page by page."""
    assert anybody.portal is not None
    assert hub.history is not None
    anybody.get("/api/sessions/mine", headers=BEARER)
    anybody.get("/api/live/live-one", headers=bearer(admit(hub.door, "viewer", "shop")))
    anybody.post("/login", json={"token": "guess"})
    anybody.portal.call(hub.history.keep_acts, list(hub.audit._queue))
    whole = anybody.get("/api/audit", headers=BEARER).json()
    assert [each["action"] for each in whole["acts"]] == ["sign_in_failed", "open", "open"]
    page = anybody.get("/api/audit?limit=1", headers=BEARER).json()
    rest = anybody.get(f"/api/audit?cursor={page['next']}", headers=BEARER).json()
    assert page["acts"] + rest["acts"] == whole["acts"]
    theirs = anybody.get("/api/audit", headers=bearer(admit(hub.door, "operator", "shop"))).json()
    assert [each["session"] for each in theirs["acts"]] == ["live-one"]
    problem(anybody.get("/api/audit?limit=0", headers=BEARER), 400)
