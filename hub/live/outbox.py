"""What waits to be written to one client: two lanes, and what is in flight.

``await send`` is not delivery: in flight is what was written and not acknowledged. Attention
goes first. Never unbounded: the switchboard looks at ``is_open`` before it adds.
"""

from collections import deque
from collections.abc import Callable

from msgspec import Struct

Late = Callable[[], bytes]


def space_of(session_id: str) -> str:
    """The name of a session's cursor space: an agent chooses the id, and may call it overview."""
    return f"session:{session_id}"


class Mark(Struct, frozen=True):
    """The cursor that a frame gives to a space: overview, attention or a session's own."""

    space: str
    cursor: str | None


class Waiting(Struct, frozen=True):
    """A frame to write; ``late`` ones are encoded when they are written."""

    data: bytes | Late
    marks: tuple[Mark, ...] = ()


class Outbox:
    """Lanes of frames; ``written`` holds the cursors of the frames that really went out."""

    def __init__(self, in_flight_bytes_max: int, attention_bytes_max: int) -> None:
        self.in_flight_bytes_max = in_flight_bytes_max
        self.attention_bytes_max = attention_bytes_max
        self.attention: deque[Waiting] = deque()
        self.main: deque[Waiting] = deque()
        self.queued_bytes = 0
        self.attention_bytes = 0
        self.in_flight_bytes = 0
        self.frames_written = 0
        self.frames_acked = 0
        self.written: dict[str, str] = {}
        self._promised: dict[str, str] = {}
        self._sizes: deque[int] = deque()

    @property
    def is_open(self) -> bool:
        """Whether the client keeps up: its budget has room for another frame."""
        return self.queued_bytes + self.in_flight_bytes < self.in_flight_bytes_max

    @property
    def attention_is_open(self) -> bool:
        """Whether the attention lane, which has room of its own, takes another frame."""
        return self.attention_bytes < self.attention_bytes_max

    def put(self, data: bytes | Late, *marks: Mark) -> None:
        """Queue a frame on the main lane."""
        self.main.append(Waiting(data, marks))
        for mark in marks:
            if mark.cursor is None:
                self._promised.pop(mark.space, None)
            else:
                self._promised[mark.space] = mark.cursor
        self.queued_bytes += len(data) if isinstance(data, bytes) else 0

    def put_attention(self, data: bytes, *marks: Mark) -> None:
        """Queue a frame before everything else that waits."""
        self.attention.append(Waiting(data, marks))
        self.attention_bytes += len(data)

    def pop(self) -> bytes | None:
        """The next frame to write, or None; it counts as in flight from now on."""
        if self.attention:
            waiting = self.attention.popleft()
            data = self._encoded(waiting)
            self.attention_bytes -= len(data)
        elif self.main:
            waiting = self.main.popleft()
            data = self._encoded(waiting)
            self.queued_bytes -= len(data) if isinstance(waiting.data, bytes) else 0
        else:
            return None
        self.frames_written += 1
        self.in_flight_bytes += len(data)
        self._sizes.append(len(data))
        for mark in waiting.marks:
            if mark.cursor is None:
                self.written.pop(mark.space, None)
            else:
                self.written[mark.space] = mark.cursor
        return data

    @staticmethod
    def _encoded(waiting: Waiting) -> bytes:
        return waiting.data if isinstance(waiting.data, bytes) else waiting.data()

    def ack(self, frames: int) -> None:
        """The client has processed this many frames, ``welcome`` being the first."""
        frames = min(frames, self.frames_written)
        while self.frames_acked < frames:
            self.frames_acked += 1
            self.in_flight_bytes -= self._sizes.popleft()

    def last_cursor(self, space: str) -> str | None:
        """The cursor that the client will hold once everything queued is written."""
        return self._promised.get(space)

    def forget(self, space: str) -> None:
        """The space is closed: no heartbeat speaks of it any more."""
        self._promised.pop(space, None)
        self.written.pop(space, None)
