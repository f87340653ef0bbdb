"""A real hub on a free port of loopback, inside the test's own loop, and clients of its socket."""

import asyncio
import contextlib
import json
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import MappingProxyType
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bus.memory import MemoryBus
from history.standing import Standing
from hub import app as hub_app
from hub import tokens
from hub.auth import Door
from hub.gate import Gate
from hub.httpprotocol import HttpProtocol
from hub.limits import Limits
from hub.live.cache import Key
from hub.live.switchboard import Switchboard
from hub.live.views import View
from hub.websocket import Hub
from hub.worker import Worker
from hub.wsprotocol import HubProtocol
from locustfiles.reference_client import ReferenceClient
from session.delta import Delta
from session.state import Session, summary
from tower import health

TOKEN = "made-up-token"
DEADLINE_S = 8.0
BEARER = MappingProxyType({"Authorization": f"Bearer {TOKEN}"})  # nobody adds to it


def make_door(port: int = 8787, **more: Any) -> Door:
    """A door with a made-up key."""
    return Door(token=TOKEN, key=b"k" * 32, port=port, **more)


def admit(door: Door, role: str = "viewer", workspace: str = "default", **more: Any) -> str:
    """The secret of a token that the door knows from now on."""
    secret, token = tokens.make(role, workspace, f"a {role}", None, 1, "owner")
    door.keys.learn(msgspec.structs.replace(token, **more))
    return secret


def cookie_for(door: Door, role: str = "viewer", workspace: str = "default") -> str:
    """The ``Cookie`` header of somebody who has signed in with such a token."""
    grant = door.grant_token(admit(door, role, workspace))
    assert grant is not None
    return door.cookie(grant, secure=False).partition(";")[0]


Restore = Callable[[str], Awaitable[Session | None]]


class Kept:
    """A history of which each session is what ``restore`` gives."""

    def __init__(self, restore: Restore, *, begins_empty: bool = False) -> None:
        self.begins_empty = begins_empty
        self._restore = restore

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, int]:
        """Everything is kept to its end."""
        return dict.fromkeys(keys, 2**62)

    async def former(self, _key: Key) -> tuple[int, str]:
        """Nothing that the log lost."""
        return 0, ""

    async def restore(
        self, _workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """What the test wants it to give."""
        return await self._restore(session_id)

    async def board(self, _partition: int) -> Standing:
        """Nothing to begin with."""
        return Standing([], None)


def make_hub(door: Door, restore: Restore | None = None, **limits: Any) -> Hub:
    """A hub on a log of its own."""
    kept = None if restore is None else Kept(restore)
    worker = Worker(MemoryBus(), Switchboard(Limits(**limits), "w-test"), kept)
    return Hub(worker, door)


def make_app(hub: Hub) -> Gate:
    """The application as the service puts it together, without ingest."""
    handlers = getattr(hub_app, "handlers", {})
    app = Starlette(routes=[*health.routes, *hub_app.routes], exception_handlers=handlers)
    app.state.role = app.state.hub = hub
    app.state.registries = hub_app.registries
    app.state.openapi_parts = (health.described,)
    return Gate(app, hub.door)


class Served:
    """A hub that listens."""

    def __init__(self, hub: Hub, port: int) -> None:
        self.hub = hub
        self.board = hub.board
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}/ws"

    async def log(self, *deltas: Delta) -> None:
        """Append deltas, and wait until they are folded."""
        receipts = await self.hub.worker.bus.append(deltas)
        for delta, receipt in zip(deltas, receipts, strict=True):
            await until(lambda d=delta, r=receipt: self._number(d.key) >= r.number)  # type: ignore[misc]

    def _number(self, key: tuple[str, str]) -> int:
        held = self.board.cache.get(key)
        return -1 if held is None else held.session.number

    def get_rows(self) -> dict[str, Any]:
        """The default view's rows in this very moment, by id, as JSON carries them."""
        view = View()
        shown = sorted(filter(view.matches, self.board.cache.sessions("default")), key=view.key)
        rows = (json.loads(msgspec.json.encode(summary(each))) for each in shown[: view.limit])
        return {row["id"]: row for row in rows}

    def get_text(self, path: str) -> str:
        """An answer over HTTP; blocks, so it is called in a thread."""
        request = urllib.request.Request(self.url + path, headers=BEARER)
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return str(answer.read(), "utf-8")

    def get(self, path: str) -> Any:
        """The same of the API, as JSON."""
        return json.loads(self.get_text(path))

    @contextlib.asynccontextmanager
    async def socket(
        self, compression: str | None = None, **options: Any
    ) -> AsyncIterator[ClientConnection]:
        """A WebSocket before its hello; the credential is the owner's."""
        options.setdefault("additional_headers", BEARER)
        async with connect(self.ws_url, proxy=None, compression=compression, **options) as opened:
            yield opened

    @contextlib.asynccontextmanager
    async def client(self, **hello: Any) -> AsyncIterator["Live"]:
        """A client that has said hello."""
        async with self.socket() as opened:
            live = Live(opened)
            await live.send("hello", protocol=1, **hello)
            await live.until(lambda: live.reference.overview)
            yield live


class Live:
    """A reference client at the end of a real socket."""

    def __init__(self, opened: ClientConnection) -> None:
        self.opened = opened
        self.reference = ReferenceClient()

    async def send(self, kind: str, **fields: Any) -> None:
        """One request."""
        if kind == "subscribe":
            self.reference.opening(fields["session"])
        await self.opened.send(json.dumps({"type": kind, **fields}))

    async def read(self) -> dict[str, Any]:
        """The next frame, acknowledged."""
        async with asyncio.timeout(DEADLINE_S):
            text = await self.opened.recv()
        frame = self.reference.feed(text.encode() if isinstance(text, str) else text)
        if self.reference.bye is None:
            with contextlib.suppress(ConnectionClosed):
                await self.send("ack", frames=len(self.reference.frames))
        return frame

    async def until(self, true: Any) -> None:
        """Read until it holds."""
        while not true():
            await self.read()


@contextlib.asynccontextmanager
async def served(
    restore: Restore | None = None, send_buffer: int = 0, door: dict[str, Any] | None = None,
    ping_s: float = 20, pong_s: float = 0, protocol: type[asyncio.Protocol] = HubProtocol,
    **limits: Any,
) -> AsyncIterator[Served]:  # fmt: skip
    """A hub behind uvicorn on a free port, with another WebSocket protocol if one is given."""
    listener = socket.socket()
    if send_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    listener.bind(("127.0.0.1", 0))
    listener.setblocking(False)
    port = listener.getsockname()[1]
    hub = make_hub(make_door(port, **(door or {})), restore, **limits)
    config = uvicorn.Config(
        make_app(hub), http=HttpProtocol, ws=protocol, ws_max_size=64 * 1024,
        ws_ping_interval=ping_s, ws_ping_timeout=pong_s or ping_s, lifespan="off", access_log=False,
        log_config=None, timeout_graceful_shutdown=1, server_header=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    tasks = [asyncio.create_task(hub.worker.run())]
    tasks.append(asyncio.create_task(server.serve(sockets=[listener])))
    try:
        await until(lambda: server.started and hub.worker.ready.is_set())
        yield Served(hub, port)
    finally:
        server.should_exit = True
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(tasks[1], DEADLINE_S)
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        listener.close()


async def until(true: Any) -> None:
    """Return when it holds; fail after a deadline."""
    async with asyncio.timeout(DEADLINE_S):
        while not true():  # noqa: ASYNC110 - of many things, few have an event
            await asyncio.sleep(0.001)


def hold_up(seconds: float) -> None:
    """Keep the loop from everything, as a machine does that has other things to do."""
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        pass


async def closed(opened: ClientConnection) -> tuple[int | None, list[dict[str, Any]]]:
    """Read until the hub closes; the code, and the frames before it."""
    frames: list[dict[str, Any]] = []
    async with asyncio.timeout(DEADLINE_S):
        try:
            while True:
                frames.append(json.loads(await opened.recv()))
        except ConnectionClosed:
            return opened.close_code, frames
