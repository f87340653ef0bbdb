"""The WebSocket shell: one task per connection that does nothing but receive.

The first frame must be ``hello``; everything after it goes to the pure core, which writes by
itself. A stalled client is let go, never waited for. Reached through the route ``/ws``.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub import metrics
from hub.audit import Audit
from hub.auth import Door, Grant, address_of
from hub.errors import Refused
from hub.gate import farewell, refuse
from hub.limits import UNREAD_S
from hub.live.client import Client
from hub.live.frames import CLOSE_CODES, SUBPROTOCOL, frame
from hub.live.hello import Hello, parse_hello
from hub.live.requests import ANSWERS, Waiting, focus, opens
from hub.mirror import Mirror
from hub.problem import problem
from hub.rate import Bucket
from hub.sources import Sources
from hub.worker import Worker, now_ms
from hub.wsprotocol import socket_of

if TYPE_CHECKING:
    from history.history import History

CLOSE_TIMEOUT_S = 1.0
RETRY_MS = 1_000
FULL_RETRY_MS = 10_000
SWEEP_S = 5.0


class Hub:
    """ASGI application of ``/ws``: sockets in, five verbs below."""

    def __init__(self, worker: Worker, door: Door) -> None:
        self.worker = worker
        self.board = worker.board
        self.limits = worker.board.limits
        self.door = door
        self.sources = Sources(worker)
        self.audit = Audit(door.limits.audit_queue_max)
        self.keys = Mirror(worker.bus, door)
        self.keys.on_changed = self.check
        self.draining = False
        self.connections: set[Connection] = set()
        self._unauthenticated: Counter[str] = Counter()

    @property
    def history(self) -> "History | None":
        """What the routes read beyond the live board, where there is a database."""
        return self.keys.history

    @history.setter
    def history(self, history: "History | None") -> None:
        self.keys.history = history

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from handshake to close."""
        refusal = self._refusal(scope)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
            return
        grant: Grant | None = scope["state"]["grant"]
        offered = scope.get("subprotocols") or []
        connection = Connection(self, grant, scope, receive, send)
        is_full = len(self.connections) >= self.limits.connections_max
        self.connections.add(connection)
        if grant is None:
            self._unauthenticated[connection.address] += 1
        try:
            await receive()  # websocket.connect
            subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
            await send({"type": "websocket.accept", "subprotocol": subprotocol})
            # A browser cannot see a refused handshake: it is told by a close code.
            if self.draining:
                connection.end(4000)
            elif is_full:
                connection.end(4006, retry_ms=FULL_RETRY_MS)
            await connection.serve()
        finally:
            self.connections.discard(connection)
            self.greeted(connection)

    def _refusal(self, scope: Scope) -> Response | None:
        offered = scope.get("subprotocols") or []
        if offered and SUBPROTOCOL not in offered:
            return problem(400, f"only the subprotocol {SUBPROTOCOL} is spoken here")
        waiting = self._unauthenticated[address_of(scope)]
        if scope["state"]["grant"] is None and waiting >= self.limits.connections_per_address_max:
            return problem(429, "too many connections without a credential from this address")
        return None

    def greeted(self, connection: "Connection") -> None:
        """The connection has shown a credential, or is gone: it counts as a stranger no more."""
        if connection.is_stranger:
            connection.is_stranger = False
            self._unauthenticated -= Counter((connection.address,))

    async def run(self) -> None:
        """Let go of silent peers and of credentials that have expired, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            now_s = asyncio.get_running_loop().time()
            await asyncio.sleep(UNREAD_S)
            self.sweep(now_s)

    def sweep(self, now_s: float) -> None:
        """Look at every connection once; ``now_s`` is of the loop's clock."""
        silent_s = self.limits.silent_ms / 1000
        for connection in list(self.connections):
            if now_s - connection.heard_at >= silent_s:
                connection.end(4002)
        self.check()

    def check(self) -> None:
        """Let go of whoever has no good credential any more: it ended, or was revoked."""
        for connection in list(self.connections):
            if connection.grant is not None and not self.door.holds(connection.grant):
                connection.end(4005)

    async def unready(self) -> str | None:
        """Why nobody can be served yet, or any more, or None."""
        if self.draining:
            return "this worker is about to end"
        return None if self.worker.ready.is_set() else "the log is not folded yet"

    def collect(self) -> None:
        """Bring the gauges up to date."""
        self.worker.collect()

    async def drain(self) -> None:
        """Say goodbye to everybody, with the reconnects spread over some seconds."""
        self.draining = True
        spread = itertools.cycle(range(500, 6_000, 137))
        for connection in list(self.connections):
            connection.end(4000, "draining", next(spread))
        waiting = [connection.done.wait() for connection in list(self.connections)]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waiting), CLOSE_TIMEOUT_S + 1)


class Connection:
    """One accepted socket. Frames go straight to its transport where the server lets us."""

    def __init__(
        self, hub: Hub, grant: Grant | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.hub = hub
        self.grant = grant
        self.is_stranger = grant is None
        self.address = address_of(scope)
        self.done = asyncio.Event()
        self.client: Client | None = None
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._socket = socket_of(scope)
        self._receive, self._send = receive, send
        self._ready = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self._pending: deque[Waiting] = deque()
        self._serving: asyncio.Task[None] | None = None
        limits = hub.limits
        self._requests = Bucket(limits.messages_per_second, limits.messages_burst)
        self._answers = Bucket(limits.answers_per_second, limits.answers_per_second)

    @property
    def heard_at(self) -> float:
        """When anything at all came from the peer; of the loop's clock."""
        return self._heard_at if self._socket is None else self._socket.heard_at

    async def serve(self) -> None:
        """From hello to close."""
        try:
            await self._open()
            await self._run()
        except Refused as error:
            self.end(error.close_code, error.reason)
        except (_Gone, OSError):
            pass
        finally:
            self._detach()
            if self._ending is not None:
                await asyncio.gather(self._ending, return_exceptions=True)
            self.client = self._socket = None  # they know this connection as well
            self.done.set()

    async def _open(self) -> None:
        hub = self.hub
        hello = parse_hello(await self._first(), hub.limits)
        if hello.token is not None:
            self.grant = await hub.door.grant_token_soon(hello.token)
        if self.grant is None:
            raise Refused(*farewell(hub.door, self.address))
        if self.grant.role == "agent":
            raise Refused(4506, "an agent's token only writes")
        hub.greeted(self)
        await hub.worker.ready.wait()
        if self._ending is not None:
            raise _Gone
        self._attach(hello, self.grant)

    async def _first(self) -> dict[str, Any]:
        """The first frame; raises Refused if none comes."""
        for timeout_s in (self.hub.limits.hello_timeout_ms / 1000, UNREAD_S):
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._next(), timeout_s)
        raise Refused(4502, "no hello in time")

    def _attach(self, hello: Hello, grant: Grant) -> None:
        """Board and open items at once; what must be read first is opened when it is there."""
        hub = self.hub
        name = f"c-{secrets.token_hex(6)}"
        self.client = client = Client(name, grant.workspace, hub.limits, self._wake)
        if self._socket is not None:
            self._socket.watch(self._hear, client.outbox.hold, self._release)
            client.outbox.connect(self._socket.transport.write, deflates=self._socket.deflates)
        here, late = hello.parted(lambda each: hub.worker.lacks(grant.workspace, each))
        hub.board.attach(client, here, now_ms())
        self._note_opened(*opens(here))
        if late.resume:
            self._put_off(late, client)
        hub.worker.schedule()

    def _note_opened(self, *sessions: str) -> None:
        """Keep who reads sessions, of those that there are."""
        client, grant, cache = self.client, self.grant, self.hub.board.cache
        for session in sessions:
            if client and grant and cache.get((client.workspace, session)) is not None:
                self.hub.audit.note_opened(grant, self.address, session)

    def _release(self) -> None:
        """The transport has room again."""
        if self.client is not None:
            self.hub.board.release(self.client, now_ms())
            self.hub.worker.schedule()

    def _wake(self) -> None:
        """Something waits that nobody pushes, or the core gave the client up."""
        self._ready.set()
        if self.client is not None and self.client.close_code is not None:
            self.end(self.client.close_code)

    async def _run(self) -> None:
        """Receive in this task; only a server without our protocol needs one more, to write."""
        if self._socket is not None:
            await self._read()
            return
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _read(self) -> None:
        """Nothing but receiving: answers and pongs must always be taken in."""
        while self.client is not None:
            self._answer(await self._next(), self.client)

    def _hear(self, data: bytes) -> None:
        """A message that came straight from the socket."""
        try:
            if self.client is not None:
                self._answer(self._parse(data), self.client)
        except Refused as error:
            self.end(error.close_code, error.reason)

    def _answer(self, request: dict[str, Any], client: Client) -> None:
        if self._take(request, client):
            self._serve(request, client)

    def _take(self, request: dict[str, Any], client: Client) -> bool:
        """Whether the client may ask so often; raises Refused for one that will not learn."""
        bucket = self._answers if request.get("type") in ANSWERS else self._requests
        if bucket.take(self._loop.time()):
            return True
        if bucket.is_abused:
            raise Refused(4007, "too many messages")
        board = self.hub.board
        board.say_error(client, "rate", "too many messages; slow down", retry_ms=RETRY_MS)
        board.deliver()
        return False

    def _serve(self, request: dict[str, Any], client: Client) -> None:
        """At once, unless it or one before it waits for a session to be restored."""
        if request.get("type") in ANSWERS:  # so many that each has to be cheap
            focus(self.hub.board, client, request, now_ms())
        elif self._pending or self._lacks(request, client):
            self._put_off(request, client)  # as many as the rate allows
        else:
            self._focus(request, client)
            self.hub.worker.schedule()

    def _put_off(self, request: Waiting, client: Client) -> None:
        self._pending.append(request)
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve_pending(client))

    def _focus(self, request: Waiting, client: Client) -> None:
        focus(self.hub.board, client, request, now_ms())
        self._note_opened(*opens(request))

    def _lacks(self, request: Waiting, client: Client) -> bool:
        return any(self.hub.worker.lacks(client.workspace, each) for each in opens(request))

    async def _serve_pending(self, client: Client) -> None:
        """In their order; the reader goes on meanwhile."""
        worker = self.hub.worker
        while self._pending and client.attached:
            request = self._pending[0]
            await worker.ensure(client.workspace, *opens(request))
            if client.attached:
                self._focus(request, client)
            self._pending.popleft()
            worker.schedule()
        self._serving = None

    async def _write(self) -> None:
        """Write what waits, in order, where frames cannot go straight to the transport."""
        client = self.client
        while client is not None:
            self._ready.clear()
            while (frame := client.outbox.pop()) is not None:
                await self._send({"type": "websocket.send", "text": frame.payload.decode()})
            await self._ready.wait()

    async def _next(self) -> dict[str, Any]:
        """The next frame as an object; raises Refused for what is none."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise _Gone
        self._heard_at = self._loop.time()
        text = message.get("text")
        if text is None:
            raise Refused(4500, "frames are text")
        return self._parse(text.encode("utf-8", "replace"))

    def _parse(self, data: bytes) -> dict[str, Any]:
        if len(data) > self.hub.limits.message_bytes_max:
            raise Refused(4500, f"a frame is at most {self.hub.limits.message_bytes_max} bytes")
        try:
            told = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused(4500, "a frame is a JSON object") from None
        if not isinstance(told, dict):
            raise Refused(4500, "a frame is a JSON object")
        return told

    # Ending.

    def end(self, code: int, reason: str = "", retry_ms: int = RETRY_MS) -> None:
        """Say goodbye and close; nothing is written behind it."""
        if self._ending is None:
            self._detach()
            self._ending = asyncio.create_task(self._close(code, reason, retry_ms))

    def _detach(self) -> None:
        if self._socket is not None:
            self._socket.unwatch()
        if self.client is not None:
            self.client.outbox.disconnect()
            self.hub.board.detach(self.client)

    async def _close(self, code: int, reason: str, retry_ms: int) -> None:
        """Best effort: a stalled client gets neither frame, is not waited for, and is cut off."""
        metrics.closes_total.labels(str(code)).inc()
        name, may_return = CLOSE_CODES[code]
        told: dict[str, Any] = {"code": code, "reason": reason or name}
        if may_return:
            told["retry_ms"] = retry_ms
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                text = frame("bye", **told).decode()
                await self._send({"type": "websocket.send", "text": text})
                await self._send(
                    {"type": "websocket.close", "code": code, "reason": told["reason"]}
                )
            if self._socket is not None:
                self._socket.closing()
        except TimeoutError:
            if self._socket is not None:
                self._socket.abort()
        except (OSError, RuntimeError):
            pass


class _Gone(Exception):
    """The peer is gone."""
