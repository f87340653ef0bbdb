"""Request bodies with a bound, plain or gzip. Never holds more than the limit, inflated or not."""

import zlib

from starlette.types import Receive

PASSED_OVER_BODIES = 8
MEMBERS_MAX = 64  # each costs a copy of all that is behind it
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """The body is over the limit; ``has_more`` where the rest of it is still to come."""

    def __init__(self, reason: str = "", *, has_more: bool = False) -> None:
        super().__init__(*filter(None, (reason,)))
        self.has_more = has_more


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
        has_more = message.get("more_body", False)
        if size > limit:
            raise TooLarge(has_more=has_more)
        chunks.append(chunk)
        if not has_more:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def pass_over(receive: Receive, refused: TooLarge, limit: int) -> None:
    """Take what is left of a refused body, up to eight times ``limit`` bytes.

    A server that answers before, and closes, resets the connection under whoever still sends:
    they never read the answer.
    """
    left = PASSED_OVER_BODIES * limit if refused.has_more else 0
    while left > 0:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        if not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))


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
