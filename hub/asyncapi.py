"""``GET /asyncapi.json``: the protocol of ``/ws`` as an AsyncAPI 3 document.

Built once, at the first request: nothing of it is imported at start. Holds no data of any session.
"""

import functools
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hub.limits import Limits
from hub.live.frames import CLOSE_CODES, PROTOCOL, SUBPROTOCOL

DESCRIPTION = (
    "One connection, ordered, JSON text, one object per frame. The first frame of a client is "
    "hello, the first of the hub welcome. Both sides ignore types and fields that they do not "
    "know. Times are milliseconds since the Unix epoch, money is US dollars, null is not known."
)
CHANNEL = (
    "Frames from the client and from the hub. The subprotocol may be left out. The hub closes "
    "with one of x-close-codes; where reconnect is false, come back only after a change. "
    "x-limits are the defaults; welcome has those of the connection."
)


async def asyncapi(request: Request) -> Response:
    """``GET /asyncapi.json``: every frame, both ways, with its schema."""
    data = document(request.app.state.hub.door.cookies.name)
    return Response(data, media_type="application/json")


@functools.lru_cache(maxsize=1)
def document(cookie_name: str) -> bytes:
    """The encoded document; the cookie that is a credential is named after the port."""
    told = {
        "asyncapi": "3.0.0",
        "info": {"title": f"hub.v{PROTOCOL}", "version": str(PROTOCOL), "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {"hub": _server()},
        **_frames(cookie_name),
    }
    return msgspec.json.encode(told)


def _server() -> dict[str, Any]:
    return {
        "host": "{host}",
        "protocol": "ws",
        "description": "A hub worker; wss behind TLS. Or log in by the token in hello.",
        "variables": {"host": {"default": "127.0.0.1:8787"}},
        "security": [_ref("components", "securitySchemes", each) for each in ("bearer", "cookie")],
    }


def _frames(cookie_name: str) -> dict[str, Any]:
    """Channel, operations and components: everything that follows from the frames."""
    from hub import messages, schemas

    sides = {"client": messages.FROM_CLIENT, "hub": messages.FROM_HUB}
    told, made = schemas.components([each for side in sides.values() for each in side])
    for name, more in messages.MORE.items():
        made[name] |= more
    payloads = iter(told)
    described = {
        f"{side}.{messages.type_of(each)}": _message(each, next(payloads))
        for side, mine in sides.items()
        for each in mine
    }
    return {
        "channels": {"ws": _channel(described)},
        "operations": {
            "receive": _operation("receive", "client", described),
            "send": _operation("send", "hub", described),
        },
        "components": {
            "messages": described,
            "schemas": made,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "httpApiKey", "in": "cookie", "name": cookie_name},
            },
        },
    }


def _message(message: type[msgspec.Struct], payload: dict[str, Any]) -> dict[str, Any]:
    kind = str(message.__struct_config__.tag)
    return {"name": kind, "title": kind, "summary": message.__doc__, "payload": payload}


def _channel(described: dict[str, Any]) -> dict[str, Any]:
    headers = {
        "type": "object",
        "properties": {"Sec-WebSocket-Protocol": {"type": "string", "const": SUBPROTOCOL}},
    }
    return {
        "address": "/ws",
        "description": CHANNEL,
        "messages": {name: _ref("components", "messages", name) for name in described},
        "bindings": {"ws": {"method": "GET", "headers": headers, "bindingVersion": "0.1.0"}},
        "x-close-codes": {
            str(code): {"name": name, "reconnect": reconnect}
            for code, (name, reconnect) in CLOSE_CODES.items()
        },
        "x-limits": msgspec.to_builtins(Limits()),
    }


def _operation(action: str, side: str, described: dict[str, Any]) -> dict[str, Any]:
    """What the hub does: it receives what a client sends, and sends the rest."""
    mine = [name for name in described if name.startswith(f"{side}.")]
    return {
        "action": action,
        "channel": _ref("channels", "ws"),
        "messages": [_ref("channels", "ws", "messages", name) for name in mine],
    }


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}
