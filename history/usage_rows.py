"""API calls in SQL: each once at the session that owns it, copies aside, and their sums.

Sums are made anew from the calls whenever one of them changes, so that they can never drift.
Called by the store, inside its transaction.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from history.change import Change, Spent
from history.claims import Claim, settle
from history.sql import chunks, upsert
from history.tables import sessions, usage, usage_copies, usage_days, usage_sessions

Call = tuple[str, str, str]
"""(workspace, agent, message id): an API call."""

Day = tuple[int, str]
"""(session_pk, day): what is summed up."""

_TURN = 0x75736167  # "usag": any number that nobody else takes

_COLUMNS = [column.name for column in usage.columns]
_TOKENS = ("input", "output", "cache_read", "cache_write")
_COUNTED = [usage_days.c[name] for name in Spent.__struct_fields__]

_DAYS: BindParameter[Any] = bindparam("days", expanding=True)
_FORGET_DAYS = (
    delete(usage_days)
    .where(tuple_(usage_days.c.session_pk, usage_days.c.day).in_(_DAYS))
    .returning(*_COUNTED)
)
_SUM_UP_DAYS = (
    insert(usage_days)
    .from_select(
        ["session_pk", "day", "model", "workspace", *_TOKENS, "cost_usd", "calls", "unpriced"],
        select(
            usage.c.session_pk, usage.c.day, usage.c.model, usage.c.workspace,
            *(func.sum(usage.c[name]) for name in (*_TOKENS, "cost_usd")),
            func.count(), func.sum(case((usage.c.cost_usd.is_(None), 1), else_=0)),
        )
        .join(sessions, sessions.c.pk == usage.c.session_pk)
        .where(tuple_(usage.c.session_pk, usage.c.day).in_(_DAYS))
        .where(usage.c.family == func.coalesce(sessions.c.usage_family, usage.c.family))
        .group_by(usage.c.session_pk, usage.c.day, usage.c.model, usage.c.workspace),
    )
    .returning(*_COUNTED)
)  # fmt: skip

_PKS: BindParameter[Any] = bindparam("pks", expanding=True)
_SUMS = (*_TOKENS, "cost_usd", "calls", "unpriced")
_FORGET_SESSIONS = delete(usage_sessions).where(usage_sessions.c.session_pk.in_(_PKS))
_SUM_UP_SESSIONS = insert(usage_sessions).from_select(
    ["session_pk", "workspace", *_SUMS],
    select(
        usage_days.c.session_pk, usage_days.c.workspace,
        *(func.sum(usage_days.c[name]) for name in _SUMS),
    )
    .where(usage_days.c.session_pk.in_(_PKS))
    .group_by(usage_days.c.session_pk, usage_days.c.workspace),
)  # fmt: skip


def _call(row: Claim) -> Call:
    return row["workspace"], row["agent"], row["message_id"]


async def take_turn(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """Until the end of the transaction no other one decides whose a call is, or sums up tools.

    Forks are recorded by other partitions, at the same time: each would take the call that the
    other has not told yet for its own, and their sessions stand in one block. SQLite has one
    writer anyway.
    """
    if connection.dialect.name == "postgresql" and any(map(_needs_turn, changes)):
        await connection.execute(select(func.pg_advisory_xact_lock(_TURN)))


def _needs_turn(change: Change) -> bool:
    is_gone = change.gone_pk is not None or change.is_deleted
    has_tools = change.tools or change.gone_tools
    return bool(change.usage or change.retold or change.is_moved or is_gone or has_tools)


async def write_usage(connection: AsyncConnection, changes: Sequence[Change], spent: Spent) -> None:
    """Take in the calls that are new or told better; ``spent`` grows as the sums do."""
    told: dict[Call, list[Claim]] = {}
    for change in changes:
        whose = {
            "workspace": change.key[0],
            "id": change.key[1],
            "agent": change.summary["agent"],
            "started_at": change.summary["started_at"],
            "session_pk": change.pk,
        }
        for row in change.usage:
            claim = {**row, **whose}
            told.setdefault(_call(claim), []).append(claim)
    for change in changes:
        if change.is_moved and change.pk is not None:
            for call in await _contested(connection, change.pk):
                told.setdefault(call, [])
    await _settle(connection, told, spent)
    for change in changes:
        if change.is_recounted and change.pk is not None:
            theirs = usage.c.session_pk == change.pk
            await _sum_up(connection, await _days(connection, theirs), spent)


async def forget_sources(
    connection: AsyncConnection, changes: Sequence[Change], spent: Spent
) -> None:
    """A transcript became another one: what it said before is told anew, or never was."""
    for change in changes:
        if change.retold and change.pk is not None:
            await _let_go(connection, change.pk, sorted(change.retold), spent)


async def forget_session(connection: AsyncConnection, pk: int, spent: Spent) -> None:
    """The session is about to be deleted: who else tells of its calls owns them."""
    await _let_go(connection, pk, None, spent)


async def _let_go(
    connection: AsyncConnection, pk: int, sources: list[str] | None, spent: Spent
) -> None:
    contested: set[Call] = set(await _contested(connection, pk))
    days: set[Day] = set()
    for table in (usage, usage_copies):
        theirs = table.c.session_pk == pk
        if sources is not None:
            theirs = and_(theirs, table.c.source.in_(sources))
        if table is usage:
            days = await _days(connection, theirs)
        await connection.execute(delete(table).where(theirs))
    await _sum_up(connection, days, spent)
    await _settle(connection, {call: [] for call in contested}, spent)


async def _days(connection: AsyncConnection, wanted: ColumnElement[bool]) -> set[Day]:
    columns = select(usage.c.session_pk, usage.c.day).where(wanted).distinct()
    return {(pk, day) for pk, day in await connection.execute(columns)}


async def _contested(connection: AsyncConnection, pk: int) -> list[Call]:
    """Calls that this session and another one tell of."""
    columns = (usage.c.workspace, usage.c.agent, usage.c.message_id)
    same = and_(
        usage_copies.c.workspace == usage.c.workspace,
        usage_copies.c.agent == usage.c.agent,
        usage_copies.c.message_id == usage.c.message_id,
    )
    joined = usage.join(usage_copies, same)
    is_theirs = (usage.c.session_pk == pk) | (usage_copies.c.session_pk == pk)
    found = await connection.execute(select(*columns).select_from(joined).where(is_theirs))
    return [(workspace, agent, message_id) for workspace, agent, message_id in found]


async def _settle(connection: AsyncConnection, told: dict[Call, list[Claim]], spent: Spent) -> None:
    """Decide whose each call is, by all that is known of it; write what that changes."""
    days: set[Day] = set()
    for some in chunks(list(told)):
        owned = {_call(row): row for row in await _claims(connection, usage, some)}
        copied: dict[Call, list[Claim]] = {}
        for row in await _claims(connection, usage_copies, some):
            copied.setdefault(_call(row), []).append(row)
        owners: list[Claim] = []
        copies: list[Claim] = []
        risen: list[Claim] = []
        for call in some:
            before = owned.get(call)
            held = copied.get(call, [])
            known = [before, *held] if before is not None else held
            if not (known or told[call]):
                continue
            owner, others = settle([*known, *told[call]])
            if before is None or _told(owner) != _told(before):
                owners.append(_told(owner))
                days |= {(row["session_pk"], row["day"]) for row in (owner, before) if row}
            copies += [_told(row) for row in others if row not in held]
            risen += [row for row in held if row["session_pk"] == owner["session_pk"]]
        await upsert(connection, usage, owners)
        await upsert(connection, usage_copies, copies)
        await _drop_copies(connection, risen)
    await _sum_up(connection, days, spent)


def _told(row: Claim) -> Claim:
    return {name: row[name] for name in _COLUMNS}


async def _claims(connection: AsyncConnection, table: Table, calls: Sequence[Call]) -> list[Claim]:
    found = await connection.execute(_claims_of(table), {"calls": calls})
    return [dict(row) for row in found.mappings()]


@cache
def _claims_of(table: Table) -> Select[Any]:
    wanted = tuple_(table.c.workspace, table.c.agent, table.c.message_id)
    joined = table.join(sessions, sessions.c.pk == table.c.session_pk)
    columns = select(table, sessions.c.started_at, sessions.c.id).select_from(joined)
    return columns.where(wanted.in_(bindparam("calls", expanding=True)))


async def _drop_copies(connection: AsyncConnection, rows: Sequence[Claim]) -> None:
    """What is owned by now is no copy any more."""
    keys = ("workspace", "agent", "message_id", "session_pk")
    if rows:
        same = and_(*(usage_copies.c[name] == bindparam(f"of_{name}") for name in keys))
        values = [{f"of_{name}": row[name] for name in keys} for row in rows]
        await connection.execute(delete(usage_copies).where(same), values)


async def _sum_up(connection: AsyncConnection, days: Iterable[Day], spent: Spent) -> None:
    """Sums of these days and of their sessions, from the calls as they are.

    Calls of the family that counts alone.
    """
    told = sorted(days)
    for some in chunks(told):
        spent.count(await connection.execute(_FORGET_DAYS, {"days": some}), -1)
        spent.count(await connection.execute(_SUM_UP_DAYS, {"days": some}), 1)
    for pks in chunks(sorted({pk for pk, _ in told})):
        await connection.execute(_FORGET_SESSIONS, {"pks": pks})
        await connection.execute(_SUM_UP_SESSIONS, {"pks": pks})
