"""``/api/compare``: several sessions side by side, live and past ones alike."""

from starlette.requests import Request
from starlette.responses import Response

from history.queries.comparison import compared, parse_ids
from hub.problem import problem
from hub.rest.answers import asked, json, note_opened
from hub.rest.sessions import session_of
from session.state import Session


@asked
async def compare(request: Request) -> Response:
    """``GET /api/compare``: what each of the sessions cost, took and did, in their order."""
    found: list[Session] = []
    for session_id in parse_ids(request.query_params.get("ids")):
        session = await session_of(request, session_id)
        if session is None:
            return problem(404, f"ids: no such session as {session_id[:200]!r}")
        found.append(session)
    for session in found:
        note_opened(request, session.id)
    return json({"sessions": compared(found)})
