"""What the leader does now and then: old sessions go, and the search's documents become few."""

from sqlalchemy import func, select

from bus.memory import MemoryBus
from history import housekeeping
from history.database import Database
from history.history import History
from history.queries.filters import Filter
from history.tables import documents
from session.delta import Event
from tests.history.recording import Recording
from tests.hub.made import NOW, event, past, report, said

DAY_MS = 86_400_000


async def count_documents(database: Database) -> int:
    """How many there are for the search."""
    async with database.read() as connection:
        return int((await connection.execute(select(func.count(documents.c.number)))).scalar() or 0)


async def test_past_sessions_are_deleted_over_the_log_when_their_days_are_over(
    database: Database,
) -> None:
    """Not one that lives, nor one that is younger; and everything that folds the log agrees."""
    recording, bus = Recording(database), MemoryBus()
    await recording.log(past("old", 40 * DAY_MS), past("young", 20 * DAY_MS))
    await recording.log(event("prompt", "living", at=NOW - 50 * DAY_MS))
    assert await housekeeping.expire(bus, database, 30, NOW) == 1
    batch = await anext(bus.tail(0, None))
    [told] = batch.deltas
    assert isinstance(told, Event)
    assert (told.session, told.kind, told.source) == ("old", "delete", "person")
    await recording.log(told)
    found = await History(database).sessions("default", Filter())
    assert sorted(each["id"] for each in found.sessions) == ["living", "young"]
    assert await housekeeping.expire(bus, database, 30, NOW) == 0


async def test_the_same_session_is_asked_to_go_once(database: Database) -> None:
    """Two rounds before the log is folded append one delta."""
    bus = MemoryBus()
    await Recording(database).log(past("old", 40 * DAY_MS))
    for _ in range(2):
        await housekeeping.expire(bus, database, 30, NOW)
    assert len((await anext(bus.tail(0, None))).deltas) == 1


async def tell(recording: Recording, place: int, at: int) -> None:
    """One more line of the transcript, recorded by itself."""
    entries = said(1, first=place, text=f"needle{place}")
    await recording.log(report("a", from_=place - 1, to=place, at=at, entries=entries))


async def test_the_documents_of_a_past_session_become_one(database: Database) -> None:
    """What is found stays the same, also after the session spoke once more."""
    recording, history, old = Recording(database), History(database), NOW - 3 * DAY_MS
    for place in range(1, 9):
        await tell(recording, place, old)
    assert await housekeeping.order_documents(database) == []
    await recording.log(past("a", 2 * DAY_MS, entries=said(1, first=9, text="needle9"), to=9))
    before = await count_documents(database)
    assert await housekeeping.order_documents(database) == [("default", "a")]
    assert (before, await count_documents(database)) == (9, 1)
    assert await housekeeping.order_documents(database) == []
    await tell(recording, 10, NOW)
    for place in (1, 8, 9, 10):
        found = await history.sessions("default", Filter(q=f"needle{place}"))
        assert [each["id"] for each in found.sessions] == ["a"], place


async def test_documents_of_sessions_that_live_are_left_alone(database: Database) -> None:
    """They are written to at any moment."""
    recording = Recording(database)
    for place in range(1, 9):
        await tell(recording, place, NOW)
    before = await count_documents(database)
    assert (await housekeeping.order_documents(database), before) == ([], 8)
