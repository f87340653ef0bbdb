"""The list of sessions: what is recorded and not live, in the order of a filter, page by page.

Reads only what the page shows and what has to be counted. Called by the facade, which merges it
with what is live.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from history.queries import search
from history.queries.filters import Filter, asked
from history.queries.lists import Values
from history.queries.merge import Found, Recorded, merged
from history.queries.snippets import Hit, hit_of
from history.queries.terms import Term, terms
from history.rows import Row, summary_of
from history.tables import sessions
from session.state import Session

_DRIVER = {"sqlite": None, "postgresql": "C"}  # the collation that orders ids by their bytes
_HITS_AT_ONCE = 16


async def found(
    connection: AsyncConnection, workspace: str, wanted: Filter, live: Mapping[str, Session]
) -> Found:
    """The page of all sessions, live ones as they are."""
    looked_for = terms(wanted.q)
    if not looked_for:
        return merged(wanted, live, await _recorded(connection, workspace, wanted, live))
    conditions = _conditions(wanted)
    match = await search.found(connection, workspace, looked_for, conditions)
    pks = await _keys(connection, workspace, live) if live else {}
    keys = match.wanted.difference(pks.values())
    others = match.others.union(pks.values())
    theirs = [sessions.c.workspace == workspace]
    if len(keys) <= len(others):
        theirs.append(Values(connection, sessions.c.pk, keys).contain)
    else:  # a shorter list says the same
        theirs += [*conditions, Values(connection, sessions.c.pk, others).lack]
    rows = await _page(connection, wanted, theirs) if keys else []
    named = {session_id for session_id, pk in pks.items() if pk in match.keys}
    page = merged(wanted, live, Recorded(rows, len(keys), named))
    page.hits = await _hits(connection, workspace, page, match.terms)
    return page


async def _recorded(
    connection: AsyncConnection, workspace: str, wanted: Filter, live: Mapping[str, Session]
) -> Recorded:
    """What is asked for and not live."""
    conditions = _conditions(wanted)
    theirs = [sessions.c.workspace == workspace, *conditions]
    count = _count(theirs)
    if live:  # looked up by their keys, and not asked for with each row
        pks = _pks(connection, workspace, live)
        count -= _count([sessions.c.pk.in_(pks), *conditions])
        theirs.append(sessions.c.pk.not_in(pks))
    total = (await connection.execute(select(count))).scalar() or 0
    return Recorded(await _page(connection, wanted, theirs) if total else [], total)


def _count(conditions: list[ColumnElement[bool]]) -> ColumnElement[int]:
    return select(func.count()).select_from(sessions).where(*conditions).scalar_subquery()


def _pks(connection: AsyncConnection, workspace: str, live: Mapping[str, Session]) -> Select[int]:
    """The keys of live sessions that are recorded."""
    of = sessions.alias("of_live")
    cached = Values(connection, of.c.id, live).contain
    return select(of.c.pk).where(of.c.workspace == workspace, cached)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """What is asked for, in any workspace."""
    conditions: list[ColumnElement[bool]] = []
    if not wanted.archived:
        conditions.append(sessions.c.archived.is_(False))
    if wanted.status:
        conditions.append(sessions.c.status.in_(wanted.status))
    for name in ("agent", "project", "user"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(sessions.c[name] == value)
    if wanted.since is not None:
        conditions.append(sessions.c.updated_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(sessions.c.started_at <= wanted.until)
    return conditions


async def _keys(
    connection: AsyncConnection, workspace: str, live: Mapping[str, Session]
) -> dict[str, int]:
    """Live sessions that are recorded, and their keys."""
    cached = Values(connection, sessions.c.id, live).contain
    columns = select(sessions.c.id, sessions.c.pk)
    found = await connection.execute(columns.where(sessions.c.workspace == workspace, cached))
    return {each.id: each.pk for each in found}


async def _page(
    connection: AsyncConnection, wanted: Filter, conditions: list[ColumnElement[bool]]
) -> list[Row]:
    """The rows behind the cursor, and one more than a page if there are more."""
    rows: list[Row] = []
    for behind in _parts(connection, wanted):
        room = wanted.limit + 1 - len(rows)
        if room:
            shown = _ordered(connection, wanted, [*conditions, behind]).limit(room)
            # The order is found in an index; only what is shown is read whole.
            whole = select(sessions).where(sessions.c.pk.in_(shown.scalar_subquery()))
            read = (await connection.execute(whole)).mappings()
            rows += [summary_of(dict(row)) for row in read]
    return rows


def _ordered(
    connection: AsyncConnection, wanted: Filter, conditions: list[ColumnElement[bool]]
) -> Select[Any]:
    value = sessions.c[wanted.column].desc()
    if connection.dialect.name == "postgresql":
        value = value.nulls_last()
    return select(sessions.c.pk).where(*conditions).order_by(value, _id(connection).desc())


def _id(connection: AsyncConnection) -> ColumnElement[str]:
    collation = _DRIVER[connection.dialect.name]
    return sessions.c.id if collation is None else sessions.c.id.collate(collation)


def _parts(connection: AsyncConnection, wanted: Filter) -> list[ColumnElement[bool]]:
    """What lies behind the cursor: lesser values, then sessions of which none is known."""
    cursor, value = wanted.cursor, sessions.c[wanted.column]
    if cursor is None:
        return [literal(True)]
    key, last_id = _id(connection), literal(asked(cursor.id))
    if cursor.value is None:
        return [and_(value.is_(None), key < last_id)]
    last = tuple_(literal(cursor.value, value.type), last_id)
    return [tuple_(value, key) < last, value.is_(None)]


async def _hits(
    connection: AsyncConnection, workspace: str, page: Found, looked_for: list[Term]
) -> dict[str, Hit]:
    shown = Values(connection, sessions.c.id, [row["id"] for row in page.sessions])
    texts = await search.places(connection, workspace, shown.contain, looked_for)
    hits: dict[str, Hit] = {}
    for count, (session_id, text) in enumerate(texts.items(), 1):
        hits[session_id] = hit_of(text, looked_for)
        if count % _HITS_AT_ONCE == 0:
            await asyncio.sleep(0)  # a page may have a thousand, and sockets have their turn
    return hits
