"""What stands in a database, read without the program's own queries."""

from typing import Any

from sqlalchemy import select

from history.store import Store
from history.tables import metadata

Row = dict[str, Any]


async def rows_of(store: Store, name: str) -> list[Row]:
    """Every row of a table, in the order of its key."""
    table = metadata.tables[name]
    async with store.database.read() as connection:
        found = await connection.execute(select(table).order_by(*table.primary_key))
        return [dict(row) for row in found.mappings()]
