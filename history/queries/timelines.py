"""Timelines as they were recorded: pages that go back in time, and one entry with its full text.

An entry never changes. Called by the facade for the routes, and when a session is restored.
"""

from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from history.rows import entry_of
from history.tables import entry_texts, session_events, sessions
from session.timeline import TimelineEntry

PAGE_ENTRIES_MAX = 1_000


class Page(NamedTuple):
    """Entries, the newest last; ``more``: whether older ones are kept."""

    entries: list[TimelineEntry]
    more: bool


async def newest(
    connection: AsyncConnection, pk: int, before: int | None, limit: int
) -> list[TimelineEntry]:
    """The ``limit`` newest entries of a session before a ``seq``, the newest last."""
    wanted = session_events.c.session_pk == pk
    if before is not None:
        wanted &= session_events.c.seq < before
    rows = select(session_events).where(wanted).order_by(session_events.c.seq.desc()).limit(limit)
    found = (await connection.execute(rows)).mappings()
    return [entry_of(dict(row)) for row in found][::-1]


async def page(
    connection: AsyncConnection, workspace: str, session_id: str, before: int | None, limit: int
) -> Page | None:
    """One page of a session's timeline, or None if there is no such session."""
    pk = (await connection.execute(_key(workspace, session_id))).scalar()
    if pk is None:
        return None
    found = await newest(connection, pk, before, limit + 1)
    return Page(found[-limit:], len(found) > limit)


async def entry(
    connection: AsyncConnection, workspace: str, session_id: str, entry_id: str
) -> tuple[TimelineEntry, str] | None:
    """An entry, with its whole text as far as that was told."""
    pk = (await connection.execute(_key(workspace, session_id))).scalar()
    if pk is None:
        return None
    wanted = (session_events.c.session_pk == pk) & (session_events.c.entry_id == entry_id)
    row = (await connection.execute(select(session_events).where(wanted))).mappings().first()
    if row is None:
        return None
    found = entry_of(dict(row))
    longer = (entry_texts.c.session_pk == pk) & (entry_texts.c.entry_id == entry_id)
    text = (await connection.execute(select(entry_texts.c.text).where(longer))).scalar()
    return found, found.text if text is None else text


def _key(workspace: str, session_id: str) -> Select[int]:
    wanted = (sessions.c.workspace == workspace) & (sessions.c.id == session_id)
    return select(sessions.c.pk).where(wanted)
