"""The database of history: its engines, its transactions, and bringing its tables up to date.

Writers of SQLite stand in line for one connection and begin at once with the lock, so that none
fails half-way; readers have connections of their own. Called by the recorder, the queries and the
commands.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bus.unbroken import unbroken
from history.errors import DatabaseUnavailable, WrongSchema
from history.migrations import HEAD
from history.rows import Encoded

READERS = 4
WRITER_CACHE_KB = 8_000
READER_CACHE_KB = 16_000
"""The places of a common word fit in, with the texts that a search shows."""

BUSY_TIMEOUT_MS = 5_000
POSTGRES_TIMEOUT_S = 10.0
_MIGRATION_LOCK = 0x746F7765  # "towe": any number that nobody else takes
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError, ConnectionError)
_AWAY_STATES = ("08", "25006", "40", "42P01", "53", "55", "57", "58")
"""PostgreSQL: no connection, read-only, a deadlock, no tables yet, no resources, locked, shut down,
a broken disk."""


def read_url(told: str) -> URL:
    """The URL with the driver that is used here; raises ValueError for another database."""
    try:
        url = make_url(told)
    except SQLAlchemyError as error:
        raise ValueError(f"expected such as postgresql+asyncpg://user@host/name: {error}") from None
    family = url.get_backend_name()
    if family not in _DRIVERS:
        raise ValueError(f"expected sqlite or postgresql, got {family}")
    return url.set(drivername=_DRIVERS[family])


class Database:
    """One database. Every method may raise DatabaseUnavailable; nothing is half done then."""

    def __init__(self, url: str) -> None:
        self.url = read_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        shared: dict[str, Any] = {
            "json_serializer": _json,
            "json_deserializer": msgspec.json.decode,
        }
        if self.is_sqlite:
            self._writer = create_async_engine(self.url, pool_size=1, max_overflow=0, **shared)
            self._reader = create_async_engine(
                self.url, pool_size=READERS, max_overflow=0, pool_use_lifo=True, **shared
            )  # the reader of last time again, which has at hand what it read
            _prepare_sqlite(self._writer, begin="BEGIN IMMEDIATE", cache_kb=WRITER_CACHE_KB)
            _prepare_sqlite(self._reader, begin="BEGIN", cache_kb=READER_CACHE_KB)
        else:
            limits = {"timeout": POSTGRES_TIMEOUT_S, "command_timeout": POSTGRES_TIMEOUT_S}
            self._writer = create_async_engine(
                self.url, pool_size=READERS, max_overflow=2 * READERS, pool_pre_ping=True,
                pool_timeout=POSTGRES_TIMEOUT_S, connect_args=limits, **shared,
            )  # fmt: skip
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ")

    async def close(self) -> None:
        """Let go of every connection."""
        await self._writer.dispose()
        await self._reader.dispose()

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it or nothing. Whoever may be cancelled in it is ``unbroken``."""
        with _told_apart():
            async with self._writer.begin() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the database."""
        with _told_apart():
            async with self._reader.connect() as connection:
                yield connection

    async def check(self) -> None:
        """Raises WrongSchema unless the tables are as this release has them."""
        async with self.read() as connection:
            found = await connection.run_sync(_version)
        if found != HEAD:
            raise WrongSchema(found, HEAD)

    @unbroken
    async def upgrade(self) -> None:
        """Bring the tables up to date; of several processes one does it and the others wait."""
        self._make_folder()
        with contextlib.suppress(WrongSchema):
            await self.check()
            return
        await asyncio.to_thread(_import_alembic)
        async with self.write() as connection:
            if not self.is_sqlite:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK}
                )
            await connection.run_sync(_migrate)

    def _make_folder(self) -> None:
        if self.is_sqlite and self.url.database not in (None, "", ":memory:"):
            Path(str(self.url.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def _json(value: object) -> str:
    return value if isinstance(value, Encoded) else msgspec.json.encode(value).decode()


@contextlib.contextmanager
def _told_apart() -> Any:
    """A database that is away is waited for; a statement that it refuses is another matter."""
    try:
        yield
    except _AWAY as error:
        raise DatabaseUnavailable(_reason(error)) from error
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if error.connection_invalidated or state.startswith(_AWAY_STATES):
            raise DatabaseUnavailable(_reason(error)) from error
        raise


def _reason(error: BaseException) -> str:
    """What the driver said, without the statement and its values: they hold people's texts."""
    told = getattr(error, "orig", None) or error
    return " ".join(str(told).split())[:300] or type(told).__name__


def _prepare_sqlite(engine: AsyncEngine, *, begin: str, cache_kb: int) -> None:
    """Pragmas for each connection, and transactions that begin as we say."""

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # else the driver begins by itself, and too late
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=NORMAL",
            "foreign_keys=ON", "temp_store=MEMORY", f"cache_size=-{cache_kb}",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _version(connection: Connection) -> str | None:
    """Where the tables stand; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _import_alembic() -> None:
    """Late, for most starts have nothing to migrate; and beside the loop, for it takes long."""
    import alembic.command
    import alembic.config  # noqa: F401


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    found = _version(connection)
    if found == HEAD:
        return  # another process was quicker
    config = Config()
    config.set_main_option("script_location", "history:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
