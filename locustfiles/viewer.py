"""One client of hub.v1 on a plain WebSocket: greets, resumes, reads, acknowledges, and judges.

Blocking; under locust its sockets yield to other users. What is read goes through the reference
client, which raises Violation. Must never repair what it finds: a resync would hide a loss.
Used by ``viewers``.
"""

import json
import struct
from collections import deque
from typing import Any

import websocket
from reference_client import Frame, Opened, ReferenceClient, Violation

SUBPROTOCOL = "hub.v1.json"
SILENCE_S = 25.0  # without a heartbeat for so long a client has to reconnect
FINAL_CODES = range(4500, 5000)  # the hub says: do not come back


class Lost(Exception):
    """The connection is gone; ``code`` is that of the close frame, 1006 where there was none."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed by {code}")
        self.code = code

    @property
    def is_final(self) -> bool:
        """Whether a client must not come back."""
        return self.code in FINAL_CODES or self.code == 1009


class Viewer:
    """What one tab does; a new connection resumes the sessions that the last one held."""

    def __init__(self, url: str, headers: dict[str, str], hello: dict[str, Any]) -> None:
        self.reference = ReferenceClient()
        self.connections = 0
        self.order: list[str] = []  # opened sessions, the last one is looked at
        self._url = url
        self._headers = headers
        self._hello = {"type": "hello", "protocol": 1, "client": "load", **hello}
        self._socket: Any = None
        self._seen = self._acked = 0

    @property
    def is_whole(self) -> bool:
        """Whether everything that comes first has come: attention and the view."""
        return None not in (self.reference.overview, self.reference.attention)

    @property
    def items(self) -> set[str]:
        """The open requests that this client shows."""
        return set(self.reference.items)

    def connect(self) -> None:
        """Open the line and say hello. Raises Lost where nobody answers as a hub does."""
        try:
            self._socket = websocket.create_connection(
                self._url, timeout=SILENCE_S, subprotocols=[SUBPROTOCOL], header=self._headers,
                enable_multithread=True, skip_utf8_validation=True,
            )  # fmt: skip
        except (OSError, websocket.WebSocketException) as error:
            raise Lost(1006) from error
        self.connections += 1
        self._greet()

    def _greet(self) -> None:
        held = self.reference.opened
        self.order = [name for name in self.order if name in held and not held[name].evicted]
        self.reference = ReferenceClient()
        self.reference.frames = deque(maxlen=2)  # type: ignore[assignment] # a load is long
        self.reference.heartbeats = deque(maxlen=2)  # type: ignore[assignment]
        self._seen = self._acked = 0
        resume = [self._resumed(name, held[name]) for name in self.order]
        active = {"active": self.order[-1]} if self.order else {}
        self._send({**self._hello, "resume": resume, **active})

    def _resumed(self, name: str, held: Opened) -> dict[str, str]:
        if held.stale:
            held.cursor = None
        self.reference.resuming(name, held)
        return {"session": name, "cursor": held.cursor or ""}

    def read(self) -> tuple[Frame, int]:
        """The next frame, judged and applied, and its size in bytes. Raises Lost, Violation."""
        try:
            kind, data = self._socket.recv_data()
        except websocket.WebSocketTimeoutException as error:
            raise Violation(f"nothing was heard for {SILENCE_S:.0f} s") from error
        except (OSError, websocket.WebSocketException) as error:
            raise Lost(1006) from error
        if kind == websocket.ABNF.OPCODE_CLOSE:
            raise Lost(struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 1005)
        frame = self.reference.feed(data)
        self._seen += 1
        if frame["type"] == "heartbeat":
            self._send({"type": "pong", "id": frame["id"]})
        return frame, len(data)

    def acknowledge(self) -> None:
        """Tell how many frames were processed, if that is news."""
        if self._seen != self._acked:
            self._acked = self._seen
            self._send({"type": "ack", "frames": self._seen})

    def open(self, session: str, opened_max: int) -> None:
        """Open a session and look at it; beyond the cap the hub evicts the oldest."""
        self.order = [name for name in self.order if name != session] + [session]
        self.order = self.order[-opened_max:]
        self.reference.opening(session)
        self._send({"type": "subscribe", "session": session, "activate": True})

    def activate(self, session: str) -> None:
        """Look at one that is open."""
        self.order = [name for name in self.order if name != session] + [session]
        self._send({"type": "activate", "session": session})

    def unsubscribe(self, session: str) -> None:
        """Close a session."""
        self.order.remove(session)
        self.reference.closing(session)
        self._send({"type": "unsubscribe", "session": session})

    def rate(self, hz: int) -> None:
        """Wish for so many frames a second, as a tab does that is hidden or shown."""
        self._hello["rate_hz"] = hz
        self._send({"type": "rate", "hz": hz})

    def view(self, **view: Any) -> None:
        """Ask for other rows."""
        self._hello["view"] = view
        self._send({"type": "view", **view})

    def cut(self) -> None:
        """Let the line fall as a laptop does that is closed: without a goodbye."""
        if self._socket is not None:
            self._socket.shutdown()

    def _send(self, told: dict[str, Any]) -> None:
        try:
            self._socket.send(json.dumps(told))
        except (OSError, websocket.WebSocketException) as error:
            raise Lost(1006) from error
