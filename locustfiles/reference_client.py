"""A client of hub.v1 that follows PROTOCOL.md to the letter and raises on any violation.

It is fed whole frames in their order on a lossless link: what a real client would repair by a
resync is a fault here. Knows nothing of the hub's code.
"""

import json
from collections import Counter
from typing import Any

from session.state import SUMMARY_NAMES

FRAME_BYTES_MAX = 65_536
TIMELINE_MAX = 500
ERRORS_MAX = 50
SERIES_KEYS = {"timeline": "seq", "token_series": "at", "errors_list": "seq"}

Frame = dict[str, Any]


class Violation(AssertionError):
    """The hub said something that hub.v1 does not allow."""


def demand(held: bool, complaint: str, frame: Frame | None = None) -> None:
    """Raise Violation unless ``held``."""
    if not held:
        raise Violation(f"{complaint}: {str(frame)[:300]}" if frame else complaint)


class Parts:
    """The parts of one snapshot, which come in their order with only attention in between."""

    def __init__(self) -> None:
        self.awaited: tuple[str, str | None, str, int, int] | None = None

    def take(self, frame: Frame) -> tuple[bool, bool]:
        """Whether this is the first and whether it is the last part."""
        part, parts = frame["part"], frame["parts"]
        demand(1 <= part <= parts, "parts are numbered from 1", frame)
        place = (frame["type"], frame.get("session"), frame["cursor"], part, parts)
        if self.awaited is None:
            demand(part == 1, "a snapshot begins with part 1", frame)
        else:
            demand(place == self.awaited, "the parts of one snapshot follow each other", frame)
        self.awaited = None if part == parts else (*place[:3], part + 1, parts)
        return part == 1, part == parts


class Opened:
    """One session that this client has opened."""

    def __init__(self) -> None:
        self.cursor: str | None = None
        self.stale = True
        self.evicted = False
        self.detail: dict[str, Any] = {}
        self.timeline: dict[int, Frame] = {}
        self._coming: tuple[dict[str, Any], dict[int, Frame]] = ({}, {})

    def snapshot(self, frame: Frame, first: bool, last: bool) -> None:
        """Replace what is held, once the last part is there."""
        demand(frame["live"] is last, "live is true on the last part alone", frame)
        if first:
            self._coming = ({}, {})
        detail, timeline = self._coming
        for name, value in frame["detail"].items():
            if name in detail and isinstance(value, dict):
                detail[name] = {**detail[name], **value}
            elif name in detail and isinstance(value, list):
                detail[name] = detail[name] + value
            else:
                demand(name not in detail, "a value comes once in a snapshot", frame)
                detail[name] = value
        for entry in frame["timeline"]:
            demand(entry["seq"] not in timeline, "a snapshot has no entry twice", frame)
            timeline[entry["seq"]] = entry
        if last:
            self.detail, self.timeline = self._coming
            self.cursor, self.stale, self.evicted = frame["cursor"], False, False

    def patch(self, frame: Frame) -> None:
        """Apply what changed."""
        demand(not self.evicted, "no frames for an evicted session", frame)
        if self.cursor is None:
            return  # of an earlier opening, written before the snapshot that is awaited
        demand(frame["from"] == self.cursor, f"a gap: {self.cursor} is held", frame)
        demand(not self.stale, "a stale session is cured by a snapshot alone", frame)
        for name in (*frame.get("maps", {}), *frame.get("append", {}), *frame.get("set", {})):
            demand(name == "timeline" or name in self.detail, f"an unknown name {name}", frame)
        self.detail.update(frame.get("set", {}))
        for name, keys in frame.get("maps", {}).items():
            whole = {**self.detail[name], **keys}
            self.detail[name] = {key: value for key, value in whole.items() if value is not None}
        for name, items in frame.get("append", {}).items():
            self._append(name, items)
        self.cursor = frame["cursor"]

    def _append(self, name: str, items: list[Frame]) -> None:
        key = SERIES_KEYS[name]
        if name == "timeline":
            for item in items:
                known = self.timeline.get(item[key])
                demand(known in (None, item), "an entry never changes", item)
                self.timeline[item[key]] = item
            kept = sorted(self.timeline)[-TIMELINE_MAX:]
            self.timeline = {seq: self.timeline[seq] for seq in kept}
            return
        held = {item[key]: item for item in [*self.detail[name], *items]}
        series = [held[each] for each in sorted(held)]
        self.detail[name] = series[-ERRORS_MAX:] if name == "errors_list" else series


class ReferenceClient:
    """Everything that a client knows: rows, open items, opened sessions and all cursors."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.welcome: Frame | None = None
        self.overview: str | None = None
        self.attention: str | None = None
        self.rows: dict[str, Frame] = {}
        self.row_order: list[str] = []
        self.totals: Frame | None = None
        self.items: dict[str, Frame] = {}
        self.opened: dict[str, Opened] = {}
        self.asked: Counter[str] = Counter()  # openings; each eviction ends one of them
        self.evictions: Counter[str] = Counter()
        self.errors: list[Frame] = []
        self.heartbeats: list[Frame] = []
        self.bye: Frame | None = None
        self._parts = Parts()
        self._attention_parts = Parts()
        self._rows: dict[str, Frame] = {}
        self._items: dict[str, Frame] = {}

    # What this client does by itself.

    def opening(self, session: str) -> None:
        """A subscribe was sent: only a snapshot brings the session to life."""
        known = self.opened.get(session)
        self.asked[session] += 1
        if known is None:
            self.opened[session] = Opened()

    def closing(self, session: str) -> None:
        """An unsubscribe was sent."""
        self.opened.pop(session, None)

    def resuming(self, session: str, held: Opened) -> None:
        """A hello names what an earlier connection held."""
        self.asked[session] += 1
        self.opened[session] = held

    @property
    def cursors(self) -> dict[str, str | None]:
        """The cursor of every opened session."""
        return {session: held.cursor for session, held in self.opened.items()}

    # What comes in.

    def feed(self, data: bytes) -> Frame:
        """Take in one frame as it came from the wire."""
        demand(len(data) <= FRAME_BYTES_MAX, f"a frame of {len(data)} bytes")
        frame: Frame = json.loads(data)
        kind = frame["type"]
        demand(not self.frames or self.welcome is not None, "welcome comes first", frame)
        self.frames.append(frame)
        if self._parts.awaited is not None:
            ok = kind in ("attention", self._parts.awaited[0])
            demand(ok, "between the parts of a snapshot only attention may come", frame)
        handler = getattr(self, "_" + kind.replace(".", "_"), None)
        demand(handler is not None, "an unknown type", frame)
        handler(frame)  # type: ignore[misc]
        return frame

    def _welcome(self, frame: Frame) -> None:
        demand(len(self.frames) == 1, "welcome comes first and once", frame)
        demand(frame["protocol"] == 1, "protocol 1", frame)
        self.welcome = frame

    def _overview_snapshot(self, frame: Frame) -> None:
        first, last = self._parts.take(frame)
        if first:
            self._rows = {}
        for row in frame["sessions"]:
            demand(row["id"] not in self._rows, "a row comes once in a snapshot", frame)
            self._rows[row["id"]] = row
        if last:
            self.rows, self.overview = self._rows, frame["cursor"]
            self.row_order = list(self.rows)
            self.totals = frame["totals"]

    def _overview_patch(self, frame: Frame) -> None:
        demand(self.overview is not None, "a patch before the first snapshot", frame)
        demand(frame["from"] == self.overview, f"a gap: {self.overview} is held", frame)
        for change in frame["set"]:
            row = self.rows.get(change["id"])
            if row is None:
                demand(
                    set(SUMMARY_NAMES) <= set(change), "a row new to the view comes in full", change
                )
            self.rows[change["id"]] = {**(row or {}), **change}
        for gone in frame["gone"]:
            demand(gone in self.rows, "gone: a row that is not there", frame)
            del self.rows[gone]
        self.totals = frame.get("totals", self.totals)
        self.overview = frame["cursor"]

    def _attention(self, frame: Frame) -> None:
        first, last = self._attention_parts.take(frame)
        if first:
            self._items = {} if frame["full"] else dict(self.items)
        for item in frame["open"]:
            self._items[item["id"]] = item
        for closed in frame["closed"]:
            demand(set(closed) == {"id", "outcome"}, "closed is {id, outcome}", frame)
            self._items.pop(closed["id"], None)
        if last:
            self.items, self.attention = self._items, frame["cursor"]

    def _session_snapshot(self, frame: Frame) -> None:
        first, last = self._parts.take(frame)
        session = frame["session"]
        held = self.opened.get(session)
        if held is not None:
            reopened = self.asked[session] > self.evictions[session]
            demand(reopened or not held.evicted, "no frames for an evicted session", frame)
            held.snapshot(frame, first, last)

    def _session_patch(self, frame: Frame) -> None:
        held = self.opened.get(frame["session"])
        if held is not None:
            held.patch(frame)

    def _session_evicted(self, frame: Frame) -> None:
        demand(frame["reason"] in ("cap", "slow", "forbidden", "deleted"), "reason", frame)
        self.evictions[frame["session"]] += 1
        held = self.opened.get(frame["session"])
        if held is not None:
            held.cursor, held.stale, held.evicted = None, True, True

    def _session_stale(self, frame: Frame) -> None:
        reasons = ("gap", "epoch", "trimmed", "slow", "worker")
        demand(frame["reason"] in reasons, "reason", frame)
        held = self.opened.get(frame["session"])
        if held is not None:
            held.stale = True

    def _heartbeat(self, frame: Frame) -> None:
        self.heartbeats.append(frame)
        demand(frame["overview"] == self.overview, f"overview: {self.overview} is held", frame)
        demand(frame["attention"] == self.attention, f"attention: {self.attention} held", frame)
        for session, cursor in frame["sessions"].items():
            held = self.cursors.get(session)
            demand(held == cursor, f"{session}: {held} is held", frame)

    def _error(self, frame: Frame) -> None:
        demand({"code", "message"} <= set(frame), "error has code and message", frame)
        self.errors.append(frame)

    def _bye(self, frame: Frame) -> None:
        self.bye = frame

    def _pong(self, frame: Frame) -> None:
        demand({"id", "now"} <= set(frame), "pong has id and now", frame)

    def _notice(self, frame: Frame) -> None:
        demand({"level", "code", "message"} <= set(frame), "notice", frame)
