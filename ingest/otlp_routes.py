"""The routes of OTLP/HTTP: ``POST /v1/logs`` and ``POST /v1/metrics``, JSON and protobuf.

An exporter is answered in its own encoding. Listed by ingest.app.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from starlette.responses import Response
from starlette.types import Scope

from bus.base import Receipt
from ingest import metrics
from ingest.adapters import otlp
from ingest.body import TooLarge
from ingest.errors import MissingExtra
from ingest.intake import Batch, Ingest, Refused, header, now, workspace_of
from session.delta import Delta

_EMPTY = {otlp.JSON: b"{}", otlp.PROTOBUF: b""}  # an Export…ServiceResponse without a word


class _Telemetry(Batch):
    """One export of one signal."""

    source = "otlp"
    normalize: Callable[..., otlp.Told]

    async def read(self, body: bytes, ingest: Ingest, scope: Scope) -> Sequence[Delta]:
        """In a thread: exports are large, and the first one loads prices and protobuf."""
        encoding = _encoding(scope)
        if encoding not in _EMPTY:
            raise Refused(415, f"a body is {otlp.JSON} or {otlp.PROTOBUF}")
        host, user = ingest.origin(scope)
        read = partial(
            self.normalize, body, encoding, received_at=now(), workspace=workspace_of(scope),
            host=host, user=user,
        )  # fmt: skip
        try:
            told = await asyncio.to_thread(_screened, ingest, read)
        except MissingExtra as error:
            raise Refused(415, str(error)) from error
        if len(told.events) > ingest.limits.batch_events_max:
            raise TooLarge(f"a body has at most {ingest.limits.batch_events_max} events")
        metrics.events_total.labels("otlp", "ignored").inc(told.ignored)
        return told.events

    def answer(self, scope: Scope, _receipts: Sequence[Receipt]) -> Response:
        """Success in the encoding of the request."""
        encoding = _encoding(scope)
        return Response(_EMPTY[encoding], media_type=encoding)


def _screened(ingest: Ingest, read: Callable[[], otlp.Told]) -> otlp.Told:
    with ingest.screen.reading():
        told = read()
    return told._replace(events=[ingest.screen.clean(event) for event in told.events])


def _encoding(scope: Scope) -> str:
    return header(scope, b"content-type").decode("latin-1")


class Logs(_Telemetry):
    """``POST /v1/logs``."""

    normalize = staticmethod(otlp.logs)


class Metrics(_Telemetry):
    """``POST /v1/metrics``."""

    normalize = staticmethod(otlp.metrics)
