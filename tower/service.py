"""One service on one port: reader, ingest, memory bus, hub worker and timer in one process.

Puts rooms together and decides nothing. Started by ``tower up``.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from bus.connect import connect
from history import timer
from hub import app as hub_app
from hub import lag
from hub.auth import Door
from hub.gate import Gate
from hub.limits import Limits as HubLimits
from hub.live.switchboard import Switchboard
from hub.presence import Presence
from hub.websocket import Hub
from hub.worker import Worker
from ingest import app as ingest_app
from ingest import metrics as ingest_metrics
from ingest.limits import Limits as IngestLimits
from ingest.publish import Publisher
from session.delta import DEFAULT_WORKSPACE, Delta
from session.fold import fold, new_session
from session.state import Session
from tower import health
from tower.settings import Settings
from tower.users import user_name

if TYPE_CHECKING:
    from ingest.reader import Reader

log = logging.getLogger(__name__)

READER_RETRY_S = 2.0


class Service:
    """Everything that ``tower up`` runs."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self.settings = settings
        self.door = door
        self.machine = (socket.gethostname(), user_name())
        self.bus = connect(None)
        limits = HubLimits(subscriptions=settings["subscriptions"])
        board = Switchboard(limits, f"w-{secrets.token_hex(3)}")
        self.worker = Worker(self.bus, board, self)
        self.hub = Hub(self.worker, door)
        ingest_limits = IngestLimits()
        self.publisher = Publisher(self.bus, ingest_limits)
        self.ingest = ingest_app.Ingest(self.publisher, ingest_limits, self.machine)
        self.reader: Reader | None = None
        self.registries = [*hub_app.registries, ingest_metrics.registry]
        self.unready, self.collect, self.drain = self.hub.unready, self.hub.collect, self.hub.drain

    async def _read(self, listening: asyncio.Event) -> None:
        """Read transcripts, once the port answers: nobody waits for what this imports."""
        await listening.wait()
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
            routes=[*health.routes, *hub_app.routes, *ingest_app.routes],
            exception_handlers=hub_app.handlers,
        )
        app.state.role = app.state.hub = self.hub
        app.state.ingest = self.ingest
        app.state.registries = self.registries
        return Gate(app, self.door)

    @contextlib.asynccontextmanager
    async def running(self, listening: asyncio.Event) -> AsyncIterator[None]:
        """Run everything but the server; the board is ready when this is entered."""
        await self.bus.open()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.worker.run()),
                group.create_task(self.hub.run()),
                group.create_task(Presence(self.bus, self.worker).run()),
                group.create_task(lag.run(self.worker)),
                group.create_task(self.publisher.run()),
                group.create_task(timer.run(self.bus, self.worker.board.cache.all_sessions)),
            ]
            if self.settings["watch"]:
                tasks.append(group.create_task(self._read(listening)))
            try:
                await self.worker.ready.wait()
                yield
            finally:
                for task in tasks:
                    task.cancel()
        await self.bus.close()


def _folded(deltas: list[Delta]) -> Session | None:
    session: Session | None = None
    for delta in deltas:
        session = session or new_session(delta)
        fold(session, delta)
    return session
