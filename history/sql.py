"""What every writer of SQL here needs: inserts that know of conflicts, and lists in pieces.

Statements are made once: making one, and finding it in SQLAlchemy's cache, takes longer than SQLite
does. Called by the store, the queries and housekeeping, inside their transactions.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

KEYS_MAX = 250
"""So many keys stand in one statement: SQLite takes 999 values, and a key is up to three."""

ROWS_MAX = 100
"""So many rows are written at once: sockets and hooks have their turn in between."""

T = TypeVar("T")


async def add(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert what is not there yet."""
    statement = _addition(connection.dialect.name, table)
    for some in chunks(rows, ROWS_MAX):
        await connection.execute(statement, some)


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert, or replace what stands under the same key."""
    if not rows:
        return
    statement = _replacement(connection.dialect.name, table, tuple(rows[0]))
    for some in chunks(rows, ROWS_MAX):
        await connection.execute(statement, some)


@cache
def _addition(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _replacement(dialect: str, table: Table, names: tuple[str, ...]) -> Any:
    statement = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    fresh = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=fresh)


def _insert(dialect: str, table: Table) -> Any:
    """The INSERT of this system, which knows what to do on a conflict."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def chunks(items: Sequence[T], size: int = KEYS_MAX) -> Iterator[list[T]]:
    """The items, so many at a time."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
