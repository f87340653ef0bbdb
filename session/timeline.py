"""A session's timeline: immutable entries with a dense ``seq``, the newest kept in a ring.

Never changes an entry and never holds one id twice. Called by the fold; read by snapshots.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from msgspec import Struct, structs

from session.delta import Entry, cut_text

RING_ENTRIES_MAX = 500
RING_BYTES_MAX = 256 * 1024
KNOWN_IDS_MAX = 64
_OVERHEAD_BYTES = 160


class TimelineEntry(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """An entry as clients get it; fields as in DESIGN, absent ones are null."""

    seq: int
    at: int | None
    kind: str
    id: str
    ref: str | None = None
    text: str = ""
    full_bytes: int | None = None
    tool: str | None = None
    status: str | None = None
    duration_ms: int | None = None
    tokens: int | None = None
    agent_id: str | None = None


class Timeline:
    """The ring of the newest entries, at most 500 and 256 KiB of text.

    ``numbers`` runs beside ``entries``: the log's number at which each was added, so that a
    resuming client can be told whether the ring still covers its gap. ``known`` are ids of
    entries before the ring that may be heard of once more, by hook and by transcript.
    """

    __slots__ = ("dropped_number", "entries", "ids", "known", "numbers", "seq", "size_bytes")

    def __init__(self) -> None:
        self.entries: deque[TimelineEntry] = deque()
        self.numbers: deque[int] = deque()
        self.ids: set[str] = set()
        self.known: list[str] = []
        self.seq = 0
        self.size_bytes = 0
        self.dropped_number = 0

    @classmethod
    def emptied(cls, seq: int, known: list[str], number: int) -> "Timeline":
        """A ring without its entries, that goes on from ``seq`` at the log's ``number``.

        ``known`` are the ``newest_ids`` of the ring that it was.
        """
        timeline = cls()
        timeline.seq = seq
        timeline.known = known
        timeline.ids = set(known)
        timeline.dropped_number = number
        return timeline

    def newest_ids(self) -> list[str]:
        """Ids of the newest 64 entries, whether the ring still holds them or not."""
        newest = islice(reversed(self.entries), KNOWN_IDS_MAX)
        ids = [entry.id for entry in newest][::-1]
        return (self.known + ids)[-KNOWN_IDS_MAX:]

    def __iter__(self) -> Iterator[TimelineEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, entry: Entry, number: int) -> int | None:
        """Append ``entry``; gives its ``seq``, or None if its id is already there."""
        if entry.id in self.ids:
            return None
        fields = structs.asdict(entry)
        del fields["offset"]
        fields["text"], full_bytes = cut_text(entry.text)
        fields["full_bytes"] = full_bytes or entry.full_bytes
        return self._append(fields, number)

    def adopt(self, entry: TimelineEntry, number: int) -> int | None:
        """Append an entry of another ring under a ``seq`` of this one."""
        if entry.id in self.ids:
            return None
        fields = structs.asdict(entry)
        del fields["seq"]
        return self._append(fields, number)

    def _append(self, fields: dict[str, Any], number: int) -> int:
        self.seq += 1
        entry = TimelineEntry(seq=self.seq, **fields)
        self.entries.append(entry)
        self.numbers.append(number)
        self.ids.add(entry.id)
        self.size_bytes += _size(entry)
        while len(self.entries) > RING_ENTRIES_MAX or self.size_bytes > RING_BYTES_MAX:
            self._drop_oldest()
        return self.seq

    def since(self, number: int) -> list[TimelineEntry] | None:
        """Entries added after the log's ``number``; None if the ring no longer covers that."""
        if number < self.dropped_number:
            return None
        pairs = zip(self.entries, self.numbers, strict=True)
        return [entry for entry, added_at in pairs if added_at > number]

    def _drop_oldest(self) -> None:
        if self.known:
            self.ids.difference_update(self.known)
            self.known = []
        oldest = self.entries.popleft()
        self.dropped_number = max(self.dropped_number, self.numbers.popleft())
        self.ids.discard(oldest.id)
        self.size_bytes -= _size(oldest)


def _size(entry: TimelineEntry) -> int:
    return len(entry.text.encode("utf-8", "replace")) + _OVERHEAD_BYTES
