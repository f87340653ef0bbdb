"""Errors of HTTP as RFC 9457 problem details: what, where, what to do. Called by every app."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.responses import Response


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: object
) -> Response:
    """A problem-details response with the status's own phrase as its title."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return Response(
        msgspec.json.encode({**body, "detail": detail, **more}),
        status,
        headers=dict(headers or {}),
        media_type="application/problem+json",
    )
