"""The hub's HTTP routes under ``/api``, out of the live cache.

Never answers for another workspace than the grant's. Endpoints find their hub in the app's state.
"""

import hashlib
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hub.auth import Grant
from hub.live.attention import AttentionLane
from hub.live.cache import Held
from hub.live.views import View
from hub.problem import problem
from hub.websocket import Hub
from session.state import detail, item_view, summary

LIMIT_DEFAULT = 50
LIMIT_MAX = 1_000


def _hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


def _grant(request: Request) -> Grant:
    grant: Grant = request.state.grant
    return grant


def _json(body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), headers=headers, media_type="application/json")


def _tagged(request: Request, body: Any) -> Response:
    """A snapshot for polling: unchanged, it is answered by 304."""
    data = msgspec.json.encode(body)
    tag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = request.headers.get("if-none-match", "").split(",")
    if tag in (each.strip().removeprefix("W/") for each in known):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type="application/json")


def _lane(request: Request) -> AttentionLane:
    return _hub(request).board.lane(_grant(request).workspace)


async def _held(request: Request) -> Held | None:
    hub, key = _hub(request), (_grant(request).workspace, request.path_params["id"])
    await hub.worker.ensure(*key)
    return hub.board.cache.get(key)


async def live(request: Request) -> Response:
    """``GET /api/live``: the default view with attention and totals, for polling."""
    board, workspace = _hub(request).board, _grant(request).workspace
    view = View()
    rows = sorted(filter(view.matches, board.cache.sessions(workspace)), key=view.key)
    return _tagged(
        request,
        {
            "cursor": _lane(request).cursor,
            "sessions": [summary(session) for session in rows[: view.limit]],
            "attention": [item_view(item) for item in _lane(request).items(board.cache)],
            "totals": board.cache.totals_of(workspace).view(),
        },
    )


async def live_session(request: Request) -> Response:
    """``GET /api/live/{id}``: one session's snapshot, for polling."""
    held = await _held(request)
    if held is None:
        return problem(404, "no such session")
    session = held.session
    body = {
        "session": session.id,
        "cursor": held.cursor,
        "detail": detail(session),
        "timeline": list(session.timeline),
        "live": True,
    }
    return _tagged(request, body)


async def sessions(request: Request) -> Response:
    """``GET /api/sessions``: live and past ones of the board, newest activity first."""
    try:
        limit = int(request.query_params.get("limit", LIMIT_DEFAULT))
    except ValueError:
        limit = 0
    if not 1 <= limit <= LIMIT_MAX:
        return problem(400, f"limit: expected a whole number from 1 to {LIMIT_MAX}")
    board, workspace = _hub(request).board, _grant(request).workspace
    rows = sorted(board.cache.sessions(workspace), key=View(sort="updated").key)
    page = [summary(session) for session in rows[:limit]]
    return _json({"sessions": page, "next": None, "total": len(rows)})


async def session(request: Request) -> Response:
    """``GET /api/sessions/{id}``: summary and detail in one flat object."""
    held = await _held(request)
    return problem(404, "no such session") if held is None else _json(detail(held.session))


async def attention(request: Request) -> Response:
    """``GET /api/attention``: every open item, oldest first."""
    items = _lane(request).items(_hub(request).board.cache)
    return _json({"open": [item_view(item) for item in items]})


async def attention_item(request: Request) -> Response:
    """``GET /api/attention/{id}``: one open item with the full request."""
    item = _lane(request).find(_hub(request).board.cache, request.path_params["id"])
    if item is None:
        return problem(404, "no such open item")
    more = {"request": item.request, "full_bytes": item.full_bytes, "agent_id": item.agent_id}
    return _json({**item_view(item), **more})


async def clients(request: Request) -> Response:
    """``GET /api/clients``: who is connected to this worker; for operators."""
    grant, board = _grant(request), _hub(request).board
    if grant.role != "operator":
        return problem(403, "only an operator may see who is connected")
    told = [
        client.view_of() for client in board.clients.values() if client.workspace == grant.workspace
    ]
    return _json({"worker": board.worker, "clients": told})


async def me(request: Request) -> Response:
    """``GET /api/me``: what the credential allows."""
    grant = _grant(request)
    door = _hub(request).door
    body = {"role": grant.role, "workspace": grant.workspace, "auth": door.needs_credential}
    return _json(body)
