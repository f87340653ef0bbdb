"""uvicorn's sans-I/O WebSocket protocol with what a hub needs beside it: bounds, writes, an abort.

Relies on names that uvicorn does not promise: its minor is pinned, and ``self_test`` looks at each
of them at every start. Given to uvicorn by class; another server serves the same, less strictly.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import NegotiationError
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame
from websockets.server import ServerProtocol

from hub.inlet import Inlet

EXTENSION = "tower.socket"
WRITE_BUFFER_BYTES_MAX = 32 * 1024
UNSENT_BYTES_MAX = 16 * 1024
UNACKNOWLEDGED_MS_MAX = 30_000
WRITE_BUFFER_BYTES_ABORT = 256 * 1024  # only pongs that nobody reads can come so far
SLICE_BYTES = 4 * 1024
FRAMES_PER_SECOND_MAX = 3_000
FRAGMENTS_MAX = 1_000
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
CLOSE_S = 2.0  # a peer that does not answer a close frame is cut off

# Where the system has them. Without a bound the kernel takes megabytes that are stale when they
# arrive, and a peer that vanished is noticed after a quarter of an hour.
_OPTIONS = (
    ("TCP_NOTSENT_LOWAT", UNSENT_BYTES_MAX),
    ("TCP_USER_TIMEOUT", UNACKNOWLEDGED_MS_MAX),
)
_RELIED_ON = (
    "connection_lost", "connection_made", "data_received", "handle_connect", "handle_cont",
    "handle_parser_exception", "handle_ping", "handle_pong", "handle_text", "keepalive_timeout",
    "pause_writing", "resume_writing", "run_asgi", "send", "send_receive_event_to_app",
)  # fmt: skip
_RELIED_ON_ATTRIBUTES = (
    "close_timer", "config", "conn", "curr_msg_data_type", "frames", "handshake_complete",
    "handshake_initiated", "loop", "scope", "transport",
)  # fmt: skip


# It would write down every connection, and at debug every header and frame, tokens among them.
_quiet = logging.getLogger("hub.wsprotocol.websockets")
_quiet.setLevel(logging.WARNING)


class Deflate(ServerPerMessageDeflateFactory):
    """permessage-deflate without context takeover: a frame deflated once serves every socket."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[tuple[str, str | None]], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[tuple[str, str | None]], PerMessageDeflate]:
        """Decline a smaller window: shared frames are made with the whole one."""
        if any(name == "server_max_window_bits" and value != "15" for name, value in params):
            raise NegotiationError("the server's window is 15 bits")
        return super().process_request_params(params, accepted_extensions)


class HubProtocol(WebSocketsSansIOProtocol):
    """One connection. The application finds it in its scope, and may write past the ASGI send."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.heard_at = self.loop.time()
        self.deflates = False
        self._on_pause: Callable[[], None] | None = None
        self._on_resume: Callable[[], None] | None = None
        self._inlet = Inlet()
        self._counted_from = self.heard_at
        self._frame_count = 0
        self._on_text: Callable[[bytes], None] | None = None
        self.conn.parser.close()  # of the one that another takes the place of
        self.conn = ServerProtocol(
            extensions=[Deflate()] if self.config.ws_per_message_deflate else [],
            max_size=self.config.ws_max_size,
            logger=_quiet,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what may wait in this process and in the kernel."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            for name, value in _OPTIONS:
                if hasattr(socket, name):
                    raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def data_received(self, data: bytes) -> None:
        """Whatever comes, a pong or a frame: the peer is alive.

        Tiny frames by the thousand, or answers to pings that are not read, cost more than their
        bytes: such a peer is cut off.
        """
        self.heard_at = self.loop.time()
        if self._on_text is not None:
            text = self._inlet.take(data, deflates=self.deflates)
            if text is not None:
                self._frame_count += 1
                self._on_text(text)
                return
        elif self.handshake_initiated:
            self._inlet.measure(data)
        for start in range(0, len(data), SLICE_BYTES):
            super().data_received(data[start : start + SLICE_BYTES])
            if self.transport.is_closing():
                return
            if self._is_flooding():
                self._stem()
                return
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_handshake()

    def _is_flooding(self) -> bool:
        if self.heard_at - self._counted_from >= 1:
            self._counted_from, self._frame_count = self.heard_at, 0
        return (
            self._frame_count > FRAMES_PER_SECOND_MAX
            or len(self.frames) > FRAGMENTS_MAX
            or self.transport.get_write_buffer_size() > WRITE_BUFFER_BYTES_ABORT
        )

    def _stem(self) -> None:
        """Cut the peer off; one that was told to go is just not heard, so that it can read why."""
        if self._on_text is _ignore:
            self.transport.pause_reading()
        else:
            self.transport.abort()

    def _refuse_handshake(self) -> None:
        """One that is too large has its answer ready, and nobody who sends it; others have none."""
        self.transport.write(b"".join(self.conn.data_to_send()) or BAD_REQUEST)
        self.handshake_complete = True
        self.transport.close()
        self.loop.call_later(CLOSE_S, self.transport.abort)

    def handle_ping(self) -> None:
        """Answer, and count."""
        self._frame_count += 1
        super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take it, and count."""
        self._frame_count += 1
        super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """A fragment; uvicorn bounds their bytes and not their number."""
        self._frame_count += 1
        super().handle_cont(event)

    def keepalive_timeout(self) -> None:
        """The peer missed its pong: closing would wait for a flush that never comes."""
        super().keepalive_timeout()
        self.transport.abort()

    def pause_writing(self) -> None:
        """The write buffer is full."""
        super().pause_writing()
        if self._on_pause is not None:
            self._on_pause()

    def resume_writing(self) -> None:
        """The write buffer has room again."""
        super().resume_writing()
        if self._on_resume is not None:
            self._on_resume()

    def send_receive_event_to_app(self) -> None:
        """A whole text goes to whoever watches; anything else takes uvicorn's way."""
        self._frame_count += 1
        if self.curr_msg_data_type == "text" and (self._on_text or not self._is_unicode()):
            data, self.frames = b"".join(self.frames), []
            if self._on_text is not None:
                self._on_text(data)
            else:  # uvicorn would complain in the log, to which any stranger could write then
                self.conn.fail(1007)
                self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def _is_unicode(self) -> bool:
        try:
            b"".join(self.frames).decode()
        except UnicodeDecodeError:
            return False
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is read any more; the parser would keep itself alive otherwise."""
        super().connection_lost(exc)
        self.conn.parser.close()

    async def run_asgi(self) -> None:
        """Run the application, which finds this connection in its scope."""
        extensions = cast("dict[str, Any]", self.scope["extensions"])
        extensions[EXTENSION] = self
        await super().run_asgi()
        del extensions[EXTENSION]
        # Closing waits for the peer to take what is buffered, which it may never do.
        self.loop.call_later(CLOSE_S, self.transport.abort)

    # What the application does with it.

    def watch(
        self,
        on_text: Callable[[bytes], None],
        on_pause: Callable[[], None],
        on_resume: Callable[[], None],
    ) -> None:
        """Hear messages as they come, without a task, and when the transport is full."""
        self.deflates = bool(self.conn.extensions)
        self._on_text, self._on_pause, self._on_resume = on_text, on_pause, on_resume

    def unwatch(self) -> None:
        """Nothing is written past the ASGI send any more, and nothing heard."""
        self._on_text = _ignore
        self._on_pause = self._on_resume = None

    def abort(self) -> None:
        """End the socket without waiting for what it has not taken."""
        self.transport.abort()

    def closing(self) -> None:
        """A close frame is written: a peer that does not answer soon is cut off."""
        if self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(CLOSE_S, self.transport.abort)

    def answered(self) -> None:
        """The handshake was answered by HTTP: nothing is missing, and nothing to complain of."""
        self.handshake_complete = True


def _ignore(_data: bytes) -> None:
    """What comes behind our goodbye."""


def socket_of(scope: Mapping[str, Any]) -> HubProtocol | None:
    """The connection's own protocol; None behind another server."""
    told: HubProtocol | None = scope.get("extensions", {}).get(EXTENSION)
    return told


def self_test() -> None:
    """Look for every name that is relied on; raises RuntimeError naming those that are gone."""
    base = vars(WebSocketsSansIOProtocol)
    missing = [name for name in _RELIED_ON if name not in base]
    used = {
        name
        for member in base.values()
        if hasattr(member, "__code__")
        for name in member.__code__.co_names
    }
    missing += [name for name in _RELIED_ON_ATTRIBUTES if name not in used]
    if missing:
        raise RuntimeError(f"uvicorn changed: {', '.join(missing)} is gone; see hub/wsprotocol.py")
