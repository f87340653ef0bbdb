"""Clients of a simulated world: a person's tab, and each connection that it makes.

A tab keeps what it has opened from one connection to the next. Frames come straight from an
outbox that is popped, or through a made-up transport with a bounded buffer.
"""

from collections import deque
from random import Random
from typing import Any

from hub.live.client import Client
from hub.live.hello import parse_hello
from hub.live.requests import focus
from locustfiles.reference_client import Frame, Opened
from tests.hub.transport import Transport
from tests.simulation.faults import Loss
from tests.simulation.models import Doubting, Model
from tests.simulation.workers import Worker

WAYS = ("popped", "pushed", "deflated")
FRAMES_KEPT = 30
BUDGETED = (b'{"type":"session.patch', b'{"type":"session.snapshot', b'{"type":"overview')
RESYNC_MS = 1_100


class Link:
    """One connection. ``now_ms`` is told by whoever calls."""

    def __init__(
        self, name: str, worker: Worker, tab: "Tab", hello: dict[str, Any], now_ms: int
    ) -> None:
        self.name, self.worker, self.tab = name, worker, tab
        self.client = Client(name, tab.workspace, worker.board.limits, lambda: None)
        self.model: Model = Doubting() if tab.loss else Model()
        self.since_ms = now_ms
        self.received = 0
        self.said = 0  # bytes of words and attention, which are told past the budget
        self.unalarmed_ms = 0  # since when it lacks items, for want of room
        self.torn: set[str] = set()  # sessions in the middle of a patch in several frames
        self.active: str | None = hello.get("active")
        self.asked: set[str] = set()  # sessions that were asked for otherwise than by a cursor
        self.last: deque[str] = deque(maxlen=FRAMES_KEPT)
        self.transport: Transport | None = None
        if tab.way != "popped":
            self.transport = Transport(self.client.outbox.hold, tab.buffer_bytes)
            self.client.outbox.connect(self.transport.write, deflates=tab.way == "deflated")
        for each in hello.get("resume", ()):
            if not each["cursor"]:
                self.asked.add(each["session"])
            self.model.resuming(each["session"], tab.kept[each["session"]])
        told = parse_hello({"type": "hello", "protocol": 1, **hello}, worker.board.limits)
        worker.board.attach(self.client, told, now_ms)

    @property
    def is_refused(self) -> bool:
        """Whether the hub has given the client up."""
        return self.client.close_code is not None

    @property
    def opened(self) -> list[str]:
        """The sessions that the hub holds open for it, least recently opened first."""
        return [key[1] for key in self.client.subscriptions.order]

    # Asking.

    def ask(self, kind: str, now_ms: int, **fields: Any) -> None:
        """Send one request."""
        if kind in ("subscribe", "resync") and fields.get("session"):
            self.asked.add(fields["session"])
            self.worker.doubted.discard((self.name, fields["session"]))
        if kind == "subscribe":
            self.model.opening(fields["session"])
        elif kind == "unsubscribe":
            self.model.closing(fields["session"])
        focus(self.worker.board, self.client, {"type": kind, **fields}, now_ms)

    def ack(self, now_ms: int) -> None:
        """Acknowledge whatever came, also what was lost above the link."""
        if self.client.outbox.frames_acked < self.received:
            self.ask("ack", now_ms, frames=self.received)

    def wish(self, now_ms: int) -> None:
        """Ask for what did not fit, as often as one may."""
        for (scope, session), asked_ms in list(self.model.wishes.items()):
            if now_ms - asked_ms > RESYNC_MS:
                self.model.wishes[scope, session] = now_ms
                self.ask("resync", now_ms, scope=scope, session=session, reason="gap")

    def ask_again(self, now_ms: int) -> None:
        """Open anew what nobody answered: who read too little for long was not told of an error."""
        for name, held in list(self.model.opened.items()):
            if held.cursor is None and not held.evicted and name not in self.opened:
                self.ask("subscribe", now_ms, session=name)

    # Reading.

    def next_frame(self, now_ms: int, bytes_max: int | None = None) -> bytes | None:
        """The next whole frame, taking at most so many bytes for it; None if none is there."""
        transport = self.transport
        if transport is None:
            frame = self.client.outbox.pop()
            return None if frame is None else frame.payload
        payload = transport.next_payload()
        while payload is None and (transport.waiting_bytes or transport.is_paused):
            if transport.take(transport.missing_bytes if bytes_max is None else bytes_max):
                self.worker.board.release(self.client, now_ms)
            payload = transport.next_payload()
            if bytes_max is not None:
                break
        return payload

    def take(self, payload: bytes) -> list[Frame]:
        """One frame has arrived; gives it as often as the tab sees it."""
        self.received += 1
        if not payload.startswith(BUDGETED):
            self.said += len(payload)
        self.last.append(payload[:240].decode(errors="replace"))
        times = self.tab.loss.times(payload) if self.tab.loss else 1
        return [self.model.feed(payload) for _ in range(times)]

    def end(self) -> None:
        """The connection is gone; what was opened is kept for the next one."""
        self.client.outbox.disconnect()
        self.worker.board.detach(self.client)
        held = {name: each for name, each in self.model.opened.items() if not each.evicted}
        for each in held.values():
            each.cursor = None if each.stale else each.cursor
        self.tab.kept = held
        self.tab.torn = (self.tab.torn | self.torn) & set(held)


class Tab:
    """A person's tab: what it wants, how it reads, and what it has opened."""

    def __init__(self, name: str, workspace: str, random: Random) -> None:
        self.name, self.workspace = name, workspace
        self.way = random.choice(WAYS)
        self.buffer_bytes = random.choice((1_024, 8_192, 32_768))
        self.cap = random.randint(2, 4)
        self.is_prompt = random.random() < 0.5  # reads and acknowledges at once
        self.loss = Loss(random) if random.random() < 0.25 else None
        self.is_stalled = False
        self.acks = True
        self.kept: dict[str, Opened] = {}
        self.seen: dict[str, str] = {}  # session → the cursor that it has shown last
        self.torn: set[str] = set()  # sessions left in the middle of a patch in several frames
        self.link: Link | None = None
        self._connections = 0

    def connect(self, worker: Worker, now_ms: int, **hello: Any) -> Link:
        """Say hello to a worker, resuming what is held."""
        self._connections += 1
        if self.loss:
            self.loss.begin()
        hello["resume"] = [
            {"session": name, "cursor": held.cursor or ""} for name, held in self.kept.items()
        ]
        name = f"{self.name}.{self._connections}"
        self.link = Link(name, worker, self, {**hello, "subscriptions": self.cap}, now_ms)
        return self.link

    def leave(self) -> None:
        """Go away without a word."""
        if self.link is not None:
            self.link.end()
            self.link = None
