"""An export as bytes, piece by piece: what was written is let go before the next is read.

The first piece comes when the first page is read, so that whoever asks for nonsense hears it.
Called by the route and by ``tower export``.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from hub.exports import report, table
from hub.exports.gather import Gathering
from session.state import detail

FORMAT, VERSION = "agenttower.export", 1
MEDIA = {"csv": "text/csv", "json": "application/json", "html": "text/html"}
SECTIONS_MAX = 8
ROWS_MAX = 1_000


async def pieces(gathering: Gathering, now_ms: int) -> AsyncIterator[bytes]:
    """The whole file; raises BadQuery or DatabaseUnavailable."""
    kinds = {"csv": _csv, "json": _json, "html": _html}
    async for piece in kinds[gathering.asked.format](gathering, now_ms):
        yield piece


async def _csv(gathering: Gathering, _now_ms: int) -> AsyncIterator[bytes]:
    start = table.head()
    async for rows in gathering.pages():
        yield start + table.body(rows)
        start = b""


async def _json(gathering: Gathering, now_ms: int) -> AsyncIterator[bytes]:
    """``sessions`` with all of their detail; ``usage`` only where every session is meant."""
    told = {"format": FORMAT, "version": VERSION, "exported_at": now_ms}
    start = msgspec.json.encode(told)[:-1] + b',"sessions":['
    async for rows in gathering.pages():
        for row in rows:
            session = await gathering.find(row["id"])
            if session is not None:
                yield start + _encoded(detail(session))
                start = b",\n"
    yield b"" if start == b",\n" else start
    usage: dict[str, Any] = {}
    if gathering.asked.is_all:
        usage = {f"by_{each}": await gathering.usage(each) for each in ("day", "model")}
    yield b'],"usage":%b}\n' % _encoded(usage or None)


def _encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


async def _html(gathering: Gathering, now_ms: int) -> AsyncIterator[bytes]:
    """Rows of the newest sessions; sums over all of them."""
    sums = report.Sums()
    shown: list[dict[str, Any]] = []
    async for rows in gathering.pages():
        for row in rows:
            sums.add(row)
        shown += rows[: ROWS_MAX - len(shown)]
    spent = {}
    if gathering.asked.is_all:
        spent = {each: await gathering.usage(each) for each in ("day", "model", "project")}
    yield report.head(sums, spent, now_ms).encode("utf-8", "replace")
    for session_id in gathering.asked.ids[:SECTIONS_MAX]:
        session = await gathering.whole(session_id)
        yield report.section(session).encode("utf-8", "replace")
    yield report.tail(shown, sums.sessions).encode("utf-8", "replace")
