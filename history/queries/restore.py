"""Sessions as they were recorded: what the fold goes on from, with the newest of the timeline.

Never guesses: a state of another release is not read, and the summary stands for it. Called by
the hub for sessions that its cache does not hold, and by the comparison.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from history.queries.timelines import newest
from history.rows import session_of, summary_of
from history.sql import chunks
from history.tables import checkpoints, session_events, session_states, session_tools, sessions
from session.errors import InvalidCheckpoint
from session.state import Session
from session.timeline import RING_ENTRIES_MAX, Timeline

log = logging.getLogger(__name__)

Key = tuple[str, str]


async def session(
    connection: AsyncConnection,
    workspace: str,
    session_id: str,
    numbering: str | None = None,
    ring_entries: int = RING_ENTRIES_MAX,
) -> Session | None:
    """One session, or None. A number of another count than ``numbering`` is 0."""
    joined = sessions.outerjoin(session_states, session_states.c.session_pk == sessions.c.pk)
    wanted = (sessions.c.workspace == workspace) & (sessions.c.id == session_id)
    columns = select(sessions, *session_states.columns).select_from(joined).where(wanted)
    row = (await connection.execute(columns)).mappings().first()
    if row is None:
        return None
    restored = _state_of(row, numbering) or await _outlined(connection, row)
    ring = await newest(connection, row["pk"], restored.timeline.seq + 1, ring_entries)
    restored.timeline.refill(ring, restored.cursor_number)
    return restored


def _state_of(row: Mapping[Any, Any], numbering: str | None) -> Session | None:
    """The state as it was written, or None where there is none that can be read."""
    if row["state"] is None:
        return None
    try:
        return session_of(row, row["numbering"] if numbering is None else numbering)
    except InvalidCheckpoint as error:
        log.warning("the state of session %s cannot be read: %s", row["id"], error)
        return None


async def _outlined(connection: AsyncConnection, row: Mapping[Any, Any]) -> Session:
    """What the other tables know: the summary, tools, errors, and where the timeline goes on."""
    pk = row["pk"]
    restored = Session(**summary_of(row), past=row["past"], errors=list(row["errors_list"] or ()))
    last = select(func.max(session_events.c.seq)).where(session_events.c.session_pk == pk)
    seq: int | None = (await connection.execute(last)).scalar()
    restored.timeline = Timeline.emptied(seq or 0, b"", 0)
    tools = select(session_tools).where(session_tools.c.session_pk == pk)
    for tool in (await connection.execute(tools)).mappings():
        counts = {name: tool[name] for name in ("calls", "errors", "total_ms")}
        restored.tools[tool["tool"]] = counts
    return restored


async def numbers(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, tuple[int, str]]:
    """The log's number up to which each session is recorded, and which count that is of."""
    joined = sessions.join(session_states, session_states.c.session_pk == sessions.c.pk)
    columns = select(
        sessions.c.workspace, sessions.c.id, session_states.c.number, session_states.c.numbering
    ).select_from(joined)
    found: dict[Key, tuple[int, str]] = {}
    for some in chunks(keys):
        wanted = tuple_(sessions.c.workspace, sessions.c.id).in_(some)
        for workspace, session_id, number, numbering in await connection.execute(
            columns.where(wanted)
        ):
            found[workspace, session_id] = (number, numbering)
    return found


async def numberings(connection: AsyncConnection) -> dict[int, tuple[str, str]]:
    """The count that each recorded partition of the log is at, and the place up to which."""
    columns = select(checkpoints.c.partition, checkpoints.c.numbering, checkpoints.c.position)
    found = await connection.execute(columns)
    return {each.partition: (each.numbering, each.position) for each in found}
