"""``/api/me`` and ``/api/clients``: who asks, and who else is connected."""

from starlette.requests import Request
from starlette.responses import Response

from hub.rest.answers import asked, grant_of, hub_of, json, needs_operator


@asked
async def clients(request: Request) -> Response:
    """``GET /api/clients``: who is connected to this worker; for operators."""
    needs_operator(request, "only an operator may see who is connected")
    grant, board = grant_of(request), hub_of(request).board
    told = [
        client.view_of() for client in board.clients.values() if client.workspace == grant.workspace
    ]
    return json({"worker": board.worker, "clients": told})


async def me(request: Request) -> Response:
    """``GET /api/me``: what the credential allows."""
    grant = grant_of(request)
    door = hub_of(request).door
    body = {"role": grant.role, "workspace": grant.workspace, "auth": door.needs_credential}
    return json(body)
