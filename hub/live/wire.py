"""A frame and its bytes on the wire, made once for all who get them.

Framed and deflated lazily, without context takeover, so that one result serves every socket.
Pure; made by groups, channels and lanes, written by outboxes.
"""

import zlib
from collections import Counter

DEFLATE_BYTES_MIN = 512  # below, deflating saves less than it costs
_LEVEL = 5
_TEXT, _TEXT_DEFLATED = 0x81, 0xC1  # FIN and text; RSV1 says that the message is deflated
_SYNC_FLUSH_TAIL = 4  # 00 00 ff ff, which the receiver puts back


class Frame:
    """One message. ``shared`` says that several clients may get these very bytes."""

    __slots__ = ("_deflated", "_plain", "kind", "payload", "shared")

    def __init__(self, kind: str, payload: bytes, *, shared: bool = False) -> None:
        self.kind = kind
        self.payload = payload
        self.shared = shared
        self._plain: bytes | None = None
        self._deflated: bytes | None = None

    def __len__(self) -> int:
        return len(self.payload)

    def wire(self, deflates: bool) -> bytes:
        """Header and payload, as the client's socket has agreed."""
        return self.deflated if deflates else self.plain

    @property
    def plain(self) -> bytes:
        """Header and payload."""
        if self._plain is None:
            self._plain = _head(_TEXT, len(self.payload)) + self.payload
        return self._plain

    @property
    def deflated(self) -> bytes:
        """Header and deflated payload; the plain frame where that would not pay."""
        if self._deflated is None:
            self._deflated = (
                self._deflate() if len(self.payload) >= DEFLATE_BYTES_MIN else self.plain
            )
        return self._deflated

    def _deflate(self) -> bytes:
        squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = squeeze.compress(self.payload) + squeeze.flush(zlib.Z_SYNC_FLUSH)
        body = body[:-_SYNC_FLUSH_TAIL]
        return _head(_TEXT_DEFLATED, len(body)) + body


def _head(first: int, size: int) -> bytes:
    """The header of an unmasked frame (RFC 6455, 5.2)."""
    if size < 126:
        return bytes((first, size))
    if size < 65_536:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")


class Tally:
    """What happened since the worker took it last; ``frames`` by kind and sharing.

    ``now_ms`` is the time of the verb under way, for whoever notes when something happened.
    """

    __slots__ = ("conflated", "evictions", "frames", "now_ms", "sent_bytes", "snapshots")

    def __init__(self) -> None:
        self.now_ms = 0
        self.clear()

    def count(self, frame: Frame, deflates: bool, size_bytes: int, times: int = 1) -> None:
        """A frame was written so many times, each time in so many bytes."""
        is_deflated = deflates and len(frame) >= DEFLATE_BYTES_MIN
        sharing = ("shared" if frame.shared else "own") + ("_deflated" if is_deflated else "")
        self.frames[frame.kind, sharing] += times
        self.sent_bytes += size_bytes * times

    def clear(self) -> None:
        """Begin anew."""
        self.frames: Counter[tuple[str, str]] = Counter()
        self.sent_bytes = 0
        self.conflated = 0  # changes that the next one overtook before they were sent
        self.evictions: Counter[str] = Counter()
        self.snapshots: Counter[str] = Counter()
