"""The tables of ``scripts/bench peers`` from made-up figures, and what it says besides."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "scripts" / "benchmarks"


def loaded() -> ModuleType:
    """The pure half of the benchmark, which is no package."""
    spec = importlib.util.spec_from_file_location("peer_figures", BENCHMARKS / "peer_figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


peer_figures = loaded()


def figures(load: str, server: str, cpu_percent: float, **changed: Any) -> Any:
    """One server under one load: 10 clients, a frame for each event, fresh."""
    usual = {
        "clients": 10, "events_in_frame": 1.0, "p50_ms": 1.0, "p99_ms": 5.0, "frames": 2_000.0,
        "shown": 2_000.0, "bytes": 1e6, "client_cpu_percent": 20.0,
    }  # fmt: skip
    return peer_figures.Figures(load, server, cpu_percent=cpu_percent, **{**usual, **changed})


def ours(cpu_percent: float, **changed: Any) -> Any:
    """Agent Tower, which sends ten frames a second to a hundred clients."""
    usual = {"clients": 100, "events_in_frame": 200.0, "p50_ms": 60.0, "p99_ms": 150.0}
    return figures("busy", "ours, 10 Hz", cpu_percent, **{**usual, **changed})


def told(*rounds: list[Any]) -> list[str]:
    """The lines of the ratios, without the head."""
    return str(peer_figures.ratios(rounds)).splitlines()[2:]


def result(**changed: Any) -> dict[str, Any]:
    """What the load client prints after two seconds."""
    lane = {"frames": 200, "stamps": 4_000, "p50_ms": 1.5, "p99_ms": 3.0}
    return {
        "seconds": 2.0, "server_cpu_seconds": 0.5, "client_cpu_seconds": 0.2,
        "wire_bytes": 4_000_000, "lanes": {"overview": {**lane, **changed}},
    }  # fmt: skip


def test_the_target_is_held_against_whoever_spends_least() -> None:
    """One row holds who collects what waits as well, one only who sends each event alone."""
    one = [
        ours(10.0), figures("busy", "each", 50.0), figures("busy", "worse", 60.0),
        figures("busy", "collects", 15.0, events_in_frame=4.0),
    ]  # fmt: skip
    first, second = told(one)[:2]
    assert "ours, 10 Hz to 100 with 200 events in a frame / the best, collects" in first
    assert "with 4.00 events in a frame | 0.067 × | ≤ 0.05 × | **no** |" in first
    assert "a frame for each event, each to 10 with 1.00 events" in second
    assert "| 0.020 × | ≤ 0.05 × | yes |" in second


def test_who_is_not_fresh_is_not_compared() -> None:
    """A cheap server whose frames are old sets no mark, and neither do we."""
    late = figures("busy", "late", 1.0, p99_ms=900.0)
    assert "/ the best, each to 10" in told([ours(10.0), late, figures("busy", "each", 50.0)])[0]
    stale = told([ours(10.0, p99_ms=201.0), figures("busy", "each", 50.0)])[0]
    assert stale.endswith("against the best: ours is not so fresh | – | ≤ 0.05 × | **no** |")
    assert "nobody is so fresh" in told([ours(10.0), late])[0]


def test_a_ratio_is_of_servers_in_the_same_round() -> None:
    """The median of the rounds' own ratios; a machine that is slow for a while changes nothing."""
    rounds = [
        [ours(10.0), figures("busy", "each", 50.0)],
        [ours(20.0), figures("busy", "each", 100.0)],
        [ours(5.0), figures("busy", "each", 5.0)],
    ]
    assert "| 0.020 × |" in told(*rounds)[0]


def test_every_other_server_has_a_ratio_that_names_both_batches() -> None:
    """Also where it wins, and also in batches of its publisher, against ours in the same stream."""
    one = [
        ours(10.0), figures("busy", "each", 50.0),
        figures("batched", "each", 0.5, events_in_frame=400.0),
    ]  # fmt: skip
    lines = told(one)
    assert (
        "| busy: ours, 10 Hz to 100 with 200 events in a frame "
        "/ each to 10 with 1.00 events in a frame | 0.020 × | | |"
    ) in lines
    assert (
        "| batched: ours, 10 Hz to 100 with 200 events in a frame "
        "/ each to 10 with 400 events in a frame | 2.00 × | | |"
    ) in lines


def test_the_figures_are_for_each_client() -> None:
    """Frames and bytes of all clients, texts of those that were read, CPU of the server."""
    made = peer_figures.figures("busy", "each", 10, 1, 2_000, result())
    assert (made.frames, made.shown, made.bytes) == (10.0, 2_000.0, 200_000.0)
    assert made.client_us == pytest.approx(25_000)
    assert made.events_in_frame == 200.0


def test_ours_stands_for_superseded_events_as_well() -> None:
    """A frame of ours holds the last value of each row, for all events since the one before."""
    made = peer_figures.figures("busy", "ours", 10, 1, 2_000, result(stamps=1_000))
    assert (made.shown, made.events_in_frame) == (500.0, 200.0)


def test_a_server_that_delivered_nothing_has_dashes() -> None:
    """There is no delay of what never came."""
    nothing = peer_figures.figures(
        "busy", "mute", 10, 1, 2_000, result(frames=0, stamps=0, p50_ms=None, p99_ms=None)
    )
    assert "| mute | 10 | 0.00 | – ms | – ms |" in peer_figures.table([[nothing]], "busy")


def run(*words: str, path: str = os.environ["PATH"]) -> "subprocess.CompletedProcess[str]":
    """The benchmark, with other programs on its path."""
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / "peers.py"), *words], cwd=ROOT, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}, capture_output=True, text=True,
    )  # fmt: skip


def test_an_unknown_peer_is_answered_by_the_known_ones() -> None:
    """Before anything is started."""
    done = run("--peer", "carrier pigeons")
    assert done.returncode == 2
    assert "choose from 'Socket.IO + redis', 'ws + redis', 'nchan', 'NATS'" in done.stderr


def test_what_is_missing_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    """And the tables of kept rounds are told all the same, without measuring."""
    told = tmp_path / "rounds.json"
    told.write_text(json.dumps([[ours(10.0)._asdict(), figures("busy", "each", 50.0)._asdict()]]))
    done = run("--rounds", "0", "--json", str(told), path=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "nchan is not installed: `sudo apt-get install nginx libnginx-mod-nchan`" in done.stderr
    assert "NATS is not installed: `sudo apt-get install nats-server`" in done.stderr
    assert "| each | 10 | 1.00 | 1.00 ms | 5.00 ms | 50.0 % |" in done.stdout
