"""One service on one port: reader, ingest, memory bus, hub worker and timer in one process.

Puts rooms together and decides nothing. Started by ``tower up``.
"""

import asyncio
import contextlib
import getpass
import logging
import secrets
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette

from bus.connect import connect
from hub import app as hub_app
from hub.auth import Door
from hub.gate import Gate
from hub.limits import Limits as HubLimits
from hub.live.switchboard import Switchboard
from hub.websocket import Hub
from hub.worker import Worker
from hub.wsprotocol import HubProtocol, self_test
from ingest import app as ingest_app
from ingest import metrics as ingest_metrics
from ingest.limits import Limits as IngestLimits
from ingest.publish import Publisher
from session.delta import DEFAULT_WORKSPACE, Delta
from session.fold import fold, new_session
from session.state import Session
from tower import timer
from tower.settings import Settings

if TYPE_CHECKING:
    from ingest.reader import Reader

log = logging.getLogger(__name__)

GRACE_S = 3
PING_S, PONG_S = 10, 20  # a peer of which nothing is heard for 30 s is cut off
READER_RETRY_S = 2.0
WS_MESSAGE_BYTES_MAX = 64 * 1024


class Service:
    """Everything that ``tower up`` runs."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self.settings = settings
        self.door = door
        self.machine = (socket.gethostname(), _user())
        self.bus = connect(None)
        limits = HubLimits(subscriptions=settings["subscriptions"])
        board = Switchboard(limits, f"w-{secrets.token_hex(3)}")
        self.worker = Worker(self.bus, board, self)
        self.hub = Hub(self.worker, door)
        ingest_limits = IngestLimits()
        self.publisher = Publisher(self.bus, ingest_limits)
        self.ingest = ingest_app.Ingest(self.publisher, ingest_limits, self.machine)
        self.listening = asyncio.Event()
        self.reader: Reader | None = None

    async def _read(self) -> None:
        """Read transcripts, once the port answers: nobody waits for what this imports."""
        await self.listening.wait()
        from ingest.reader import Reader
        from ingest.tail import Origin

        homes = [Path(each) for each in self.settings["claude_dir"]]
        origin = Origin(DEFAULT_WORKSPACE, *self.machine)
        self.reader = Reader(homes, origin, self.publisher.append)
        while True:
            try:
                await self.reader.run()
            except Exception:
                # The board lives on without its reader, and the reader begins where it was.
                log.exception("the reader failed and is started again")
                await asyncio.sleep(READER_RETRY_S)

    # Where the worker's sessions come from again: their transcripts on this machine.

    def has(self, workspace: str, session_id: str) -> bool:
        """Whether the session's transcript is here."""
        if self.reader is None or workspace != DEFAULT_WORKSPACE:
            return False
        return self.reader.has(session_id)

    async def restore(self, workspace: str, session_id: str) -> Session | None:
        """A past session, from its transcript."""
        if self.reader is None or workspace != DEFAULT_WORKSPACE:
            return None
        deltas = await self.reader.restore(session_id)
        return _folded(deltas)

    def app(self) -> Gate:
        """The whole application behind its gate."""
        app = Starlette(
            routes=[*hub_app.routes, *ingest_app.routes],
            exception_handlers=hub_app.handlers,
        )
        app.state.hub = self.hub
        app.state.ingest = self.ingest
        app.state.registries = [*hub_app.registries, ingest_metrics.registry]
        return Gate(app, self.door)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run everything but the server."""
        await self.bus.open()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.worker.run()),
                group.create_task(self.publisher.run()),
                group.create_task(timer.run(self.bus, self.worker.board.cache)),
            ]
            if self.settings["watch"]:
                tasks.append(group.create_task(self._read()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
        await self.bus.close()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _folded(deltas: list[Delta]) -> Session | None:
    session: Session | None = None
    for delta in deltas:
        session = session or new_session(delta)
        fold(session, delta)
    return session


class Server(uvicorn.Server):
    """uvicorn, saying goodbye to WebSocket clients before it closes their sockets."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.port = 0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and tell it."""
        await super().startup(sockets)
        self._service.listening.set()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal; the loop is needed to drain from its handler."""
        self._loop = asyncio.get_running_loop()
        self.port = sockets[0].getsockname()[1] if sockets else self.config.port
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, a second one ends at once."""
        if self._draining is not None or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        async def drain() -> None:
            await self._service.hub.drain()
            self.should_exit = True  # the signal is not raised again: this end is an orderly one

        if self._draining is None:
            self._draining = asyncio.create_task(drain())


def make_server(service: Service) -> Server:
    """The server of a service. Frames are small and shared: no per-connection deflate."""
    self_test()
    config = uvicorn.Config(
        service.app(),
        http="httptools",
        ws=HubProtocol,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PONG_S,
        ws_max_size=WS_MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=65,
        backlog=2048,
    )
    return Server(config, service)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError if the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
