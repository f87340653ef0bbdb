"""The tools of the benchmarks work: every row gives values, and no client ever sees a gap.

The values of so short a run mean nothing, and are not looked at.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROWS = (
    "send-path", "busy-hub", "cpu-per-client", "idle-memory", "stalled-memory", "tab-bytes",
    "healthy-beside-stalled", "scenarios",
)  # fmt: skip


def test_the_shell_entry_says_what_it_measures() -> None:
    """Without a word it fails, and tells which there are."""
    done = subprocess.run(
        [ROOT / "scripts/bench"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "say which: scripts/bench fanout, peers, scenarios, " in done.stderr


def test_every_question_to_history_is_measured(tmp_path: Path) -> None:
    """With few sessions, which are made, recorded and asked by the same tools."""
    told = tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/recorded.py", "--quick", "--json", str(told)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(told.read_text())
    rows = document["rows"]
    assert document["idle"]["resident_bytes"] > 0
    assert {row["what"].split(",")[0].split(" ")[0] for row in rows} == {
        "list", "search", "usage", "timeline", "restore",
    }  # fmt: skip
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in rows)


def test_a_service_by_itself_is_measured(tmp_path: Path) -> None:
    """What it folds, starts from, is asked and holds, by processes as users start them."""
    told = tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/service.py", "--quick", "--json", str(told)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(told.read_text())
    assert set(rows) == {"fold", "hub-start", "hooks", "tower-up"}
    assert all(line["value"] > 0 for lines in rows.values() for line in lines)


def test_a_scenario_is_measured_before_and_after(tmp_path: Path) -> None:
    """Ours at three rates and three naive servers, and ours loses nothing."""
    told = tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/scenarios.py", "--scenario", "5x2x1", "--rounds", "1",
         "--seconds", "2", "--json", str(told)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(told.read_text())
    assert {row["system"] for row in rows} == {
        "ours, 60 Hz", "ours, 1000 Hz", "ours, 5 Hz", "sequential", "gather", "gather-timeout",
    }  # fmt: skip
    assert [row["lost"] for row in rows] == [0] * 6
    assert all(0 < row["p50_ms"] <= row["p99_ms"] for row in rows)


def test_a_first_read_is_measured(tmp_path: Path) -> None:
    """Of a small home, by a tower of its own, with a client that waits for hooks."""
    told = tmp_path / "told.json"
    slug = tmp_path / "home" / "projects" / "-made-up"
    slug.mkdir(parents=True)
    source = ROOT / "tests/fixtures/transcripts/multi_block/main.jsonl"
    (slug / "a.jsonl").write_bytes(source.read_bytes())
    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/first_read.py", "--home", str(tmp_path / "home"),
         "--megabytes", "0", "--rounds", "1", "--json", str(told)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [row["value"] > 0 for row in json.loads(told.read_text())["rows"]] == [True] * 4


@pytest.mark.redis_server
def test_the_roles_stand_a_moment_of_load_and_every_client_sees_what_is_true(
    tmp_path: Path,
) -> None:
    """No frame breaks a rule, and at rest all of them show what a fold of the log says."""
    told = tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/soak.py", "--minutes", "0.1", "--clients", "20",
         "--sessions", "10", "--rate", "40", "--json", str(told)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(told.read_text())
    assert report["first_violations"] == []
    assert (report["rests"], report["violations"]) == (1, 0)
    assert report["events"] > 20
    assert report["frames"] > 100
    held = report["samples"][0]["held"]
    assert set(held) == {"redis", "ingest", "recorder", "hub-1", "hub-2"}
    assert all(each["pss_bytes"] > 0 and each["descriptors"] > 5 for each in held.values())


@pytest.mark.usefixtures("gcc")
def test_a_point_of_capacity_is_kept_and_not_measured_again(tmp_path: Path) -> None:
    """A run in pieces goes on where the last one ended."""
    points = tmp_path / "points.json"
    for count in (1, 2):
        done = subprocess.run(
            [sys.executable, "scripts/benchmarks/capacity.py", "--quick", "--most", "1", "--axis",
             "subscriptions", "--points", str(points)],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        measured = json.loads(points.read_text())
        assert [each["at"] for each in measured] == [0, 1][:count]
        assert all(each["cpu"] > 0 and each["memory_mb"] > 10 for each in measured)


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_a_board_is_watched_while_it_changes(tmp_path: Path) -> None:
    """By a real browser, of a small fleet: every window counts tasks, and changes do arrive."""
    told = tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/dashboard.py", "--sessions", "60", "--changes", "100",
         "--seconds", "1", "--json", str(told)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(told.read_text())["rounds"]
    assert row["rows_held"] == 60
    assert [each["busy"]["tasks"] > 0 for each in row["watched"]] == [True] * 6
    assert all(ms > 0 for told in row["first_row_ms"].values() for ms in told)
    assert row["arriving"]["rows"] > 0
    assert row["scripts"]["loaded_gzip_bytes"] > 0


@pytest.mark.usefixtures("gcc")
def test_every_row_of_the_fan_out_is_measured(tmp_path: Path) -> None:
    """Tiny and short, with the same tools, servers and clients as the real run."""
    told = tmp_path / "told.json"
    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/fanout.py", "--quick", "--json", str(told)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(told.read_text())["rows"]
    assert set(rows) == set(ROWS)
    assert all(lines for lines in rows.values())
    gaps = [line["value"] for lines in rows.values() for line in lines if "gaps" in line["what"]]
    assert gaps
    assert not any(gaps)
