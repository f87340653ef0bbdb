"""The record of who did what: rows are added and read, and after a while let go. Never changed.

Called by the facade, and by housekeeping for those that are too old.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from history.credentials import Act, Acts
from history.queries.filters import asked
from history.sql import ROWS_MAX, chunks
from history.tables import audit

ROWS_KEPT_MAX = 1_000_000
"""Beyond, the eldest are let go before their time: whoever fails to sign in makes rows, too."""

_NAMES = Act.__struct_fields__


async def keep(connection: AsyncConnection, acts: Sequence[Act]) -> None:
    """Add some."""
    rows = [{name: _plain(getattr(act, name)) for name in _NAMES} for act in acts]
    for some in chunks(rows, ROWS_MAX):
        await connection.execute(audit.insert(), some)


def _plain(value: Any) -> Any:
    return asked(value) if isinstance(value, str) else value


async def page(
    connection: AsyncConnection, workspace: str | None, limit: int, before: int | None
) -> Acts:
    """The latest of a workspace, or of all and of none where none is told."""
    wanted = select(audit).order_by(audit.c.pk.desc()).limit(limit + 1)
    if workspace is not None:
        wanted = wanted.where(audit.c.workspace == workspace)
    if before is not None:
        wanted = wanted.where(audit.c.pk < before)
    rows = [dict(row) for row in (await connection.execute(wanted)).mappings()]
    found = [(row["pk"], Act(**{name: row[name] for name in _NAMES})) for row in rows[:limit]]
    return Acts(found, found[-1][0] if len(rows) > limit else None)


async def tidy(connection: AsyncConnection, before_ms: int) -> None:
    """Let go of those from before a time, and of the eldest beyond so many."""
    await connection.execute(delete(audit).where(audit.c.at < before_ms))
    newest = (await connection.execute(select(func.max(audit.c.pk)))).scalar() or 0
    await connection.execute(delete(audit).where(audit.c.pk <= newest - ROWS_KEPT_MAX))
