"""Every load, run for a few seconds against a real tower, and against one that lies.

A run that is well ends with exit code 0; anything a client may not be told makes it 1.
"""

import asyncio
import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.end_to_end.running import Tower, started
from tests.locustfiles.liar import ROOT, locust, lying

BUSY = ("--agent-rate", "10", "--asks-every", "3")
SHORT = ("--spawn-rate", "50", "--run-time", "6s", "--stop-timeout", "3")


def files(*names: str) -> tuple[str, ...]:
    """The words that name locustfiles."""
    return ("-f", ",".join(f"locustfiles/{name}.py" for name in names))


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tower]:
    """One that all runs share; each brings sessions of its own."""
    folder = tmp_path_factory.mktemp("load")
    with started(folder / "home", folder / "data") as made:
        yield made


@contextlib.contextmanager
def baseline(way: str) -> Iterator[str]:
    """A naive server, started as a person would; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "locustfiles/baseline.py", way, "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        process.kill()


async def test_agents_work(tower: Tower) -> None:
    """Their hooks are taken, and their sessions are on the board."""
    before = len(tower.live())
    done = await locust(f"http://{tower.address}", "", *files("agents"), *BUSY, *SHORT, "-u", "5")
    assert done.code == 0, done.told
    assert "UserPromptSubmit" in done.told
    assert len(tower.live()) == before + 5


async def test_viewers_watch_agents(tower: Tower) -> None:
    """Every frame is judged, delays are measured, and nothing is wrong."""
    words = (*files("agents", "viewers"), *BUSY, *SHORT, "-u", "8")
    done = await locust(f"http://{tower.address}", tower.token, *words)
    assert done.code == 0, done.told
    for named in ("event → frame", "overview.patch", "session.snapshot", "lag"):
        assert named in done.told


async def test_viewers_without_a_board_are_no_success(tower: Tower) -> None:
    """Where nobody answers as a hub does, nothing was tested, and the run says so."""
    with baseline("sequential") as host:
        words = (*files("viewers"), *SHORT, "-u", "2")
        done = await locust(host, "", *words)
    assert done.code == 1
    assert "none was shown a board" in done.told


@pytest.mark.parametrize("name", ["5x2x1", "20x5x5", "steps", "reconnect-storm"])
async def test_a_scenario_runs_to_its_end(tower: Tower, name: str) -> None:
    """It ends by itself, and tells what the server says of itself."""
    pids = f"tower={tower.process.pid}"
    words = (*files("scenarios"), "--scenario", name, "--seconds", "8", "--stop-timeout", "3",
             "--pids", pids)  # fmt: skip
    done = await locust(f"http://{tower.address}", tower.token, *words)
    assert done.code == 0, done.told
    assert re.search(r"tower: [0-9.]+ % of a core", done.told)
    assert re.search(r"tower: \d+ MB at first", done.told)
    assert "tower_hub_broadcast_latency_seconds overview" in done.told
    assert name != "reconnect-storm" or "back after a cut" in done.told


@pytest.mark.parametrize("way", ["sequential", "gather", "gather-timeout"])
async def test_a_naive_server_takes_the_same_hooks(way: str) -> None:
    """So that before and after are the same load."""
    with baseline(way) as host:
        done = await locust(host, "", *files("agents"), *BUSY, *SHORT, "-u", "3")
    assert done.code == 0, done.told


@pytest.mark.parametrize(
    ("kind", "always", "complaint"),
    [("overview.patch", False, "a gap"), ("attention", True, "attention")],
)
async def test_a_server_that_lies_fails_the_run(
    tower: Tower, kind: str, always: bool, complaint: str
) -> None:
    """A patch that never comes is a gap; news of a request that never comes is one that is lost."""
    words = (*BUSY, "--spawn-rate", "50", "--run-time", "12s", "--stop-timeout", "3")
    async with lying(tower.address, kind, always=always) as (host, liar):
        working = locust(f"http://{tower.address}", "", *files("agents"), *words, "-u", "8")
        watching = locust(host, tower.token, *files("viewers"), *words, "-u", "4")
        worked, watched = await asyncio.gather(working, watching)
    assert worked.code == 0, worked.told
    assert liar.dropped
    assert watched.code == 1, watched.told
    assert f"violation: {complaint}" in watched.told, watched.told
