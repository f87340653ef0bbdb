"""``/api/live``, ``/api/activity``, ``/api/attention``: the board as it is, for those who poll.

Out of the live cache alone.
"""

import asyncio
import time
from operator import itemgetter

from starlette.requests import Request
from starlette.responses import Response

from hub.live.attention import AttentionLane
from hub.live.cache import Held
from hub.live.views import View
from hub.problem import problem
from hub.rest.answers import held_of, hub_of, json, note_opened, tagged, workspace_of
from hub.worker import SLICE_S, now_ms
from session.state import TOKEN_NAMES, detail, item_view, summary

MINUTE_MS = 60_000
ACTIVITY_MINUTES = 30
_counted = itemgetter(*(name for name in TOKEN_NAMES if name != "cache_read"))


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
    note_opened(request, session.id)
    body = {
        "session": session.id,
        "cursor": held.cursor,
        "detail": detail(session),
        "timeline": list(session.timeline),
        "live": True,
    }
    return tagged(request, body)


async def activity(request: Request) -> Response:
    """``GET /api/activity``: tokens by minute of the last half hour, the present one included."""
    now = now_ms()
    until = now - now % MINUTE_MS + MINUTE_MS
    minutes = range(until - ACTIVITY_MINUTES * MINUTE_MS, until, MINUTE_MS)
    active: dict[str, list[int]] = {}
    began = time.perf_counter()
    cached = hub_of(request).board.cache.by_workspace.get(workspace_of(request), {})
    for held in list(cached.values()):
        tokens = _tokens_in(held, minutes)
        if tokens is not None:
            active[held.session.id] = tokens
        if time.perf_counter() - began > SLICE_S:
            await asyncio.sleep(0)  # thousands of busy ones keep no socket waiting
            began = time.perf_counter()
    return tagged(request, {"until": until, "minutes": ACTIVITY_MINUTES, "sessions": active})


def _tokens_in(held: Held, minutes: range) -> list[int] | None:
    """Tokens of each minute, or None if there are none: most sessions are quiet, and cost nothing.

    The state keeps every minute by itself; only what is sent of a long session is merged.
    """
    session, known = held.session, held.session.minutes
    is_quiet = max(held.changed_ms, session.updated_at or 0) < minutes.start
    if is_quiet or known.keys().isdisjoint(minutes):
        return None
    tokens = [sum(_counted(known[at])) if at in known else 0 for at in minutes]
    return tokens if any(tokens) else None


async def attention(request: Request) -> Response:
    """``GET /api/attention``: every open item, oldest first."""
    items = _lane(request).items(hub_of(request).board.cache)
    return json({"open": [item_view(item) for item in items]})


async def attention_item(request: Request) -> Response:
    """``GET /api/attention/{id}``: one open item with the full request."""
    item = _lane(request).find(hub_of(request).board.cache, request.path_params["id"])
    if item is None:
        return problem(404, "no such open item")
    note_opened(request, item.session)
    more = {"request": item.request, "full_bytes": item.full_bytes, "agent_id": item.agent_id}
    return json({**item_view(item), **more})
