"""``POST /login`` and ``POST /logout``: a token or a one-time code becomes a cookie, and ends.

Never logs or repeats what was sent. Whoever fails too often from one address is told to wait, even
with a token that is right: guessing must not pay.
"""

import time
from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from history.credentials import Logout
from hub import door_metrics
from hub.auth import Door, Grant, address_of
from hub.gate import throttled
from hub.problem import problem
from hub.throttle import Throttle, address_key
from hub.websocket import Hub

LOGIN_BYTES_MAX = 4096


async def login(request: Request) -> Response:
    """``POST /login``: a token or a one-time code becomes a cookie."""
    hub: Hub = request.app.state.hub
    address = address_of(request.scope)
    refusal = _too_often(hub.door, address)
    if refusal is not None:
        return refusal
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LOGIN_BYTES_MAX:
                return problem(413, f"a login is at most {LOGIN_BYTES_MAX} bytes")
    except ClientDisconnect:
        return Response(status_code=400)  # to nobody
    told = _credentials(body, request.headers.get("content-type", ""))
    if told is None:
        return problem(400, "expected a form or a JSON object with token or code")
    grant = await _grant(hub.door, told)
    if grant is None:
        return _failed(hub, address, told)
    if grant.role == "agent":
        return problem(403, "an agent's token only writes: it opens no board")
    hub.door.throttles.sign_ins.take(address_key(address), time.monotonic())
    door_metrics.sign_ins_total.labels("ok").inc()
    hub.audit.note("sign_in", grant, address, detail="code" if not told.get("token") else "token")
    cookie = hub.door.cookie(grant, secure=request.url.scheme == "https")
    return Response(status_code=204, headers={"Set-Cookie": cookie})


async def logout(request: Request) -> Response:
    """``POST /logout``: the cookie is nothing any more, for whoever has a copy of it too."""
    hub: Hub = request.app.state.hub
    grant: Grant | None = request.state.grant
    if grant is not None and grant.sign_in is not None:
        sign_in = grant.sign_in
        await hub.keys.end(Logout(sign_in.id, sign_in.token, sign_in.expires_at))
        hub.audit.note("sign_out", grant, address_of(request.scope))
    cookie = hub.door.cookies.gone(secure=request.url.scheme == "https")
    return Response(status_code=204, headers={"Set-Cookie": cookie})


async def _grant(door: Door, told: Mapping[str, str]) -> Grant | None:
    token, code = told.get("token"), told.get("code")
    if not token:
        return door.redeem_code(code) if code else None
    return await door.grant_token_soon(token)


def _too_often(door: Door, address: str) -> Response | None:
    key, now_s, throttles = address_key(address), time.monotonic(), door.throttles
    named: dict[str, Throttle] = {"failures": throttles.failures, "sign_ins": throttles.sign_ins}
    for reason, throttle in named.items():
        if throttle.is_empty(key, now_s):
            return throttled(reason, "too many sign-ins", throttle.wait_s(key, now_s))
    return None


def _failed(hub: Hub, address: str, told: Mapping[str, str]) -> Response:
    hub.door.throttles.failures.take(address_key(address), time.monotonic())
    door_metrics.sign_ins_total.labels("failed").inc()
    hub.audit.note_failure(address, "token" if told.get("token") else "code")
    return problem(401, "the token or code is not valid (a code works once)")


def _credentials(body: bytes, content_type: str) -> dict[str, str] | None:
    if content_type.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qs(body.decode("utf-8", "replace"))
        return {name: values[0] for name, values in pairs.items()}
    try:
        return msgspec.json.decode(body, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
