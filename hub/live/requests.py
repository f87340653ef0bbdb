"""What a client asks after ``hello``: one table from a frame's type to the switchboard's verb.

Unknown types are passed over, as the protocol says. Pure; called by the WebSocket shell.
"""

from collections.abc import Callable
from typing import Any

from hub.errors import BadRequest
from hub.live.client import Client
from hub.live.hello import Hello, parse_rate
from hub.live.switchboard import Switchboard
from hub.live.views import parse_view

Request = dict[str, Any]
Waiting = Request | Hello  # of a hello what it resumes, where that has to be read first


def focus(board: Switchboard, client: Client, request: Waiting, now_ms: int) -> None:
    """Serve one request; what cannot be served is answered by ``error``."""
    if isinstance(request, Hello):
        board.resume(client, request, now_ms)
        board.deliver()
        return
    kind = request.get("type")
    serve = _TABLE.get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str):
        board.say_error(client, "bad_frame", "type: expected a text")
    elif serve is not None:
        try:
            serve(board, client, request, now_ms)
        except BadRequest as error:
            board.say_error(client, error.code, error.message, error.session, error.retry_ms)
    board.deliver()


def opens(request: Waiting) -> list[str]:
    """The sessions that a request opens: they may have to be restored before it is served."""
    if isinstance(request, Hello):
        return [session for session, _ in request.resume]
    session = request.get("session")
    is_one = request.get("type") in ("subscribe", "resync") and isinstance(session, str)
    return [str(session)] if is_one else []


def _session(request: Request) -> str:
    session = request.get("session")
    if not isinstance(session, str) or not session:
        raise BadRequest("bad_frame", f"{request['type']}: session is missing")
    return session


def _subscribe(board: Switchboard, client: Client, request: Request, now_ms: int) -> None:
    board.subscribe(client, _session(request), request.get("activate") is True, now_ms)


def _unsubscribe(board: Switchboard, client: Client, request: Request, _: int) -> None:
    board.unsubscribe(client, _session(request))


def _activate(board: Switchboard, client: Client, request: Request, _: int) -> None:
    session = None if request.get("session") is None else _session(request)
    if not board.activate(client, session):
        raise BadRequest("unknown_session", "activate: the session is not open", session)


def _view(board: Switchboard, client: Client, request: Request, now_ms: int) -> None:
    view, pinned = parse_view(request, board.limits.view_rows_max)
    board.change_view(client, view, pinned, now_ms)


def _rate(board: Switchboard, client: Client, request: Request, now_ms: int) -> None:
    board.change_rate(client, parse_rate(request.get("hz"), board.limits), now_ms)


def _resync(board: Switchboard, client: Client, request: Request, now_ms: int) -> None:
    scope = request.get("scope")
    if scope not in ("overview", "attention", "session"):
        raise BadRequest("bad_frame", "resync: scope is overview, attention or session")
    session = _session(request) if scope == "session" else None
    if not board.resync(client, scope, session, now_ms):
        interval_ms = board.limits.resync_interval_ms
        raise BadRequest("rate", "resync: at most once a second", session, interval_ms)


def _ack(board: Switchboard, client: Client, request: Request, now_ms: int) -> None:
    frames = request.get("frames")
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 0:
        raise BadRequest("bad_frame", "ack: frames is a whole number")
    board.ack(client, frames, now_ms)


def _ping(_: Switchboard, client: Client, request: Request, now_ms: int) -> None:
    client.tell("pong", id=request.get("id"), now=now_ms)


# Answers to the hub's own frames: they come as often as it sends, and have a limit of their own.
ANSWERS = frozenset({"ack", "pong"})

_TABLE: dict[str, Callable[[Switchboard, Client, Request, int], None]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "activate": _activate,
    "view": _view,
    "rate": _rate,
    "resync": _resync,
    "ack": _ack,
    "ping": _ping,
}
