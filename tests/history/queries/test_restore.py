"""A recorded session is what the fold made, with the newest of its timeline."""

import pytest
from sqlalchemy import update

from history.database import Database
from history.history import History
from history.tables import session_states
from session.fold import fold
from session.state import detail, summary
from session.timeline import RING_ENTRIES_MAX
from tests.history.recording import Recording
from tests.hub.made import bucket, event, plain, report, said, tokens


async def test_a_session_comes_back_as_it_was_folded(
    recording: Recording, history: History
) -> None:
    """Summary, maps, series, errors and timeline are those that the fold left."""
    entries = [*said(3), *said(1, first=9, prefix="x")]
    told = report("a", to=9, entries=entries, calls=tokens(7), buckets={60_000: bucket(7)})
    await recording.log(told, event("tool_end", "a", tool="Bash", call="c", error=True, text="no"))
    folded = recording.sessions["default", "a"]
    restored = await history.session("default", "a")
    assert restored is not None
    assert plain(detail(restored)) == plain(detail(folded))
    assert restored.timeline.seq == folded.timeline.seq == len(restored.timeline)
    assert [entry.id for entry in restored.timeline][:4] == ["e1", "e2", "e3", "x9"]
    assert (restored.number, restored.key) == (2, ("default", "a"))


async def test_the_ring_holds_the_newest(recording: Recording, history: History) -> None:
    """Of a long timeline as many as a ring has, and it goes on behind them."""
    many = RING_ENTRIES_MAX + 20
    await recording.log(report("a", to=many, entries=said(many)))
    restored = await history.session("default", "a")
    assert restored is not None
    assert [entry.seq for entry in restored.timeline] == list(range(21, many + 1))
    fold(restored, report("a", from_=many, to=many + 1, entries=said(1, first=many + 1)))
    assert restored.timeline.entries[-1].seq == many + 1


async def test_a_number_of_another_count_is_none(recording: Recording, history: History) -> None:
    """It stands for whoever does not say in which count the log is, or in the same."""
    await recording.log(event("prompt", "a"), event("prompt", "b"), event("stop", "b"))
    for numbering, number in ((None, 2), ("m1", 2), ("m2", 0)):
        restored = await history.session("default", "b", numbering)
        assert restored is not None
        assert restored.number == number
    keys = [("default", "a"), ("default", "b"), ("default", "none"), ("other", "a")]
    told = await history.numbers(keys)
    assert told == {("default", "a"): (1, "m1"), ("default", "b"): (2, "m1")}
    assert await history.numberings() == {0: ("m1", "m1:3:0-0")}


async def test_what_is_not_recorded_is_none(recording: Recording, history: History) -> None:
    """Neither an unknown session nor one of another workspace is found."""
    await recording.log(event("prompt", "a", workspace="other"))
    assert await history.session("default", "a") is None
    assert await history.session("other", "b") is None
    assert await history.session("other", "a\x00'; --") is None


@pytest.mark.parametrize("state", [b"", b"\x00\x02rubbish", b"\xff" * 50])
async def test_a_state_that_cannot_be_read_leaves_the_rest(
    recording: Recording, history: History, database: Database, state: bytes
) -> None:
    """Summary, tools, errors and timeline come from their own tables, and the fold goes on."""
    start = report("a", to=2, entries=said(2), tools={"Bash": {"calls": 3, "errors": 1}})
    await recording.log(start, event("tool_end", "a", tool="Bash", call="c", error=True, text="no"))
    folded = recording.sessions["default", "a"]
    async with database.write() as connection:
        await connection.execute(update(session_states).values(state=state))
    restored = await history.session("default", "a")
    assert restored is not None
    assert plain(summary(restored)) == plain(summary(folded))
    assert (restored.tools, restored.errors) == (folded.tools, folded.errors)
    assert restored.timeline.seq == folded.timeline.seq == len(restored.timeline)
    fold(restored, event("prompt", "a", text="on"))
    assert restored.timeline.seq == folded.timeline.seq + 1


async def test_the_outline_is_the_same_without_a_timeline(
    recording: Recording, history: History
) -> None:
    """For those who only tell what a session is."""
    await recording.log(report("a", to=9, entries=said(9), calls=tokens(7)))
    outline = await history.outline("default", "a")
    assert outline is not None
    assert plain(detail(outline)) == plain(detail(recording.sessions["default", "a"]))
    assert (len(outline.timeline), outline.timeline.seq) == (0, 9)
    assert await history.outline("default", "b") is None
