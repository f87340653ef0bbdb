"""The routes of hooks: always answered 200, at once, with nothing.

An agent is never slowed or alarmed by its board. Listed by ingest.app.
"""

import asyncio
import secrets
import time
from functools import partial
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest import metrics
from ingest.body import Gone, TooLarge, pass_over, read_body
from ingest.errors import InvalidPayload, QueueFull
from ingest.intake import Ingest, now, only_post, workspace_of
from session.delta import Event

_EMPTY = Response()


class Normalize(Protocol):
    """What an adapter of hooks gives: one payload as an event, or InvalidPayload."""

    def __call__(
        self, body: bytes, *, delta_id: str, received_at: int, workspace: str,
        host: str | None = None, user: str | None = None,
    ) -> Event:  # fmt: skip
        """Read one payload."""
        ...


class Hooks:
    """``POST /v1/hooks/…``: one payload of one agent; 200 with an empty body whatever it was."""

    def __init__(self, normalize: Normalize) -> None:
        self._normalize = normalize

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one payload in."""
        began = time.perf_counter()
        if scope["method"] != "POST":
            await only_post(scope, receive, send)
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
        host, user = ingest.origin(scope)
        read = partial(
            self._normalize, delta_id=secrets.token_hex(16), received_at=now(),
            workspace=workspace_of(scope), host=host, user=user,
        )  # fmt: skip
        try:
            body = await read_body(receive, ingest.limits.body_bytes_max)
            if len(body) > ingest.limits.hook_inline_bytes_max:
                return ingest.read_aside(partial(ingest.screened, partial(read, body)))
            taken = ingest.publisher.offer(ingest.screened(partial(read, body)))
        except TooLarge as error:
            await pass_over(receive, error, ingest.limits.body_bytes_max)
            return "too_large"
        except InvalidPayload:
            return "invalid"
        except QueueFull:
            return "dropped"
        done, _ = await asyncio.wait({taken}, timeout=ingest.limits.hook_answer_ms / 1000)
        if taken.cancelled():
            return "invalid"
        return "accepted" if done else "late"
