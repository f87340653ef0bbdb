"""uvicorn's httptools protocol with a deadline: a request must be said, or the socket goes.

uvicorn has none, so that silent and half-said requests would be held open for ever. Relies on
names that uvicorn does not promise; ``self_test`` looks at each of them at every start.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.limits import UNREAD_S

PAUSE_S = 8.0

_RELIED_ON = (
    "connection_lost", "connection_made", "handle_websocket_upgrade", "on_body",
    "on_headers_complete", "on_message_begin", "on_message_complete",
)  # fmt: skip


class HttpProtocol(HttpToolsProtocol):
    """One connection, at least until it becomes a WebSocket."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """The first request is awaited from now on."""
        super().connection_made(transport)
        self._await_more()

    def on_message_begin(self) -> None:
        """One more request on the same connection."""
        self._await_more()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there; a body may be long, and only its pauses count."""
        self._await_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._await_more()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All is said; how long the answer may take is the application's affair."""
        self._stop_waiting()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """The socket is another protocol's from here on, and this one's parser is done."""
        super().handle_websocket_upgrade()
        self.parser = cast("Any", None)  # as uvicorn itself does where a connection is lost

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_more(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(PAUSE_S, self._look_again)

    def _look_again(self) -> None:
        self._deadline = self.loop.call_later(UNREAD_S, self._give_up)

    def _give_up(self) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # it is over, or a WebSocket by now
        self.transport.abort()

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
