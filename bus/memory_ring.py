"""What the memory log holds: the newest entries, its live readers, and the ids it has seen.

Never awaits; who waits for room or news waits for its event. Called by the memory engine only.
"""

import asyncio
from collections import OrderedDict

from bus.limits import (
    DEDUPE_MS,
    DELTA_OVERHEAD_BYTES,
    RING_BYTES_MAX,
    RING_DELTAS_MAX,
    SEEN_IDS_MAX,
)
from session import codec
from session.delta import Delta


def size_of(delta: Delta) -> int:
    """What a delta takes. Packing a small one costs 0.4 µs, less than any estimate in Python."""
    return len(codec.pack(delta)) + DELTA_OVERHEAD_BYTES


class Reader:
    """A tail or a group, which reads everything. ``ordinal`` is of the last it was given."""

    __slots__ = ("news", "ordinal")

    def __init__(self, ordinal: int) -> None:
        self.ordinal = ordinal
        self.news = asyncio.Event()


class Ring:
    """The newest entries, counted from 1. Drops the oldest when full, if all have read it."""

    def __init__(self, deltas_max: int = RING_DELTAS_MAX, bytes_max: int = RING_BYTES_MAX) -> None:
        self.room = asyncio.Event()
        self.first = 1  # the oldest that is held, or the next to come
        self.size_bytes = 0
        self._deltas_max = deltas_max
        self._bytes_max = bytes_max
        self._deltas: list[Delta] = []
        self._sizes: list[int] = []
        self._readers: set[Reader] = set()

    @property
    def last(self) -> int:
        """The newest entry; ``first - 1`` if there is none."""
        return self.first + len(self._deltas) - 1

    def fit(self, size_bytes: int) -> bool:
        """Make room for one more; False if somebody has yet to read the oldest."""
        while self._full(size_bytes):
            read = self._read_by_all
            if read < self.first:
                return False
            # Some more than needed, for cutting the head off a list moves the rest of it.
            self.drop_to(min(read, self.first + len(self._deltas) // 32))
        return True

    @property
    def is_crowded(self) -> bool:
        """Whether more than half of what it may hold is still to be read by somebody."""
        unread = self._sizes[max(0, self._read_by_all + 1 - self.first) :]
        return len(unread) > self._deltas_max // 2 or sum(unread) > self._bytes_max // 2

    @property
    def _read_by_all(self) -> int:
        return min((reader.ordinal for reader in self._readers), default=self.last)

    def append(self, delta: Delta, size_bytes: int) -> None:
        """Take one more, for which there is room, and wake who waits."""
        self._deltas.append(delta)
        self._sizes.append(size_bytes)
        self.size_bytes += size_bytes
        self.wake()

    def read(self, reader: Reader, count: int) -> tuple[list[Delta], bool]:
        """What comes next for a reader, and whether some before it is gone."""
        reader.news.clear()  # here, not before waiting: news may come while the last is handled
        skipped = reader.ordinal < self.first - 1
        start = max(0, reader.ordinal + 1 - self.first)
        deltas = self._deltas[start : start + count]
        reader.ordinal = self.first + start + len(deltas) - 1
        self.room.set()
        return deltas, skipped

    def since(self, ordinal: int, count: int) -> list[tuple[int, Delta]]:
        """What is held behind ``ordinal``, with the ordinals; nobody is known to have read it."""
        start = max(0, ordinal + 1 - self.first)
        return list(enumerate(self._deltas[start : start + count], self.first + start))

    def drop_to(self, ordinal: int) -> int:
        """Let go of everything up to ``ordinal``; gives how many."""
        count = max(0, min(ordinal, self.last) - self.first + 1)
        self.size_bytes -= sum(self._sizes[:count])
        del self._deltas[:count], self._sizes[:count]
        self.first += count
        self.room.set()
        return count

    def attach(self, ordinal: int) -> Reader:
        """A live reader that was given everything up to ``ordinal``."""
        reader = Reader(ordinal)
        self._readers.add(reader)
        return reader

    def detach(self, reader: Reader) -> None:
        """It holds nothing back any more."""
        self._readers.discard(reader)
        self.room.set()

    def wake(self) -> None:
        """Tell every reader that there is news."""
        for reader in self._readers:
            reader.news.set()

    def _full(self, size_bytes: int) -> bool:
        """Whether one more is too much; a single one of any size is not."""
        return bool(self._deltas) and (
            len(self._deltas) >= self._deltas_max or self.size_bytes + size_bytes > self._bytes_max
        )


class Seen:
    """The ids of the last 24 h, within their session, each with the number it got."""

    def __init__(self, ids_max: int = SEEN_IDS_MAX) -> None:
        self._ids_max = ids_max
        # Ordered, for a plain dict slows down when it is eaten up from its front.
        self._numbers: OrderedDict[tuple[str, str, str], tuple[int, int]] = OrderedDict()

    def get(self, delta: Delta, now_ms: int) -> int | None:
        """The number that a delta got when it was first seen."""
        known = self._numbers.get((delta.workspace, delta.session, delta.id))
        return None if known is None or known[1] <= now_ms - DEDUPE_MS else known[0]

    def add(self, delta: Delta, number: int, now_ms: int) -> None:
        """Remember one, and forget the oldest ones if they are too old or too many."""
        key = (delta.workspace, delta.session, delta.id)
        self._numbers.pop(key, None)  # an expired one: it must come behind the others
        self._numbers[key] = (number, now_ms)
        while len(self._numbers) > self._ids_max or self._oldest_ms() <= now_ms - DEDUPE_MS:
            self._numbers.popitem(last=False)

    def _oldest_ms(self) -> int:
        return self._numbers[next(iter(self._numbers))][1]
