"""A made-up transport: it takes the bytes that an outbox pushes, and gives them out as frames.

Has a write buffer with asyncio's two marks, and reads RFC 6455 by itself. Knows nothing of the hub.
"""

import zlib
from collections.abc import Callable
from typing import Any

BUFFER_BYTES_MAX = 32 * 1024
TEXT = 1


class Transport:
    """Pauses its writer above ``limit_bytes``; ``take`` frees bytes, as a peer that reads does."""

    def __init__(self, on_pause: Callable[[], None], limit_bytes: int = BUFFER_BYTES_MAX) -> None:
        self.limit_bytes = limit_bytes
        self.is_paused = False
        self.is_held = False  # the peer reads nothing: written bytes stay where they are
        self.deflated = 0  # frames that came deflated
        self.writes: list[Any] = []
        self._on_pause = on_pause
        self._buffer = bytearray()
        self._arrived = bytearray()

    def write(self, data: bytes) -> None:
        """What an outbox calls."""
        assert not self.is_paused, "written to while paused"
        self.writes.append(data)
        self._buffer += data
        if len(self._buffer) > self.limit_bytes:
            self.pause()

    def pause(self) -> None:
        """The buffer is full, or said to be."""
        self.is_paused = True
        self._on_pause()

    def take(self, count: int | None = None) -> bool:
        """The peer takes so many bytes, or all; whether there is room again for a paused writer."""
        taken = len(self._buffer) if count is None else count
        self._arrived += self._buffer[:taken]
        del self._buffer[:taken]
        if self.is_paused and len(self._buffer) <= self.limit_bytes // 4:
            self.is_paused = False
            return True
        return False

    @property
    def waiting_bytes(self) -> int:
        """What the peer has not taken yet."""
        return len(self._buffer)

    @property
    def missing_bytes(self) -> int:
        """How many bytes the next frame lacks; 0 if it is there."""
        start, size = self._head()
        return max(0, start + size - len(self._arrived))

    def next_payload(self) -> bytes | None:
        """The payload of the next whole frame that arrived, inflated."""
        start, size = self._head()
        if self.missing_bytes or not start:
            return None
        first, body = self._arrived[0], bytes(self._arrived[start : start + size])
        del self._arrived[: start + size]
        assert first & 0x80, "a frame in one piece"
        assert first & 0x0F == TEXT, "a text frame"
        if not first & 0x40:
            return body
        self.deflated += 1
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(body + b"\x00\x00\xff\xff")

    def _head(self) -> tuple[int, int]:
        """Where the payload begins and how long it is; what lacks of the header counts as size."""
        arrived = self._arrived
        if len(arrived) < 2:
            return 0, 2
        assert not arrived[1] & 0x80, "a server masks nothing"
        size = arrived[1] & 0x7F
        if size < 126:
            return 2, size
        start = 4 if size == 126 else 10
        if len(arrived) < start:
            return 0, start
        return start, int.from_bytes(arrived[2:start], "big")
