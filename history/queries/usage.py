"""Tokens and cost by day, model, project, user, agent or session, and calls by tool.

Every API call is counted once, at the session that owns it. What is not known is null: a cost
where no call has a price, a sum where there was no call. Called by the facade.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Float, Select, Table, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from history.errors import BadQuery
from history.queries.times import day
from history.tables import session_tools, sessions, tool_blocks, usage_days, usage_sessions
from session.pricing import price_table
from session.state import TOKEN_NAMES

KINDS = ("day", "model", "project", "user", "agent", "session", "tool")
ROWS_MAX = 2_000
TOOL_NAMES = ("calls", "errors", "total_ms")
FEW_SESSIONS = 4_000
"""What so many did in some days is looked up; of more it is quicker to read all there is."""


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
    spent = _Spent(connection, workspace, days)
    if by == "tool" and spent.is_whole:
        rows, total = await _tools(connection, workspace)
    else:
        await spent.count()
        rows, total = await (_tools_of_days(spent) if by == "tool" else _tokens(spent, by))
    names: list[str] = []
    if total.get("unpriced_calls"):
        models = select(usage_days.c.model).distinct()
        models = models.where(*spent.of_days, usage_days.c.unpriced > 0)
        names = sorted((await connection.execute(models)).scalars())
    more = len(rows) > ROWS_MAX
    if by == "day":
        rows.sort(key=lambda row: row["key"] or "")
        rows = rows[-ROWS_MAX:]
    return Usage(by, rows[:ROWS_MAX], more, total, names, price_table()._asdict())


_SUMMED = (*TOKEN_NAMES, "calls", "unpriced")


class _Spent:
    """What is summed up: whole sessions where no days are asked for, as they are fewer rows."""

    def __init__(self, connection: AsyncConnection, workspace: str, days: Days) -> None:
        self.connection = connection
        self.is_whole = days == Days()
        self.active = 0
        self._workspace, self._days = workspace, days
        here = usage_days.c.workspace == workspace
        self.of_days = [here, *self._within(usage_days.c.day)]
        self._table = usage_sessions if self.is_whole else usage_days
        whole = [usage_sessions.c.workspace == workspace]
        self._wanted = whole if self.is_whole else self.of_days

    async def count(self) -> None:
        """Find out of how many sessions it is, by which it is chosen how to read them."""
        count = select(_sessions(self._table)).where(*self._wanted)
        self.active = (await self.connection.execute(count)).scalar() or 0

    @property
    def is_of_many(self) -> bool:
        """Whether it is of so many sessions that all are read."""
        return self.is_whole or self.active > FEW_SESSIONS

    def by(self, name: str) -> Select[Any]:
        """The sums by a key, the costliest first; days from the last on."""
        if name == "session":
            return self._whole_sessions() if self.is_whole else self._sessions_of_days()
        if name in ("day", "model"):
            key = usage_days.c[name]
            grouped = self._sums(usage_days, key.label("key")).where(*self.of_days)
        else:
            table, key, theirs = self._table, sessions.c[name], self.of_days
            if self.is_of_many:  # from sessions on, in the order of the key: it need not be sorted
                of_days = [] if self.is_whole else self._within(usage_days.c.day)
                theirs = [sessions.c.workspace == self._workspace, *of_days]
            same = sessions.c.pk == table.c.session_pk
            grouped = self._sums(table, key.label("key")).join(sessions, same).where(*theirs)
        order = [key.desc()] if name == "day" else [*_largest("cost_usd", "output"), key]
        return grouped.group_by(key).order_by(*order).limit(ROWS_MAX + 1)

    def _whole_sessions(self) -> Select[Any]:
        """Their sums stand there, in the order of an index."""
        pk, each = usage_sessions.c.session_pk, usage_sessions.c
        told = [each[name] for name in (*_SUMMED, "cost_usd")]
        rows = select(_id_of(pk), *told, literal_column("1")).where(*self._wanted)
        order = [each[name].desc().nulls_last() for name in ("cost_usd", "output")]
        return rows.order_by(*order, pk).limit(ROWS_MAX + 1)

    def _sessions_of_days(self) -> Select[Any]:
        """Ids are looked up for those that are told, and for no other."""
        pk, theirs = usage_days.c.session_pk, self.of_days
        if self.is_of_many:  # in the order of sessions, as an expression is no column to look up
            here = func.coalesce(usage_days.c.workspace, "") == self._workspace
            theirs = [here, *self._within(func.coalesce(usage_days.c.day, ""))]
        columns = [pk.label("key"), *self._totals(usage_days)]
        grouped = select(*columns).where(*theirs).group_by(pk)
        ordered = grouped.order_by(*_largest("cost_usd", "output"), pk)
        top = ordered.limit(ROWS_MAX + 1).subquery("top")
        told = [top.c[name] for name in (*_SUMMED, "cost_usd")]
        rows = select(_id_of(top.c.key), *told, literal_column("1"))
        order = [top.c[name].desc().nulls_last() for name in ("cost_usd", "output")]
        return rows.order_by(*order, top.c.key)

    def all(self) -> Select[Any]:
        """The sums of everything."""
        return select(*self._totals(self._table)).where(*self._wanted)

    def _within(self, day: ColumnElement[str]) -> list[ColumnElement[bool]]:
        """Which days count; calls whose time is not known have the day ''."""
        conditions: list[ColumnElement[bool]] = []
        if self._days.first is not None:
            conditions.append(day >= self._days.first)
        if self._days.last is not None:
            conditions.append(day.between("1", self._days.last))
        return conditions

    def _sums(self, table: Table, *key: ColumnElement[Any]) -> Select[Any]:
        return select(*key, *self._totals(table), _sessions(table)).select_from(table)

    def _totals(self, table: Table) -> list[ColumnElement[Any]]:
        summed = [_sum(self.connection, table.c[name]).label(name) for name in _SUMMED]
        return [*summed, func.sum(table.c.cost_usd).label("cost_usd")]


def _sessions(table: Table) -> ColumnElement[int]:
    """How many there are in rows of a table."""
    is_whole = table is usage_sessions
    return func.count() if is_whole else func.count(table.c.session_pk.distinct())


def _id_of(pk: ColumnElement[int]) -> ColumnElement[str]:
    return select(sessions.c.id).where(sessions.c.pk == pk).scalar_subquery()


async def _tokens(spent: _Spent, by: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    execute = spent.connection.execute
    rows = [_row(each) for each in await execute(spent.by(by))]
    told = (await execute(spent.all())).one() if len(rows) > ROWS_MAX else _added(rows, _NAMES)
    total = _row((None, *told, spent.active))
    del total["key"]
    return rows, total


def _added(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> list[Any]:
    """The sum of rows, where those are all; of what nobody knows it is not known."""
    told = ([row[name] for row in rows if row[name] is not None] for name in names)
    return [sum(values) if values else None for values in told]


def _sum(connection: AsyncConnection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of whole numbers, as a float: one that an agent made up must not overflow it."""
    if connection.dialect.name == "sqlite":
        return func.total(column)  # in half the time
    return func.sum(cast(column, Float(53)))


_NAMES = (*TOKEN_NAMES, "calls", "unpriced_calls", "cost_usd")


def _row(told: Sequence[Any]) -> dict[str, Any]:
    """A row as the API tells it."""
    key, input_, output, cache_read, cache_write, calls, unpriced, cost_usd, active = told
    calls, unpriced = int(calls or 0), int(unpriced or 0)
    return {
        "key": key or None,
        "input": _whole(input_),
        "output": _whole(output),
        "cache_read": _whole(cache_read),
        "cache_write": _whole(cache_write),
        "cost_usd": cost_usd,
        "cost_state": _cost_state(calls, unpriced),
        "calls": calls,
        "unpriced_calls": unpriced,
        "sessions": active,
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
    connection: AsyncConnection, workspace: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Of all sessions, from the sums of their blocks."""
    sums = [_sum(connection, tool_blocks.c[name]).label(name) for name in TOOL_NAMES]
    theirs = tool_blocks.c.workspace == workspace
    used = select(session_tools).where(session_tools.c.session_pk == sessions.c.pk).exists()
    active = select(func.count()).select_from(sessions)
    active = active.where(sessions.c.workspace == workspace, used)
    grouped = select(tool_blocks.c.tool, *sums, func.sum(tool_blocks.c.sessions)).where(theirs)
    return await _tool_rows(
        connection, grouped.group_by(tool_blocks.c.tool), select(*sums).where(theirs),
        (await connection.execute(active)).scalar() or 0,
    )  # fmt: skip


async def _tools_of_days(spent: _Spent) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Of sessions that were active, from their own rows."""
    pk = session_tools.c.session_pk
    keys = select(usage_days.c.session_pk).where(*spent.of_days)
    each = keys.distinct().subquery("active")
    used = select(session_tools).where(pk == each.c.session_pk).exists()
    active = select(func.count()).select_from(each).where(used)
    count = (await spent.connection.execute(active)).scalar() or 0
    # Of many the index of tools is read, as a sum is no column to look up.
    wanted = (pk + 0 if spent.is_of_many else pk).in_(keys)
    sums = [_sum(spent.connection, session_tools.c[name]).label(name) for name in TOOL_NAMES]
    grouped = select(session_tools.c.tool, *sums, func.count()).where(wanted)
    whole = select(*sums).where(wanted)
    return await _tool_rows(spent.connection, grouped.group_by(session_tools.c.tool), whole, count)


async def _tool_rows(
    connection: AsyncConnection, grouped: Select[Any], whole: Select[Any], active: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The most called first; ``whole`` gives their sums where not all of them are told."""
    ordered = grouped.order_by(*_largest("calls"), grouped.selected_columns[0])
    found = await connection.execute(ordered.limit(ROWS_MAX + 1))
    rows = [{"key": key, **_tool_row(told)} for key, *told in found]
    if len(rows) <= ROWS_MAX:
        return rows, _tool_row([*_added(rows, TOOL_NAMES), active])
    return rows, _tool_row([*(await connection.execute(whole)).one(), active])


def _tool_row(told: Sequence[Any]) -> dict[str, Any]:
    calls, errors, total_ms, active = told
    counts = {"calls": int(calls or 0), "errors": _whole(errors), "total_ms": _whole(total_ms)}
    return {**counts, "sessions": int(active)}
