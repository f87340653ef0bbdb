"""What a person does to a session, over HTTP: end, archive, patch and delete. Operators only.

Appends a delta and changes nothing itself: the state follows by the fold, on every worker. Waits a
moment for that, so that whoever asked sees the session as it is then.
"""

import asyncio
import contextlib
import re
import secrets
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bus.errors import BusError
from hub.problem import problem
from hub.rest.answers import Refusal, asked, hub_of, needs_operator, note, workspace_of
from hub.websocket import Hub
from hub.worker import now_ms
from session.delta import Event
from session.persons import PERSON
from session.state import Session, summary

BODY_BYTES_MAX = 16 * 1024
WAIT_S = 3.0
RETRY = {"Retry-After": "1"}

Body = TypeVar("Body", bound=Struct)


class Archive(Struct, forbid_unknown_fields=True):
    """Whether the session is archived: hidden from lists unless they ask for it."""

    archived: bool = True


class End(Struct, forbid_unknown_fields=True):
    """Nothing is to be said about it."""


class Patch(Struct, forbid_unknown_fields=True):
    """What is there is set; null clears, and so does a text of nothing but blanks."""

    title: Annotated[str, Meta(max_length=200)] | UnsetType | None = UNSET
    phase: Annotated[str, Meta(max_length=100)] | UnsetType | None = UNSET
    budget_usd: Annotated[float, Meta(ge=0, le=1e9)] | UnsetType | None = UNSET


class Accepted(Struct):
    """On the log, and not folded yet: ``delta`` is its id."""

    delta: str


@asked
async def end(request: Request) -> Response:
    """``POST /api/sessions/{id}/end``: over, until the agent is heard again."""
    _check(request)
    await _body(request, End)
    return await _act(request, "end", {})


@asked
async def archive(request: Request) -> Response:
    """``POST /api/sessions/{id}/archive``: hide it from lists, or show it again."""
    _check(request)
    told = await _body(request, Archive)
    return await _act(request, "archive", {"archived": told.archived})


@asked
async def patch(request: Request) -> Response:
    """``PATCH /api/sessions/{id}``: title, phase and budget."""
    _check(request)
    fields = msgspec.structs.asdict(await _body(request, Patch))
    present = {name: value for name, value in fields.items() if value is not UNSET}
    if not present:
        known = ", ".join(fields)
        raise Refusal(problem(400, f"nothing to change: expected some of {known}"))
    return await _act(request, "patch", present)


@asked
async def delete(request: Request) -> Response:
    """``DELETE /api/sessions/{id}``: one that has ended, with all that is recorded of it."""
    _check(request)
    return await _act(request, "delete", {})


def _check(request: Request) -> None:
    needs_operator(request, "only an operator may change a session")


async def _body(request: Request, kind: type[Body]) -> Body:
    """The body as that type, empty as if it were ``{}``."""
    data = b""
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > BODY_BYTES_MAX:
                raise Refusal(problem(413, f"a body is at most {BODY_BYTES_MAX} bytes"))
    except ClientDisconnect:
        raise Refusal(Response(status_code=400)) from None  # to nobody
    if not data:
        return kind()
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal(problem(415, "expected a body of type application/json"))
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(problem(400, _explained(str(error)))) from None


def _explained(message: str) -> str:
    """What msgspec says, with the field in front."""
    told, _, place = message.rpartition(" - at `$.")
    if told:
        return f"{place.rstrip('`')}: {told}"
    unknown = re.search(r"unknown field `(.*)`", message, re.DOTALL)
    return f"{unknown.group(1)[:100]}: no such field" if unknown else f"body: {message[:300]}"


async def _act(request: Request, kind: str, fields: dict[str, Any]) -> Response:
    """Append what a person did, and answer with what became of it."""
    hub = hub_of(request)
    key = (workspace_of(request), str(request.path_params["id"]))
    cache = hub.board.cache
    with cache.keeping(key):
        await hub.worker.ensure(*key)
        held = cache.get(key)
        session = held.session if held is not None else await _recorded(hub, *key)
        if session is None:
            return problem(404, "no such session")
        if kind == "delete" and session.status != "ended":
            return problem(409, "the session has not ended: end it first")
        event = _event(session, kind, fields)
        number = await _append(hub, event)
        note(request, kind, session.id, detail=", ".join(fields) or None)
        if held is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_S):
                    await hub.worker.reach(key, number)
                    return _outcome(hub, key, kind)
    return _json(Accepted(event.id), 202)


async def _recorded(hub: Hub, workspace: str, session_id: str) -> Session | None:
    """A session that is on no board."""
    if hub.history is None:
        return None
    return await hub.history.outline(workspace, session_id)


def _event(session: Session, kind: str, fields: dict[str, Any]) -> Event:
    return Event(
        id=f"{PERSON}:{secrets.token_hex(12)}", session=session.id, workspace=session.workspace,
        agent=session.agent, source=PERSON, kind=kind, received_at=now_ms(), fields=fields,
    )  # fmt: skip


async def _append(hub: Hub, event: Event) -> int:
    """The number that the log gave it."""
    try:
        [receipt] = await hub.worker.bus.append([event])
    except BusError as error:
        raise Refusal(problem(503, f"the log is unavailable: {error}", headers=RETRY)) from error
    return receipt.number


def _outcome(hub: Hub, key: tuple[str, str], kind: str) -> Response:
    """The session as it is once the delta is folded."""
    held = hub.board.cache.get(key)
    if held is None:
        return Response(status_code=204) if kind == "delete" else problem(404, "no such session")
    if kind == "delete":
        return problem(409, "the agent was heard again: end the session first")
    return _json(summary(held.session))


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
