"""Tokens by minute, of the last half hour, out of the live sessions."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from hub.rest import live
from hub.websocket import Hub
from session.state import SERIES_BUCKETS_MAX
from tests.hub import made
from tests.hub.made import report
from tests.hub.servers import BEARER, cookie_for, make_app, make_door, make_hub
from tests.hub.test_rest import HOST, log

MINUTE = 60_000
FIRST = made.NOW - made.NOW % MINUTE
NOW = FIRST + 30 * MINUTE - 1
UNTIL = FIRST + 30 * MINUTE


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub whose clock stands at the end of a minute."""
    monkeypatch.setattr(live, "now_ms", lambda: NOW)
    hub = make_hub(make_door())
    hub.worker.ready.set()
    return hub


@pytest.fixture
def client(hub: Hub) -> Iterator[TestClient]:
    """A client with the owner's token."""
    with TestClient(make_app(hub), base_url=HOST, headers=dict(BEARER)) as client:
        yield client


def spent(minutes: dict[int, int]) -> dict[str, Any]:
    """Output by the number of the minute since the first that is told; all kinds of it are 1."""
    others = {"input": 1, "cache_read": 1_000_000, "cache_write": 1, "cost_usd": 0.1}
    return {str(FIRST + at * MINUTE): {**others, "output": told} for at, told in minutes.items()}


def test_a_session_has_a_number_for_each_minute(client: TestClient, hub: Hub) -> None:
    """The oldest first, the present minute last; input, output and writes without cache reads."""
    log(hub, report("a", buckets=spent({-1: 99, 0: 10, 1: 20, 29: 30, 30: 99})))
    told = client.get("/api/activity").json()
    assert (told["until"], told["minutes"]) == (UNTIL, 30)
    assert told["sessions"] == {"a": [12, 22, *[0] * 27, 32]}


def test_a_quiet_session_is_not_told(client: TestClient, hub: Hub) -> None:
    """Neither one without tokens, nor with old ones, nor with cache reads alone."""
    zero = {"input": 0, "output": 0, "cache_read": 9, "cache_write": 0, "cost_usd": 0.1}
    log(hub, report("a"), report("b", buckets=spent({-1: 7})))
    log(hub, report("c", buckets={str(FIRST): zero}), report("d", buckets=spent({3: 1})))
    assert list(client.get("/api/activity").json()["sessions"]) == ["d"]


def test_a_long_session_keeps_its_minutes(client: TestClient, hub: Hub) -> None:
    """Though its series is merged where it is sent whole."""
    minutes = dict.fromkeys(range(-SERIES_BUCKETS_MAX, 30), 1)
    log(hub, report("a", buckets=spent(minutes)))
    assert client.get("/api/activity").json()["sessions"] == {"a": [3] * 30}


def test_each_workspace_sees_its_own(client: TestClient, hub: Hub) -> None:
    """A viewer of another one as well, and no other."""
    theirs = report("b", buckets=spent({3: 1}))
    log(hub, report("a", buckets=spent({3: 1})), replace(theirs, workspace="other"))
    assert list(client.get("/api/activity").json()["sessions"]) == ["a"]
    cookie = cookie_for(hub.door, "viewer", "other")
    del client.headers["Authorization"]
    answer = client.get("/api/activity", headers={"Cookie": cookie})
    assert list(answer.json()["sessions"]) == ["b"]


def test_an_unchanged_half_hour_is_not_sent_again(
    client: TestClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """304 until tokens come or a minute goes by."""
    log(hub, report("a", buckets=spent({3: 1})))
    tag = client.get("/api/activity").headers["etag"]
    asked = {"If-None-Match": tag}
    assert client.get("/api/activity", headers=asked).status_code == 304
    log(hub, report("a", to=2, from_=1, buckets=spent({3: 2})))
    assert client.get("/api/activity", headers=asked).status_code == 200
    asked = {"If-None-Match": client.get("/api/activity").headers["etag"]}
    monkeypatch.setattr(live, "now_ms", lambda: NOW + 1)
    assert client.get("/api/activity", headers=asked).status_code == 200
