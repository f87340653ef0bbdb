"""uvicorn's sans-I/O WebSocket protocol with what a hub needs beside it: bounds and an abort.

Relies on names that uvicorn does not promise: its minor is pinned, and ``self_test`` looks at each
of them at every start. Given to uvicorn by class; another server serves the same, less strictly.
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "tower.socket"
WRITE_BUFFER_BYTES_MAX = 32 * 1024
UNSENT_BYTES_MAX = 16 * 1024
UNACKNOWLEDGED_MS_MAX = 30_000

# Where the system has them. Without a bound the kernel takes megabytes that are stale when they
# arrive, and a peer that vanished is noticed after a quarter of an hour.
_OPTIONS = (
    ("TCP_NOTSENT_LOWAT", UNSENT_BYTES_MAX),
    ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MS_MAX),
)
_RELIED_ON = ("connection_made", "keepalive_timeout", "run_asgi", "handle_connect")


class HubProtocol(WebSocketsSansIOProtocol):
    """One connection. The application finds ``abort`` and ``answered`` in its scope."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what may wait in this process and in the kernel."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            for name, value in _OPTIONS:
                if hasattr(socket, name):
                    raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def keepalive_timeout(self) -> None:
        """The peer missed its pong: closing would wait for a flush that never comes."""
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        """Run the application, which may end the socket at once."""
        extensions = cast("dict[str, Any]", self.scope["extensions"])
        extensions[EXTENSION] = {"abort": self.transport.abort, "answered": self._answered}
        await super().run_asgi()

    def _answered(self) -> None:
        """The handshake was answered by HTTP: nothing is missing, and nothing to complain of."""
        self.handshake_complete = True


def abort(scope: Mapping[str, Any]) -> None:
    """End a socket without waiting for what it has not taken."""
    _call(scope, "abort")


def answered(scope: Mapping[str, Any]) -> None:
    """Tell that a handshake was refused by an HTTP answer."""
    _call(scope, "answered")


def _call(scope: Mapping[str, Any], name: str) -> None:
    told = scope.get("extensions", {}).get(EXTENSION)
    if told is not None:
        told[name]()


def self_test() -> None:
    """Look for every name that is relied on; raises RuntimeError naming those that are gone."""
    missing = [name for name in _RELIED_ON if name not in vars(WebSocketsSansIOProtocol)]
    if missing:
        raise RuntimeError(f"uvicorn changed: {', '.join(missing)} is gone; see hub/wsprotocol.py")
