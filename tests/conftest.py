"""What every test may ask for: the shared fixtures, a real Redis, PostgreSQL, a browser.

A test whose need is absent on this machine is deselected and counted in the summary, never
skipped; under CI=true a missing program fails instead.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import postgres as postgres_server
from tests import transports
from tests.end_to_end import namespaces
from tests.postgres import Postgres

# Helpers that assert: their failures are told in full.
pytest.register_assert_rewrite(
    "tests.history.calls",
    "tests.history.exact",
    "tests.history.told",
    "tests.hub.live.behind",
    "tests.hub.made",
    "locustfiles.reference_client",
)

# Machines that run tests are slow at times; a failing example is printed so that it can be kept.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")

transports.watch()

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = Path(os.environ.get("TOWER_FIXTURES") or ROOT.parent / "shared" / "fixtures")
CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
LEFT_OUT = pytest.StashKey[list[str]]()
LEFT_OPEN = pytest.StashKey[list[str]]()
NOTICED = "noticed"


def find_chromium() -> str | None:
    """The first Chromium this machine has."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def absent_needs(ci: bool) -> dict[tuple[str, str], str]:
    """(marker, fixture) of what this machine lacks, and what to do about it."""
    needs = {}
    if not FIXTURES.is_dir():
        needs["fixtures", "shared_fixtures"] = f"no such folder: {FIXTURES} (or $TOWER_FIXTURES)"
    if not ci and not shutil.which("redis-server"):
        needs["redis_server", "redis_url"] = "redis-server is not on PATH; install redis"
    if not ci and (reason := postgres_server.why_absent()):
        needs["postgres", "postgres"] = reason
    if not ci and not shutil.which("prometheus"):
        needs["prometheus", "prometheus"] = "prometheus is not on PATH; install prometheus"
    if not ci and not find_chromium():
        needs["browser", "chromium"] = "Chromium is not on PATH; install chromium"
    if not ci and not (sys.platform == "linux" and shutil.which("gcc")):
        needs["compiler", "gcc"] = "gcc is not on PATH, or this is no Linux"
    if not ci and (reason := namespaces.why_absent()):
        needs["namespaces", "namespaces"] = reason
    return needs


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what cannot run here."""
    lines = config.stash.setdefault(LEFT_OUT, [])
    for (marker, fixture), reason in absent_needs(os.environ.get("CI") == "true").items():
        gone = [
            item
            for item in items
            if item.get_closest_marker(marker) or fixture in getattr(item, "fixturenames", ())
        ]
        if gone:
            lines.append(f"left out, being marked `{marker}`: {len(gone)} ({reason})")
            config.hook.pytest_deselected(items=gone)
            items[:] = [item for item in items if item not in set(gone)]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Closes what the test left open, before another is blamed for it."""
    try:
        yield
    finally:
        lines = item.config.stash.setdefault(LEFT_OPEN, [])
        lines.extend(f"{item.nodeid} left open: {each}" for each in transports.left())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Whoever ran some of the tests tells what it noticed to whoever sums up."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told[NOTICED] = [session.config.stash.get(key, []) for key in (LEFT_OUT, LEFT_OPEN)]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What each of them leaves out is the same."""
    del error
    out, opened = getattr(node, "workeroutput", {}).get(NOTICED, ([], []))
    node.config.stash[LEFT_OUT] = out or node.config.stash.get(LEFT_OUT, [])
    node.config.stash.setdefault(LEFT_OPEN, []).extend(opened)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says what was left out, and why, and what was left open."""
    for line in config.stash.get(LEFT_OUT, []) + config.stash.get(LEFT_OPEN, []):
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="session")
def shared_fixtures() -> Path:
    """The folder of real recorded data."""
    return FIXTURES


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    found = find_chromium()
    if found is None:
        pytest.fail("Chromium is not on PATH, and CI needs it")
    return found


@pytest.fixture(scope="session")
def gcc() -> str:
    """The C compiler, for the tools of the benchmarks."""
    found = shutil.which("gcc")
    if found is None:
        pytest.fail("gcc is not on PATH, and CI needs it")
    return found


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real redis-server of this run's own, which keeps nothing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("redis-server is not on PATH, and CI needs it")
    folder = tmp_path_factory.mktemp("redis")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no", "--logfile", str(folder / "redis.log")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as server:
        try:
            wait_for_redis(server, port, folder / "redis.log")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL of this run's own; ``create`` makes databases in it."""
    reason = postgres_server.why_absent()
    if reason is not None:
        pytest.fail(f"{reason}, and CI needs it")
    with postgres_server.running(free_port()) as server:
        yield server


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_redis(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Returns when the server answers a PING."""
    deadline = time.monotonic() + 10
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            time.sleep(0.02)
    pytest.fail(f"redis-server did not start: {log.read_text() if log.exists() else 'no log'}")
