"""The ingest's routes: hooks, deltas from readers, native events, and telemetry by OTLP.

Routes find their publisher in the app's state. Served by the commands that take deltas in.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from ingest.adapters import claude_hooks, codex_hooks
from ingest.alive import SignOfLife
from ingest.errors import InvalidPayload
from ingest.hooks import Hooks
from ingest.intake import Batch, Ingest, now, workspace_of
from ingest.native_routes import Events, schema
from ingest.otlp_routes import Logs, Metrics
from session import codec, shapes
from session.delta import Delta, Report
from session.errors import InvalidDelta
from session.fold import makes_session

__all__ = ["Ingest", "routes"]


class Deltas(Batch):
    """``POST /v1/deltas``: NDJSON from a reader, plain, gzip or zstd."""

    source = "deltas"

    async def read(self, body: bytes, ingest: Ingest, scope: Scope) -> Sequence[Delta]:
        """In a thread: readers send much at once."""
        return await asyncio.to_thread(
            ingest.screened_all, partial(read_deltas, body, ingest, scope)
        )


def read_deltas(body: bytes, ingest: Ingest, scope: Scope) -> list[Delta]:
    """The deltas of one body, stamped with what the sender may not choose itself."""
    stamp = {"workspace": workspace_of(scope), "received_at": now(), "number": 0}
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
            if makes_session(delta):
                shapes.check(delta)
        except InvalidDelta as error:
            raise InvalidPayload(f"line {place}: {error}") from error
        if not makes_session(delta):
            raise InvalidPayload(f"line {place}: only the tower tells the time and of persons")
        origin: dict[str, Any] = {"host": delta.host or host, "user": delta.user or user}
        if isinstance(delta, Report):
            origin["mark"] = None  # a path of another machine means nothing here
        deltas.append(msgspec.structs.replace(delta, **stamp, **origin))
    return deltas


routes: list[BaseRoute] = [
    Route("/v1/hooks/claude-code", Hooks(claude_hooks.normalize)),
    Route("/v1/hooks/codex", Hooks(codex_hooks.normalize)),
    Route("/v1/deltas", Deltas()),
    Route("/v1/alive", SignOfLife()),
    Route("/v1/events", Events()),
    Route("/v1/events/schema.json", schema, methods=["GET"]),
    Route("/v1/logs", Logs()),
    Route("/v1/metrics", Metrics()),
]
