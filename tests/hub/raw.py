"""A peer made of a bare socket: every byte that it sends and gets is the test's own.

Reads only when it is asked to, so that it can stall. Reads and writes RFC 6455 by itself.
"""

import asyncio
import contextlib
import json
import socket
import zlib
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from tests.hub.servers import BEARER, DEADLINE_S, Served

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
BOTH_WITHOUT_TAKEOVER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


class Received(NamedTuple):
    """A frame from the hub: its first byte, its payload, and all of it as it came."""

    first: int
    payload: bytes
    raw: bytes

    @property
    def opcode(self) -> int:
        """What kind of frame it is."""
        return self.first & 0x0F

    @property
    def is_deflated(self) -> bool:
        """Whether RSV1 says so."""
        return bool(self.first & RSV1)

    @property
    def text(self) -> bytes:
        """The message, inflated on its own: nothing of earlier ones is needed."""
        if not self.is_deflated:
            return self.payload
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.payload + b"\x00\x00\xff\xff")

    @property
    def told(self) -> dict[str, Any]:
        """The message as an object."""
        told: dict[str, Any] = json.loads(self.text)
        return told


def framed(payload: bytes, opcode: int = TEXT, *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A client's frame as bytes, masked by zeros."""
    first = opcode | (FIN if fin else 0) | (RSV1 if rsv1 else 0)
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65_536:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


def said(kind: str, **fields: Any) -> bytes:
    """A request as a frame."""
    return framed(json.dumps({"type": kind, **fields}).encode())


def deflated(payload: bytes) -> bytes:
    """A message as permessage-deflate sends it, on its own."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (squeeze.compress(payload) + squeeze.flush(zlib.Z_SYNC_FLUSH))[:-4]


HELLO = said("hello", protocol=1)


class Peer:
    """One connection behind its handshake."""

    def __init__(self, opened: socket.socket, status: int, headers: dict[str, str]) -> None:
        self.socket = opened
        self.status = status
        self.headers = headers
        self.frames: list[Received] = []
        self.buffer = b""

    async def send(self, data: bytes) -> None:
        """Bytes as they are."""
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def _fill(self, size: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while len(self.buffer) < size:
                more = await asyncio.get_running_loop().sock_recv(self.socket, 65_536)
                if not more:
                    raise EOFError
                self.buffer += more

    async def read(self) -> Received:
        """The next frame; raises EOFError where the stream ends."""
        await self._fill(2)
        start, size = 2, self.buffer[1] & 0x7F
        if size >= 126:
            start = 4 if size == 126 else 10
            await self._fill(start)
            size = int.from_bytes(self.buffer[2:start], "big")
        await self._fill(start + size)
        raw, self.buffer = self.buffer[: start + size], self.buffer[start + size :]
        self.frames.append(Received(raw[0], raw[start:], raw))
        return self.frames[-1]

    async def until(self, kind: str) -> Received:
        """Read until a message of that type."""
        while True:
            frame = await self.read()
            if frame.opcode == TEXT and frame.told["type"] == kind:
                return frame

    async def ended(self) -> bytes:
        """Read whatever comes until the stream ends; gives the bytes, frames or not."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(DEADLINE_S):
                while more := await loop.sock_recv(self.socket, 65_536):
                    self.buffer += more
        taken, self.buffer = self.buffer, b""
        return taken


@contextlib.asynccontextmanager
async def peer(
    hub: Served, *, offer: str = "", receive_bytes: int = 0, **headers: str
) -> AsyncIterator[Peer]:  # fmt: skip
    """A handshake with ``offer`` as its extensions; without headers the owner's credential."""
    loop = asyncio.get_running_loop()
    told = {
        "Host": f"127.0.0.1:{hub.port}", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY, "Sec-WebSocket-Version": "13", **(headers or BEARER),
    }  # fmt: skip
    if offer:
        told["Sec-WebSocket-Extensions"] = offer
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    with socket.socket() as opened:
        if receive_bytes:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        opened.setblocking(False)
        await loop.sock_connect(opened, ("127.0.0.1", hub.port))
        await loop.sock_sendall(opened, f"GET /ws HTTP/1.1\r\n{lines}\r\n".encode())
        answer = b""
        async with asyncio.timeout(DEADLINE_S):
            while not answer.endswith(b"\r\n\r\n"):
                answer += await loop.sock_recv(opened, 1)
        first, *rest = answer.decode().split("\r\n")
        pairs = (line.partition(":") for line in rest if line)
        got = {name.lower(): value.strip() for name, _, value in pairs}
        yield Peer(opened, int(first.split()[1]), got)
