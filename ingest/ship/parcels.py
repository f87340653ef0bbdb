"""What waits to be sent, in its order, and when the next batch is due.

Pure: time is an argument. Never splits a line, never changes the order. Used by the shipper.
"""

from collections import deque
from typing import NamedTuple

from ingest.ship.limits import Limits
from session.mark import Mark


class Line(NamedTuple):
    """One delta as it is sent; ``span`` is how many bytes of a transcript it tells of."""

    id: str
    data: bytes
    span: int = 0
    mark: Mark | None = None


class Parcels:
    """Lines that wait, and the batches that are made of them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting_bytes = 0
        self._lines: deque[Line] = deque()
        self._next_ms = 0

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, line: Line) -> None:
        """Behind all that wait."""
        self._lines.append(line)
        self.waiting_bytes += len(line.data)

    def due_ms(self, now_ms: int) -> int | None:
        """In how many ms the next batch is due; None if nothing waits.

        After a pause at once; else a little later, unless it is full.
        """
        if not self._lines:
            return None
        return 0 if self._is_full() else max(0, self._next_ms - now_ms)

    def take(self, now_ms: int) -> list[Line]:
        """The next batch: at least one line if any waits, and no more than the limits allow."""
        batch: list[Line] = []
        size_bytes = 0
        while self._lines and len(batch) < self.limits.batch_deltas_max:
            size_bytes += len(self._lines[0].data)
            if batch and size_bytes > self.limits.batch_bytes_max:
                break
            batch.append(self._lines.popleft())
        self.waiting_bytes -= sum(len(line.data) for line in batch)
        self._next_ms = now_ms + self.limits.batch_ms
        return batch

    def _is_full(self) -> bool:
        limits = self.limits
        return (
            len(self._lines) >= limits.batch_deltas_max
            or self.waiting_bytes >= limits.batch_bytes_max
        )
