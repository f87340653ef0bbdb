"""``/api/tokens`` and ``/api/audit``: who may come in, and who did what. For operators.

An operator sees and makes tokens of its own workspace, the owner of all. Never tells a secret but
once, to whoever made it.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from history.credentials import Token
from history.queries.filters import parse_page
from hub import tokens as made
from hub.auth import Grant, now_ms
from hub.problem import problem
from hub.rest.answers import (
    Refusal,
    asked,
    body_of,
    grant_of,
    history_of,
    hub_of,
    json,
    needs_operator,
    note,
)


class Wanted(Struct, forbid_unknown_fields=True):
    """A token to be made; ``expires`` as 30d, 12h or 90m, or null for never."""

    role: str
    workspace: str | None = None
    name: Annotated[str, Meta(max_length=made.NAME_CHARS_MAX)] = ""
    expires: str | None = None


@asked
async def tokens(request: Request) -> Response:
    """``GET /api/tokens``: every token that is known, the eldest first."""
    needs_operator(request, "only an operator may see tokens")
    kept, _ = await history_of(request).credentials()
    scope, now = _scope(grant_of(request)), now_ms()
    return json({"tokens": [made.shown(t, now) for t in kept if scope in (None, t.workspace)]})


@asked
async def create(request: Request) -> Response:
    """``POST /api/tokens``: make one; its secret is in this answer and nowhere else."""
    needs_operator(request, "only an operator may make tokens")
    grant = grant_of(request)
    wanted = _wanted(await body_of(request))
    workspace = wanted.workspace or grant.workspace
    if _scope(grant) not in (None, workspace):
        raise Refusal(problem(403, "workspace: an operator makes tokens of its own workspace"))
    history_of(request)
    secret, token = made.make(
        wanted.role, workspace, wanted.name, wanted.expires, now_ms(), grant.token
    )
    maker = None if grant.is_owner else hub_of(request).door.keys.by_id(grant.token, now_ms())
    if maker is not None and _outlives(token, maker):
        raise Refusal(problem(403, "expires: no token outlives the one that makes it"))
    if not await hub_of(request).keys.add(token):
        raise Refusal(problem(409, "there are as many tokens as there may be: revoke some"))
    note(request, "token_create", detail=f"{token.id} {token.role} {token.workspace}")
    body = {**made.shown(token, now_ms()), "token": secret}
    return Response(msgspec.json.encode(body), 201, media_type="application/json")


@asked
async def revoke(request: Request) -> Response:
    """``DELETE /api/tokens/{id}``: from now on it opens nothing, and what it has open closes."""
    needs_operator(request, "only an operator may revoke tokens")
    history_of(request)
    scope = _scope(grant_of(request))
    token = await hub_of(request).keys.revoke(request.path_params["id"], scope)
    if token is None:
        return problem(404, "no such token")
    note(request, "token_revoke", detail=token.id)
    return json(made.shown(token, now_ms()))


@asked
async def audit(request: Request) -> Response:
    """``GET /api/audit``: who did what in the workspace, the latest first; the owner sees all."""
    needs_operator(request, "only an operator may see who did what")
    told = request.query_params
    limit, cursor = parse_page(told.get("limit"), told.get("cursor"))
    found = await history_of(request).acts(_scope(grant_of(request)), limit, cursor)
    acts = [{"id": str(place), **msgspec.structs.asdict(act)} for place, act in found.acts]
    return json({"acts": acts, "next": None if found.next is None else str(found.next)})


def _scope(grant: Grant) -> str | None:
    """The workspace that somebody is bound to; None for the owner."""
    return None if grant.is_owner else grant.workspace


def _outlives(token: Token, maker: Token) -> bool:
    if maker.expires_at is None:
        return False
    return token.expires_at is None or token.expires_at > maker.expires_at


def _wanted(told: object) -> Wanted:
    try:
        return msgspec.convert(told, Wanted)
    except msgspec.ValidationError as error:
        raise Refusal(problem(400, str(error))) from None
