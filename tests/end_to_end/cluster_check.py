"""The verdict on a proof run, offline: recordings of the watchers against the log itself.

Knows nothing of what the hubs held: the truth is a fold of what Redis gives back.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hub.live.views import parse_view
from session.delta import Delta
from session.fold import fold, new_session
from session.state import Session, detail, item_view, summary
from tests.hub.made import plain

Json = dict[str, Any]


class Truth:
    """Every session as the log tells it."""

    def __init__(self, deltas: Iterable[Delta]) -> None:
        self.sessions: dict[str, Session] = {}
        for delta in deltas:
            session = self.sessions.setdefault(delta.session, new_session(delta))
            fold(session, delta)
        every = [item for each in self.sessions.values() for item in each.items.values()]
        self.items = {view["id"]: view for view in (plain(item_view(item)) for item in every)}

    def rows(self, told: Json) -> Json:
        """The rows of a view."""
        view, _ = parse_view(told, 5_000)
        shown = sorted(filter(view.matches, self.sessions.values()), key=view.key)
        return {each.id: plain(summary(each)) for each in shown[: view.limit]}


class Verdict:
    """One watcher's recording, judged; each violation begins with the invariant that it breaks.

    Without ``truth`` (a log that lost entries has none) only what the recording itself tells.
    """

    def __init__(self, name: str, recording: list[Json], truth: Truth | None) -> None:
        self.name = name
        self.recording = recording
        self.state = recording[-1]
        self.resumed_by: dict[str, int] = {}
        self.violations: list[str] = []
        if self.state["violation"] is not None:
            self._complain("I2", self.state["violation"])
        self._follow_cursors()
        self._look_for_stale()
        if truth is not None:
            self._compare(truth)

    def _complain(self, invariant: str, what: str) -> None:
        self.violations.append(f"{invariant} {self.name}: {what}")

    # No gap and no duplicate.

    def _follow_cursors(self) -> None:
        """Every patch continues what is held, forwards and within its epoch."""
        held: dict[str, str | None] = {}
        resumed: set[str] = set()
        for note in self.recording:
            kind, session = note["kind"], note.get("session", "")
            if kind == "connect":
                resumed = {each["session"] for each in note["resume"]}
                told = {each["session"]: each["cursor"] or None for each in note["resume"]}
                if any(cursor and held.get(name) != cursor for name, cursor in told.items()):
                    self._complain("I2", f"resumed what it does not hold: {told}")
                held = dict(told)
            elif kind in ("session.evicted", "session.stale"):
                held[session] = None
            elif kind == "session.snapshot" and note["part"] == note["parts"]:
                held[session] = note["cursor"]
            elif kind == "session.patch" and held.get(session) is not None:
                self._continue(session, held[session] or "", note)
                held[session] = note["cursor"]
            if session in resumed and kind in ("session.snapshot", "session.patch"):
                resumed.discard(session)
                self.resumed_by[kind] = self.resumed_by.get(kind, 0) + 1
        for name, opened in self.state["opened"].items():
            if opened["cursor"] != held.get(name) and not opened["stale"]:
                self._complain(
                    "I5", f"{name} is at {opened['cursor']}, followed to {held.get(name)}"
                )

    def _continue(self, session: str, held: str, note: Json) -> None:
        epoch, _, number = held.rpartition(":")
        next_epoch, _, next_number = note["cursor"].rpartition(":")
        if note["from"] != held:
            self._complain("I2", f"{session}: a patch from {note['from']}, and {held} is held")
        elif epoch != next_epoch or int(next_number) < int(number):
            self._complain("I2", f"{session}: from {held} to {note['cursor']}")

    # What is held at the end.

    def _look_for_stale(self) -> None:
        for name, opened in self.state["opened"].items():
            if opened["stale"] and not opened["evicted"]:
                self._complain("I3", f"{name} is stale at the end: {self._last_of(name)}")

    def _compare(self, truth: Truth) -> None:
        state = self.state
        expected = truth.rows(state["view"])
        wrong = [name for name in expected if state["rows"].get(name) != expected[name]]
        more = state["rows"].keys() - expected.keys()
        if wrong or more:
            self._complain("I1", f"rows differ: {sorted(wrong)[:5]}, too many: {sorted(more)[:5]}")
        if state["items"] != truth.items:
            self._complain("I4", "open items differ at the end")
        soon = [note["items"] for note in self.recording if note["kind"] == "items"]
        if soon != [sorted(truth.items)]:
            self._complain("I4", "open items were not complete in 2 s")
        for name, opened in state["opened"].items():
            if not opened["evicted"] and not opened["stale"]:
                self._compare_opened(name, opened, truth.sessions[name])

    def _compare_opened(self, name: str, opened: Json, session: Session) -> None:
        timeline = plain(list(session.timeline))
        number = int((opened["cursor"] or ":-1").rpartition(":")[2])
        if number != session.cursor_number:
            self._complain("I1", f"{name} is at {number} of {session.cursor_number}")
        elif opened["detail"] != plain(detail(session)):
            self._complain("I1", f"the detail of {name} differs")
        elif opened["timeline"][-len(timeline) :] != timeline:
            self._complain("I1", f"the timeline of {name} differs")

    def _last_of(self, session: str) -> list[Json]:
        """What came of it in the end, and what else was said to this client alone."""
        told = ("error", "notice", "bye", "lost", "connect")
        notes = [n for n in self.recording if n.get("session") == session or n["kind"] in told]
        return notes[-8:]

    # How long it was away.

    def away_s(self, killed_at: float) -> float | None:
        """From the kill until everything was there again; None if it was not away."""
        after = [note for note in self.recording if note["t"] >= killed_at]
        start = next((n for n, note in enumerate(after) if note["kind"] == "connect"), None)
        if start is None:
            return None
        waiting = {"", *(each["session"] for each in after[start]["resume"])}
        for note in after[start:]:
            if note["kind"] == "overview.snapshot":
                waiting.discard("")
            elif note["kind"] in ("session.snapshot", "session.patch", "session.evicted"):
                is_whole = note.get("part") == note.get("parts")
                waiting -= {note["session"]} if is_whole else set()
            if not waiting:
                return float(note["t"] - killed_at)
        return float("inf")


def read(folder: Path, truth: Truth | None) -> Iterator[Verdict]:
    """Every recording of a run."""
    for path in sorted(folder.glob("*.jsonl")):
        recording = [json.loads(line) for line in path.read_text().splitlines()]
        yield Verdict(path.stem, recording, truth)


def spread(values: list[float]) -> Json:
    """The middle, the end and the worst of some numbers."""
    order = sorted(values)
    if not order:
        return {}
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    told = {name: order[min(len(order) - 1, int(len(order) * part))] for name, part in at.items()}
    return {"count": len(order), **{name: round(value, 3) for name, value in told.items()}}
