"""``POST /v1/alive``: a reader on another machine says that it is there, and how far behind.

Never puts anything on the log. Listed by ingest.app.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bus import sources
from bus.errors import BusError
from ingest.body import Gone, TooLarge, pass_over, read_body
from ingest.intake import Ingest, now, only_post, problem, workspace_of

BODY_BYTES_MAX = 4_096

Count = Annotated[int, Meta(ge=0, le=2**53)]


class Alive(Struct, frozen=True):
    """What a reader says. ``ended``: it stops in order, so nobody need miss it."""

    kind: Literal["ship"] = "ship"
    files_behind: Count | None = None
    bytes_behind: Count | None = None
    ended: bool = False


class SignOfLife:
    """The route: 204 once it is noted, else a problem."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one sign of life in."""
        if scope["method"] != "POST":
            await only_post(scope, receive, send)
            return
        try:
            response = await _noted(scope, receive)
        except Gone:
            return
        await response(scope, receive, send)


async def _noted(scope: Scope, receive: Receive) -> Response:
    ingest: Ingest = scope["app"].state.ingest
    try:
        body = await read_body(receive, BODY_BYTES_MAX)
        told = msgspec.json.decode(body, type=Alive)
    except TooLarge as error:
        await pass_over(receive, error, BODY_BYTES_MAX)
        return problem(413, f"a sign of life is at most {BODY_BYTES_MAX} bytes")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return problem(400, str(error))
    host, user = ingest.origin(scope)
    source = sources.Source(
        workspace=workspace_of(scope), host=host, user=user, heard_at=now(),
        **msgspec.structs.asdict(told),
    )  # fmt: skip
    try:
        await sources.note(ingest.publisher.bus, source)
    except BusError as error:
        return problem(503, f"the log is unavailable: {error}", {"Retry-After": "1"})
    return Response(status_code=204)
