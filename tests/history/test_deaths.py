"""Recorders that die wherever they are: nothing is lost, and nothing is there twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bus.conftest import Server, running
from tests.history.deaths import die_often

pytestmark = pytest.mark.redis_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A real redis-server."""
    yield from running(Server(tmp_path))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_after_many_deaths_every_row_is_there_once(server: Server, database_url: str) -> None:
    """As of one fold of the whole log: sessions, timelines, tools, calls, sums and marks."""
    seen = await die_often(server, database_url, deaths=30, deltas=600, seed=4)
    assert sum(seen["at"].values()) == 30
    assert any("SIGKILL" in each for each in seen["at"])
    assert seen["rows"]["usage_copies"] > 0


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_after_some_deaths_on_postgresql_every_row_is_there_once(
    server: Server, database_url: str
) -> None:
    """Two partitions write at the same time there."""
    await die_often(server, database_url, deaths=10, deltas=400, seed=5)
