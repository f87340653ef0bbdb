"""The routes of native events: ``POST /v1/events``, and the schema of what it takes.

Listed by ingest.app.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache, partial

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from ingest.adapters import native, native_kinds
from ingest.body import TooLarge
from ingest.intake import Batch, Ingest, now, workspace_of
from session.delta import Delta


class Events(Batch):
    """One event or a list of them. An id that was told within 24 hours is a duplicate."""

    source = "native"

    async def read(self, body: bytes, ingest: Ingest, scope: Scope) -> Sequence[Delta]:
        """In a thread: the first call that is priced loads the prices, which takes a while."""
        host, user = ingest.origin(scope)
        read = partial(
            native.normalize, body, received_at=now(), workspace=workspace_of(scope), host=host,
            user=user,
        )  # fmt: skip
        events = await asyncio.to_thread(ingest.screened_all, read)
        most = ingest.limits.batch_events_max
        if len(events) > most:
            raise TooLarge(f"a body has at most {most} events; send smaller batches")
        return events


async def schema(_: Request) -> Response:
    """``GET /v1/events/schema.json``: JSON Schema 2020-12 of a body."""
    return Response(_schema(), media_type="application/schema+json")


@lru_cache(maxsize=1)
def _schema() -> bytes:
    return msgspec.json.encode(native_kinds.schema())
