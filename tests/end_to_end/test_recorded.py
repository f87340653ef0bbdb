"""Real recordings through a real tower: every total, every status, and what it takes."""

import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest

from tests.end_to_end.running import Tower, started, until
from tests.end_to_end.status_reference import Derived
from tests.ingest.adapters.rollouts import last_total

pytestmark = pytest.mark.fixtures
NAMES = ("input", "output", "cache_write", "cache_read")


def test_all_48_sessions_count_right(
    shared_fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tokens exactly and cost within 1e-5 USD, through the board's own interface."""
    began = time.monotonic()
    with started(shared_fixtures / "claude_home", tmp_path / "data") as tower:
        up_s = time.monotonic() - began
        assert tower.ask("GET", "/readyz")[0] == 200
        expected = json.loads((shared_fixtures / "expected_totals.json").read_bytes())["sessions"]
        ids = {name.rpartition("/")[2]: told for name, told in expected.items()}
        until(lambda: ids.keys() <= tower.live().keys(), 60)
        wrong = {}
        for name, told in ids.items():
            until(lambda name=name, told=told: tokens(tower, name)[1] == told["final"][1], 20)
            if tokens(tower, name) != told["final"][:4]:
                wrong[name] = (tokens(tower, name), told["final"])
            cost = tower.get(f"/api/sessions/{name}")["cost_usd"] or 0
            if abs(cost - told["cost_usd"]) > 1e-5:
                wrong[name] = (cost, told["cost_usd"])
        read_s, rss_mb = time.monotonic() - began, tower.rss_mb
    assert wrong == {}
    assert len(ids) == 48
    with capsys.disabled():
        sys.stdout.write(f"\nup {up_s:.2f} s, all read {read_s:.2f} s, RSS {rss_mb:.0f} MB\n")


def test_rollouts_of_codex_count_right_beside_claude_code(
    shared_fixtures: Path, tmp_path: Path
) -> None:
    """Eleven sessions with their agent's name; their tokens are the last totals they write."""
    (tmp_path / "home" / "projects").mkdir(parents=True)
    paths = {path.stem: path for path in (shared_fixtures / "codex").rglob("*.jsonl")}
    more = ("--codex-dir", str(shared_fixtures / "codex"))
    with started(tmp_path / "home", tmp_path / "data", *more) as tower:
        rows = until(lambda: paths.keys() == (told := tower.live()).keys() and told, 60)
        assert {row["agent"] for row in rows.values()} == {"codex"}
        for name, path in paths.items():
            whole, cached, output = last_total(path.read_bytes())
            assert tokens(tower, name) == [whole, output, 0, cached]
        assert {name for name in paths if rows[name]["cost_usd"]} == {
            name for name, path in paths.items() if any(last_total(path.read_bytes()))
        }


def tokens(tower: Tower, name: str) -> list[int]:
    """A session's tokens in the order of the expected totals."""
    told = tower.get(f"/api/sessions/{name}")["tokens"] or {}
    return [told.get(kind, 0) for kind in NAMES]


def test_the_recorded_sessions_are_past(shared_fixtures: Path, tmp_path: Path) -> None:
    """They are months old: the board is filled up with them, and none reads as running."""
    with started(shared_fixtures / "claude_home", tmp_path / "data") as tower:
        rows = until(lambda: len(told := tower.live()) >= 48 and told, 60)
        assert {row["status"] for row in rows.values()} <= {"ended"}
        assert all(row["ended_at"] == row["updated_at"] for row in rows.values())
        assert tower.get("/api/live")["totals"]["sessions"] == len(rows)


def test_every_hook_leaves_the_right_status(
    shared_fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """893 payloads in order: after each the status and the number of open items."""
    lines = (shared_fixtures / "hooks" / "claude_code.jsonl").read_bytes().splitlines()
    assert len(lines) == 893
    (tmp_path / "home" / "projects").mkdir(parents=True)
    sessions: dict[str, Derived] = defaultdict(Derived)
    took_ms = []
    with started(tmp_path / "home", tmp_path / "data") as tower:
        for number, line in enumerate(lines, 1):
            payload = json.loads(line)
            name = payload["session_id"]
            sessions[name].hear(payload)
            took_ms.append(tower.hook(payload))
            want = (sessions[name].status, sessions[name].attention)
            got = settled(tower, name, want)
            assert got == want, (number, payload["hook_event_name"], got, want)
        for name, each in sessions.items():
            assert settled(tower, name, (each.status, each.attention))
    marks = quantiles(took_ms, n=100)
    with capsys.disabled():
        sys.stdout.write(f"\nhook POST p50 {marks[49]:.2f} ms, p99 {marks[98]:.2f} ms\n")


def settled(tower: Tower, name: str, want: tuple[str, int]) -> tuple[Any, Any]:
    """The session's status and attention, as soon as they are as wanted or time is up."""
    deadline = time.monotonic() + 2
    while True:
        row = tower.live().get(name, {})
        got = (row.get("status"), row.get("attention"))
        if got == want or time.monotonic() > deadline:
            return got
