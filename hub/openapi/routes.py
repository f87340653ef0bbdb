"""The two routes of the description: ``/openapi.json`` and ``/docs``. Small, for start imports it.

What they tell is made at the first request, and holds no data of any session.
"""

import functools
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from hub.openapi.document import Part


async def openapi(request: Request) -> Response:
    """``GET /openapi.json``: every operation, with its parameters and schemas."""
    return Response(msgspec.json.encode(_document(request)), media_type="application/json")


async def docs(request: Request) -> Response:
    """``GET /docs``: the same as a page, without a script."""
    from hub.openapi import page

    told = page.render(_document(request), str(request.base_url).rstrip("/"))
    return Response(told, headers={"Content-Security-Policy": page.POLICY}, media_type="text/html")


def _document(request: Request) -> dict[str, Any]:
    parts: tuple[Part, ...] = tuple(getattr(request.app.state, "openapi_parts", ()))
    return _made(request.app.state.hub.door.cookies.name, parts)


@functools.lru_cache(maxsize=1)
def _made(cookie_name: str, parts: "tuple[Part, ...]") -> dict[str, Any]:
    from hub.openapi.document import build

    return build(cookie_name, parts)
