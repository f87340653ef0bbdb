"""What the pages say follows from what was measured: slopes, costs, bounds and plans."""

import json
import math
from pathlib import Path
from typing import Any

import capacity_model as model_of
import capacity_page
import pytest
import soak_page
from capacity_model import bounds, fitted, planned
from capacity_points import AXES, Point, hello_of

COSTS = {"process": 0.05, "event": 60e-6, "flush": 1e-3, "frame": 8e-6, "mb": 2e-3, "client": 20e-6}
MB = {"process": 60.0, "session": 0.02, "client": 0.04}


def made(axis: str, at: int, **told: float) -> Point:
    """A point that the costs above explain."""
    asked: dict[str, float] = {"sessions": 200, "clients": 100, "events": 500, "subscriptions": 0}
    asked |= {axis: at} | told if axis != "workers" else told
    flushes = 60 / (1 + asked["clients"] / 300) + asked["subscriptions"]
    frames = asked["clients"] * flushes
    wire = frames * (5 + asked["sessions"] % 7) / 1_000
    workers = at if axis == "workers" else 1
    cpu = COSTS["process"] * workers + COSTS["event"] * asked["events"] * workers
    cpu += COSTS["flush"] * flushes
    cpu += COSTS["frame"] * frames + COSTS["mb"] * wire + COSTS["client"] * asked["clients"]
    memory = MB["process"] + MB["session"] * asked["sessions"] + MB["client"] * asked["clients"]
    return Point(
        axis, at, int(asked["sessions"]), int(asked["clients"]), asked["events"],
        int(asked["subscriptions"]), workers, cpu, memory, frames, wire, 50.0,
        asked["events"] * (20e-6 + 5e-6 * workers), 0.05, 0.1,
    )  # fmt: skip


POINTS = [made(axis, at) for axis, places in AXES.items() for at in places]


def test_the_model_finds_what_the_points_were_made_of() -> None:
    """CPU of a process, an event, a flush, a frame, a MB, a client; memory; Redis by reader."""
    model = fitted(POINTS)
    assert model.cpu.costs == pytest.approx(list(COSTS.values()), rel=1e-3)
    assert model.memory.costs == pytest.approx(list(MB.values()), rel=1e-3)
    assert model.redis.costs == pytest.approx([20e-6, 5e-6], rel=1e-3)
    assert model.event_cpu == pytest.approx(60e-6, rel=1e-3)
    assert model.ingest_event == pytest.approx(0.05 / 500)


def test_what_is_full_first_stands_first_and_grows_with_what_it_costs() -> None:
    """Twice as dear an event is folded for half as many viewers."""
    model = fitted(POINTS)
    told = {each.what: each.viewers for each in bounds(model)}
    assert list(told.values()) == sorted(told.values())
    folding = "each worker folds every event"
    expected = model_of.BUSY_MAX / (model_of.EVENTS_OF_A_VIEWER * 60e-6)
    assert told[folding] == pytest.approx(expected, rel=1e-3)
    dear = [p._replace(cpu=p.cpu + 60e-6 * p.events * p.workers) for p in POINTS]
    half = {each.what: each.viewers for each in bounds(fitted(dear))}
    assert half[folding] == pytest.approx(expected / 2, rel=1e-2)


def test_a_plan_keeps_every_worker_within_its_limits() -> None:
    """CPU, connections and sessions; a thousand times the viewers need more of everything."""
    model = fitted(POINTS)
    plans = [planned(model, each) for each in model_of.VIEWERS]
    for p in plans:
        spent = p.viewers * model.viewer_cpu + model_of.COPIES * p.events * model.event_cpu
        assert spent / p.workers + model.cpu.costs[0] <= model_of.BUSY_MAX + 1e-9
        assert p.viewers / p.workers <= model_of.CONNECTIONS_MAX
        assert model_of.COPIES * p.viewers / p.workers <= model_of.SESSIONS_MAX
        assert p.partitions >= max(p.redis_nodes, p.recorders)
        assert math.log2(p.partitions).is_integer()
    assert [p.workers for p in plans] == sorted(p.workers for p in plans)
    assert plans[-1].workers > plans[0].workers


def test_the_page_of_capacity_has_every_point_and_every_picture(tmp_path: Path) -> None:
    """And links no picture that is not drawn."""
    page = capacity_page.page(POINTS)
    drawn = capacity_page.pictures(POINTS, fitted(POINTS))
    assert all(f"capacity/{name}" in page for name in drawn)
    assert page.count("](capacity/") == len(drawn)
    assert "| 10,000 |" in page
    assert "| 1,000,000 |" in page
    assert all(drawing.startswith("<svg") for drawing in drawn.values())


def test_points_survive_their_file() -> None:
    """As JSON, for a run that is done in pieces."""
    told = json.loads(json.dumps([p._asdict() for p in POINTS]))
    assert [Point(**each) for each in told] == POINTS


def test_a_greeting_opens_so_many_sessions() -> None:
    """By resuming what it cannot hold, which is answered by snapshots."""
    hello = hello_of(4, rate_hz=5)
    assert [each["cursor"] for each in hello["resume"]] == [""] * 4
    assert len({each["session"] for each in hello["resume"]}) == 4
    assert hello["subscriptions"] == 4
    assert hello["rate_hz"] == 5


def held(megabytes: float, cpu_s: float, descriptors: int = 50) -> dict[str, Any]:
    """What one role holds."""
    size = megabytes * 1e6
    return {"rss_bytes": size, "pss_bytes": size, "descriptors": descriptors, "threads": 3,
            "cpu_s": cpu_s}  # fmt: skip


def report(*growing: float) -> dict[str, Any]:
    """Half an hour in which roles grow by so many MB a minute, after a steep beginning."""
    samples = []
    for tick in range(181):
        minute = tick / 6
        start = 50 - 40 * math.exp(-minute)
        roles = {
            f"hub-{n}": held(start + more * minute, 6 * minute) for n, more in enumerate(growing)
        }
        samples.append({"minute": minute, "held": roles | {"redis": held(5 * minute, 0)},
                        "told": {"hub-0": {"conflated": 7.0, "evictions": 3.0}}})  # fmt: skip
    return {
        "asked": {"minutes": 30, "hubs": 2, "clients": 500, "sessions": 200, "rate": 500.0},
        "events": 900_000, "passed_over": 0, "sessions_in_all": 290, "rests": 6, "partial": 0,
        "connects": 9_000, "frames": 5_000_000, "received_mb": 4_000.0, "items_looked_at": 800_000,
        "items_late": 0, "first_late": [], "late_p99_ms": 4.0, "closed_by": {"1006": 8_000},
        "answers": {}, "refused": {}, "violations": 0, "first_violations": [], "samples": samples,
    }  # fmt: skip


def test_only_what_grows_after_the_warm_up_counts() -> None:
    """A steep beginning is none; a steady growth beyond the target is told as not reached."""
    still, slow, fast = [c for c in soak_page.courses(report(0.0, 0.05, 1.5)) if c.role != "redis"]
    assert still.slope == pytest.approx(0.0, abs=0.02)
    assert slow.slope == pytest.approx(0.05, abs=0.02)
    assert fast.slope == pytest.approx(1.5, abs=0.02)
    assert [c.reached for c in (still, slow, fast)] == [True, True, False]
    assert still.cpu_percent == pytest.approx(10.0)


def test_growth_that_does_not_fall_is_not_reached() -> None:
    """Below the target, but steady, while another one's falls."""
    steady, _ = soak_page.courses(report(0.8))
    falls = steady._replace(earlier=0.9, later=0.4, slope=0.6)
    rises = steady._replace(earlier=0.4, later=0.9, slope=0.6)
    assert (falls.reached, rises.reached) == (True, False)


def test_of_the_log_nothing_is_asked() -> None:
    """It keeps ids for a day, and may grow."""
    courses = {c.role: c for c in soak_page.courses(report(0.0))}
    assert courses["redis"].slope == pytest.approx(5.0, abs=0.01)
    assert courses["redis"].reached is None


def test_the_page_of_endurance_keeps_what_a_person_said() -> None:
    """Below the picture; everything above is made anew."""
    page = soak_page.page(report(0.0, 0.1), "\nIt was a quiet day.\n")
    assert "**0 violations**" in page
    assert page.endswith("It was a quiet day.\n")
    assert page.count("| hub-") == 2
    assert "soak.svg" in page
    assert soak_page.picture(report(0.0)).count("<polyline") == 2
