"""Request bodies with a bound, plain or gzip. Never holds more than the limit, inflated or not."""

import zlib

from starlette.types import Receive

MEMBERS_MAX = 64  # each costs a copy of all that is behind it
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """The body is over the limit."""


class Gone(Exception):
    """The client left before its body was whole."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body; raises TooLarge as soon as it is over ``limit`` bytes."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise TooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def gunzip(data: bytes, limit: int) -> bytes:
    """Inflate all members to at most ``limit`` bytes; raises TooLarge or zlib.error."""
    plain = bytearray()
    for _ in range(MEMBERS_MAX):
        inflater = zlib.decompressobj(_GZIP_WINDOW)
        plain += inflater.decompress(data, limit + 1 - len(plain))
        if len(plain) > limit:
            raise TooLarge
        if not inflater.eof:
            raise zlib.error("the gzip stream ends too early")
        data = inflater.unused_data
        if not data:
            return bytes(plain)
    raise zlib.error(f"a body has at most {MEMBERS_MAX} gzip members")
