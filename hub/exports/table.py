"""Sessions as CSV (RFC 4180) that spreadsheets read: with a byte order mark, times as ISO 8601.

What is not known is an empty cell. A text that a spreadsheet would take for a formula gets an
apostrophe in front. Pure; called by the route and by ``tower export``.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from session.state import SUMMARY_NAMES, TOKEN_NAMES

MARK = "\ufeff"
TIMES = ("status_since", "started_at", "updated_at", "ended_at")
_PARTS = {
    "tokens": TOKEN_NAMES, "objectives": ("done", "total"), "subagents": ("active", "total"),
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_TIME_MAX_MS = 253_402_300_799_000


def columns() -> list[str]:
    """The names of the columns: those of a summary, small objects taken apart."""
    names: list[str] = []
    for name in SUMMARY_NAMES:
        if name != "sources":
            names += [f"{name}_{part}" for part in _PARTS.get(name, ())] or [name]
    return names


def head() -> bytes:
    """The first line."""
    return MARK.encode() + _lines([columns()])


def body(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One line for each summary."""
    return _lines([list(_cells(row)) for row in rows])


def _cells(row: Mapping[str, Any]) -> Iterable[str]:
    for name in SUMMARY_NAMES:
        if name in _PARTS:
            told = row[name] or {}
            yield from (_cell(told.get(part)) for part in _PARTS[name])
        elif name in TIMES:
            yield iso(row[name]) or ""
        elif name != "sources":
            yield _cell(row[name])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value).replace("\x00", "\ufffd")
    return f"'{text}" if text.startswith(_FORMULA) else text


def iso(at: int | None) -> str | None:
    """A time as ISO 8601, UTC; None for one that is not known or no calendar has."""
    if at is None or not 0 <= at <= _TIME_MAX_MS:
        return None
    told = datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{told}.{at % 1000:03d}Z"


def _lines(rows: Iterable[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")
