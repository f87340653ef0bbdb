"""Timelines page by page, and one entry with all of its text."""

import pytest
from sqlalchemy import insert

from history.database import Database
from history.history import History
from history.tables import entry_texts
from session.delta import Entry
from tests.history.recording import Recording
from tests.hub.made import NOW, event, report, said


async def test_pages_go_back_to_the_first_entry(recording: Recording, history: History) -> None:
    """The newest last, each exactly once, and the last page says that it is."""
    await recording.log(report("a", to=10, entries=said(10)), report("b", entries=said(3)))
    before, seqs = None, []
    for more in (True, True, False):
        page = await history.timeline("default", "a", before, 4)
        assert page is not None
        assert page.more is more
        seqs = [entry.seq for entry in page.entries] + seqs
        before = seqs[0]
    assert seqs == list(range(1, 11))
    empty = await history.timeline("default", "a", 1, 4)
    assert empty == ([], False)


async def test_an_entry_is_told_as_the_timeline_has_it(
    recording: Recording, history: History
) -> None:
    """Every field, and those that it has not are not there."""
    entry = Entry(
        id="t1:end", kind="tool", at=NOW, offset=1, ref="t1", text="done", tool="Bash",
        status="ok", duration_ms=12, tokens=3, agent_id="x",
    )  # fmt: skip
    await recording.log(report("a", entries=[entry]))
    ring = list(recording.sessions["default", "a"].timeline)
    page = await history.timeline("default", "a", None, 5)
    found = await history.entry("default", "a", "t1:end")
    assert page is not None
    assert found is not None
    assert found == (page.entries[0], "done")
    assert (page.entries[0].ref, page.entries[0].duration_ms) == ("t1", 12)
    assert ring in ([], page.entries)


async def test_a_longer_text_is_told_whole(
    recording: Recording, history: History, database: Database
) -> None:
    """Where more than a timeline carries was kept."""
    text = "long " * 1_000
    await recording.log(report("a", entries=said(1, text=text)))
    found = await history.entry("default", "a", "e1")
    assert found is not None
    assert found[0].full_bytes == len(text)
    assert found[1] == found[0].text != text
    async with database.write() as connection:
        row = {"session_pk": 1, "entry_id": "e1", "text": text}
        await connection.execute(insert(entry_texts), [row])
    assert await history.entry("default", "a", "e1") == (found[0], text)


@pytest.mark.parametrize("session_id", ["b", "a\x00", "\ud800", ""])
async def test_what_is_not_there_is_none(
    recording: Recording, history: History, session_id: str
) -> None:
    """An unknown session, an unknown entry, and those of another workspace."""
    await recording.log(report("a", entries=said(1)), event("prompt", "b", workspace="other"))
    assert await history.timeline("default", session_id, None, 5) is None
    assert await history.entry("default", session_id, "e1") is None
    assert await history.entry("default", "a", session_id) is None
    assert await history.timeline("other", "a", None, 5) is None
