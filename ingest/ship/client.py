"""Requests to a tower over one connection that is kept: compressed, with its token, over TLS.

Never raises for what a network or a tower does: that is an answer as well. Never follows a
redirect, which would show the token to another host. Used by the shipper.
"""

import gzip
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx2
import msgspec

from ingest.compression import zstd
from ingest.ship.limits import Limits
from ingest.ship.verdict import NO_ANSWER, retry_after_ms

DETAIL_MAX = 300
ANSWER_BYTES_MAX = 64 * 1024
ZSTD, GZIP = "zstd", "gzip"
_WISHES = [(b"X-Tower-Until", b"recorded")]  # the offsets go on: what is taken must stay
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ZSTD: zstd.compress,
    GZIP: lambda data: gzip.compress(data, 6),
}


class Answer(NamedTuple):
    """A status, ``NO_ANSWER`` for none; why; and what ``Retry-After`` asks for."""

    status: int
    detail: str = ""
    retry_after_ms: int = 0
    sent_bytes: int = 0
    duplicates: int = 0


class Client:
    """``token`` is asked for at every request, so that a file may be renewed."""

    def __init__(
        self, target: str, token: Callable[[], str | None], origin: tuple[str, str],
        limits: Limits, ca_file: Path | None = None,
    ) -> None:  # fmt: skip
        """Raises OSError or ssl.SSLError for a file of certificates that is none."""
        self.target = target.rstrip("/")
        self.encoding = ZSTD
        self._token = token
        host, user = (_one_line(each).encode() for each in origin)
        verify = ssl.create_default_context(cafile=ca_file) if ca_file else True
        connect_s, answer_s = limits.connect_timeout_ms / 1_000, limits.answer_timeout_ms / 1_000
        self._client = httpx2.AsyncClient(
            verify=verify,
            timeout=httpx2.Timeout(answer_s, connect=connect_s),
            limits=httpx2.Limits(max_connections=2, keepalive_expiry=60),
            headers=[*_WISHES, (b"X-Tower-Host", host), (b"X-Tower-User", user)],
        )

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def deltas(self, body: bytes) -> Answer:
        """Post NDJSON; a tower that does not know zstd gets gzip from then on."""
        answer = await self._compressed(body)
        if answer.status == 415 and self.encoding == ZSTD:
            self.encoding = GZIP
            answer = await self._compressed(body)
        return answer

    async def alive(self, told: object) -> Answer:
        """Post a sign of life."""
        headers = {"Content-Type": "application/json"}
        return await self._post("/v1/alive", msgspec.json.encode(told), headers)

    async def _compressed(self, body: bytes) -> Answer:
        packed = _COMPRESS[self.encoding](body)
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": self.encoding}
        return await self._post("/v1/deltas", packed, headers)

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        named = {name.encode(): value.encode() for name, value in headers.items()}
        if token := self._token():
            named[b"Authorization"] = f"Bearer {token}".encode()
        asked = self._client.stream("POST", self.target + path, content=body, headers=named)
        try:
            async with asked as answer:
                told = await _read(answer)
        except (httpx2.HTTPError, OSError) as error:
            return Answer(NO_ANSWER, _reason(error))
        after_ms = retry_after_ms(answer.headers.get("retry-after"), time.time_ns() // 1_000_000)
        detail, duplicates = _told(answer, told)
        return Answer(answer.status_code, detail, after_ms, len(body), duplicates)


async def _read(answer: httpx2.Response) -> bytes:
    """The begin of a body: whoever answers may be anybody."""
    told = b""
    async for chunk in answer.aiter_bytes():
        told += chunk
        if len(told) > ANSWER_BYTES_MAX:
            break
    return told


def _reason(error: Exception) -> str:
    """In a few words: what a library raises for a timeout is often empty."""
    if isinstance(error, httpx2.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    return _one_line(str(error)) or type(error).__name__


def _told(answer: httpx2.Response, body: bytes) -> tuple[str, int]:
    """Why it was refused, or where it went; and how much of it the log knew before."""
    if answer.is_redirect:
        return _one_line(answer.headers.get("location", "")), 0
    try:
        told = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return answer.reason_phrase, 0
    duplicates = told.get("duplicates")
    detail = _one_line(str(told.get("detail") or answer.reason_phrase))
    return detail, duplicates if isinstance(duplicates, int) else 0


def _one_line(text: str) -> str:
    """For a log or a header: no control characters, and not too much of it."""
    return "".join(each if each.isprintable() else " " for each in text[:DETAIL_MAX]).strip()
