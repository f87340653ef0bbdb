"""What the ingest's routes share: whose deltas these are, bodies with a bound, batches.

Never keeps what a body told beyond its request. Used by the modules of the routes.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bus.base import Receipt
from ingest import metrics
from ingest.adapters.texts import text_of
from ingest.body import INFLATERS, Broken, Gone, TooLarge, pass_over, read_body
from ingest.errors import BusUnavailable, InvalidPayload, QueueFull
from ingest.limits import Limits
from ingest.publish import Publisher
from ingest.redact.screen import Screen
from session.delta import DEFAULT_WORKSPACE, Delta, Event

HOST_HEADER, USER_HEADER = b"x-tower-host", b"x-tower-user"
UNTIL_HEADER = b"x-tower-until"  # who forgets what was taken asks for more than the log
_LABEL_MAX = 100
D = TypeVar("D", bound=Delta)
_PLAIN = (b"", b"identity")


class Ingest:
    """What the routes work with. ``machine`` is the host and user of this machine itself.

    Every route gives what it took in through ``screened``: nothing else goes to the log.
    ``recorded`` waits until history has what is on the log, where the log would not outlive us.
    """

    def __init__(
        self, publisher: Publisher, limits: Limits, machine: tuple[str, str],
        screen: Screen | None = None,
    ) -> None:  # fmt: skip
        self.publisher = publisher
        self.screen = screen or Screen(on_found=metrics.count_redacted)
        self.limits = limits
        self.machine = machine
        self.recorded: Callable[[], Awaitable[None]] | None = None
        self._aside: set[asyncio.Task[Event]] = set()

    def screened(self, read: Callable[[], D]) -> D:
        """What ``read`` gives, without secrets, and with as much text as may leave."""
        with self.screen.reading():
            delta = read()
        return self.screen.clean(delta)

    def screened_all(self, read: Callable[[], Sequence[D]]) -> list[D]:
        """The same of several."""
        with self.screen.reading():
            deltas = read()
        return [self.screen.clean(delta) for delta in deltas]

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


def workspace_of(scope: Scope) -> str:
    """Where the sender may write."""
    grant = scope.get("state", {}).get("grant")
    return grant.workspace if grant is not None else DEFAULT_WORKSPACE


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def header(scope: Scope, name: bytes) -> bytes:
    """A header's value in lower case, without what stands behind a semicolon."""
    value: bytes = dict(scope["headers"]).get(name, b"")
    return value.partition(b";")[0].strip().lower()


class Refused(Exception):
    """A body that is answered by a problem: status, reason, headers."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


class Batch(ABC):
    """A route that takes one body of deltas: 2xx means all are on the log, else none is."""

    source: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one batch in."""
        if scope["method"] != "POST":
            await only_post(scope, receive, send)
            return
        ingest: Ingest = scope["app"].state.ingest
        try:
            response = await self._take_in(ingest, scope, receive)
        except Gone:
            return
        except Refused as refused:
            response = problem(refused.status, refused.detail, refused.headers)
        await response(scope, receive, send)

    async def _take_in(self, ingest: Ingest, scope: Scope, receive: Receive) -> Response:
        try:
            body = await self._body(ingest, scope, receive)
            deltas = await self.read(body, ingest, scope)
            receipts = await ingest.publisher.append(deltas) if deltas else []
            if receipts and ingest.recorded and header(scope, UNTIL_HEADER) == b"recorded":
                await ingest.recorded()
        except TooLarge as error:
            limit = ingest.limits.body_bytes_max
            await pass_over(receive, error, limit)
            reason = str(error) or f"a body is at most {limit} bytes; send smaller batches"
            raise Refused(413, reason) from error
        except (InvalidPayload, Broken) as error:
            metrics.events_total.labels(self.source, "invalid").inc()
            raise Refused(400, str(error)) from error
        except BusUnavailable as error:
            reason = f"the log is unavailable: {error}"
            raise Refused(503, reason, {"Retry-After": "1"}) from error
        fresh = sum(not receipt.duplicate for receipt in receipts)
        metrics.events_total.labels(self.source, "accepted").inc(fresh)
        return self.answer(scope, receipts)

    async def _body(self, ingest: Ingest, scope: Scope, receive: Receive) -> bytes:
        limit = ingest.limits.body_bytes_max
        body = await read_body(receive, limit)
        encoding = header(scope, b"content-encoding")
        if encoding in _PLAIN:
            return body
        if encoding not in INFLATERS:
            raise Refused(415, "a body is plain, gzip or zstd", {"Accept-Encoding": "gzip, zstd"})
        return INFLATERS[encoding](body, limit)

    @abstractmethod
    async def read(self, body: bytes, ingest: Ingest, scope: Scope) -> Sequence[Delta]:
        """The deltas of a body; raises InvalidPayload, TooLarge or Refused."""

    def answer(self, _scope: Scope, receipts: Sequence[Receipt]) -> Response:
        """What is told of a batch that is on the log."""
        fresh = sum(not receipt.duplicate for receipt in receipts)
        told = {"appended": fresh, "duplicates": len(receipts) - fresh}
        return Response(msgspec.json.encode(told), media_type="application/json")


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as problem details."""
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body = msgspec.json.encode({**told, "detail": detail})
    return Response(body, status, headers=headers, media_type="application/problem+json")


async def only_post(scope: Scope, receive: Receive, send: Send) -> None:
    """The answer to any other method."""
    refusal = problem(405, "this route takes POST", {"Allow": "POST"})
    await refusal(scope, receive, send)
