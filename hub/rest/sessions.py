"""``/api/sessions``: live and past ones in one list, each with its timeline and its texts.

A session that the cache holds is told as it is there; what history adds is never taken into the
cache.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from history.queries.filters import parse_before, parse_filter, parse_limit
from history.queries.merge import Recorded, merged
from hub.problem import problem
from hub.rest.answers import asked, held_of, hub_of, json, note_opened, workspace_of
from session.state import Session, detail
from session.timeline import TimelineEntry


@asked
async def sessions(request: Request) -> Response:
    """``GET /api/sessions``: a page of those that a filter lets through, the latest first."""
    wanted = parse_filter(request.query_params.multi_items())
    hub, workspace = hub_of(request), workspace_of(request)
    live = {session.id: session for session in hub.board.cache.sessions(workspace)}
    if hub.history is None:
        return json(merged(wanted, live, Recorded()))
    return json(await hub.history.sessions(workspace, wanted, live))


@asked
async def session(request: Request) -> Response:
    """``GET /api/sessions/{id}``: summary and detail in one flat object."""
    found = await session_of(request, request.path_params["id"])
    if found is None:
        return problem(404, "no such session")
    note_opened(request, found.id)
    return json(detail(found))


async def session_of(request: Request, session_id: str) -> Session | None:
    """A session as the cache has it, else as history has it."""
    hub, workspace = hub_of(request), workspace_of(request)
    if hub.history is None or hub.board.cache.get((workspace, session_id)) is not None:
        held = await held_of(request, session_id)
        if held is not None or hub.history is None:
            return None if held is None else held.session
    return await hub.history.outline(workspace, session_id)


@asked
async def timeline(request: Request) -> Response:
    """``GET /api/sessions/{id}/timeline``: a page of entries, the newest last."""
    before = parse_before(request.query_params.get("before"))
    limit = parse_limit(request.query_params.get("limit"))
    session_id = request.path_params["id"]
    live = await _ring(request, session_id)
    here = [each for each in live or () if before is None or each.seq < before][-limit:]
    more = bool(here) and here[0].seq > 1
    history = hub_of(request).history
    room = limit - len(here)
    if history is not None and (room and (more or not here)):
        first = here[0].seq if here else before
        page = await history.timeline(workspace_of(request), session_id, first, room)
        if page is not None:
            here, more, live = [*page.entries, *here], page.more, live or []
    if live is None:
        return problem(404, "no such session")
    note_opened(request, session_id)
    return json({"timeline": here, "next": here[0].seq if here and more else None})


async def _ring(request: Request, session_id: str) -> list[TimelineEntry] | None:
    """What the cache has of a timeline, or None if it does not hold the session."""
    hub = hub_of(request)
    if hub.history is not None:
        held = hub.board.cache.get((workspace_of(request), session_id))
    else:
        held = await held_of(request, session_id)
    return None if held is None else list(held.session.timeline)


@asked
async def entry(request: Request) -> Response:
    """``GET /api/sessions/{id}/entries/{entry}``: one entry with its whole text."""
    session_id, entry_id = request.path_params["id"], request.path_params["entry"]
    history = hub_of(request).history
    if history is not None:
        found = await history.entry(workspace_of(request), session_id, entry_id)
        if found is not None:
            note_opened(request, session_id)
            return _entry(*found)
    live = await _ring(request, session_id) or []
    here = next((each for each in live if each.id == entry_id), None)
    if here is None:
        return problem(404, "no such entry")
    note_opened(request, session_id)
    return _entry(here, here.text)


def _entry(entry: TimelineEntry, text: str) -> Response:
    whole = entry.full_bytes is None or text != entry.text
    return json({**msgspec.to_builtins(entry), "text": text, "whole": whole})
