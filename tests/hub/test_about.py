"""What a worker tells of itself: the numbers of ``/metrics``, to whoever may see the board."""

import asyncio
import math
import re

import msgspec
from starlette.testclient import TestClient

from hub import metrics
from hub.limits import Limits
from session.state import STATUSES
from tests.hub.made import event, permission, report, said
from tests.hub.servers import BEARER, cookie_for, make_app, make_door, make_hub, served
from tests.hub.test_rest import HOST, log


def value_in(page: str, name: str) -> float:
    """The value of one series of a page of metrics."""
    [found] = re.findall(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(found)


async def test_a_worker_tells_what_it_holds_and_sends() -> None:
    """Sessions by status, clients by state, what they have open, and frames since it started."""
    async with served() as hub, hub.client() as live:
        before = await asyncio.to_thread(hub.get, "/api/about")
        await hub.log(report("a", to=3, entries=said(3)), permission("b"))
        await live.send("subscribe", session="a", activate=True)
        await live.until(lambda: "a" in live.reference.opened)
        told = await asyncio.to_thread(hub.get, "/api/about")
    assert told["worker"] == "w-test"
    assert told["started_at"] == hub.hub.worker.started_ms <= before["now"] <= told["now"]
    assert set(told["sessions"]) == set(STATUSES)
    assert told["sessions"]["waiting"] == 1
    assert told["clients"] == {"live": 1, "behind": 0, "closing": 0}
    assert told["subscriptions"] == 1
    assert told["sent_bytes"] > before["sent_bytes"]
    assert told["snapshots"]["subscribe"] == before["snapshots"].get("subscribe", 0) + 1
    assert sum(told["frames"]["session.snapshot"].values()) > 0
    assert told["limits"] == msgspec.to_builtins(Limits())


async def test_the_numbers_are_those_of_the_metrics() -> None:
    """Each histogram and counter has the very values that Prometheus reads."""
    async with served() as hub, hub.client() as live:
        await hub.log(permission("b"))
        await live.until(lambda: live.reference.items)
        told = await asyncio.to_thread(hub.get, "/api/about")
        page = await asyncio.to_thread(hub.get_text, "/metrics")
    series = "tower_hub_broadcast_latency_seconds"
    for lane, distribution in told["latency"].items():
        assert distribution["count"] == value_in(page, f'{series}_count{{lane="{lane}"}}')
        assert distribution["sum_seconds"] == value_in(page, f'{series}_sum{{lane="{lane}"}}')
        for le, count in distribution["buckets"]:
            assert count == value_in(page, f'{series}_bucket{{lane="{lane}",le="{le}"}}')
    assert set(told["latency"]) == {"attention", "session", "overview"}
    assert told["latency"]["attention"]["count"] > 0
    assert told["flush"]["count"] == value_in(page, "tower_hub_flush_seconds_count")
    assert told["bus"]["gaps"] == value_in(page, "tower_bus_gaps_total")
    assert told["conflated_updates"] == value_in(page, "tower_hub_conflated_updates_total")


def test_a_lag_that_nobody_knows_is_null() -> None:
    """Before the log was looked at, and while it is away; else a number."""
    hub = make_hub(make_door())
    with TestClient(make_app(hub), base_url=HOST, headers=dict(BEARER)) as client:
        metrics.bus_lag.set(math.nan)
        assert client.get("/api/about").json()["bus"]["lag_entries"] is None
        metrics.bus_lag.set(7)
        assert client.get("/api/about").json()["bus"]["lag_entries"] == 7


def test_a_viewer_of_any_workspace_is_told_the_same_sums() -> None:
    """Before the log is folded as well; and no session, person or text is named."""
    hub = make_hub(make_door())
    log(hub, event("prompt", "secret-session", text="secret-text", user="secret-user"))
    cookie = cookie_for(hub.door, "viewer", "other")
    with TestClient(make_app(hub), base_url=HOST) as client:
        assert client.get("/api/about").status_code == 401
        answer = client.get("/api/about", headers={"Cookie": cookie})
    assert answer.status_code == 200
    assert sum(answer.json()["sessions"].values()) == 1
    assert "secret" not in answer.text
