"""The gate before every route: Host, Origin, credential and the headers that every answer has.

Runs on HTTP and WebSocket scopes alike. Never lets a data route be reached without a grant.
Wrapped around the whole application by the command that serves it.
"""

from collections.abc import MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.auth import Door, Grant, headers_of
from hub.problem import problem
from hub.wsprotocol import socket_of

HEALTH = frozenset({"/healthz", "/readyz"})
_PRIVATE = ("/api/", "/asyncapi.json", "/openapi.json", "/docs")
# On loopback, where only this machine's own users are, agents write and Prometheus reads freely.
_PRIVATE_ABROAD = ("/v1/", "/metrics")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": _CSP.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
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
        grant = self.door.grant(headers)
        refusal = self._refusal(scope, headers, grant)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
            return
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["grant"] = grant
        await self.app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)

    def _refusal(
        self, scope: Scope, headers: dict[str, str], grant: Grant | None
    ) -> Response | None:
        path = scope["path"]
        if path in HEALTH:
            return None
        if not self.door.host_is_allowed(headers):
            return problem(403, "this Host is not served here; allow it with TOWER_ALLOWED_HOSTS")
        if not self.door.origin_is_allowed(headers):
            return problem(403, "this Origin is not allowed; see TOWER_ALLOWED_ORIGINS")
        if scope["type"] == "websocket":
            return self._websocket_refusal(headers, grant)
        needs_grant = path.startswith(_PRIVATE) or (
            path.startswith(_PRIVATE_ABROAD) and not self.door.on_loopback
        )
        if needs_grant and grant is None:
            return problem(
                401, "a credential is needed: a Bearer token, or log in at /",
                headers={"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        return None

    def _websocket_refusal(self, headers: dict[str, str], grant: Grant | None) -> Response | None:
        """A browser cannot see a refused handshake: it is accepted and closed by 4501 instead."""
        if grant is None and "authorization" in headers and "origin" not in headers:
            return problem(401, "the Authorization of the handshake is not valid")
        return None


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


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            have = {name for name, _ in message.get("headers", ())}
            more = [(name, value) for name, value in _HEADERS.items() if name not in have]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return wrapped
