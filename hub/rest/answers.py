"""What every endpoint under ``/api`` needs: its hub, its grant, JSON, tags, and how it refuses.

Never answers for another workspace than the grant's. Called by the endpoints.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from history.errors import BadQuery, DatabaseUnavailable
from hub.auth import Grant, address_of
from hub.live.cache import Held
from hub.problem import problem
from hub.websocket import Hub

if TYPE_CHECKING:
    from history.history import History

RETRY_S = 2
BODY_BYTES_MAX = 4_096

Endpoint = Callable[[Request], Awaitable[Response]]


class Refusal(Exception):
    """An answer that ends an endpoint early."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def asked(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with a problem for a query that means nothing or a database that is away."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refusal as refusal:
            return refusal.response
        except BadQuery as error:
            return problem(400, str(error))
        except DatabaseUnavailable:
            headers = {"Retry-After": str(RETRY_S)}
            return problem(503, "the database does not answer", headers=headers)

    answered.__name__, answered.__doc__ = endpoint.__name__, endpoint.__doc__
    return answered


def hub_of(request: Request) -> Hub:
    """The hub that serves the request."""
    hub: Hub = request.app.state.hub
    return hub


def grant_of(request: Request) -> Grant:
    """What its credential allows."""
    grant: Grant = request.state.grant
    return grant


def workspace_of(request: Request) -> str:
    """The workspace that it is about."""
    return grant_of(request).workspace


def history_of(request: Request) -> "History":
    """Where past sessions are asked for; raises Refusal where nothing is kept."""
    history = hub_of(request).history
    if history is None:
        raise Refusal(problem(503, "this board has no database, so it knows no history"))
    return history


def note(request: Request, action: str, session: str | None = None, **more: str | None) -> None:
    """Keep who did that."""
    audit, address = hub_of(request).audit, address_of(request.scope)
    audit.note(action, grant_of(request), address, session, **more)


def note_opened(request: Request, session_id: str) -> None:
    """Keep who reads a session that there is."""
    hub = hub_of(request)
    hub.audit.note_opened(grant_of(request), address_of(request.scope), session_id)


def needs_operator(request: Request, detail: str) -> None:
    """Raises Refusal for everybody else."""
    if grant_of(request).role != "operator":
        raise Refusal(problem(403, detail))


async def held_of(request: Request, session_id: str) -> Held | None:
    """A session that the cache holds or has let go, with its timeline."""
    hub, key = hub_of(request), (workspace_of(request), session_id)
    await hub.worker.ensure(*key)
    return hub.board.cache.get(key)


async def body_of(request: Request) -> Any:
    """The JSON of a small body; raises Refusal."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                raise Refusal(problem(413, f"a body is at most {BODY_BYTES_MAX} bytes"))
        return msgspec.json.decode(body)
    except ClientDisconnect:
        raise Refusal(Response(status_code=400)) from None  # to nobody
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refusal(problem(400, "expected JSON")) from None


def json(body: Any, headers: dict[str, str] | None = None) -> Response:
    """A body as JSON."""
    return Response(msgspec.json.encode(body), headers=headers, media_type="application/json")


def tagged(request: Request, body: Any) -> Response:
    """A snapshot for polling: unchanged, it is answered by 304."""
    data = msgspec.json.encode(body)
    tag = f'"{hashlib.blake2b(data, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag}
    known = request.headers.get("if-none-match", "").split(",")
    if tag in (each.strip().removeprefix("W/") for each in known):
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type="application/json")
