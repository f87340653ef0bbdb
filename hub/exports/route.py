"""``GET /api/export``: sessions as a file, sent as it is made. Small, for start imports it."""

import re
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hub.rest.answers import asked, history_of, hub_of, note, workspace_of

NAME_CHARS_MAX = 80


@asked
async def export(request: Request) -> Response:
    """``GET /api/export``: CSV, JSON or a report, of sessions by filter or by name."""
    from hub.exports import gather, report, stream  # imported late: few ask for it

    wanted = gather.parse(request.query_params.multi_items())
    board, workspace = hub_of(request).board, workspace_of(request)
    live = {session.id: session for session in board.cache.sessions(workspace)}
    gathering = gather.Gathering(history_of(request), workspace, wanted, live)
    pieces = stream.pieces(gathering, time.time_ns() // 1_000_000)
    first = await anext(pieces)  # whatever is refused is refused before the answer begins
    one = wanted.ids[0] if len(wanted.ids) == 1 else None
    note(request, "export", one, detail=f"{wanted.format}, {len(wanted.ids) or 'by filter'}")
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(wanted.ids, wanted.format)}"',
        "Content-Security-Policy": report.POLICY,
        "Cache-Control": "no-store",
    }
    media = stream.MEDIA[wanted.format]
    return StreamingResponse(_after(first, pieces), headers=headers, media_type=media)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def file_name(ids: tuple[str, ...], format_: str) -> str:
    """A name that every system takes, whatever a session is called."""
    what = re.sub(r"[^A-Za-z0-9_-]+", "-", ids[0])[:NAME_CHARS_MAX] if len(ids) == 1 else "sessions"
    return f"agenttower-{what.strip('-') or 'session'}.{format_}"
