"""A session that a person deleted is gone from every table, and comes back whole when told anew."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from history import tables
from history.database import Database
from history.history import History
from history.rows import mark_of
from session.delta import Event, Report, Usage
from session.mark import Mark
from session.persons import PERSON
from session.state import detail
from tests.history.recording import Recording
from tests.hub.made import NOW, event, plain, report, said, silence, tokens

OF_SESSIONS = (
    tables.sessions, tables.session_states, tables.session_events, tables.usage,
    tables.usage_copies, tables.usage_days, tables.usage_sessions, tables.session_tools,
    tables.tool_blocks, tables.documents,
)  # fmt: skip


def person(kind: str, session: str = "a") -> Event:
    """What the hub appends for a person."""
    return msgspec.structs.replace(event(kind, session), source=PERSON)


def told(session: str = "a", to: int = 3, *, forked: bool = False, **more: Any) -> Report:
    """A transcript with entries, tools, a mark, and a call that a fork tells of as well."""
    call = Usage(message_id="m1", model="opus", at=NOW, output=7, cost_usd=0.5, forked=forked)
    tools = {"Bash": {"calls": 1, "errors": 0, "total_ms": 5}}
    made = report(session, to=to, entries=said(to), calls=tokens(7), tools=tools, **more)
    mark = Mark(path=f"/{session}.jsonl", session=session, source="main", offset=to)
    return msgspec.structs.replace(made, usage=[call], mark=mark)


async def counts(database: Database) -> dict[str, int]:
    """Rows by table."""
    async with database.read() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar()
            or 0
            for table in OF_SESSIONS
        }


async def offsets(database: Database) -> dict[str, int]:
    """How far each file is recorded."""
    async with database.read() as connection:
        found = await connection.execute(select(tables.reader_offsets.c.mark))
        marks = [mark_of(data) for (data,) in found]
    return {mark.path: mark.offset for mark in marks if mark is not None}


@pytest.fixture
async def recording(database: Database) -> Recording:
    """A session that has ended, and a fork of it."""
    made = Recording(database)
    await made.log(told(), event("session_end", "a"))
    await made.log(told("b", forked=True))
    return made


async def test_nothing_of_it_is_left(recording: Recording, database: Database) -> None:
    """No row in any table; its file would be read from the beginning."""
    await recording.log(person("delete", "b"), person("end", "b"), person("delete", "b"))
    await recording.log(person("delete"))
    assert await counts(database) == {table.name: 0 for table in OF_SESSIONS}
    assert await offsets(database) == {"/a.jsonl": 0, "/b.jsonl": 0}
    assert recording.sessions == {}


async def test_who_else_tells_of_a_call_owns_it(recording: Recording, database: Database) -> None:
    """The fork's copy becomes the call, and sums follow."""
    before = await counts(database)
    assert (before["usage"], before["usage_copies"], before["usage_days"]) == (1, 1, 1)
    await recording.log(person("delete"))
    after = await counts(database)
    assert (after["usage"], after["usage_copies"], after["usage_days"]) == (1, 0, 1)
    async with database.read() as connection:
        for sums in (tables.usage_days, tables.usage_sessions):
            whose = select(tables.sessions.c.id).select_from(tables.sessions.join(sums))
            assert (await connection.execute(whose)).all() == [("b",)]
        tools = (await connection.execute(select(tables.tool_blocks))).all()
    assert tools == [(0, "default", "Bash", 1, 0, 5, 1)]


@pytest.mark.parametrize("at_once", [True, False])
async def test_it_comes_back_whole(
    recording: Recording, database: Database, history: History, at_once: bool
) -> None:
    """When its transcript is told from the beginning, in the same step or in a later one."""
    again = told(to=4)
    if at_once:
        await recording.log(person("delete"), again)
    else:
        await recording.log(person("delete"))
        await recording.log(again)
    restored = await history.session("default", "a")
    assert restored is not None
    assert plain(detail(restored)) == plain(detail(recording.sessions["default", "a"]))
    assert [entry.id for entry in restored.timeline] == ["e1", "e2", "e3", "e4"]
    assert (await offsets(database))["/a.jsonl"] == 4
    rows = await counts(database)
    assert (rows["sessions"], rows["session_events"], rows["usage"]) == (2, 4 + 3, 1)


async def test_what_follows_a_deletion_and_is_no_agents_word_makes_nothing(
    recording: Recording, database: Database
) -> None:
    """Neither time nor a person brings it back, in the same step or in a later one."""
    more = [silence("past", "a", NOW), person("archive"), person("delete")]
    await recording.log(person("delete"), *more)
    await recording.log(*more)
    assert (await counts(database))["sessions"] == 1


async def test_one_that_was_never_written_leaves_nothing(
    recording: Recording, database: Database
) -> None:
    """Told, ended and deleted within one step."""
    await recording.log(event("prompt", "c"), person("end", "c"), person("delete", "c"))
    assert (await counts(database))["sessions"] == 2
