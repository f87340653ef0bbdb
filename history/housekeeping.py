"""What the leading recorder does for history now and then, besides recording.

Sessions that are over longer than they are to be kept are deleted, over the log like by a person,
so that every board agrees; the search's many small documents of a session that is past become few.
Never hurries: a little at a time. Started by the recorder.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from sqlalchemy import delete, func, select, update

from bus.base import Bus
from bus.errors import BusError
from bus.unbroken import unbroken
from history.change import Key
from history.database import Database
from history.errors import DatabaseUnavailable
from history.queries import acts, tokens
from history.rows import DOCUMENTS_BITS
from history.sql import add
from history.tables import documents, session_states, sessions
from history.texts import documents_of
from session.delta import Event
from session.persons import PERSON

log = logging.getLogger(__name__)

INTERVAL_S = 60.0
EXPIRED_MAX = 100
DOCUMENTS_MAX = 4
"""A past session with more of them than it needs is put in order."""

ORDERED_MAX = 20
DAY_MS = 86_400_000


async def run(bus: Bus, database: Database, retain_days: int | None, audit_days: int) -> None:
    """Keep house for ever."""
    while True:
        await asyncio.sleep(INTERVAL_S)
        now_ms = time.time_ns() // 1_000_000
        try:
            if retain_days is not None:
                await expire(bus, database, retain_days, now_ms)
            await tidy_door(database, audit_days, now_ms)
            await order_documents(database)
        except (BusError, DatabaseUnavailable) as error:
            log.warning("history is not put in order now: %s", error)


async def expire(bus: Bus, database: Database, retain_days: int, now_ms: int) -> int:
    """Delete sessions that are past and silent for so many days; gives how many at most 100."""
    wanted = sessions.c.past.is_(True) & (sessions.c.updated_at < now_ms - retain_days * DAY_MS)
    columns = select(sessions.c.workspace, sessions.c.id, sessions.c.agent, sessions.c.updated_at)
    async with database.read() as connection:
        oldest = columns.where(wanted).order_by(sessions.c.updated_at).limit(EXPIRED_MAX)
        found = (await connection.execute(oldest)).all()
    if found:
        log.info("%d sessions are silent for over %d days and are deleted", len(found), retain_days)
        await bus.append([_deletion(*row, now_ms) for row in found])
    return len(found)


def _deletion(workspace: str, session_id: str, agent: str, updated_at: int, now_ms: int) -> Event:
    return Event(
        id=f"expired:{workspace}:{session_id}:{updated_at}", session=session_id,
        workspace=workspace, agent=agent, source=PERSON, kind="delete", received_at=now_ms,
    )  # fmt: skip


@unbroken
async def tidy_door(database: Database, audit_days: int, now_ms: int) -> None:
    """Let go of tokens that are over, and of the record of who did what after so many days."""
    async with database.write() as connection:
        await tokens.tidy(connection, now_ms)
        await acts.tidy(connection, now_ms - audit_days * DAY_MS)


async def order_documents(database: Database) -> list[Key]:
    """Join the documents of past sessions that have many; gives whose."""
    count = func.count(documents.c.number)
    many = (
        select(sessions.c.pk, sessions.c.workspace, sessions.c.id)
        .join(documents, documents.c.session_pk == sessions.c.pk)
        .where(sessions.c.past.is_(True))
        .group_by(sessions.c.pk, sessions.c.workspace, sessions.c.id)
        .having(count > DOCUMENTS_MAX)
        .limit(ORDERED_MAX)
    )
    async with database.read() as connection:
        found = (await connection.execute(many)).all()
    return [(workspace, each) for pk, workspace, each in found if await _join(database, pk)]


@unbroken
async def _join(database: Database, pk: int) -> bool:
    """Whether there are fewer by now: those of a very long session stay as many."""
    async with database.write() as connection:
        theirs = documents.c.session_pk == pk
        ordered = select(documents.c.number, documents.c.text).where(theirs)
        found = (await connection.execute(ordered.order_by(documents.c.number))).all()
        joined = documents_of(text for _, text in found)
        if len(joined) >= len(found):
            return False
        await connection.execute(delete(documents).where(theirs))
        await add(connection, documents, _rows(pk, joined))
        # Numbers that the recorder knows as taken stay so: it may have more of the session soon.
        last = found[-1][0] - (pk << DOCUMENTS_BITS)
        of_state = session_states.c.session_pk == pk
        told = update(session_states).where(of_state, session_states.c.documents <= last)
        await connection.execute(told.values(documents=last + 1))
    return True


def _rows(pk: int, texts: Sequence[str]) -> list[dict[str, object]]:
    first = pk << DOCUMENTS_BITS
    return [
        {"number": first + place, "session_pk": pk, "text": text}
        for place, text in enumerate(texts)
    ]
