"""A Redis of the test's own, and the machine's Prometheus."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bus.conftest import Server, running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own."""
    folder = tmp_path / "redis"
    folder.mkdir()
    yield from running(Server(folder))


@pytest.fixture(scope="session")
def prometheus() -> str:
    """The program."""
    found = shutil.which("prometheus")
    if found is None:
        pytest.fail("prometheus is not on PATH, and CI needs it")
    return found
