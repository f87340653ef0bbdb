"""What the recorder writes, in one transaction: rows, offsets, and how far the log is recorded.

Whoever writes moves the log's position on from where itself has left it; if it is not there,
another recorder has written, and nothing of this is done. Called by the recorder.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bus.unbroken import unbroken
from history.change import Change, Key, Position, Spent, Step
from history.database import Database
from history.errors import Fenced
from history.rows import DOCUMENTS_BITS, Row, mark_of, mark_row
from history.sql import ROWS_MAX, add, chunks, upsert
from history.tables import (
    budgets,
    checkpoints,
    documents,
    entry_texts,
    reader_offsets,
    session_events,
    session_states,
    sessions,
    usage_days,
)
from history.tool_rows import sum_up_tools, write_tools
from history.usage_rows import forget_session, forget_sources, take_turn, write_usage
from session.mark import Mark

_NOWHERE = {"epoch": "", "position": "", "numbering": ""}
_MOVE_ON = (
    update(checkpoints)
    .where(checkpoints.c.partition == bindparam("of_partition"))
    .where(checkpoints.c.position == bindparam("from_place"))
    .values(
        epoch=bindparam("to_epoch"),
        position=bindparam("to_place"),
        numbering=bindparam("to_numbering"),
    )
)
_UPDATE_SESSIONS = update(sessions).where(sessions.c.pk == bindparam("of_pk"))


class Store:
    """One database, written to."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def position(self, partition: int) -> Position:
        """Where a partition stands."""
        async with self.database.read() as connection:
            return await _position(connection, partition)

    async def states(self, keys: Sequence[Key]) -> list[Row]:
        """These sessions as the fold left them, those that there are."""
        found: list[Row] = []
        async with self.database.read() as connection:
            for some in chunks(keys):
                wanted = tuple_(sessions.c.workspace, sessions.c.id).in_(some)
                found += await _states(connection, wanted)
        return found

    async def board(self, past_max: int) -> list[Row]:
        """Every session that is not past, and the latest of those that are."""
        return (await self.board_at(0, past_max))[1]

    async def board_at(self, partition: int, past_max: int) -> tuple[Position, list[Row]]:
        """The same, and where a partition stood in that very moment."""
        newest = (
            select(sessions.c.pk)
            .where(sessions.c.past.is_(True))
            .order_by(sessions.c.updated_at.desc())
            .limit(past_max)
        )
        async with self.database.read() as connection:
            live = await _states(connection, sessions.c.past.is_(False))
            past = await _states(connection, sessions.c.pk.in_(newest))
            return await _position(connection, partition), live + past

    async def marks(self) -> list[Mark]:
        """Every file that was read, as far as what it says is recorded."""
        async with self.database.read() as connection:
            found = await connection.execute(select(reader_offsets.c.mark))
            return [mark for (data,) in found if (mark := mark_of(data)) is not None]

    @unbroken
    async def keep_marks(self, marks: Iterable[Mark], workspace: str) -> None:
        """Files that say nothing that could be recorded: they need not be opened again."""
        async with self.database.write() as connection:
            await upsert(connection, reader_offsets, [mark_row(each, workspace) for each in marks])

    async def budgets(self) -> dict[str, dict[str, float]]:
        """Every workspace's budgets: scope → USD."""
        async with self.database.read() as connection:
            found = await connection.execute(select(budgets))
        told: dict[str, dict[str, float]] = {}
        for workspace, scope, limit_usd in found:
            told.setdefault(workspace, {})[scope] = limit_usd
        return told

    async def spent(self, workspace: str, day_prefix: str) -> float:
        """What is spent on days that begin so, in USD; calls without a price are unknown."""
        of_days = and_(
            usage_days.c.workspace == workspace,
            usage_days.c.day >= day_prefix,
            usage_days.c.day < f"{day_prefix}~",
        )
        async with self.database.read() as connection:
            found = await connection.execute(select(func.sum(usage_days.c.cost_usd)).where(of_days))
            return float(found.scalar() or 0.0)

    @unbroken
    async def commit(self, step: Step) -> Spent:
        """Write all of it; raises Fenced. Gives each change the key of its session."""
        fresh = [change for change in step.changes if change.pk is None]
        try:
            async with self.database.write() as connection:
                return await _commit(connection, step)
        except BaseException:
            for change in fresh:
                change.pk = None  # the key that it was given is not written, and may be another's
            raise


async def _commit(connection: AsyncConnection, step: Step) -> Spent:
    spent = Spent()
    await _move_on(connection, step)
    await take_turn(connection, step.changes)
    for change in step.changes:
        if change.gone_pk is not None or change.is_deleted:
            await _delete(connection, change, spent)
    kept = [change for change in step.changes if not change.is_deleted]
    await _write_sessions(connection, kept)
    await _write_parts(connection, kept)
    await forget_sources(connection, kept, spent)
    await write_usage(connection, kept, spent)
    return spent


async def _position(connection: AsyncConnection, partition: int) -> Position:
    wanted = checkpoints.c.partition == partition
    found = (await connection.execute(select(checkpoints).where(wanted))).mappings().first()
    if found is None:
        return Position()
    return Position(found["epoch"], found["position"], found["numbering"])


async def _states(connection: AsyncConnection, wanted: ColumnElement[bool]) -> list[Row]:
    joined = sessions.join(session_states, session_states.c.session_pk == sessions.c.pk)
    columns = select(sessions.c.workspace, sessions.c.id, sessions.c.started_at, session_states)
    found = await connection.execute(columns.select_from(joined).where(wanted))
    return [dict(row) for row in found.mappings()]


async def _move_on(connection: AsyncConnection, step: Step) -> None:
    before, after = step.before, step.after
    told = {"to_epoch": after.epoch, "to_place": after.place, "to_numbering": after.numbering}
    if before == Position():
        await add(connection, checkpoints, [{"partition": step.partition, **_NOWHERE}])
    here = {"of_partition": step.partition, "from_place": before.place}
    moved = await connection.execute(_MOVE_ON, {**here, **told})
    if moved.rowcount != 1:
        raise Fenced(f"partition {step.partition} is recorded by another recorder")


async def _delete(connection: AsyncConnection, change: Change, spent: Spent) -> None:
    """A session that a person deleted, with all that is its own.

    Its files are not read again unless they grow, and then from their beginning.
    """
    if change.gone_pk is not None:
        await forget_session(connection, change.gone_pk, spent)
        await connection.execute(delete(sessions).where(sessions.c.pk == change.gone_pk))
        await sum_up_tools(connection, [change.gone_pk])
    workspace, session = change.key
    theirs = (reader_offsets.c.workspace == workspace) & (reader_offsets.c.session == session)
    found = await connection.execute(select(reader_offsets.c.mark).where(theirs))
    known = [mark for (data,) in found if (mark := mark_of(data)) is not None]
    marks = {mark.path: replace(mark, offset=0) for mark in (*known, *change.marks)}
    rows = [mark_row(each, workspace) for each in marks.values()]
    await upsert(connection, reader_offsets, rows)


async def _write_sessions(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    fresh = [change for change in changes if change.pk is None]
    await add(connection, sessions, [change.summary for change in fresh])
    await _find_keys(connection, fresh)
    known = [{**change.summary, "of_pk": change.pk} for change in changes]
    if not known:
        return
    for row in known:
        del row["project_path"]  # where it was opened stays
    for some in chunks(known, ROWS_MAX):
        await connection.execute(_UPDATE_SESSIONS, some)
    states = [{**change.state, "session_pk": change.pk} for change in changes]
    await upsert(connection, session_states, states)


async def _find_keys(connection: AsyncConnection, fresh: Sequence[Change]) -> None:
    by_key = {change.key: change for change in fresh}
    for some in chunks(list(by_key)):
        wanted = tuple_(sessions.c.workspace, sessions.c.id).in_(some)
        columns = select(sessions.c.pk, sessions.c.workspace, sessions.c.id).where(wanted)
        for pk, workspace, session_id in await connection.execute(columns):
            by_key[workspace, session_id].pk = pk


async def _write_parts(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """What belongs to a session: entries never change, the rest is told as a whole."""

    def rows(name: str) -> list[Row]:
        return [{"session_pk": each.pk, **row} for each in changes for row in getattr(each, name)]

    await add(connection, session_events, rows("events"))
    await add(connection, entry_texts, rows("texts"))
    await write_tools(connection, changes)
    await add(connection, documents, [row for each in changes for row in _documents(each)])
    marks = [mark_row(mark, each.key[0]) for each in changes for mark in each.marks]
    await upsert(connection, reader_offsets, marks)


def _documents(change: Change) -> Iterator[Row]:
    """Numbered on from those that the session had before."""
    first = ((change.pk or 0) << DOCUMENTS_BITS) + change.state["documents"]
    for number, text in enumerate(change.documents, first - len(change.documents)):
        yield {"number": number, "session_pk": change.pk, "text": text}
