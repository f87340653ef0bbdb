"""Routes that tell of what was recorded beside what is live, out of a real database."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from history.database import Database
from history.history import History
from hub.websocket import Hub
from session.delta import Delta, Usage
from session.state import SUMMARY_NAMES, summary
from tests.history.recording import Recording
from tests.hub.made import NOW, event, plain, report, said, tokens
from tests.hub.servers import BEARER, cookie_for, make_app, make_door, make_hub
from tests.hub.test_rest import HOST, log, problem

HOUR_MS = 3_600_000
PATHS = [
    "/api/sessions?q=cart", "/api/sessions/old", "/api/sessions/old/timeline",
    "/api/sessions/old/entries/e1", "/api/usage", "/api/compare?ids=old,a", "/api/budgets",
]  # fmt: skip


def old() -> list[Delta]:
    """A session that was over long ago, with 600 entries and one call."""
    usage = [Usage(message_id="m1", model="opus", at=NOW, output=7, cost_usd=0.5)]
    parts = [
        report("old", from_=to - 300, to=to, at=NOW - 40 * HOUR_MS, past=NOW - 40 * HOUR_MS,
               cwd="/w/shop", calls=tokens(7),
               entries=said(300, first=to - 299, text="a word about the cart"))
        for to in (300, 600)
    ]  # fmt: skip
    return [parts[0], msgspec.structs.replace(parts[1], usage=usage)]


async def record(url: str, *deltas: Delta) -> None:
    """Have these deltas in a database."""
    database = Database(url)
    await database.upgrade()
    await Recording(database).log(*deltas)
    await database.close()


@pytest.fixture
def hub() -> Hub:
    """A hub that holds ``a`` and, of another workspace, ``c``."""
    hub = make_hub(make_door())
    hub.worker.ready.set()
    log(hub, report("a", to=3, entries=said(3), calls=tokens(7)), event("prompt", "a"))
    log(hub, event("prompt", "c", workspace="other"))
    return hub


@pytest.fixture
def owner(hub: Hub, tmp_path: Path) -> Iterator[TestClient]:
    """The owner, at a hub with a database: ``old`` is in it alone, ``a`` as it was at first."""
    url = f"sqlite:///{tmp_path / 'history.db'}"
    asyncio.run(record(url, *old(), report("a", to=1, entries=said(1), calls=tokens(1))))
    database = Database(url)
    hub.history = History(database)
    with TestClient(
        make_app(hub), base_url=HOST, client=("127.0.0.1", 5), headers=dict(BEARER)
    ) as client:
        yield client
        assert client.portal is not None
        client.portal.call(database.close)


@pytest.fixture
def nobody(hub: Hub) -> Iterator[TestClient]:
    """The owner, at a hub whose database is not there."""
    hub.history = History(Database("sqlite:////nowhere/at/all/history.db"))
    with TestClient(
        make_app(hub), base_url=HOST, client=("127.0.0.1", 5), headers=dict(BEARER)
    ) as client:
        yield client


def ids(answer: Any) -> list[str]:
    """The sessions of a list."""
    return [row["id"] for row in answer.json()["sessions"]]


def test_live_and_past_are_one_list(owner: TestClient, hub: Hub) -> None:
    """A session that is held is told as it is, the others as they were recorded."""
    answer = owner.get("/api/sessions")
    told = answer.json()
    assert (ids(answer), told["total"], told["next"], told["hits"]) == (["a", "old"], 2, None, {})
    assert all(set(row) == set(SUMMARY_NAMES) for row in told["sessions"])
    held = hub.board.cache.get(("default", "a"))
    assert held is not None
    assert told["sessions"][0] == plain(summary(held.session))
    log(hub, event("session_end", "a", at=NOW + 5))
    assert owner.get("/api/sessions").json()["sessions"][0]["status"] == "ended"


def test_pages_go_on_where_the_last_ended(owner: TestClient) -> None:
    """By the ``next`` of an answer, over live and past ones."""
    first = owner.get("/api/sessions", params={"limit": 1}).json()
    second = owner.get("/api/sessions", params={"limit": 1, "cursor": first["next"]})
    assert [row["id"] for row in first["sessions"]] == ["a"]
    assert (ids(second), second.json()["next"], second.json()["total"]) == (["old"], None, 2)


def test_the_list_is_searched(owner: TestClient) -> None:
    """Hits are parts that say what was looked for."""
    told = owner.get("/api/sessions", params={"q": '"the cart"', "project": "shop"}).json()
    assert [row["id"] for row in told["sessions"]] == ["old"]
    assert ["the cart", True] in told["hits"]["old"]
    assert owner.get("/api/sessions", params={"q": "nowhere"}).json()["sessions"] == []


def test_a_past_session_is_told_and_not_taken_into_the_cache(owner: TestClient, hub: Hub) -> None:
    """Summary and detail in one flat object, as for a live one."""
    told = owner.get("/api/sessions/old").json()
    assert set(SUMMARY_NAMES) | {"models", "tools", "token_series", "errors_list"} <= set(told)
    assert (told["status"], told["tokens"]["output"]) == ("ended", 7)
    assert owner.get("/api/sessions/old/timeline").status_code == 200
    assert hub.board.cache.get(("default", "old")) is None
    assert owner.get("/api/sessions/a").json()["tokens"]["output"] == 7
    for path in ("/api/sessions/x", "/api/sessions/c", "/api/sessions/x/timeline",
                 "/api/sessions/c/timeline", "/api/sessions/old/entries/x",
                 "/api/sessions/x/entries/e1", "/api/compare?ids=a,c"):  # fmt: skip
        problem(owner.get(path), 404)


def test_a_timeline_is_read_page_by_page(owner: TestClient) -> None:
    """The newest last; ``next`` is the ``before`` of the page that comes before."""
    seqs: list[int] = []
    before: int | None = None
    while True:
        params = {"limit": 250} | ({} if before is None else {"before": before})
        told = owner.get("/api/sessions/old/timeline", params=params).json()
        seqs = [entry["seq"] for entry in told["timeline"]] + seqs
        before = told["next"]
        if before is None:
            break
        assert before == seqs[0]
    assert seqs == list(range(1, 601))


def test_a_live_timeline_goes_on_in_history(owner: TestClient, hub: Hub) -> None:
    """What the ring has is of the ring, and what is older is read."""
    held = hub.board.cache.get(("default", "a"))
    assert held is not None
    held.session.timeline.entries.popleft()  # the ring has let go of what is recorded
    held.session.timeline.numbers.popleft()
    told = owner.get("/api/sessions/a/timeline").json()
    assert [entry["seq"] for entry in told["timeline"]] == [1, 2, 3, 4]
    assert told["next"] is None
    told = owner.get("/api/sessions/a/timeline", params={"before": 2}).json()
    assert [entry["id"] for entry in told["timeline"]] == ["e1"]
    told = owner.get("/api/sessions/a/timeline", params={"limit": 2}).json()
    assert ([entry["seq"] for entry in told["timeline"]], told["next"]) == ([3, 4], 3)


def test_an_entry_is_told_with_its_text(owner: TestClient) -> None:
    """Of a recorded session, and of a live one what only the ring has."""
    told = owner.get("/api/sessions/old/entries/e7").json()
    assert (told["seq"], told["text"], told["whole"]) == (7, "a word about the cart", True)
    assert owner.get("/api/sessions/a/entries/e3").json()["seq"] == 3


def test_sessions_are_compared(owner: TestClient) -> None:
    """A live one and a past one side by side, in the order that was asked for."""
    told = owner.get("/api/compare", params={"ids": "old,a"}).json()["sessions"]
    assert [each["id"] for each in told] == ["old", "a"]
    assert {"models", "tools", "token_series", "duration_ms"} <= set(told[0]) == set(told[1])


def test_usage_is_told_by_key(owner: TestClient) -> None:
    """Rows, their total, and which prices were taken."""
    told = owner.get("/api/usage", params={"by": "project"}).json()
    assert [(row["key"], row["output"], row["cost_usd"]) for row in told["rows"]] == [
        ("shop", 7, 0.5)
    ]
    assert told["total"]["calls"] == 1
    assert told["prices"]["package"] == "genai-prices"
    assert owner.get("/api/usage").json()["by"] == "day"


def test_budgets_are_set_by_operators(owner: TestClient, hub: Hub) -> None:
    """The answer is what stands then; others may only look."""
    told = owner.put("/api/budgets", json={"day": 5, "month": None}).json()
    assert told["day"]["limit_usd"] == 5.0
    assert owner.get("/api/budgets").json() == told
    cookie = cookie_for(hub.door, "viewer", "default")
    headers = {"Cookie": cookie}
    del owner.headers["Authorization"]
    assert owner.get("/api/budgets", headers=headers).json() == told
    problem(owner.put("/api/budgets", json={"day": 6}, headers=headers), 403)
    problem(owner.put("/api/budgets", json={"day": 6}), 401)
    assert owner.get("/api/budgets", headers=headers).json() == told


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b'{"day":"x"}', 400), (b'{"week":1}', 400),
        (b'{"day":-1}', 400), (b'{"day":1e999}', 400), (b'{"day":"\\ud800"}', 400),
        (b"[" * 4_000, 400), (b'{"day":1}' + b" " * 5_000, 413),
    ],
)  # fmt: skip
def test_what_is_no_budget_is_a_problem(owner: TestClient, content: bytes, status: int) -> None:
    """And changes nothing."""
    problem(owner.put("/api/budgets", content=content), status)
    assert owner.get("/api/budgets").json()["day"]["limit_usd"] is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/sessions?limit=0", "limit"), ("/api/sessions?cursor=x", "cursor"),
        ("/api/sessions?status=busy", "status"), ("/api/sessions?since=yesterday", "since"),
        ("/api/sessions/old/timeline?before=0", "before"),
        ("/api/sessions/old/timeline?limit=9999", "limit"),
        ("/api/usage?by=hour", "by"), ("/api/usage?until=x", "until"), ("/api/compare", "ids"),
        ("/api/compare?ids=a", "ids"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(owner: TestClient, path: str, name: str) -> None:
    """400, and the detail begins with its name."""
    assert problem(owner.get(path), 400)["detail"].startswith(f"{name}: ")


def test_another_workspace_has_its_own_history(owner: TestClient, hub: Hub) -> None:
    """Nothing of the default one is told there."""
    cookie = cookie_for(hub.door, "operator", "other")
    headers = {"Cookie": cookie}
    del owner.headers["Authorization"]
    assert ids(owner.get("/api/sessions", headers=headers)) == ["c"]
    assert owner.get("/api/usage", headers=headers).json()["rows"] == []
    problem(owner.get("/api/sessions/old", headers=headers), 404)
    problem(owner.get("/api/sessions/old/timeline", headers=headers), 404)
    problem(owner.get("/api/sessions/old/entries/e1", headers=headers), 404)


@pytest.mark.parametrize("path", PATHS)
def test_history_needs_a_credential(owner: TestClient, path: str) -> None:
    """As everything else."""
    assert owner.get(path).status_code == 200
    del owner.headers["Authorization"]
    problem(owner.get(path), 401)


@pytest.mark.parametrize("path", PATHS)
def test_a_database_that_is_away_is_told_so(nobody: TestClient, path: str) -> None:
    """503 and when to come back; what is live alone is still there."""
    answer = nobody.get(path)
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert nobody.get("/api/live").status_code == 200
    assert nobody.get("/api/sessions/a").status_code == 200


def test_without_a_database_the_board_is_all_that_there_is(owner: TestClient, hub: Hub) -> None:
    """Lists and comparisons are of what is live, by the same rules; the rest is refused."""
    hub.history = None
    log(hub, event("prompt", "b", at=NOW + 9, cwd="/w/shop"))
    assert ids(owner.get("/api/sessions")) == ["b", "a"]
    assert ids(owner.get("/api/sessions", params={"q": "shop"})) == ["b"]
    first = owner.get("/api/sessions", params={"limit": 1}).json()
    assert (first["total"], [row["id"] for row in first["sessions"]]) == (2, ["b"])
    assert ids(owner.get("/api/sessions", params={"cursor": first["next"]})) == ["a"]
    told = owner.get("/api/sessions/a/timeline", params={"limit": 3}).json()
    assert ([entry["seq"] for entry in told["timeline"]], told["next"]) == ([2, 3, 4], 2)
    assert owner.get("/api/sessions/a/entries/e1").json()["text"] == "text"
    assert len(owner.get("/api/compare?ids=a,b").json()["sessions"]) == 2
    for path in ("/api/usage", "/api/budgets"):
        problem(owner.get(path), 503)
    problem(owner.get("/api/sessions/old/timeline"), 404)
