"""A database of history with its tables made, on SQLite and on a real PostgreSQL alike."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from history.database import Database
from history.history import History

SYSTEMS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


async def make_tables(url: str) -> None:
    """Bring an empty database up to date."""
    database = Database(url)
    try:
        await database.upgrade()
    finally:
        await database.close()


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What was made once, to be copied: system → file or database."""
    return {"folder": str(tmp_path_factory.mktemp("history"))}


@pytest.fixture(params=SYSTEMS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which there is nothing at all."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("postgres").create())


@pytest.fixture(params=SYSTEMS)
def database_url(
    request: pytest.FixtureRequest, tmp_path: Path, made_tables: dict[str, str]
) -> Iterator[str]:
    """A database with empty tables; they are made once for all tests, and copied."""
    if request.param == "sqlite":
        made = Path(made_tables["folder"]) / "made.db"
        if not made.exists():
            asyncio.run(make_tables(f"sqlite:///{made}"))
        copied = tmp_path / "history.db"
        shutil.copy(made, copied)
        yield f"sqlite:///{copied}"
        return
    postgres = request.getfixturevalue("postgres")
    if "postgresql" not in made_tables:
        url = postgres.create()
        asyncio.run(make_tables(url))
        made_tables["postgresql"] = url.rpartition("/")[2]
    yield postgres.create(made_tables["postgresql"])


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, opened."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def history(database: Database) -> History:
    """What the hub would ask."""
    return History(database)
