"""Sessions, entries and API calls as rows: whatever an agent tells, a column holds it."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from history import rows
from history.tables import metadata, sessions, usage
from session.delta import Usage
from session.fold import new_session
from session.mark import Mark
from session.state import SUMMARY_NAMES
from session.timeline import TimelineEntry
from tests.hub.made import event

HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def is_text(value: Any) -> bool:
    """Whether every system takes it."""
    return isinstance(value, str) and "\x00" not in value and bool(value.encode() or True)


def holds(column: Any, value: Any) -> bool:
    """Whether a column takes a value, on SQLite and on PostgreSQL."""
    kind = column.type.python_type
    if value is None:
        return bool(column.nullable)
    if kind is int:
        return type(value) is int and abs(value) < 2**63
    if kind is float:
        return type(value) is float and math.isfinite(value)
    return is_text(value) if kind is str else True


@given(st.dictionaries(st.sampled_from(SUMMARY_NAMES), HOSTILE))
def test_any_summary_fits_its_columns(told: dict[str, Any]) -> None:
    """Wrong types, huge numbers, NaN, NUL and lone surrogates become unknown or harmless."""
    session = new_session(event("prompt", "a"))
    for name, value in told.items():
        if name not in {"id", "workspace", "agent", "status", "archived", "cost_state", "sources"}:
            setattr(session, name, value)
    row = rows.summary_row(session)
    for name, value in row.items():
        assert holds(sessions.c[name], value), (name, value)


@given(st.integers(), st.floats() | st.none() | st.integers(), st.text(), st.integers())
def test_any_call_fits_its_columns(count: int, cost: Any, text: str, at: int) -> None:
    """And what is no count, or larger than any, counts nothing."""
    told = Usage(
        message_id=text, model=text, at=at, input=count, output=count, cache_read=count,
        cache_write=count, cost_usd=cost,
    )  # fmt: skip
    row = rows.usage_row(told, text, "transcript")
    for name, value in row.items():
        assert holds(usage.c[name], value), (name, value)
    assert row["input"] == (count if 0 <= count <= rows.COUNT_MAX else 0)


@given(HOSTILE, HOSTILE)
def test_any_count_of_a_tool_fits_its_columns(tool: Any, count: Any) -> None:
    """Hooks and transcripts tell of tools by name."""
    row = rows.tool_row(str(tool), {"calls": count, "errors": count})
    for name, value in row.items():
        assert holds(metadata.tables["session_tools"].c[name], value)


ENTRIES = st.builds(
    TimelineEntry, seq=st.integers(1, 2**62), at=st.none() | st.integers(0, 2**62),
    kind=st.just("tool"), id=st.text(min_size=1), ref=st.none() | st.text(), text=st.text(),
    full_bytes=st.none() | st.integers(0, 2**40), tool=st.none() | st.text(),
    tokens=st.none() | st.integers(0, 2**40),
)  # fmt: skip


@given(ENTRIES)
def test_an_entry_comes_back_as_it_was(entry: TimelineEntry) -> None:
    """But for what no column holds."""
    texts = (entry.id, entry.ref, entry.text, entry.tool)
    row = rows.event_row(entry)
    again = rows.entry_of({**row, "data": msgspec.json.decode(row["data"].encode())})
    if all("\x00" not in (text or "") for text in texts):
        assert again == entry
    else:
        assert again.seq == entry.seq


@given(HOSTILE)
def test_what_is_clean_stays_as_it_is(value: Any) -> None:
    """Cleaning twice is cleaning once."""
    once = rows.clean(value)
    assert rows.clean(once) == once


def test_a_name_that_no_column_holds_is_no_key() -> None:
    """It could not be found again."""
    assert rows.is_key(("default", "a\u00fc"))
    assert not rows.is_key(("default", "a\x00"))
    assert not rows.is_key(("a\ud800", "a"))


@pytest.mark.parametrize(
    ("at", "day"),
    [(None, ""), (-1, ""), (2**70, ""), (0, "1970-01-01"), (1_790_000_000_000, "2026-09-21")],
)
def test_a_day_is_that_of_utc(at: int | None, day: str) -> None:
    """And empty where no time is known."""
    assert rows.day_of(at) == day


def test_a_mark_comes_back_as_it_was_or_not_at_all() -> None:
    """One of another release is none: its file is read again."""
    mark = Mark(path="/made-up/a.jsonl", session="a", source="main", offset=7, last_at=3)
    assert rows.mark_of(rows.mark_row(mark, "default")["mark"]) == mark
    assert rows.mark_of(b"") is None
    assert rows.mark_of(b"\xc1garbage") is None


def test_a_state_of_another_count_of_the_log_has_heard_nothing_of_this_one() -> None:
    """What was folded stays; its numbers say nothing."""
    session = new_session(event("prompt", "a"))
    session.number, session.messages = 7, 3
    row = {**rows.state_row(session, "m1", 0)}
    assert rows.session_of(row, "m1").number == 7
    assert rows.session_of(row, "m2").number == 0
    assert rows.session_of(row, "m2").messages == 3
