"""The WebSocket shell: one task that receives, one that writes, nothing decided here.

The first frame must be ``hello``; everything after it goes to the pure core. A stalled client is
let go, never waited for. Reached through the route ``/ws``.
"""

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections import Counter
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub import metrics
from hub.auth import Door, Grant
from hub.errors import Refused
from hub.gate import refuse
from hub.live.client import Client
from hub.live.frames import CLOSE_CODES, SUBPROTOCOL, frame
from hub.live.hello import Hello, parse_hello
from hub.live.requests import ANSWERS, focus, opens
from hub.problem import problem
from hub.rate import Bucket
from hub.worker import Worker, now_ms
from hub.wsprotocol import abort

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 1.0
RETRY_MS = 1_000


class Hub:
    """ASGI application of ``/ws``: sockets in, five verbs below."""

    def __init__(self, worker: Worker, door: Door) -> None:
        self.worker = worker
        self.board = worker.board
        self.limits = worker.board.limits
        self.door = door
        self.draining = False
        self._open: set[Connection] = set()
        self._unauthenticated: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection from handshake to close."""
        refusal = self._refusal(scope)
        if refusal is not None:
            await refuse(refusal, scope, receive, send)
            return
        grant: Grant | None = scope["state"]["grant"]
        offered = scope.get("subprotocols") or []
        await receive()  # websocket.connect
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
        await send({"type": "websocket.accept", "subprotocol": subprotocol})
        connection = Connection(self, grant, scope, receive, send)
        self._open.add(connection)
        try:
            await connection.serve()
        finally:
            self._open.discard(connection)

    def _refusal(self, scope: Scope) -> Response | None:
        offered = scope.get("subprotocols") or []
        if offered and SUBPROTOCOL not in offered:
            return problem(400, f"only the subprotocol {SUBPROTOCOL} is spoken here")
        if self.draining or len(self._open) >= self.limits.connections_max:
            return problem(
                503, "this worker takes no more connections", headers={"Retry-After": "1"}
            )
        address = (scope.get("client") or ("",))[0]
        waiting = self._unauthenticated[address]
        if scope["state"]["grant"] is None and waiting >= self.limits.connections_per_address_max:
            return problem(429, "too many connections without a credential from this address")
        return None

    @contextlib.contextmanager
    def counted(self, grant: Grant | None, address: str) -> Any:
        """Count a connection that has shown no credential yet."""
        if grant is not None:
            yield
            return
        self._unauthenticated[address] += 1
        try:
            yield
        finally:
            self._unauthenticated[address] -= 1
            if not self._unauthenticated[address]:
                del self._unauthenticated[address]

    async def drain(self) -> None:
        """Say goodbye to everybody, with the reconnects spread over some seconds."""
        self.draining = True
        spread = itertools.cycle(range(500, 6_000, 137))
        for connection in list(self._open):
            connection.end(4000, "draining", next(spread))
        waiting = [connection.done.wait() for connection in list(self._open)]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*waiting), CLOSE_TIMEOUT_S + 1)


class Connection:
    """One accepted socket."""

    def __init__(
        self, hub: Hub, grant: Grant | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self.hub = hub
        self.grant = grant
        self.address: str = (scope.get("client") or ("",))[0]
        self.done = asyncio.Event()
        self.client: Client | None = None
        self._scope = scope
        self._receive = receive
        self._send = send
        self._ready = asyncio.Event()
        self._ending: tuple[int, str, int] | None = None
        limits = hub.limits
        self._requests = Bucket(limits.messages_per_second, limits.messages_burst)
        self._answers = Bucket(limits.answers_per_second, limits.answers_per_second)
        self._stop = asyncio.Event()

    async def serve(self) -> None:
        """From hello to close."""
        try:
            await self._open()
            await self._run()
        except Refused as error:
            await self._close(error.close_code, error.reason)
        except (_Gone, OSError):
            pass
        finally:
            if self.client is not None:
                self.hub.board.detach(self.client)
            self.done.set()

    async def _open(self) -> None:
        hub = self.hub
        with hub.counted(self.grant, self.address):
            try:
                timeout_s = hub.limits.hello_timeout_ms / 1000
                told = await asyncio.wait_for(self._next(), timeout_s)
            except TimeoutError:
                raise Refused(4502, "no hello in time") from None
            hello = parse_hello(told, hub.limits)
            grant = self.grant
            if hello.token is not None:
                grant = hub.door.grant_token(hello.token)
        if grant is None:
            raise Refused(4501, "a credential is needed")
        await hub.worker.ready.wait()
        await self._attach(hello, grant)

    async def _attach(self, hello: Hello, grant: Grant) -> None:
        hub = self.hub
        name = f"c-{secrets.token_hex(6)}"
        client = Client(name, grant.workspace, hub.limits, self._wake)
        await hub.worker.ensure(grant.workspace, *(session for session, _ in hello.resume))
        self.client = client
        hub.board.attach(client, hello, now_ms())
        hub.worker.schedule()

    def _wake(self) -> None:
        """Something waits to be written, or the core gave the client up."""
        self._ready.set()
        if self.client is not None and self.client.close_code is not None:
            self._stop.set()

    async def _run(self) -> None:
        """Until one of the two ends, or the writer stands before a socket that takes nothing."""
        tasks = [
            asyncio.create_task(self._read()),
            asyncio.create_task(self._write()),
            asyncio.create_task(self._stop.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        if self.client is not None and self.client.close_code is not None:
            raise Refused(self.client.close_code, "slow")
        for result in results:
            if isinstance(result, Refused):
                raise result
            if isinstance(result, Exception) and not isinstance(result, _Gone | OSError):
                log.error("a connection failed", exc_info=result)

    async def _read(self) -> None:
        """Nothing but receiving: answers and pongs must always be taken in."""
        board, worker, client = self.hub.board, self.hub.worker, self.client
        if client is None:
            return
        while True:
            request = await self._next()
            bucket = self._answers if request.get("type") in ANSWERS else self._requests
            if not bucket.take(asyncio.get_running_loop().time()):
                if bucket.is_abused:
                    raise Refused(4007, "too many messages")
                board.say_error(client, "rate", "too many messages; slow down")
                continue
            session = opens(request)
            if session is not None:
                await worker.ensure(client.workspace, session)
            focus(board, client, request, now_ms())
            worker.schedule()

    async def _write(self) -> None:
        """Write what waits, in order; the only task that sends."""
        client = self.client
        if client is None:
            return
        while True:
            self._ready.clear()
            while (data := client.outbox.pop()) is not None:
                await self._send({"type": "websocket.send", "text": data.decode()})
                metrics.frames_total.inc()
                metrics.sent_bytes_total.inc(len(data))
            if self._ending is not None:
                code, reason, retry_ms = self._ending
                await self._close(code, reason, retry_ms)
                return
            await self._ready.wait()

    async def _next(self) -> dict[str, Any]:
        """The next frame as an object; raises Refused for what is none."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise _Gone
        text = message.get("text")
        if text is None:
            raise Refused(4500, "frames are text")
        data = text.encode("utf-8", "replace")
        if len(data) > self.hub.limits.message_bytes_max:
            raise Refused(4500, f"a frame is at most {self.hub.limits.message_bytes_max} bytes")
        try:
            told = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise Refused(4500, "a frame is a JSON object") from None
        if not isinstance(told, dict):
            raise Refused(4500, "a frame is a JSON object")
        return told

    def end(self, code: int, reason: str, retry_ms: int) -> None:
        """Ask the writer to say goodbye and close."""
        self._ending = (code, reason, retry_ms)
        self._ready.set()

    async def _close(self, code: int, reason: str, retry_ms: int = RETRY_MS) -> None:
        """Best effort: a stalled client gets neither frame, is not waited for, and is cut off."""
        metrics.closes_total.labels(str(code)).inc()
        told: dict[str, Any] = {"code": code, "reason": reason or CLOSE_CODES[code][0]}
        if CLOSE_CODES[code][1]:
            told["retry_ms"] = retry_ms
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                text = frame("bye", **told).decode()
                await self._send({"type": "websocket.send", "text": text})
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            abort(self._scope)
        except (OSError, RuntimeError):
            pass


class _Gone(Exception):
    """The peer is gone."""
