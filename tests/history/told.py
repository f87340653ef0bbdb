"""What a whole log tells when it is folded once, uninterrupted; and that rows are just that.

The fold is the program's own; steps, numbers of sessions in SQL and owners of calls are not.
"""

from collections import defaultdict
from typing import Any

import msgspec

from bus.base import Bus
from bus.position import ordinal_of
from history import rows
from history.store import Store
from history.tool_rows import BLOCK_BITS
from session.delta import Delta, Report, Time, Usage
from session.fold import fold, new_session
from session.mark import Mark
from session.state import Session
from session.timeline import TimelineEntry
from tests.history import calls
from tests.history.calls import Said
from tests.history.looking import rows_of

Key = tuple[str, str]


class Told:
    """Sessions, their whole timelines, their calls and the marks of their files."""

    def __init__(self) -> None:
        self.count = 0
        self.sessions: dict[Key, Session] = {}
        self.entries: dict[Key, dict[str, TimelineEntry]] = defaultdict(dict)
        self.marks: dict[str, Mark] = {}
        self._usage: dict[tuple[Key, str], dict[str, Usage]] = defaultdict(dict)

    @classmethod
    async def of(cls, log: Bus) -> "Told":
        """Everything that a log holds."""
        told = cls()
        for partition in range(log.partitions):
            end = ordinal_of(await log.position(partition))
            tail = log.tail(partition, None)
            while end and ordinal_of((batch := await anext(tail)).position) <= end:
                for delta in batch.deltas:
                    told.fold(delta)
                if ordinal_of(batch.position) == end:
                    break
            await tail.aclose()
        return told

    def fold(self, delta: Delta) -> None:
        """One more, in the log's order."""
        self.count += 1
        session = self.sessions.get(delta.key)
        if session is None:
            if isinstance(delta, Time):
                return
            session = self.sessions[delta.key] = new_session(delta)
        known = session.transcripts.get(delta.source)
        before = (-1, -1) if known is None else (known.generation, known.to)
        fold(session, delta)
        for entry in session.timeline.entries:
            self.entries[delta.key].setdefault(entry.id, entry)
        session.timeline.empty(session.cursor_number)
        if isinstance(delta, Report) and (delta.generation, delta.to) > before:
            self._take_in(delta, is_new=delta.generation > before[0])

    def _take_in(self, report: Report, *, is_new: bool) -> None:
        held = self._usage[report.key, report.source]
        if is_new:
            held.clear()
        held.update({each.message_id: each for each in report.usage})
        if report.mark is not None:
            self.marks[report.mark.path] = report.mark

    @property
    def said(self) -> list[Said]:
        """Each session's word of each call; of two of its files the better one's."""
        found: dict[tuple[str, str], Said] = {}
        for (key, _), held in sorted(self._usage.items()):
            for each in held.values():
                counts = (each.input, each.output, each.cache_read, each.cache_write)
                told = Said(
                    key[1], each.message_id, each.model, each.at, counts, each.cost_usd, each.forked
                )
                known = found.get((key[1], each.message_id))
                if known is None or told.counts[1] >= known.counts[1]:
                    found[key[1], each.message_id] = told
        return list(found.values())


async def check(store: Store, told: Told) -> dict[str, int]:
    """Every table holds exactly that, each row once; gives how many rows there are."""
    sessions = await rows_of(store, "sessions")
    keys = {row["pk"]: (row["workspace"], row["id"]) for row in sessions}
    assert sorted(keys.values()) == sorted(told.sessions)
    for row in sessions:
        expected = rows.summary_row(told.sessions[keys[row["pk"]]])
        found = {name: row[name] for name in expected}
        assert {**found, "project_path": 0} == {**expected, "project_path": 0}
    events = await _check_events(store, told, keys)
    await _check_tools(store, told, keys)
    await _check_documents(store)
    marks = {
        row["path"]: rows.mark_of(row["mark"]) for row in await rows_of(store, "reader_offsets")
    }
    assert marks == told.marks
    await calls.check(store, told.said)
    usage = len(await rows_of(store, "usage"))
    copies = len(await rows_of(store, "usage_copies"))
    days = len(await rows_of(store, "usage_days"))
    whole = {"sessions": len(sessions), "session_events": events, "usage": usage}
    return {**whole, "usage_copies": copies, "usage_days": days}


def _as_read(row: dict[str, Any]) -> dict[str, Any]:
    """A row of an entry as the database gives it back: what is JSON is read."""
    return {**row, "data": msgspec.json.decode(row["data"].encode())}


async def _check_events(store: Store, told: Told, keys: dict[int, Key]) -> int:
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    events = await rows_of(store, "session_events")
    for row in events:
        found[keys[row.pop("session_pk")]].append(row)
    for key in told.sessions:
        expected = [_as_read(rows.event_row(entry)) for entry in told.entries[key].values()]
        assert found[key] == expected, key
    return len(events)


async def _check_tools(store: Store, told: Told, keys: dict[int, Key]) -> None:
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in await rows_of(store, "session_tools"):
        found[keys[row.pop("session_pk")]].append(row)
    for key, session in told.sessions.items():
        expected = [rows.tool_row(*each) for each in sorted(session.tools.items())]
        assert found[key] == expected, key
    blocks = {
        (row.pop("block"), row.pop("workspace"), row.pop("tool")): row
        for row in await rows_of(store, "tool_blocks")
    }
    assert blocks == _blocks(found, {key: pk for pk, key in keys.items()})


def _blocks(
    tools: dict[Key, list[dict[str, Any]]], pks: dict[Key, int]
) -> dict[tuple[int, str, str], dict[str, int]]:
    """The sums that must stand beside the rows of tools."""
    sums: dict[tuple[int, str, str], dict[str, int]] = {}
    for key, told in tools.items():
        for row in told:
            empty = {"calls": 0, "errors": 0, "total_ms": 0, "sessions": 0}
            held = sums.setdefault((pks[key] >> BLOCK_BITS, key[0], row["tool"]), empty)
            for name in ("calls", "errors", "total_ms"):
                held[name] += row[name]
            held["sessions"] += 1
    return sums


async def _check_documents(store: Store) -> None:
    """Numbered densely within each session."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in await rows_of(store, "documents"):
        found[row["session_pk"]].append(row["number"])
    for row in await rows_of(store, "session_states"):
        first = row["session_pk"] << rows.DOCUMENTS_BITS
        assert found[row["session_pk"]] == list(range(first, first + row["documents"]))
