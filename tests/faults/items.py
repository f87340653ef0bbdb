"""When every open item was there to be seen, by the log; and when each watcher was told of it.

An item counts if it was open for 5 s. While something is injured, and for a moment after it was
healed, nobody is held to the 2 s; nor is a watcher that was just reconnecting.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from session.delta import Delta
from session.fold import fold, new_session
from session.state import Session, public_id
from tests.end_to_end.cluster_check import spread
from tests.faults.evidence import Evidence

LONG_S = 5.0
SOON_S = 2.0
HEALED_S = 5.0
Json = dict[str, Any]


class Shown(NamedTuple):
    """One item: seconds since the Unix epoch, by the ingest's clock. ``closed`` is inf if open."""

    id: str
    opened: float
    closed: float


def items_of(deltas: list[Delta]) -> list[Shown]:
    """Every item that the log ever opened."""
    sessions: dict[tuple[str, str], Session] = {}
    found: dict[str, Shown] = {}
    for delta in deltas:
        session = sessions.setdefault(delta.key, new_session(delta))
        before = set(session.items)
        fold(session, delta)
        at = delta.received_at / 1000
        for each in session.items.keys() - before:
            name = public_id(session.id, each)
            found[name] = Shown(name, at, math.inf)
        for each in before - session.items.keys():
            name = public_id(session.id, each)
            found[name] = found[name]._replace(closed=at)
    return list(found.values())


def told_times(recording: list[Json]) -> dict[str, list[float]]:
    """Item → when this watcher was told that it is open."""
    told: dict[str, list[float]] = {}
    for note in recording:
        if note["kind"] == "attention":
            for each in note["opened"]:
                told.setdefault(each, []).append(note["t"])
    return told


def late_items(found: Evidence) -> Iterator[str]:
    """Each watcher's items that came late or never."""
    wanted = long_ones(found)
    for name, recording in found.recordings.items():
        told = told_times(recording)
        away = [(n["t"], n["kind"]) for n in recording if n["kind"] in ("lost", "connect")]
        began = next(at for at, kind in away if kind == "connect")
        for item in wanted:
            deadline = _deadline(found, item, away)
            if item.opened < began or item.closed < deadline or deadline > found.when("ended"):
                continue
            if not any(at <= deadline for at in told.get(item.id, ())):
                late = [round(at - item.opened, 1) for at in told.get(item.id, ())]
                yield f"{name} was told of {item.id} after {late} s"


def long_ones(found: Evidence) -> list[Shown]:
    """Items that were open long enough for everybody to be told."""
    end = found.when("ended")
    every = items_of(found.deltas)
    return [each for each in every if min(each.closed, end) - each.opened >= LONG_S]


def _deadline(found: Evidence, item: Shown, away: list[tuple[float, str]]) -> float:
    """When the watcher must have been told."""
    deadline = item.opened + SOON_S
    well = found.when("healed") + HEALED_S
    if found.when("hurt") - SOON_S <= item.opened <= well:
        deadline = well + SOON_S
    for at, kind in away[bisect_left(away, (item.opened - SOON_S, "")) :]:
        if at <= deadline:
            deadline = max(deadline, at + HEALED_S + SOON_S) if kind == "connect" else deadline
            deadline = math.inf if kind == "lost" and (at, kind) == away[-1] else deadline
    return deadline


def told_after(found: Evidence) -> dict[str, Json]:
    """How long after it was opened each watcher was told of each item: in peace, and while hurt."""
    hurt, well = found.when("hurt") - SOON_S, found.when("healed") + HEALED_S
    delays: dict[str, list[float]] = {"in_peace_s": [], "hurt_s": []}
    wanted = long_ones(found)
    for recording in found.recordings.values():
        told = told_times(recording)
        began = next(note["t"] for note in recording if note["kind"] == "connect")
        for item in wanted:
            first = min(told.get(item.id, ()), default=None)
            if first is not None and item.opened > began:
                kind = "hurt_s" if hurt <= item.opened <= well else "in_peace_s"
                delays[kind].append(first - item.opened)
    return {kind: spread(values) for kind, values in delays.items()}
