"""``/api/sources``: the machines whose readers send from afar, and how far behind each is."""

from starlette.requests import Request
from starlette.responses import Response

from hub.rest.answers import asked, hub_of, json, workspace_of
from hub.worker import now_ms


@asked
async def sources(request: Request) -> Response:
    """``GET /api/sources``: who sends from afar, as this worker saw it last."""
    told = hub_of(request).sources.view(workspace_of(request))
    return json({"now": now_ms(), "sources": told}, headers={"Cache-Control": "no-store"})
