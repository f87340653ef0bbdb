"""Tokens and cost by day, model, project, user, agent or session, and calls by tool.

Every API call is counted once, at the session that owns it. What is not known is null: a cost
where no call has a price, a sum where there was no call. Called by the facade.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Float, FromClause, Select, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from history.errors import BadQuery
from history.queries.lists import Values
from history.queries.times import day
from history.tables import session_tools, sessions, usage_days
from session.pricing import price_table
from session.state import TOKEN_NAMES

KEYS: Mapping[str, ColumnElement[Any]] = {
    "day": usage_days.c.day,
    "model": usage_days.c.model,
    "project": sessions.c.project,
    "user": sessions.c.user,
    "agent": sessions.c.agent,
    "session": usage_days.c.session_pk,  # told by its id
}
KINDS = (*KEYS, "tool")
ROWS_MAX = 2_000
TOOL_NAMES = ("calls", "errors", "total_ms")


class Usage(Struct):
    """``rows`` by key, the costliest first, days in their order; the key of no value is null.

    ``more``: there are others, less costly or further back, which only ``total`` counts in.
    """

    by: str
    rows: list[dict[str, Any]]
    more: bool
    total: dict[str, Any]
    unpriced_models: list[str]
    prices: dict[str, str]


class Days(Struct, frozen=True):
    """Which days, both included; of UTC."""

    first: str | None = None
    last: str | None = None


def parse_days(since: str | None, until: str | None) -> Days:
    """The days from one point in time to another; raises BadQuery."""
    return Days(day("since", since) if since else None, day("until", until) if until else None)


def parse_kind(by: str | None) -> str:
    """What to sum up by; raises BadQuery."""
    if by and by not in KINDS:
        raise BadQuery(f"by: expected one of {', '.join(KINDS)}")
    return by or "day"


async def sums(connection: AsyncConnection, workspace: str, by: str, days: Days) -> Usage:
    """Sums by one of KINDS; tools are those of sessions that were active in these days."""
    spent = _spent(workspace, days)
    if by == "tool":
        rows, total = await _tools(connection, workspace, spent, days)
    else:
        rows, total = await _tokens(connection, by, spent)
    names: list[str] = []
    if total.get("unpriced_calls"):
        models = select(usage_days.c.model).distinct().where(*spent, usage_days.c.unpriced > 0)
        names = sorted((await connection.execute(models)).scalars())
    more = len(rows) > ROWS_MAX
    if by == "day":
        rows.sort(key=lambda row: row["key"] or "")
        rows = rows[-ROWS_MAX:]
    return Usage(by, rows[:ROWS_MAX], more, total, names, price_table()._asdict())


def _spent(workspace: str, days: Days) -> list[ColumnElement[bool]]:
    """Which rows of ``usage_days`` count; calls whose time is not known have the day ''."""
    conditions = [usage_days.c.workspace == workspace]
    if days.first is not None:
        conditions.append(usage_days.c.day >= days.first)
    if days.last is not None:
        conditions.append(usage_days.c.day.between("1", days.last))
    return conditions


async def _tokens(
    connection: AsyncConnection, by: str, spent: list[ColumnElement[bool]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    key = KEYS[by].label("key")
    order = [key.desc()] if by == "day" else [*_largest("cost_usd", "output"), key]
    grouped = _joined(select(key, *_sums()), by, spent).group_by(key).order_by(*order)
    found = await connection.execute(grouped.limit(ROWS_MAX + 1))
    rows = [_row(each) for each in found.mappings()]
    if by == "session":
        await _name_sessions(connection, rows)
    if len(rows) > ROWS_MAX:
        whole = await connection.execute(_joined(select(*_sums()), "day", spent))
        return rows, _row(whole.mappings().one())
    active = select(func.count(usage_days.c.session_pk.distinct())).where(*spent)
    return rows, _row({**_added(rows, _NAMES), "sessions": await _count(connection, active)})


async def _name_sessions(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Their ids for their keys: looked up for those that are told, and for no other."""
    told = Values(connection, sessions.c.pk, [row["key"] for row in rows])
    found = await connection.execute(select(sessions.c.pk, sessions.c.id).where(told.contain))
    ids = {each.pk: each.id for each in found}
    for row in rows:
        row["key"] = ids.get(row["key"])


def _added(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Any]:
    """The sum of rows, where those are all; of what nobody knows it is not known."""
    told = {name: [row[name] for row in rows if row[name] is not None] for name in names}
    return {name: sum(values) if values else None for name, values in told.items()}


async def _count(connection: AsyncConnection, query: Select[int]) -> int:
    return (await connection.execute(query)).scalar() or 0


def _joined(columns: Select[Any], by: str, spent: list[ColumnElement[bool]]) -> Select[Any]:
    """With the session where its columns are needed."""
    days: FromClause = usage_days
    if by not in ("day", "model", "session"):
        days = usage_days.join(sessions, sessions.c.pk == usage_days.c.session_pk)
    return columns.select_from(days).where(*spent)


def _sums() -> list[ColumnElement[Any]]:
    summed = [_sum(usage_days.c[name]).label(name) for name in (*TOKEN_NAMES, "calls")]
    summed.append(_sum(usage_days.c.unpriced).label("unpriced_calls"))
    cost = func.sum(usage_days.c.cost_usd).label("cost_usd")
    return [*summed, cost, func.count(usage_days.c.session_pk.distinct()).label("sessions")]


def _sum(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of whole numbers, as a float: one that an agent made up must not overflow it."""
    return func.sum(cast(column, Float(53)))


_COUNTS = ("calls", "unpriced_calls")
_NAMES = (*TOKEN_NAMES, *_COUNTS, "cost_usd")


def _row(found: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as the API tells it."""
    tokens = {name: _whole(found[name]) for name in TOKEN_NAMES}
    calls, unpriced = (int(found[name] or 0) for name in _COUNTS)
    return {
        **({"key": found["key"] or None} if "key" in found else {}),
        **tokens,
        "cost_usd": found["cost_usd"],
        "cost_state": _cost_state(calls, unpriced),
        "calls": calls,
        "unpriced_calls": unpriced,
        "sessions": found["sessions"],
    }


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _cost_state(calls: int, unpriced: int) -> str:
    if not calls:
        return "unknown"
    if not unpriced:
        return "priced"
    return "unpriced" if unpriced == calls else "partial"


def _largest(*names: str) -> list[ColumnElement[Any]]:
    """Sums in descending order, unknown ones last."""
    return [literal_column(name).desc().nulls_last() for name in names]


async def _tools(
    connection: AsyncConnection, workspace: str, spent: list[ColumnElement[bool]], days: Days
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    pk, key = session_tools.c.session_pk, session_tools.c.tool.label("key")
    theirs = [sessions.c.workspace == workspace]
    if days != Days():
        theirs.append(sessions.c.pk.in_(select(usage_days.c.session_pk).where(*spent)))
    # Of all sessions by the index of tools, as the sum is no column to look up; of a few by theirs.
    of = pk if days != Days() else pk + 0
    wanted = of.in_(select(sessions.c.pk).where(*theirs))
    sums = [_sum(session_tools.c[name]).label(name) for name in TOOL_NAMES]
    grouped = select(key, *sums, func.count().label("sessions")).where(wanted).group_by(key)
    ordered = grouped.order_by(*_largest("calls"), key).limit(ROWS_MAX + 1)
    found = (await connection.execute(ordered)).mappings()
    rows = [{"key": each["key"], **_tool_row(each)} for each in found]
    total: Mapping[Any, Any] = _added(rows, TOOL_NAMES)
    if len(rows) > ROWS_MAX:
        total = (await connection.execute(select(*sums).where(wanted))).mappings().one()
    used = select(pk).where(pk == sessions.c.pk).exists()
    active = select(func.count()).select_from(sessions).where(*theirs, used)
    return rows, _tool_row({**total, "sessions": await _count(connection, active)})


def _tool_row(found: Mapping[Any, Any]) -> dict[str, Any]:
    counts = {name: _whole(found[name]) for name in TOOL_NAMES}
    return {**counts, "calls": int(found["calls"] or 0), "sessions": found["sessions"]}
