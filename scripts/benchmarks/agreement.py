"""Whether clients show what is true: open items all the time, everything else whenever all rests.

Pure but for what it is given: clients of a ``Crowd`` and the ``Truth`` of its log.
"""

import json
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from crowd import Crowd, Whole
from truth import Truth, plain

ITEMS_S = 7.0  # open for 5 s, an item is on every screen within 2 s
BEHIND_SHARE = 0.5  # of that window: so long after a client the log's fold hears of an end, at most
LATE_TOLD_MAX = 20
PARTIAL = "history could not be read, and says so"  # as the protocol allows

Json = dict[str, Any]


class Shown(NamedTuple):
    """What one client shows at one moment; ``is_behind``: more has come that it has not read."""

    name: str
    items: set[str]
    is_behind: bool


class Items:
    """The open items of the last seconds, and who is late with them.

    Clients hear of an item, and of its end, before the log is read here: what they show is judged a
    while later, and by what is still open then.
    Late is no violation: on a machine that has too little time for all, everybody is. ``unread``
    counts those late ones whose client had not read what it had been sent.
    """

    def __init__(self, crowd: Crowd, truth: Truth, window_s: float = ITEMS_S) -> None:
        self.looked = self.late = self.unread = 0
        self._window_s = window_s
        self.first_late: list[str] = []
        self._crowd, self._truth = crowd, truth
        self._open: deque[tuple[float, set[str]]] = deque()
        self._shown: deque[tuple[float, list[Shown]]] = deque()

    def look(self) -> None:
        """Note each client that lacked an old item, or showed one that was long closed."""
        now = time.monotonic()
        self._open.append((now, set(self._truth.items())))
        self._shown.append((now, self._steady(now)))
        while self._shown and self._shown[0][0] <= now - self._window_s:
            at, shown = self._shown.popleft()
            self._judge(at, shown)
        while self._open[0][0] < now - 3 * self._window_s:
            self._open.popleft()

    def _steady(self, now: float) -> list[Shown]:
        """What each quick client shows that is whole for a while."""
        return [
            Shown(each.name, set(each.seen.items), each.is_behind)
            for each in self._crowd.quick
            if each.is_whole and now - each.whole_at > self._window_s
        ]

    def _judge(self, at: float, shown: list[Shown]) -> None:
        around = [(when, items) for when, items in self._open if at - self._window_s <= when]
        if self._open[0][0] > at - self._window_s:
            return  # not long enough ago
        until = at + BEHIND_SHARE * self._window_s
        steady = set.intersection(*(items for when, items in around if when <= until))
        known = set.union(
            self._truth.open_since(at - self._window_s), *(each for _, each in around)
        )
        for each in shown:
            self.looked += 1
            if lost := steady - each.items:
                self._note(each, f"{each.name} does not show {sorted(lost)[:3]}")
            if ghosts := each.items - known:
                self._note(each, f"{each.name} still shows {sorted(ghosts)[:3]}")

    def _note(self, shown: Shown, what: str) -> None:
        self.late += 1
        self.unread += shown.is_behind
        if len(self.first_late) < LATE_TOLD_MAX:
            self.first_late.append(what)


def disagreements(crowd: Crowd, truth: Truth) -> Iterator[tuple[str, str]]:
    """Who shows something else than the log's fold, and what; called when nothing happens."""
    items = plain(truth.items())
    rows: dict[str, Json] = {}
    for member in crowd.quick:
        if not member.is_whole:
            yield member.name, "is not there when all is at rest"
        elif isinstance(member.seen, Whole):
            key = json.dumps(member.spec.view)
            expected = rows.setdefault(key, truth.rows(member.spec.view))
            for what in _of_judge(member.seen, expected, items, truth):
                yield member.name, what
        else:
            for what in _of_chains(member.seen, set(items), truth):
                yield member.name, what


def _of_judge(seen: Whole, rows: Json, items: Json, truth: Truth) -> Iterator[str]:
    wrong = [name for name in rows if seen.rows.get(name) != rows[name]]
    more = seen.rows.keys() - rows.keys()
    if wrong or more:
        yield f"rows differ: {sorted(wrong)[:3]}, too many: {sorted(more)[:3]}"
    if seen.items != items:
        yield "open items differ"
    for name, opened in seen.opened.items():
        if opened.evicted or name not in truth.sessions:
            continue
        number, detail, timeline = truth.whole(name)
        shown = [opened.timeline[seq] for seq in sorted(opened.timeline)]
        if opened.stale or _number(opened.cursor) != number:
            yield f"{name} is at {opened.cursor} of {number}, stale: {opened.stale}"
        elif opened.detail.get("timeline_partial") and not detail["timeline_partial"]:
            yield PARTIAL
        elif opened.detail != detail:
            differs = [key for key in detail if opened.detail.get(key) != detail[key]]
            yield f"the detail of {name} differs: {differs}"
        elif shown[-len(timeline) :] != timeline:
            yield f"the timeline of {name} differs"


def _of_chains(seen: Any, items: set[str], truth: Truth) -> Iterator[str]:
    if seen.items != items:
        yield f"open items differ by {sorted(seen.items ^ items)[:3]}"
    for name, opened in seen.opened.items():
        if opened.evicted or name not in truth.sessions:
            continue
        number = truth.sessions[name].cursor_number
        if opened.stale or _number(opened.cursor) != number:
            yield f"{name} is at {opened.cursor} of {number}, stale: {opened.stale}"


def _number(cursor: str | None) -> int:
    return int((cursor or ":-1").rpartition(":")[2])
