"""The ingest's routes: hooks (always answered 200, at once) and deltas from readers.

An agent is never slowed or alarmed by its board. Routes find their publisher in the app's state.
"""

import asyncio
import secrets
import time
import zlib
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ingest import metrics
from ingest.adapters import claude_hooks
from ingest.adapters.texts import text_of
from ingest.body import Gone, TooLarge, gunzip, read_body
from ingest.errors import BusUnavailable, InvalidPayload, QueueFull
from ingest.limits import Limits
from ingest.publish import Publisher
from session import codec
from session.delta import DEFAULT_WORKSPACE, Delta, Event, Time
from session.errors import InvalidDelta

HOST_HEADER, USER_HEADER = b"x-tower-host", b"x-tower-user"
_LABEL_MAX = 100
_ENCODINGS = (b"", b"identity", b"gzip")
_EMPTY = Response()


class Ingest:
    """What the routes work with. ``machine`` is the host and user of this machine itself."""

    def __init__(self, publisher: Publisher, limits: Limits, machine: tuple[str, str]) -> None:
        self.publisher = publisher
        self.limits = limits
        self.machine = machine
        self._aside: set[asyncio.Task[Event]] = set()

    def read_aside(self, read: Callable[[], Event]) -> str:
        """Read a large hook in a thread while its agent has its answer; it keeps its place."""
        if len(self._aside) >= self.limits.hooks_aside_max:
            raise QueueFull
        reading = asyncio.create_task(asyncio.to_thread(read))
        _ = self.publisher.offer(reading)  # nobody waits for it: the agent has its answer
        self._aside.add(reading)
        reading.add_done_callback(self._aside.discard)
        return "late"

    def origin(self, scope: Scope) -> tuple[str, str]:
        """Host and user that sent it: told by headers, else this machine's own."""
        headers = dict(scope["headers"])
        host = _label(headers.get(HOST_HEADER)) or self.machine[0]
        return host, _label(headers.get(USER_HEADER)) or self.machine[1]


def _label(value: bytes | None) -> str | None:
    return text_of(value.decode("utf-8", "replace").strip()[:_LABEL_MAX]) if value else None


def _workspace(scope: Scope) -> str:
    grant = scope.get("state", {}).get("grant")
    return grant.workspace if grant is not None else DEFAULT_WORKSPACE


def _now() -> int:
    return time.time_ns() // 1_000_000


class Hooks:
    """``POST /v1/hooks/claude-code``: one payload; 200 with an empty body whatever it was."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one payload in."""
        began = time.perf_counter()
        if scope["method"] != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        ingest: Ingest = scope["app"].state.ingest
        try:
            outcome = await self._take_in(ingest, scope, receive)
        except Gone:
            return
        metrics.events_total.labels("hooks", outcome).inc()
        await _EMPTY(scope, receive, send)
        metrics.request_seconds.observe(time.perf_counter() - began)

    async def _take_in(self, ingest: Ingest, scope: Scope, receive: Receive) -> str:
        received_at = _now()
        host, user = ingest.origin(scope)
        read = partial(
            claude_hooks.normalize, delta_id=secrets.token_hex(16), received_at=received_at,
            workspace=_workspace(scope), host=host, user=user,
        )  # fmt: skip
        try:
            body = await read_body(receive, ingest.limits.body_bytes_max)
            if len(body) > ingest.limits.hook_inline_bytes_max:
                return ingest.read_aside(partial(read, body))
            taken = ingest.publisher.offer(read(body))
        except TooLarge:
            return "too_large"
        except InvalidPayload:
            return "invalid"
        except QueueFull:
            return "dropped"
        done, _ = await asyncio.wait({taken}, timeout=ingest.limits.hook_answer_ms / 1000)
        if taken.cancelled():
            return "invalid"
        return "accepted" if done else "late"


class Deltas:
    """``POST /v1/deltas``: NDJSON from a reader, plain or gzip. 200 means: on the log."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one batch in."""
        if scope["method"] != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        ingest: Ingest = scope["app"].state.ingest
        try:
            response = await self._take_in(ingest, scope, receive)
        except Gone:
            return
        await response(scope, receive, send)

    async def _take_in(self, ingest: Ingest, scope: Scope, receive: Receive) -> Response:
        limit = ingest.limits.body_bytes_max
        try:
            body = await read_body(receive, limit)
            encoding = dict(scope["headers"]).get(b"content-encoding", b"").strip().lower()
            if encoding not in _ENCODINGS:
                return _problem(415, "a body is plain or gzip", {"Accept-Encoding": "gzip"})
            if encoding == b"gzip":
                body = gunzip(body, limit)
            deltas = read_deltas(body, ingest, scope)
            receipts = await ingest.publisher.append(deltas)
        except TooLarge:
            return _problem(413, f"a body is at most {limit} bytes; send smaller batches")
        except (InvalidPayload, zlib.error) as error:
            metrics.events_total.labels("deltas", "invalid").inc()
            return _problem(400, str(error))
        except BusUnavailable as error:
            return _problem(503, f"the log is unavailable: {error}", {"Retry-After": "1"})
        fresh = sum(not receipt.duplicate for receipt in receipts)
        metrics.events_total.labels("deltas", "accepted").inc(fresh)
        body = msgspec.json.encode({"appended": fresh, "duplicates": len(receipts) - fresh})
        return Response(body, media_type="application/json")


def read_deltas(body: bytes, ingest: Ingest, scope: Scope) -> list[Delta]:
    """The deltas of one body, stamped with what the sender may not choose itself."""
    stamp = {"workspace": _workspace(scope), "received_at": _now(), "number": 0}
    host, user = ingest.origin(scope)
    deltas: list[Delta] = []
    for place, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        if len(line) > ingest.limits.delta_bytes_max:
            size = ingest.limits.delta_bytes_max
            raise InvalidPayload(f"line {place}: a delta is at most {size} bytes")
        try:
            delta = codec.from_json_line(line)
            codec.pack(delta)  # JSON knows numbers that the log does not
        except InvalidDelta as error:
            raise InvalidPayload(f"line {place}: {error}") from error
        if isinstance(delta, Time):
            raise InvalidPayload(f"line {place}: only the tower itself tells the time")
        origin: dict[str, Any] = {"host": delta.host or host, "user": delta.user or user}
        deltas.append(msgspec.structs.replace(delta, **stamp, **origin))
    return deltas


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body = msgspec.json.encode({**told, "detail": detail})
    return Response(body, status, headers=headers, media_type="application/problem+json")


routes: list[BaseRoute] = [
    Route("/v1/hooks/claude-code", Hooks()),
    Route("/v1/deltas", Deltas()),
]
