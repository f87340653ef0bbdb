"""What a person asks for becomes a delta, and the answer is the session once that is folded."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from bus.errors import BusUnavailable
from history.errors import DatabaseUnavailable
from hub import actions
from session.state import SUMMARY_NAMES
from tests.hub.made import event, folded, past, permission
from tests.hub.servers import BEARER, DEADLINE_S, Served, cookie_for, served, until

ACTIONS = [
    ("POST", "/api/sessions/a/end"),
    ("POST", "/api/sessions/a/archive"),
    ("PATCH", "/api/sessions/a"),
    ("DELETE", "/api/sessions/a"),
]


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: Any


async def ask(
    hub: Served, method: str, path: str, body: object = None, headers: dict[str, str] | None = None,
) -> Answer:  # fmt: skip
    """One request; ``body`` is sent as JSON unless it is bytes."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    told = {**BEARER, **({"Content-Type": "application/json"} if data else {}), **(headers or {})}
    request = urllib.request.Request(hub.url + path, data, told, method=method)

    def send() -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                text = answer.read()
                status, got = answer.status, dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                text, status, got = error.read(), error.code, dict(error.headers)
            assert got["content-type"] == "application/problem+json"
        return Answer(status, got, json.loads(text) if text else None)

    return await asyncio.to_thread(send)


@pytest.fixture
async def hub() -> AsyncIterator[Served]:
    """A hub with one session that waits for a person."""
    async with served() as running:
        await running.log(event("prompt", "a", text="go"), permission("a"))
        yield running


async def test_an_ended_session_is_told_as_it_is_then(hub: Served) -> None:
    """Status, end and items at once; whoever watches sees the same."""
    async with hub.client() as client:
        answer = await ask(hub, "POST", "/api/sessions/a/end")
        assert answer.status == 200
        assert set(answer.body) == set(SUMMARY_NAMES)
        assert (answer.body["status"], answer.body["attention"]) == ("ended", 0)
        await client.until(lambda: client.reference.rows["a"]["status"] == "ended")
        assert client.reference.items == {}


async def test_archived_and_taken_back(hub: Served) -> None:
    """Without a body it is archived; false takes it back."""
    assert (await ask(hub, "POST", "/api/sessions/a/archive")).body["archived"] is True
    told = await ask(hub, "POST", "/api/sessions/a/archive", {"archived": False})
    assert told.body["archived"] is False


async def test_a_patch_sets_and_clears(hub: Served) -> None:
    """Title, phase and budget; what is not named stays."""
    told = {"title": "Mine 🚀", "phase": "review", "budget_usd": 2.5}
    answer = await ask(hub, "PATCH", "/api/sessions/a", told)
    assert {name: answer.body[name] for name in told} == told
    answer = await ask(hub, "PATCH", "/api/sessions/a", {"title": None, "phase": " "})
    assert (answer.body["title"], answer.body["phase"], answer.body["budget_usd"]) == (
        "go", None, 2.5,
    )  # fmt: skip


async def test_a_deleted_session_is_gone(hub: Served) -> None:
    """After it has ended: 204, and then it is known to nobody."""
    assert (await ask(hub, "DELETE", "/api/sessions/a")).status == 409
    await ask(hub, "POST", "/api/sessions/a/end")
    answer = await ask(hub, "DELETE", "/api/sessions/a")
    assert (answer.status, answer.body) == (204, None)
    assert (await ask(hub, "GET", "/api/sessions/a")).status == 404
    assert (await ask(hub, "DELETE", "/api/sessions/a")).status == 404


async def test_an_agent_that_speaks_meanwhile_keeps_its_session(
    hub: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended when it was looked at, and goes on when the deletion is folded: 409."""
    await ask(hub, "POST", "/api/sessions/a/end")
    append = hub.hub.worker.bus.append

    async def overtaken(deltas: Any) -> Any:
        monkeypatch.setattr(hub.hub.worker.bus, "append", append)
        await append([event("prompt", "a", at=2_000_000_000_000)])
        return await append(deltas)

    monkeypatch.setattr(hub.hub.worker.bus, "append", overtaken)
    assert (await ask(hub, "DELETE", "/api/sessions/a")).status == 409
    assert (await ask(hub, "GET", "/api/sessions/a")).body["status"] == "running"


@pytest.mark.parametrize(("method", "path"), ACTIONS)
async def test_only_operators_act(hub: Served, method: str, path: str) -> None:
    """A viewer is refused before anything is read, a stranger at the door; both change nothing."""
    cookie = cookie_for(hub.hub.door, "viewer", "default")
    headers = {"Authorization": "", "Cookie": cookie}
    body = {"title": "x"} if method == "PATCH" else None
    for told, status in ((headers, 403), ({"Authorization": "Bearer wrong"}, 401)):
        request = {name: value for name, value in {**BEARER, **told}.items() if value}
        assert (await plain_ask(hub, method, path, body, request)).status == status
    assert (await ask(hub, "GET", "/api/sessions/a")).body["status"] == "waiting"


async def plain_ask(
    hub: Served, method: str, path: str, body: object, headers: dict[str, str]
) -> Answer:
    """As ``ask``, with these headers alone."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(hub.url + path, data, headers, method=method)

    def send() -> Answer:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=DEADLINE_S)
        with refused.value as error:
            return Answer(error.code, dict(error.headers), json.loads(error.read()))

    return await asyncio.to_thread(send)


@pytest.mark.parametrize(("method", "path"), ACTIONS)
async def test_what_is_not_there_cannot_be_changed(hub: Served, method: str, path: str) -> None:
    """404, also for a session of another workspace; and none is made by it."""
    await hub.log(event("prompt", "c", workspace="other"))
    body = {"title": "x"} if method == "PATCH" else None
    for other in ("c", "none"):
        asked = path.replace("/a", f"/{other}") if path.endswith("/a") else path
        asked = asked.replace("/a/", f"/{other}/")
        assert (await ask(hub, method, asked, body)).status == 404
    assert set(hub.get_rows()) == {"a"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "title"),
        ({"title": 5}, "title: "),
        ({"title": "x" * 201}, "title: "),
        ({"phase": []}, "phase: "),
        ({"budget_usd": -1}, "budget_usd: "),
        ({"budget_usd": "2"}, "budget_usd: "),
        ({"budget_usd": True}, "budget_usd: "),
        ({"status": "ended"}, "status: "),
        ([], "body: "),
        (b"{", "body: "),
        (b"\xff", "body: "),
        (b'{"title":"\\ud800"}', "body: "),
        (b"[" * 10_000, "body: "),
        (b'{"budget_usd":NaN}', "body: "),
        (b'{"budget_usd":1e400}', "budget_usd: "),
    ],
)
async def test_a_body_that_makes_no_sense_is_named(hub: Served, body: object, named: str) -> None:
    """400 with the field in front, and nothing is changed."""
    answer = await ask(hub, "PATCH", "/api/sessions/a", body)
    assert answer.status == 400
    assert named in answer.body["detail"]
    assert hub.get_rows()["a"]["budget_usd"] is None


async def test_a_body_is_json_and_small(hub: Served) -> None:
    """415 for what a form of another site could send, 413 for what is too much."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        headers = {"Content-Type": kind}
        answer = await ask(hub, "POST", "/api/sessions/a/archive", b"{}", headers)
        assert answer.status == 415
    assert (await ask(hub, "PATCH", "/api/sessions/a", b" " * 20_000)).status == 413


async def test_a_log_that_is_away_is_said(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with a time to come back."""

    async def away(_deltas: Any) -> Any:
        raise BusUnavailable("no answer")

    monkeypatch.setattr(hub.hub.worker.bus, "append", away)
    answer = await ask(hub, "POST", "/api/sessions/a/end")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_slow_fold_is_not_waited_for(hub: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """202 with the delta's id: it is on the log, and what follows from it will be seen."""
    monkeypatch.setattr(actions, "WAIT_S", 0.0)
    answer = await ask(hub, "POST", "/api/sessions/a/end")
    assert answer.status == 202
    assert set(answer.body) == {"delta"}
    await until(lambda: hub.get_rows()["a"]["status"] == "ended")


class Recorded:
    """A history of one session."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def outline(self, _workspace: str, session_id: str) -> Any:
        """The one session, or the error."""
        if self.error is not None:
            raise self.error
        return folded(past("old", 1, titles={"ai": "x"})) if session_id == "old" else None


async def test_a_session_of_history_alone_is_changed_by_whoever_records(hub: Served) -> None:
    """It is on no board: 202, and none shows it afterwards."""
    hub.hub.history = Recorded()  # type: ignore[assignment]
    answer = await ask(hub, "POST", "/api/sessions/old/archive")
    assert answer.status == 202
    assert set(hub.get_rows()) == {"a"}
    assert (await ask(hub, "POST", "/api/sessions/none/archive")).status == 404
    hub.hub.history = Recorded(DatabaseUnavailable("gone"))  # type: ignore[assignment]
    assert (await ask(hub, "POST", "/api/sessions/old/archive")).status == 503


async def test_a_session_that_was_let_go_is_brought_back_for_it() -> None:
    """Restored, changed and told, though the board has no room for it."""

    async def restore(session_id: str) -> Any:
        return folded(past(session_id, 30 * 3_600_000))

    async with served(restore, board_rows_min=1) as hub:
        await hub.log(event("prompt", "a"))
        hub.board.cache._note_stub(("default", "old"), 0)
        answer = await ask(hub, "PATCH", "/api/sessions/old", {"title": "kept"})
        assert (answer.status, answer.body["title"]) == (200, "kept")
        await hub.log(event("stop", "a"))
        assert set(hub.get_rows()) == {"a"}


async def test_a_method_that_is_not_served_is_told_which_are(hub: Served) -> None:
    """All of them, though each has a route of its own."""
    answer = await ask(hub, "PUT", "/api/sessions/a", b"{}")
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE"}


async def test_what_is_still_kept_of_a_deleted_session_is_not_brought_back() -> None:
    """History lets it go a moment later: neither who opens it nor the agent's word revives it."""
    kept: list[Any] = [None]

    async def restore(_session_id: str) -> Any:
        return kept[0]

    async with served(restore) as hub:
        await hub.log(event("prompt", "a", text="before"))
        await ask(hub, "POST", "/api/sessions/a/end")
        kept[0] = folded(event("prompt", "a", text="before"))
        kept[0].number = 2
        assert (await ask(hub, "DELETE", "/api/sessions/a")).status == 204
        assert (await ask(hub, "GET", "/api/live/a")).status == 404
        await hub.log(event("prompt", "a", text="after"))
        told = (await ask(hub, "GET", "/api/live/a")).body
        assert told["detail"]["title"] == "after"
        assert len(told["timeline"]) == 1
