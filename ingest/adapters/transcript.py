"""A transcript of any agent, line by line, to the bodies of reports: bytes and times are given.

Never counts a line twice and never stops at a broken one. One object per file, fed in order.
The base of the agents' transcripts.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from ingest.adapters.notes import Notes
from ingest.errors import InvalidPayload
from session.delta import Entry, Usage

REPORT_BYTES_MAX = 8 * 1024
"""A report is one step of the fold, 0.1 ms, and that is what a hook may have to wait for."""

DAY_MS = 86_400_000


class Part(NamedTuple):
    """What one stretch of the file says: the body of a report."""

    start: int
    end: int
    at: int | None
    values: dict[str, Any]
    entries: list[Entry]
    usage: list[Usage]
    texts: dict[str, str]


class Transcript(ABC):
    """The state of one transcript file up to ``offset``, and what is not yet reported.

    ``reported`` is how far it was told, ``broken`` counts lines that could not be read and
    were passed over.
    """

    def __init__(self, notes: Notes) -> None:
        self.offset = 0
        self.reported = 0
        self.broken = 0
        self.notes = notes

    @abstractmethod
    def read_line(self, data: bytes) -> None:
        """Take in one line of the agent's that ends at ``offset``; raises InvalidPayload."""

    @property
    def last_at(self) -> int | None:
        """The newest time that any line told."""
        return self.notes.last_at

    def feed(self, data: bytes, now: int | None = None) -> list[Part]:
        """Read whole lines (each ending in a newline, but for the file's very last).

        Gives the parts that are full; call ``take`` for the rest.
        """
        parts: list[Part] = []
        for raw in _lines(data):
            self.offset += len(raw)
            self._read(raw)
            if self.notes.pending_bytes > REPORT_BYTES_MAX and self.pending():
                parts.append(self.take(now))
        return parts

    def _read(self, raw: bytes) -> None:
        text = raw.strip()
        if not text:
            return
        try:
            self.read_line(text)
        except InvalidPayload:
            self.broken += 1

    def pending(self) -> bool:
        """Whether there is something to report since the last ``take``.

        A file that tells no time yet is a stub: nobody could say when its session was.
        """
        return self.offset > self.reported and self.last_at is not None

    def take(self, now: int | None = None) -> Part:
        """What was read since the last time. With ``now``, a file whose last line is over a
        day old is said to be past."""
        values, last_at = self.notes.take_values(), self.last_at
        if now is not None and last_at is not None and now - last_at > DAY_MS:
            values["past"] = last_at
        part = Part(
            self.reported, self.offset, last_at, values, self.notes.take_entries(),
            self.notes.ledger.take_usage(), self.notes.take_texts(),
        )  # fmt: skip
        self.reported = self.offset
        return part


def _lines(data: bytes) -> list[bytes]:
    """Split at newlines only: a carriage return is part of its line."""
    parts = data.split(b"\n")
    whole = [part + b"\n" for part in parts[:-1]]
    return [*whole, parts[-1]] if parts[-1] else whole
