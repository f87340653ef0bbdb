"""One service on one port: reader, ingest, memory bus, hub worker and recorder in one process.

Puts rooms together and decides nothing. Started by ``tower up``.
"""

import asyncio
import contextlib
import importlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from bus.connect import connect
from bus.memory import MemoryBus
from history import metrics as history_metrics
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
from ingest import operations as ingest_operations
from ingest.errors import BusUnavailable
from ingest.limits import Limits as IngestLimits
from ingest.publish import Publisher
from session.delta import DEFAULT_WORKSPACE, Delta
from tower import health
from tower.homes import homes_in
from tower.records import GROUP, Records
from tower.screens import screen_of
from tower.settings import Settings
from tower.users import user_name

if TYPE_CHECKING:
    from ingest.reader import Reader

log = logging.getLogger(__name__)

READER_RETRY_S = 2.0
RECORDED_S, RECORDED_LOOK_S = 10.0, 0.02
TURNS = 20
"""A hook is on the board after about so many turns of the loop."""


class Service:
    """Everything that ``tower up`` runs."""

    def __init__(self, settings: Settings, door: Door) -> None:
        self.settings = settings
        self.door = door
        self.machine = (socket.gethostname(), user_name())
        self.screen = screen_of(settings)
        self.bus = connect(None)
        limits = HubLimits(subscriptions=settings["subscriptions"])
        board = Switchboard(limits, f"w-{secrets.token_hex(3)}")
        self.records = Records(settings, self.bus)
        self.worker = Worker(self.bus, board, self.records)
        self.hub = Hub(self.worker, door)
        self.hub.history = self.records.history
        ingest_limits = IngestLimits()
        self.publisher = Publisher(self.bus, ingest_limits)
        self.ingest = ingest_app.Ingest(self.publisher, ingest_limits, self.machine, self.screen)
        self.ingest.recorded = self._recorded
        self.reader: Reader | None = None
        self.registries = [*hub_app.registries, ingest_metrics.registry, history_metrics.registry]
        self._tasks: list[asyncio.Task[None]] = []
        self.unready, self.drain = self.hub.unready, self.hub.drain

    def collect(self) -> None:
        """Bring the gauges up to date."""
        self.hub.collect()
        self.records.collect()

    async def _read(self, listening: asyncio.Event) -> None:
        """Read transcripts, once the port answers: nobody waits for what this imports."""
        await listening.wait()
        await asyncio.to_thread(importlib.import_module, "ingest.reader")
        from ingest.reader import Reader
        from ingest.tail import Origin

        homes = homes_in(self.settings)
        origin = Origin(DEFAULT_WORKSPACE, *self.machine)
        marks = await self.records.marks()
        self.reader = Reader(homes, origin, self._send, marks, self.screen)
        self.records.follow(self.reader)
        self.records.on_deleted = self._forget
        while True:
            try:
                await self.reader.run(self._keep_stubs)
            except Exception:
                # The board lives on without its reader, and the reader begins where it was.
                log.exception("the reader failed and is started again")
                await asyncio.sleep(READER_RETRY_S)

    async def _send(self, deltas: Sequence[Delta]) -> None:
        """Put what was read on the log, a little at a time: hooks come behind it.

        Between two steps whoever else has something to do goes first.
        """
        await self.bus.room()
        await self.publisher.append(deltas)
        await self.worker.caught_up()
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _recorded(self) -> None:
        """Return when history has all that is on the log now, for the log ends with this process.

        Raises BusUnavailable.
        """
        end = await self.bus.position(0)
        try:
            async with asyncio.timeout(RECORDED_S):
                while not self._has_written(end):  # noqa: ASYNC110 - an ack has no event
                    await asyncio.sleep(RECORDED_LOOK_S)
        except TimeoutError:
            raise BusUnavailable("history has not written it yet") from None

    def _has_written(self, position: str) -> bool:
        return isinstance(self.bus, MemoryBus) and self.bus.has_acked(GROUP, position)

    def _forget(self, key: tuple[str, str]) -> None:
        """A person deleted the session: its files are read again only if they grow."""
        if self.reader is not None and key[0] == DEFAULT_WORKSPACE:
            self.reader.forget(key[1])

    def _keep_stubs(self) -> None:
        """Files that say nothing yet are not opened at every start."""
        if self.reader is not None:
            stubs = self.reader.stubs()
            self._tasks.append(asyncio.create_task(self.records.keep_marks(stubs)))

    def app(self) -> Gate:
        """The whole application behind its gate."""
        app = Starlette(  # routes are tried in their order, and hooks come most often
            routes=[*ingest_app.routes, *health.routes, *hub_app.routes],
            exception_handlers=hub_app.handlers,
        )
        app.state.role, app.state.hub = self, self.hub
        app.state.ingest = self.ingest
        app.state.openapi_parts = (ingest_operations.part, health.described)
        app.state.registries = self.registries
        return Gate(app, self.door)

    async def _know_keys(self) -> None:
        """Those of the file at once; then as the database knows them, which need not be hurried."""
        told = await self.records.first_keys()
        if told is not None:
            self.door.keys.fill(*told)
            self.door.settle()
            await self.records.opened.wait()
        await self.hub.keys.run()

    async def _keep_acts(self) -> None:
        await self.records.opened.wait()
        await self.hub.audit.run(self.records.history.keep_acts)

    @contextlib.asynccontextmanager
    async def running(self, listening: asyncio.Event) -> AsyncIterator[None]:
        """Run everything but the server; the board is ready when this is entered."""
        await self.bus.open()
        async with self.records.running(listening), asyncio.TaskGroup() as group:
            self._tasks = [
                group.create_task(self.worker.run()),
                group.create_task(self.hub.run()),
                group.create_task(Presence(self.bus, self.worker).run()),
                group.create_task(self.hub.sources.run()),
                group.create_task(lag.run(self.worker)),
                group.create_task(self.publisher.run()),
                group.create_task(self._know_keys()),
                group.create_task(self._keep_acts()),
            ]
            if self.settings["watch"]:
                self._tasks.append(group.create_task(self._read(listening)))
            try:
                await self.worker.ready.wait()
                yield
            finally:
                for task in self._tasks:
                    task.cancel()
        await self.bus.close()
