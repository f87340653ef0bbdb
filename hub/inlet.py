"""What a client sends, looked at before it is parsed: where its frames end, and small whole texts.

Most of it is acknowledgements, one frame to a segment. Taking those here costs a tenth of a
parser's work; everything else is only measured. Pure; called by the protocol class.
"""

import zlib

try:
    from websockets.speedups import apply_mask  # in C: a ninth of an acknowledgement's cost
except ImportError:  # where websockets has no wheel
    from websockets.utils import apply_mask

TEXT, TEXT_DEFLATED = 0x81, 0xC1  # FIN and text; RSV1 says that the message is deflated
INFLATED_BYTES_MAX = 16 * 1024
_DATA_OPCODES = (0, 1, 2)
_SMALL = 126  # a payload below has its size in the second byte
_MASKED = 0x80
_HEAD_BYTES = 6  # of a small masked frame


class Inlet:
    """One connection's frames (RFC 6455, 5.2), whatever pieces they come in."""

    __slots__ = ("_head", "_is_fragmented", "_rest")

    def __init__(self) -> None:
        self._head = b""  # of a header that has not come whole
        self._rest = 0  # bytes of the payload under way
        self._is_fragmented = False

    def take(self, data: bytes, *, deflates: bool) -> bytes | None:
        """The text, if this is one small whole message and nothing else; else it is measured.

        ``data`` that gives None must go to the parser, and only that.
        """
        if not (self._rest or self._head or self._is_fragmented):
            text = _small_text(data, deflates)
            if text is not None:
                return text
        self.measure(data)
        return None

    def measure(self, data: bytes) -> None:
        """Follow what goes to the parser."""
        data = self._head + data
        self._head = b""
        at = min(self._rest, len(data))
        self._rest -= at
        while at < len(data):
            head = data[at : at + 10]
            length = _head_length(head)
            if len(data) - at < length:
                self._head = data[at:]
                return
            if head[0] & 0x0F in _DATA_OPCODES:
                self._is_fragmented = not head[0] & 0x80
            at += length
            size = _size(head)
            self._rest = max(0, size - (len(data) - at))
            at += size


def _head_length(head: bytes) -> int:
    if len(head) < 2:
        return 2
    code = head[1] & 0x7F
    more = {126: 2, 127: 8}.get(code, 0)
    return 2 + more + (4 if head[1] & _MASKED else 0)


def _size(head: bytes) -> int:
    code = head[1] & 0x7F
    if code < _SMALL:
        return code
    return int.from_bytes(head[2:4] if code == _SMALL else head[2:10], "big")


def _small_text(data: bytes, deflates: bool) -> bytes | None:
    if len(data) < _HEAD_BYTES or not data[1] & _MASKED:
        return None
    size = data[1] & 0x7F
    if size >= _SMALL or len(data) != _HEAD_BYTES + size:
        return None
    if data[0] == TEXT:
        return apply_mask(data[6:], data[2:6])
    if data[0] == TEXT_DEFLATED and deflates:
        return _inflated(apply_mask(data[6:], data[2:6]))
    return None


def _inflated(data: bytes) -> bytes | None:
    """None for what is too large or broken: the parser has the words for that."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        text = inflate.decompress(data + b"\x00\x00\xff\xff", INFLATED_BYTES_MAX)
    except zlib.error:
        return None
    return text if not inflate.unconsumed_tail else None
