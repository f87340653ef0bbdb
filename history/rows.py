"""Sessions, entries and API calls as rows, and back. Pure.

No text keeps a NUL and no number is larger than a column: one odd value of an agent must never
hold up the transaction that it stands in. Called by the ledger, the store and the queries.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from session import checkpoint
from session.checkpoint import Saved
from session.delta import Usage
from session.mark import Mark
from session.state import SUMMARY_NAMES, Session
from session.timeline import TimelineEntry

Row = dict[str, Any]


class Encoded(str):
    """Text that is JSON: a column of JSON takes it as it is."""

    __slots__ = ()


WHOLE_MAX = 2**63 - 1
COUNT_MAX = 2**40
"""No call has so many tokens; a column holds the sum of eight million such."""

TIME_MAX_MS = 253_402_300_799_000  # the year 9999
DOCUMENTS_BITS = 20
"""A document's number is its session's key and, in so many bits, its place among that session's."""

_NOTHING = TimelineEntry(seq=0, at=None, kind="", id="")
_DATA_DEFAULTS = {
    name: getattr(_NOTHING, name)
    for name in TimelineEntry.__struct_fields__
    if name not in ("seq", "at", "kind", "id")
}
_mark = msgspec.msgpack.Decoder(Mark)


_TEXTS = frozenset({
    "id", "agent", "workspace", "host", "user", "project", "cwd", "branch", "title", "model",
    "phase", "event_id", "status", "current_tool", "cost_state",
})  # fmt: skip
_COUNTS = frozenset({"attention", "tool_calls", "tool_errors"})
_WHOLES = frozenset({
    "status_since", "started_at", "updated_at", "ended_at", "context_tokens", "messages",
})  # fmt: skip
_AMOUNTS = frozenset({"cost_usd", "budget_usd"})
_TOOL_COUNTS = ("calls", "errors", "total_ms")
_CALL_COUNTS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


def clean(value: Any) -> Any:
    """The value without what a column cannot hold."""
    if isinstance(value, str):
        value = value.replace("\x00", "\ufffd") if "\x00" in value else value
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if -WHOLE_MAX <= value <= WHOLE_MAX else None
    if isinstance(value, dict):
        return {clean(key): clean(each) for key, each in value.items()}
    if isinstance(value, list):
        return [clean(each) for each in value]
    return value


def count_of(value: Any) -> int:
    """A count that a column holds, and a sum of millions of them; 0 for what is none."""
    is_count = isinstance(value, int) and not isinstance(value, bool)
    return value if is_count and 0 <= value <= COUNT_MAX else 0


def amount_of(value: Any) -> float | None:
    """An amount that can be added up; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= COUNT_MAX else None


def _fitted(name: str, value: Any) -> Any:
    """A value of the summary as its column wants it: agents may tell any type."""
    if name in _COUNTS:
        return count_of(value)
    if name in _AMOUNTS:
        return amount_of(value)
    if name in _TEXTS and not isinstance(value, str):
        return None
    if name in _WHOLES and not (isinstance(value, int) and not isinstance(value, bool)):
        return None
    return clean(value)


def is_key(key: tuple[str, str]) -> bool:
    """Whether a session can be found by its key again: what is changed in it cannot."""
    return all(clean(part) == part for part in key)


def summary_row(session: Session) -> Row:
    """The columns of ``sessions``, but for its key."""
    row = {name: _fitted(name, getattr(session, name)) for name in SUMMARY_NAMES}
    more = {"usage_family": session.usage_family, "past": session.past}
    return {**row, "project_path": row["cwd"], **more}


def summary_of(row: Mapping[str, Any]) -> Row:
    """The summary as the API tells it."""
    return {name: row[name] for name in SUMMARY_NAMES}


def state_row(session: Session, numbering: str, documents: int) -> Row:
    """What the fold goes on from; raises InvalidCheckpoint for what cannot be packed."""
    return {
        "number": session.number,
        "numbering": numbering,
        "state": checkpoint.pack([Saved(session, "")]),
        "errors_list": clean(session.errors),
        "documents": documents,
    }


def session_of(row: Mapping[str, Any], numbering: str) -> Session:
    """A session as its row keeps it; raises InvalidCheckpoint.

    A number of another count of the log says nothing in this one.
    """
    session = checkpoint.unpack(row["state"])[0].session
    session.errors = list(row["errors_list"])
    if row["numbering"] != numbering:
        session.number = session.cursor_number = 0
    return session


def event_row(entry: TimelineEntry) -> Row:
    """The columns of ``session_events``, but for the session's key.

    ``data`` is JSON already: of these rows there are more than of all others.
    """
    told = {
        name: clean(value)
        for name, plain in _DATA_DEFAULTS.items()
        if (value := getattr(entry, name)) != plain
    }
    return {
        "seq": entry.seq,
        "at": clean(entry.at),
        "kind": entry.kind,
        "entry_id": clean(entry.id),
        "data": Encoded(msgspec.json.encode(told).decode()),
    }


def entry_of(row: Mapping[str, Any]) -> TimelineEntry:
    """An entry as clients get it."""
    told = {"seq": row["seq"], "at": row["at"], "kind": row["kind"], "id": row["entry_id"]}
    return msgspec.convert({**row["data"], **told}, TimelineEntry)


def usage_row(usage: Usage, source: str, family: str) -> Row:
    """The columns of ``usage``, but for whose it is."""
    more = {"source": source, "family": family, "day": day_of(usage.at)}
    row: Row = clean({**msgspec.structs.asdict(usage), **more})
    counts = {name: count_of(row[name]) for name in _CALL_COUNTS}
    return {**row, **counts, "cost_usd": amount_of(row["cost_usd"])}


def tool_row(tool: str, told: Mapping[str, Any]) -> Row:
    """The columns of ``session_tools``, but for whose it is."""
    return {"tool": clean(tool)} | {name: count_of(told.get(name)) for name in _TOOL_COUNTS}


def day_of(at: int | None) -> str:
    """The day of a time, UTC, as ``2026-11-20``; empty where no time is known."""
    if at is None or not 0 <= at <= TIME_MAX_MS:
        return ""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d")


def mark_row(mark: Mark, workspace: str) -> Row:
    """The columns of ``reader_offsets``."""
    return {
        "path": clean(mark.path),
        "workspace": workspace,
        "session": clean(mark.session),
        "mark": msgspec.msgpack.encode(mark),
    }


def mark_of(data: bytes) -> Mark | None:
    """A mark as it was kept; one of another release is none, and its file is read again."""
    try:
        return _mark.decode(data)
    except msgspec.MsgspecError:
        return None
