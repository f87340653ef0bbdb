"""Whose history a line of a Codex rollout is: the file's own thread's, or that of one it forked.

A fork begins with its parent's lines, some versions with their own times, some with the time of
the fork. What cannot be rewritten are turn ids, which hold the time at which a turn began: a turn
belongs to the youngest thread that there was then. Called by the rollout adapter.
"""

import re

from ingest.adapters.codex_lines import Payload
from ingest.adapters.jsontext import TIME_MAX_MS, time_ms
from ingest.adapters.texts import text_of

# Where turns have no such id: lines of a fork this soon after its first one are its parent's.
REPLAY_MS = 2_000

_UUID7 = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_SINCE_MS = 1_577_836_800_000  # the year 2020: before there was any


def id_time(told: object) -> int | None:
    """The time in ms that a UUID of version 7 holds, or None if it is none."""
    found = _UUID7.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        return None
    at = int(found[1] + found[2], 16)
    return at if _SINCE_MS <= at < TIME_MAX_MS else None


class Threads:
    """The threads that a rollout speaks of, and which of them speaks at present.

    ``speaker`` is the id of that thread; once it is the file's own, it stays so.
    """

    def __init__(self, own_id: str) -> None:
        self.own_id = own_id
        self.speaker = own_id
        self._is_fork = False
        self._born: dict[str, int] = {}
        self._first_at: int | None = None
        self._settled = False
        self._ids_tell = False

    @property
    def is_own(self) -> bool:
        """Whether the present line is of the file's own thread."""
        return self.speaker == self.own_id

    @property
    def has_parent(self) -> bool:
        """Whether the file names another thread that it may come from."""
        return len(self._born) > 1

    def own(self, meta: Payload, at: int | None) -> None:
        """The file's first line, which introduces its own thread."""
        self._first_at = at
        self._born[self.own_id] = id_time(meta.id) or time_ms(meta.timestamp) or at or 0
        forked_from, spawned_by = text_of(meta.forked_from_id), _parent(meta.source)
        if forked_from:
            self._replay(forked_from, id_time(forked_from) or 0)
        elif spawned_by:  # it may begin with that one's lines, or with its own
            self._name(spawned_by, id_time(spawned_by) or 0)

    def other(self, meta: Payload) -> None:
        """A line that introduces one more thread: its history follows, or is around it."""
        name = text_of(meta.id)
        if name is not None and name not in self._born and not self._settled:
            self._replay(name, id_time(name) or time_ms(meta.timestamp) or 0)
        elif name in self._born and name != self.own_id and not self._settled:
            self._is_fork = True

    def _replay(self, thread_id: str, born: int) -> None:
        if thread_id != self.own_id:
            self._name(thread_id, born)
            self.speaker, self._is_fork = thread_id, True

    def _name(self, thread_id: str, born: int) -> None:
        self._born[thread_id] = min(born, self._born[self.own_id] - 1)

    def turn(self, turn_id: object) -> None:
        """A line that names its turn."""
        began = id_time(turn_id)
        if began is not None and not self._settled:
            self._ids_tell = True
            self._speak(began)

    def line(self, at: int | None) -> None:
        """Any line, at its own time: where turn ids do not tell, this has to."""
        if self._settled or self._ids_tell or not self._born or at is None:
            return
        own = self._born[self.own_id]
        if at < own:
            self._speak(at)
        elif not self._is_fork or at - (self._first_at or at) > REPLAY_MS:
            self.speaker, self._settled = self.own_id, True

    def _speak(self, at: int) -> None:
        alive = [each for each, born in self._born.items() if born <= at]
        others = [each for each in self._born if each != self.own_id]
        if alive:
            self.speaker = max(alive, key=lambda each: self._born[each])
        elif others:  # older than all that are named
            self.speaker = min(others, key=lambda each: self._born[each])
        self._is_fork = self._is_fork or not self.is_own
        self._settled = self.is_own and bool(alive)


def _parent(source: object) -> str | None:
    """The thread that spawned this one, as the source of a subagent names it."""
    for name in ("subagent", "thread_spawn"):
        source = source.get(name) if isinstance(source, dict) else None
    return text_of(source.get("parent_thread_id")) if isinstance(source, dict) else None
