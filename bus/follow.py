"""Following one partition of the Redis log, without I/O: what comes next, is lost, is poison.

Decides from the entries and from the log's own state; its shell (``bus.redis_tail``) reads both.
The decoding of an entry is shared with the groups.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bus.base import Batch
from bus.position import START_ID, Position, parse
from session import codec
from session.delta import Delta
from session.errors import InvalidDelta


class Entry(NamedTuple):
    """An entry of the stream. Without ``delta`` it is poison, without ``ordinal`` a foreign one."""

    id: str
    ordinal: int | None
    epoch: str
    delta: Delta | None


class State(NamedTuple):
    """What the log says of itself. ``past``: former epochs, with the ordinal each reached in it."""

    epoch: str
    past: dict[str, int]
    ordinal: int
    id: str

    def holds(self, place: Position) -> bool:
        """Whether what was read up to ``place`` is part of this log."""
        return place.ordinal <= self.reached(place.epoch)

    def reached(self, epoch: str) -> int:
        """The ordinal of the last entry of an epoch that is part of this log; -1 for none."""
        return self.ordinal if epoch == self.epoch else self.past.get(epoch, -1)


def read_state(reply: Sequence[Any]) -> State:
    """The head of the append script's reply."""
    past = reply[1].decode().split()
    reached = dict(zip(past[::2], map(int, past[1::2]), strict=True))
    return State(reply[0].decode(), reached, int(reply[2]), reply[3].decode())


def read_entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    """Decode one entry; never raises, whatever its bytes are."""
    try:
        ordinal, number = int(fields[b"o"]), int(fields[b"n"])
        epoch, data = fields[b"e"].decode(), fields[b"d"]
    except (KeyError, ValueError):
        return Entry(entry_id.decode(), None, "", None)
    try:
        delta = codec.numbered(codec.unpack(data), number)
    except InvalidDelta:
        return Entry(entry_id.decode(), ordinal, epoch, None)
    return Entry(entry_id.decode(), ordinal, epoch, delta)


class Follower:
    """One reader's place in one partition. ``id`` is what to read behind."""

    def __init__(self, partition: int, position: str | None) -> None:
        start = None if position is None else parse(position)
        self.id = START_ID if start is None else start.id
        self._partition = partition
        self._epoch = None if start is None else start.epoch
        self._told = self._epoch
        self._known: set[str] = set()
        self._ordinal = None if start is None else start.ordinal  # None: any entry may come first
        self._deltas: list[Delta] = []
        self._lost = False
        self._poison = 0
        self._former = 0

    def meet(self, state: State) -> None:
        """Compare with the log: if it does not hold what was read, begin anew at its oldest."""
        read = None if self._ordinal is None else Position(self._epoch or "", self._ordinal)
        if read is not None and not state.holds(read):
            self._lost, self._ordinal, self.id = True, None, START_ID
        self._epoch = state.epoch
        self._told = self._told if self._told is not None else state.epoch
        self._known = {state.epoch, *state.past}

    def settle(self, state: State) -> None:
        """Nothing lies behind this place, read after ``state``: entries in between are gone."""
        if self._ordinal not in {None, state.ordinal}:
            self._lost, self.id = True, state.id
        self._ordinal = state.ordinal

    def knows(self, entries: Sequence[Entry]) -> bool:
        """Whether all of these are from epochs that the log told of when it was last met."""
        return all(entry.epoch in self._known for entry in entries if entry.ordinal is not None)

    def take(self, entries: Sequence[Entry]) -> None:
        """Go on behind these; a missing ordinal before one means loss, poison is counted."""
        for entry in entries:
            self.id = entry.id
            if entry.ordinal is not None:
                if self._ordinal is not None and entry.ordinal != self._ordinal + 1:
                    self._lost = True
                self._ordinal = entry.ordinal
            if entry.delta is None:
                self._poison += 1
            else:
                self._deltas.append(entry.delta)
                self._former += entry.epoch != self._epoch

    def batch(self) -> Batch | None:
        """What is to be told now: deltas, a loss, or another epoch."""
        epoch = self._epoch or ""
        if not (self._deltas or self._lost or self._told != epoch):
            return None
        position = str(Position(epoch, self._ordinal or 0, self.id))
        told = (position, self._lost, self._poison, self._former)
        batch = Batch(self._partition, epoch, self._deltas, *told)
        self._deltas, self._lost, self._poison, self._former, self._told = [], False, 0, 0, epoch
        return batch
