"""uvicorn's httptools protocol with a deadline: a request's head must come, or the socket goes.

uvicorn has none, so that silent and half-said handshakes would be held open for ever. Relies on
names that uvicorn does not promise; ``self_test`` looks at each of them at every start.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 8.0

_RELIED_ON = ("connection_lost", "connection_made", "on_headers_complete", "on_message_begin")


class HttpProtocol(HttpToolsProtocol):
    """One connection, at least until it becomes a WebSocket."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The first request is awaited from now on."""
        super().connection_made(transport)
        self._await_head()

    def on_message_begin(self) -> None:
        """One more request on the same connection."""
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there; how long the rest may take is the application's affair."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEAD_S, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def self_test() -> None:
    """Look for every name that is relied on; raises RuntimeError naming those that are gone."""
    missing = [name for name in _RELIED_ON if name not in vars(HttpToolsProtocol)]
    if missing:
        raise RuntimeError(
            f"uvicorn changed: {', '.join(missing)} is gone; see hub/httpprotocol.py"
        )
