"""What every writer of SQL here needs: inserts that know of conflicts, and lists in pieces."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

KEYS_MAX = 250
"""So many keys stand in one statement: SQLite takes 999 values, and a key is up to three."""

ROWS_MAX = 100
"""So many rows are written at once: sockets and hooks have their turn in between."""

T = TypeVar("T")


def inserts(connection: AsyncConnection) -> Any:
    """The INSERT of this system, which knows what to do on a conflict."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert
    from sqlalchemy.dialects import postgresql

    return postgresql.insert


async def add(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert what is not there yet."""
    statement = inserts(connection)(table).on_conflict_do_nothing()
    for some in chunks(rows, ROWS_MAX):
        await connection.execute(statement, some)


async def upsert(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert, or replace what stands under the same key."""
    if not rows:
        return
    statement = inserts(connection)(table)
    keys = [column.name for column in table.primary_key]
    fresh = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=fresh)
    for some in chunks(rows, ROWS_MAX):
        await connection.execute(statement, some)


def chunks(items: Sequence[T], size: int = KEYS_MAX) -> Iterator[list[T]]:
    """The items, so many at a time."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
