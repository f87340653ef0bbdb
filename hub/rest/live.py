"""``/api/live`` and ``/api/attention``: the board as it is, for those who poll.

Out of the live cache alone.
"""

from starlette.requests import Request
from starlette.responses import Response

from hub.live.attention import AttentionLane
from hub.live.views import View
from hub.problem import problem
from hub.rest.answers import held_of, hub_of, json, tagged, workspace_of
from session.state import detail, item_view, summary


def _lane(request: Request) -> AttentionLane:
    return hub_of(request).board.lane(workspace_of(request))


async def live(request: Request) -> Response:
    """``GET /api/live``: the default view with attention and totals, for polling."""
    board, workspace = hub_of(request).board, workspace_of(request)
    view = View()
    rows = sorted(filter(view.matches, board.cache.sessions(workspace)), key=view.key)
    return tagged(
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
    held = await held_of(request, request.path_params["id"])
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
    return tagged(request, body)


async def attention(request: Request) -> Response:
    """``GET /api/attention``: every open item, oldest first."""
    items = _lane(request).items(hub_of(request).board.cache)
    return json({"open": [item_view(item) for item in items]})


async def attention_item(request: Request) -> Response:
    """``GET /api/attention/{id}``: one open item with the full request."""
    item = _lane(request).find(hub_of(request).board.cache, request.path_params["id"])
    if item is None:
        return problem(404, "no such open item")
    more = {"request": item.request, "full_bytes": item.full_bytes, "agent_id": item.agent_id}
    return json({**item_view(item), **more})
