"""One role per process, on the log in Redis: ``tower hub``, ``tower ingest``, ``tower recorder``.

Puts rooms together and decides nothing. Every role starts without its log and waits for it.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.types import ASGIApp

from bus.base import Bus
from bus.connect import connect
from bus.errors import BusError
from history.credentials import Act
from history.history import History
from history.kept import Kept
from hub import door_metrics, lag
from hub.auth import Door
from hub.gate import Gate
from hub.limits import Limits as HubLimits
from hub.live.switchboard import Switchboard
from hub.mirror import Mirror
from hub.presence import Presence
from hub.websocket import Hub
from hub.worker import Worker
from tower import health
from tower.databases import make_database, prepare
from tower.server import Server, nothing
from tower.setting import SettingsError
from tower.settings import Settings, address_of
from tower.users import user_name

log = logging.getLogger(__name__)

RETRY_S = 0.5
FLUSH_S = 0.5  # what is not written yet is safe in the log


def _bus(settings: Settings) -> Bus:
    url = settings["redis_url"]
    if not url:
        raise SettingsError("redis_url: this role needs TOWER_REDIS_URL, such as redis://host:6379")
    try:
        return connect(url)
    except ValueError as error:
        raise SettingsError(f"redis_url: {error}") from error


@contextlib.asynccontextmanager
async def _beside(bus: Bus, *work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run this work until the server ends, then let go of the log."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
    await bus.close()


class HubRole:
    """Sockets and the board's routes; one of several."""

    def __init__(self, settings: Settings, door: Door) -> None:
        from hub import app as hub_app

        self.bus = _bus(settings)
        self.door = door
        self.database = make_database(settings, default=False)
        history = History(self.database)
        limits = HubLimits(subscriptions=settings["subscriptions"])
        board = Switchboard(limits, f"w-{secrets.token_hex(3)}")
        self.worker = Worker(self.bus, board, Kept(history, self.bus))
        self.hub = Hub(self.worker, door)
        self.hub.history = history
        door.await_key()
        self.registries = list(hub_app.registries)
        self.unready, self.collect, self.drain = self.hub.unready, self.hub.collect, self.hub.drain

    def app(self) -> ASGIApp:
        """The board's routes behind the gate."""
        from hub import app as hub_app

        routes = [*health.routes, *hub_app.routes]
        app = Starlette(routes=routes, exception_handlers=hub_app.handlers)
        app.state.role = app.state.hub = self.hub
        app.state.openapi_parts = (health.described,)
        app.state.registries = self.registries
        return Gate(app, self.door)

    def running(self, _listening: asyncio.Event) -> contextlib.AbstractAsyncContextManager[None]:
        """The worker, and what looks at it."""
        presence = Presence(self.bus, self.worker)
        return _beside(
            self.bus, self.worker.run(), self.hub.run(), presence.run(), lag.run(self.worker),
            self.hub.sources.run(), self._share_key(), self.hub.keys.run(),
            self.hub.audit.run(self._keep_acts),
        )  # fmt: skip

    async def _keep_acts(self, acts: Sequence[Act]) -> None:
        await History(self.database).keep_acts(acts)

    async def _share_key(self) -> None:
        """All workers sign cookies with one key, so that a login is good for each of them."""
        while True:
            try:
                self.door.use_key(await self.bus.secret("cookie", secrets.token_urlsafe(32)))
            except BusError:
                await asyncio.sleep(RETRY_S)
            else:
                return


class IngestRole:
    """What agents and readers post to; keeps nothing."""

    def __init__(self, settings: Settings, door: Door) -> None:
        from ingest import app as ingest_app
        from ingest import metrics
        from ingest.limits import Limits
        from ingest.publish import Publisher
        from tower.screens import screen_of

        self.bus = _bus(settings)
        self.door = door
        self.drain = nothing
        limits = Limits()
        self.publisher = Publisher(self.bus, limits)
        machine = (socket.gethostname(), user_name())
        self.ingest = ingest_app.Ingest(self.publisher, limits, machine, screen_of(settings))
        self.keys = Mirror(self.bus, door)
        self.registries: list[CollectorRegistry] = [metrics.registry, door_metrics.registry]

    async def unready(self) -> str | None:
        """Whether the log takes anything."""
        try:
            await self.bus.lineage(0)
        except BusError as error:
            return f"the log is not there: {error}"
        return None

    def collect(self) -> None:
        """Its gauges are always up to date."""

    def app(self) -> ASGIApp:
        """The ingest routes behind the gate."""
        from ingest import app as ingest_app

        app = Starlette(routes=[*health.routes, *ingest_app.routes])
        app.state.role, app.state.ingest, app.state.registries = self, self.ingest, self.registries
        return Gate(app, self.door)

    def running(self, _listening: asyncio.Event) -> contextlib.AbstractAsyncContextManager[None]:
        """The queue behind the hooks."""
        return _beside(self.bus, self.publisher.run(), self.keys.run())


class RecorderRole:
    """History, checkpoints, trimming and what time alone changes; one of several leads."""

    def __init__(self, settings: Settings, door: Door) -> None:
        from history import metrics
        from history.recorder import Recorder
        from history.store import Store

        self.bus = _bus(settings)
        self.door = door
        self.database = make_database(settings, default=False)
        self.recorder = Recorder(self.bus, Store(self.database), FLUSH_S)
        self.recorder.retain_days = settings["retain_days"]
        self.recorder.audit_days = settings["audit_days"]
        self._migrate: bool = settings["auto_migrate"]
        self.keys = Mirror(self.bus, door, History(self.database))
        self.registries: list[CollectorRegistry] = [metrics.registry, door_metrics.registry]
        self.unready, self.collect, self.drain = (
            self.recorder.unready, self.recorder.collect, nothing,
        )  # fmt: skip

    def app(self) -> ASGIApp:
        """Health and metrics behind the gate."""
        return Gate(health.make_app(self, self.registries), self.door)

    def running(self, _listening: asyncio.Event) -> contextlib.AbstractAsyncContextManager[None]:
        """The recorder itself, once there is a database to record in."""
        return _beside(self.bus, self._record(), self.keys.run())

    async def _record(self) -> None:
        try:
            await prepare(self.database, migrate=self._migrate)
            await self.recorder.run()
        finally:
            await self.database.close()


async def greet(_role: Any, server: Server, settings: Settings) -> None:
    """One line, once the port answers."""
    print(f"Listening: http://{address_of(settings['host'], server.port)}/", flush=True)
