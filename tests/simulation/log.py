"""The log of a simulated world, and what the fold makes of it at every number.

Numbers are dense per session. It is trimmed behind checkpoints, goes on under other names, and
loses its tail, whose numbers are then given anew. Knows nothing of workers.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from bus.base import Batch, Checkpoint
from bus.position import Position, parse
from session import checkpoint, codec
from session.checkpoint import Saved
from session.delta import Delta
from session.fold import fold, makes_session, new_session
from session.state import Session, detail

Key = tuple[str, str]


class State:
    """A session as it was at one number; decoded only if somebody holds that cursor."""

    def __init__(self, session: Session) -> None:
        self._detail = msgspec.json.encode(detail(session))
        self._entries = tuple(session.timeline)

    @cached_property
    def detail(self) -> dict[str, Any]:
        """What a snapshot's ``detail`` must say."""
        told: dict[str, Any] = msgspec.json.decode(self._detail)
        return told

    @cached_property
    def timeline(self) -> list[dict[str, Any]]:
        """What the ring holds."""
        told: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(self._entries))
        return told


class Truth:
    """Every session at every number it ever had, by the epoch it had it in."""

    def __init__(self) -> None:
        self.sessions: dict[Key, Session] = {}
        self._states: dict[str, dict[Key, dict[int, State]]] = {}

    def begin(self, epoch: str, deltas: Iterable[Delta]) -> None:
        """Another epoch: these are the deltas that it holds."""
        self.sessions = {}
        self._states[epoch] = {}
        for delta in deltas:
            self.fold(epoch, delta)

    def fold(self, epoch: str, delta: Delta) -> None:
        """One more."""
        session = self.sessions.get(delta.key)
        if session is None and not makes_session(delta):
            return
        if session is None:
            session = self.sessions[delta.key] = new_session(delta)
        changes = fold(session, delta)
        if changes.deleted:
            del self.sessions[delta.key]
        elif changes:
            told = self._states[epoch].setdefault(delta.key, {})
            told[session.cursor_number] = State(session)

    def state(self, key: Key, cursor: str) -> State | None:
        """What whoever holds that cursor must show; None for one that nobody can hold."""
        epoch, _, number = cursor.rpartition(":")
        return self._states.get(epoch, {}).get(key, {}).get(int(number))


class Lineage(NamedTuple):
    """An epoch that is over, and the last entry of it that is still there."""

    epoch: str
    kept: int


class Log:
    """One partition. ``first`` is the oldest entry that can be read, counted from 1."""

    def __init__(self) -> None:
        self.epoch = "e1"
        self.first = 1
        self.truth = Truth()
        self.truth.begin(self.epoch, ())
        self.stored: list[Checkpoint] = []
        self._deltas: list[Delta] = []  # also those that were trimmed: the truth is made of them
        self._numbers: dict[Key, int] = {}
        self._over: list[Lineage] = []

    @property
    def last(self) -> int:
        """The newest entry."""
        return len(self._deltas)

    @property
    def end(self) -> str:
        """The position behind it."""
        return self.position(self.last)

    def position(self, ordinal: int) -> str:
        """A position of the present epoch."""
        return str(Position(self.epoch, ordinal))

    @property
    def newest(self) -> Checkpoint | None:
        """The checkpoint that was stored last."""
        return self.stored[-1] if self.stored else None

    def cursor(self, key: Key) -> str:
        """The cursor of a session once everything is folded."""
        return f"{self.epoch}:{self.truth.sessions[key].cursor_number}"

    def append(self, delta: Delta) -> None:
        """Number a delta and keep it."""
        number = self._numbers.get(delta.key, 0) + 1
        self._numbers[delta.key] = number
        numbered = codec.numbered(delta, number)
        self._deltas.append(numbered)
        self.truth.fold(self.epoch, numbered)

    def read(self, position: str, count: int) -> Batch:
        """What comes behind a position; ``lost`` where something of that is gone."""
        place = parse(position)
        ordinal, lost = place.ordinal, not self._holds(place)
        if lost or ordinal < self.first - 1:
            lost, ordinal = True, self.first - 1
        deltas = self._deltas[ordinal : ordinal + count]
        return Batch(0, self.epoch, deltas, self.position(ordinal + len(deltas)), lost)

    def _holds(self, place: Position) -> bool:
        known = [each.epoch for each in self._over]
        if place.epoch not in known:
            return place.epoch == self.epoch
        return all(place.ordinal <= each.kept for each in self._over[known.index(place.epoch) :])

    # What befalls it.

    def store(self) -> None:
        """A checkpoint of everything, as the recorder saves it."""
        saved = [Saved(session, self.epoch) for session in self.truth.sessions.values()]
        self.stored.append(Checkpoint(self.epoch, self.end, checkpoint.pack(saved)))

    def trim(self) -> None:
        """Everything up to the newest checkpoint is gone, whoever has read it or not."""
        if self.stored:
            self.first = parse(self.stored[-1].position).ordinal + 1

    def rename(self) -> None:
        """The log goes on under another name; nothing is lost."""
        self.lose(0)

    def lose(self, count: int) -> None:
        """The newest entries are gone, and what was saved of them."""
        kept = max(self.last - count, self.first - 1)
        self._over.append(Lineage(self.epoch, kept))
        self.epoch = f"e{len(self._over) + 1}"
        del self._deltas[kept:]
        self.stored = [each for each in self.stored if parse(each.position).ordinal <= kept]
        self._numbers = {delta.key: delta.number for delta in self._deltas}
        self.truth.begin(self.epoch, self._deltas)
