"""A client's end of a WebSocket that costs little: whole text frames in, text frames out.

No fragments, as the hub sends none; deflated frames as the hub agrees to them. Reading can be
paused, as by somebody who is slow. Must never judge what a frame says. Used by ``crowd``.
"""

import array
import asyncio
import fcntl
import json
import termios
import zlib
from collections.abc import Callable
from typing import Any

HEADERS_END = b"\r\n\r\n"
OP_TEXT, OP_CLOSE, OP_PING, OP_PONG = 1, 8, 9, 10
OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def handshake(port: int, token: str, *, deflated: bool) -> bytes:
    """The request; its key is the sample of RFC 6455."""
    lines = [
        "GET /ws HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: hub.v1.json",
        f"Authorization: Bearer {token}",
    ]  # fmt: skip
    if deflated:
        lines.append(f"Sec-WebSocket-Extensions: {OFFER}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def masked(opcode: int, data: bytes) -> bytes:
    """A client's frame of less than 64 KiB, masked by zeros."""
    size = len(data)
    if size < 126:
        return bytes([0x80 | opcode, 0x80 | size, 0, 0, 0, 0]) + data
    return bytes([0x80 | opcode, 0x80 | 126]) + size.to_bytes(2, "big") + bytes(4) + data


def frame_at(data: bytearray, start: int) -> tuple[int, int, int] | None:
    """Where the payload of the frame at ``start`` begins and ends, and its first byte."""
    if len(data) < start + 2:
        return None
    size, begin = data[start + 1] & 127, start + 2
    if size > 125:
        begin += 2 if size == 126 else 8
        if len(data) < begin:
            return None
        size = int.from_bytes(data[start + 2 : begin], "big")
    end = begin + size
    return (begin, end, data[start]) if len(data) >= end else None


class Line(asyncio.Protocol):
    """One connection; ``take`` is given each text, ``opened`` and ``lost`` are awaited."""

    def __init__(self, request: bytes, take: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[int] = loop.create_future()
        self.transport: Any = None
        self.frames = self.received_bytes = 0
        self._request = request
        self._take = take
        self._data = bytearray()
        self._code = 1006
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        self.transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing comes any more."""
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("refused"))
        if not self.lost.done():
            self.lost.set_result(self._code)

    def data_received(self, data: bytes) -> None:
        """Bytes, in whatever pieces they come."""
        self._data += data
        self.received_bytes += len(data)
        if not self._is_open and not self._upgrade():
            return
        start = 0
        while (found := frame_at(self._data, start)) is not None:
            begin, start, first = found
            self._frame(first, bytes(self._data[begin:start]))
        del self._data[:start]

    def _upgrade(self) -> bool:
        end = self._data.find(HEADERS_END)
        if end < 0:
            return False
        if not self._data.startswith(b"HTTP/1.1 101"):
            self.opened.set_exception(ConnectionError(bytes(self._data[:60]).decode()))
            self.transport.abort()
            return False
        del self._data[: end + len(HEADERS_END)]
        self._is_open = True
        self.opened.set_result(None)
        return True

    def _frame(self, first: int, payload: bytes) -> None:
        opcode = first & 15
        if opcode == OP_TEXT:
            if first & 0x40:
                inflater = zlib.decompressobj(-15)
                payload = inflater.decompress(payload + b"\0\0\xff\xff")
            self.frames += 1
            try:
                self._take(payload)
            except Exception as error:  # noqa: BLE001 - what is wrong is told by whoever awaits the end
                self.fail(error)
        elif opcode == OP_PING:
            self.transport.write(masked(OP_PONG, payload))
        elif opcode == OP_CLOSE:
            self._code = int.from_bytes(payload[:2], "big") or 1005
            self.transport.close()

    @property
    def unread_bytes(self) -> int:
        """What has come and is not read yet, as the kernel says."""
        if self.transport is None or self.transport.is_closing():
            return 0
        count = array.array("i", [0])
        fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.FIONREAD, count)
        return count[0]

    def fail(self, error: BaseException) -> None:
        """Cut the line because of this."""
        if not self.lost.done():
            self.lost.set_exception(error)
        self.transport.abort()

    def send(self, **told: Any) -> None:
        """One frame of hub.v1."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(masked(OP_TEXT, json.dumps(told).encode()))

    def cut(self) -> None:
        """Without a goodbye, as a laptop does that is closed."""
        if self.transport is not None:
            self.transport.abort()
