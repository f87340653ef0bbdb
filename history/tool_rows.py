"""Tools of sessions in SQL, and their sums by blocks of sessions.

A block's sums are made anew from its sessions whenever one of them changes, so that they can never
drift; it is so short that this costs next to nothing. Called by the store, inside its transaction.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from history.change import Change
from history.sql import upsert
from history.tables import session_tools, sessions, tool_blocks

BLOCK_BITS = 6
"""So many bits of a session's key tell it from the others of its block."""

_COUNTS = ("calls", "errors", "total_ms")
_BLOCK = bindparam("of_block", type_=tool_blocks.c.block.type)
_KEYS = (sessions.c.workspace, session_tools.c.tool)
_FORGET_BLOCK = delete(tool_blocks).where(tool_blocks.c.block == _BLOCK)
_SUM_UP = insert(tool_blocks).from_select(
    ["block", "workspace", "tool", *_COUNTS, "sessions"],
    select(_BLOCK, *_KEYS, *(func.sum(session_tools.c[name]) for name in _COUNTS), func.count())
    .join(sessions, sessions.c.pk == session_tools.c.session_pk)
    .where(session_tools.c.session_pk.between(bindparam("first"), bindparam("last")))
    .group_by(*_KEYS),
)


async def write_tools(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """What sessions tell of their tools, each as a whole."""
    rows = [{"session_pk": each.pk, **row} for each in changes for row in each.tools]
    await upsert(connection, session_tools, rows)
    for change in changes:
        if change.gone_tools:
            theirs = session_tools.c.session_pk == change.pk
            gone = session_tools.c.tool.in_(change.gone_tools)
            await connection.execute(delete(session_tools).where(theirs, gone))
    changed = (each.pk for each in changes if each.tools or each.gone_tools)
    await sum_up_tools(connection, (pk for pk in changed if pk is not None))


async def sum_up_tools(connection: AsyncConnection, pks: Iterable[int]) -> None:
    """Sums of the blocks of these sessions, from the rows as they are."""
    for block in sorted({pk >> BLOCK_BITS for pk in pks}):
        first = block << BLOCK_BITS
        last = first + (1 << BLOCK_BITS) - 1
        await connection.execute(_FORGET_BLOCK, {"of_block": block})
        await connection.execute(_SUM_UP, {"of_block": block, "first": first, "last": last})
