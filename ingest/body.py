"""Request bodies with a bound, plain, gzip or zstd.

Never holds more than the limit, inflated or not. Used by the routes.
"""

import zlib
from collections.abc import Callable
from typing import Protocol

from starlette.types import Receive

PASSED_OVER_BODIES = 8
MEMBERS_MAX = 64  # of a gzip, or frames of a zstd: each costs a copy of all that is behind it
ZSTD_WINDOW_LOG_MAX = 23  # 8 MiB, as much as a body may be: a frame chooses what its reader holds
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """The body is over the limit; ``has_more`` where the rest of it is still to come."""

    def __init__(self, reason: str = "", *, has_more: bool = False) -> None:
        super().__init__(*filter(None, (reason,)))
        self.has_more = has_more


class Gone(Exception):
    """The client left before its body was whole."""


class Broken(Exception):
    """A compressed body that is none; the text says why."""


class _Inflater(Protocol):
    """What zlib and zstd have in common."""

    @property
    def eof(self) -> bool:
        """Whether its end was read."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What stands behind the end."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """At most so many bytes of what is behind ``data``."""
        ...


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
    """Inflate all members to at most ``limit`` bytes; raises TooLarge or Broken."""
    try:
        return _inflated(data, limit, lambda: zlib.decompressobj(_GZIP_WINDOW), "gzip")
    except zlib.error as error:
        raise Broken(str(error)) from error


def unzstd(data: bytes, limit: int) -> bytes:
    """Inflate all frames to at most ``limit`` bytes; raises TooLarge or Broken."""
    from ingest.compression import zstd

    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX}
    try:
        return _inflated(data, limit, lambda: zstd.ZstdDecompressor(options=options), "zstd")
    except zstd.ZstdError as error:
        raise Broken(str(error)) from error


INFLATERS: dict[bytes, Callable[[bytes, int], bytes]] = {b"gzip": gunzip, b"zstd": unzstd}


def _inflated(data: bytes, limit: int, make: Callable[[], _Inflater], name: str) -> bytes:
    plain = bytearray()
    for _ in range(MEMBERS_MAX):
        inflater = make()
        plain += inflater.decompress(data, limit + 1 - len(plain))
        if len(plain) > limit:
            raise TooLarge
        if not inflater.eof:
            raise Broken(f"the {name} stream ends too early")
        data = inflater.unused_data
        if not data:
            return bytes(plain)
    raise Broken(f"a body has at most {MEMBERS_MAX} members of {name}")
