"""The gate before every route: Host, Origin, credential and the headers that every answer has.

Runs on HTTP and WebSocket scopes alike. Never lets a data route be reached without a grant.
Wrapped around the whole application by the command that serves it.
"""

import time
from collections.abc import MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import door_metrics
from hub.auth import Door, Grant, address_of, headers_of
from hub.problem import problem
from hub.throttle import Throttle, address_key
from hub.wsprotocol import socket_of

HEALTH = frozenset({"/healthz", "/readyz"})
_READ = ("/api/", "/asyncapi.json", "/openapi.json", "/docs")
_WRITTEN = "/v1/"
_HOOKS = "/v1/hooks/"
_METRICS = "/metrics"
# On loopback, where only this machine's own users are, agents write and Prometheus reads freely.
_FREE_AT_HOME = (_WRITTEN, _METRICS)
_NOT_AT_HOME = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""A proxy has passed it on: who knows from where."""

TOO_MANY = "too many credentials that are none"

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_POWERS = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
    "microphone", "midi", "payment", "serial", "usb",
)  # fmt: skip
_HEADERS = {
    b"content-security-policy": _CSP.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": ", ".join(f"{power}=()" for power in _POWERS).encode(),
    # What may be kept says so itself: the page and its files.
    b"cache-control": b"no-store",
}


class Gate:
    """ASGI middleware. Puts the ``grant`` (or None) into the scope's state."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or go on with a grant."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = headers_of(scope)
        refusal = self._stranger(scope, headers)
        grant = None
        if refusal is None and scope["path"] not in HEALTH:
            grant = await self._grant(headers)
            refusal = self._refusal(scope, headers, grant)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
            return
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["grant"] = grant
        await self.app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    async def _grant(self, headers: dict[str, str]) -> Grant | None:
        """Of a process that has just started, a moment later."""
        grant = self.door.grant(headers)
        if grant is None and not self.door.is_settled and self.door.is_shown(headers):
            await self.door.settled()
            grant = self.door.grant(headers)
        return grant

    def _stranger(self, scope: Scope, headers: dict[str, str]) -> Response | None:
        if scope["path"] in HEALTH:
            return None
        if not self.door.host_is_allowed(headers):
            told = "this Host is not served here; allow it with TOWER_ALLOWED_HOSTS"
            return _refused("host", 403, told)
        if not self.door.origin_is_allowed(headers):
            return _refused("origin", 403, "this Origin is not allowed; see TOWER_ALLOWED_ORIGINS")
        return None

    def _refusal(
        self, scope: Scope, headers: dict[str, str], grant: Grant | None
    ) -> Response | None:
        path = scope["path"]
        if scope["type"] == "websocket":
            return self._websocket_refusal(scope, headers, grant)
        if path.startswith(_FREE_AT_HOME) and self._is_at_home(headers):
            # Who shows a token means its workspace: without it, it would be another one's data.
            if not headers.get("authorization"):
                return None
        elif not path.startswith((*_READ, *_FREE_AT_HOME)):
            return None
        if grant is None:
            return self._lacking(scope, headers)
        return _role_refusal(path, grant) or self._throttled(path, grant)

    def _is_at_home(self, headers: dict[str, str]) -> bool:
        return self.door.on_loopback and _NOT_AT_HOME.isdisjoint(headers)

    def _lacking(self, scope: Scope, headers: dict[str, str]) -> Response:
        """Nothing that is good was shown."""
        if self.door.is_shown(headers):
            if not self.door.is_settled:
                return _unsettled(scope["path"])
            wait_s = _fail(self.door, address_of(scope))
            if wait_s:
                return throttled("failures", TOO_MANY, wait_s)
        return _refused(
            "credential", 401, "a credential is needed: a Bearer token, or log in at /",
            headers={"WWW-Authenticate": "Bearer"},
        )  # fmt: skip

    def _throttled(self, path: str, grant: Grant) -> Response | None:
        """Who has a credential may come often, and not without end."""
        if path == _METRICS or not self.door.needs_credential:
            return None
        throttles = self.door.throttles
        if path.startswith(_WRITTEN):
            return _often("deliveries", throttles.deliveries, grant.token)
        who = grant.token if grant.sign_in is None else grant.sign_in.id
        return _often("requests", throttles.requests, who)

    def _websocket_refusal(
        self, scope: Scope, headers: dict[str, str], grant: Grant | None
    ) -> Response | None:
        """A browser cannot see a refused handshake: it is accepted and closed by 4501 instead."""
        if "authorization" not in headers or "origin" in headers:
            return None
        if grant is None:
            return self._lacking(scope, headers)
        return _role_refusal(scope["path"], grant)


def _fail(door: Door, address: str) -> int:
    """Count a credential that is none; gives the seconds to wait where there were too many."""
    key, now_s, failures = address_key(address), time.monotonic(), door.throttles.failures
    return 0 if failures.take(key, now_s) else failures.wait_s(key, now_s)


def farewell(door: Door, address: str) -> tuple[int, str]:
    """How a socket without a credential is closed: code and reason."""
    if not door.is_settled:
        return 4004, "the tokens are not known yet"
    is_too_many = _fail(door, address) > 0
    door_metrics.refusals_total.labels("failures" if is_too_many else "credential").inc()
    return (4007, TOO_MANY) if is_too_many else (4501, "a credential is needed")


def _role_refusal(path: str, grant: Grant) -> Response | None:
    if path.startswith(_WRITTEN):
        if grant.role == "viewer":
            return _refused(
                "role", 403, "a viewer's token only reads: agents have one of their own"
            )
    elif grant.role == "agent":
        return _refused("role", 403, "an agent's token only writes, to the routes below /v1")
    return None


def _often(reason: str, throttle: Throttle, key: str) -> Response | None:
    now_s = time.monotonic()
    if throttle.take(key, now_s):
        return None
    return throttled(reason, "too many requests with this credential", throttle.wait_s(key, now_s))


def _unsettled(path: str) -> Response:
    """It is not known yet who that is; an agent is not alarmed by it."""
    if path.startswith(_HOOKS):
        door_metrics.refusals_total.labels("unsettled").inc()
        return Response()
    told = "the tokens are not known yet"
    return _refused("unsettled", 503, told, headers={"Retry-After": "1"})


def throttled(reason: str, detail: str, wait_s: int) -> Response:
    """429: come back then."""
    return _refused(reason, 429, f"{detail}; slow down", headers={"Retry-After": str(wait_s)})


def _refused(
    reason: str, status: int, detail: str, headers: dict[str, str] | None = None
) -> Response:
    door_metrics.refusals_total.labels(reason).inc()
    return problem(status, detail, headers=headers)


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer before anything is accepted; on a WebSocket this is the handshake's answer."""
    if scope["type"] == "http":
        await response(scope, receive, _with_headers(send))
        return
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    await send(
        {
            "type": "websocket.http.response.start",
            "status": response.status_code,
            "headers": [*response.raw_headers, *_HEADERS.items()],
        }
    )
    await send({"type": "websocket.http.response.body", "body": response.body})
    protocol = socket_of(scope)
    if protocol is not None:
        protocol.answered()


def headed(app: ASGIApp) -> ASGIApp:
    """An application without a door, such as metrics on a port of their own: the headers alone."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, _with_headers(send))

    return served


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            have = {name for name, _ in message.get("headers", ())}
            more = [(name, value) for name, value in _HEADERS.items() if name not in have]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return wrapped
