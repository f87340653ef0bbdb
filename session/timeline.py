"""A session's timeline: immutable entries with a dense ``seq``, the newest kept in a ring.

Never changes an entry and never takes one in twice. What is told twice is known by the newest ids,
kept apart from the ring: so all who fold the same log number alike, whatever their rings still
hold. Called by the fold; read by snapshots.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from sys import intern

from msgspec import Struct

from session.delta import Entry, cut_text

RING_ENTRIES_MAX = 500
RING_BYTES_MAX = 256 * 1024
KNOWN_IDS_MAX = 256
"""By hook and by transcript an entry is told twice, with no more others in between than these."""

_OVERHEAD_BYTES = 160
_DIGEST_BYTES = 8


class TimelineEntry(Struct, kw_only=True, omit_defaults=True, frozen=True, gc=False):
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
    resuming client can be told whether the ring still covers its gap. One that is not
    ``is_bounded`` keeps all until its owner empties it, who wants each of them.
    """

    __slots__ = (
        "_known", "dropped_number", "entries", "is_bounded", "numbers", "seq", "size_bytes",
    )  # fmt: skip

    def __init__(self) -> None:
        self.entries: deque[TimelineEntry] = deque()
        self.numbers: deque[int] = deque()
        self.seq = 0
        self.size_bytes = 0
        self.dropped_number = 0
        self.is_bounded = True
        self._known: dict[bytes, None] | bytes = {}  # the oldest first; packed while at rest

    @classmethod
    def emptied(cls, seq: int, known: bytes, number: int) -> "Timeline":
        """A ring without its entries, that goes on from ``seq`` at the log's ``number``.

        ``known`` is that of the ring that it was.
        """
        timeline = cls()
        timeline.seq = seq
        timeline._known = known  # taken apart when something is added: most never change again
        timeline.dropped_number = number
        return timeline

    @property
    def known(self) -> bytes:
        """Digests of the newest ids, whether the ring still holds their entries or not."""
        return self._known if isinstance(self._known, bytes) else b"".join(self._known)

    def __iter__(self) -> Iterator[TimelineEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, entry: Entry, number: int) -> int | None:
        """Append ``entry``; gives its ``seq``, or None if its id is already there."""
        if not self._is_new(entry.id):
            return None
        text, full_bytes = cut_text(entry.text)
        self.seq += 1
        self._append(
            TimelineEntry(
                seq=self.seq, at=entry.at, kind=entry.kind, id=entry.id, ref=entry.ref, text=text,
                full_bytes=full_bytes or entry.full_bytes, tool=_one(entry.tool),
                status=_one(entry.status),
                duration_ms=entry.duration_ms, tokens=entry.tokens, agent_id=entry.agent_id,
            ),
            number,
        )  # fmt: skip
        return self.seq

    def _is_new(self, entry_id: str) -> bool:
        """Whether an id is told for the first time; from then on it is known."""
        if isinstance(self._known, bytes):
            told = self._known
            starts = range(0, len(told), _DIGEST_BYTES)
            self._known = dict.fromkeys(told[at : at + _DIGEST_BYTES] for at in starts)
        data = entry_id.encode("utf-8", "surrogatepass")
        digest = blake2b(data, digest_size=_DIGEST_BYTES).digest()
        if digest in self._known:
            return False
        self._known[digest] = None
        if len(self._known) > KNOWN_IDS_MAX:
            del self._known[next(iter(self._known))]
        return True

    def _append(self, entry: TimelineEntry, number: int) -> None:
        self.entries.append(entry)
        self.numbers.append(number)
        self.size_bytes += _size(entry)
        while self.is_bounded and self._is_over():
            self._drop_oldest()

    def since(self, number: int) -> list[TimelineEntry] | None:
        """Entries added after the log's ``number``; None if the ring no longer covers that."""
        if number < self.dropped_number:
            return None
        pairs = zip(self.entries, self.numbers, strict=True)
        return [entry for entry, added_at in pairs if added_at > number]

    def empty(self, number: int) -> None:
        """Let go of all entries, as of the log's ``number``; what is known stays known."""
        self.entries.clear()
        self.numbers.clear()
        self.size_bytes = 0
        self.dropped_number = max(self.dropped_number, number)

    def pack(self) -> None:
        """Keep what is known in as little room as can be, until something is added."""
        self._known = self.known

    def refill(self, older: Sequence[TimelineEntry], number: int) -> None:
        """Put back entries that were let go, as far as the ring has room, as of ``number``."""
        first = self.entries[0].seq if self.entries else self.seq + 1
        for entry in reversed(older):
            if entry.seq >= first:
                continue
            size = self.size_bytes + _size(entry)
            if len(self.entries) >= RING_ENTRIES_MAX or size > RING_BYTES_MAX:
                break
            self.entries.appendleft(entry)
            self.numbers.appendleft(number)
            self.size_bytes = size
        self.dropped_number = max(self.dropped_number, number)

    def _is_over(self) -> bool:
        return len(self.entries) > RING_ENTRIES_MAX or self.size_bytes > RING_BYTES_MAX

    def _drop_oldest(self) -> None:
        oldest = self.entries.popleft()
        self.dropped_number = max(self.dropped_number, self.numbers.popleft())
        self.size_bytes -= _size(oldest)


def _one(word: str | None) -> str | None:
    """The same few words stand in a hundred thousand entries: one of each is enough."""
    return word and intern(word)


def _size(entry: TimelineEntry) -> int:
    text = entry.text
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return size + _OVERHEAD_BYTES
