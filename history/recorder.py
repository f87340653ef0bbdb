"""The recorder: reads the log as a consumer group, and writes history in transactions.

Of several recorders the one that holds the lease records, trims, stores checkpoints and tells what
time alone changes; the others wait. Nothing is acknowledged before it is written, nothing trimmed
before it is written and in a checkpoint. Started by ``tower recorder`` and by ``tower up``.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterator

from bus.base import Bus
from bus.errors import BusError
from bus.position import ordinal_of
from history import housekeeping, metrics, timer
from history.change import Key
from history.errors import DatabaseUnavailable, Fenced, HistoryError
from history.scribe import Scribe
from history.store import Store
from session.state import Session

log = logging.getLogger(__name__)

LEASE = "recorder"
LEASE_MS = 15_000
RENEW_S = 5.0
LOOK_S = 1.0
RETRY_S = 0.5


class Recorder:
    """One recorder of several. ``is_leading`` is true for at most one of them.

    ``flush_s`` is how long a delta waits for others before they are written together;
    ``on_deleted`` hears of sessions that a person deleted, once they are.
    """

    def __init__(self, bus: Bus, store: Store, flush_s: float) -> None:
        self.bus = bus
        self.store = store
        self.is_leading = False
        self.retain_days: int | None = None  # past sessions are deleted after so long; never
        self.audit_days = 365  # so long it is kept who did what
        self.on_deleted: Callable[[Key], None] = _nobody
        self._flush_s = flush_s
        self._holder = secrets.token_hex(8)
        self._scribes: dict[int, Scribe] = {}
        self._is_dismissed = False  # the leader's work is cancelled
        self._written = asyncio.Event()  # wakes whoever waits; it is never left set
        self.led = asyncio.Event()  # set while this one leads and has read what was written

    def sessions(self) -> Iterator[Session]:
        """Every session at hand, of every partition; none where another one leads."""
        for scribe in list(self._scribes.values()):
            yield from list(scribe.sessions)

    async def caught_up(self) -> None:
        """Return once everything that is on the log by now is written."""
        for partition in range(self.bus.partitions):
            end = await self.bus.position(partition)
            while ordinal_of(end) and not self._has_written(partition, end):
                await self._written.wait()

    def _has_written(self, partition: int, place: str) -> bool:
        scribe = self._scribes.get(partition)
        return scribe is not None and scribe.has_written(place)

    def _tell_written(self) -> None:
        self._written.set()
        self._written.clear()

    async def unready(self) -> str | None:
        """Why the recorder cannot do its work, or None. One that waits for its turn is ready."""
        try:
            await self.bus.lineage(0)
        except BusError as error:
            return f"the log is not there: {error}"
        try:
            await self.store.database.check()
        except HistoryError as error:
            return f"the database is not ready: {error}"
        return None

    def collect(self) -> None:
        """Bring the gauges up to date."""
        metrics.leading.set(self.is_leading)
        waiting = [scribe.waiting_since_ms for scribe in self._scribes.values()]
        oldest = min((since for since in waiting if since is not None), default=None)
        metrics.lag.set(0.0 if oldest is None else max(0.0, time.time() - oldest / 1000))
        stored = sum(scribe.checkpoint_bytes for scribe in self._scribes.values())
        metrics.checkpoint_bytes.set(stored)

    async def run(self) -> None:
        """Lead when it is this one's turn, until cancelled."""
        work: asyncio.Task[None] | None = None
        try:
            while True:
                self.is_leading = await self._holds_lease()
                work = self._see_to(work)
                await asyncio.sleep(RENEW_S if self.is_leading else LOOK_S)
        finally:
            self._is_dismissed = True
            if work is not None:
                await _ended(work)
            if self.is_leading:
                await self._step_down()

    def _see_to(self, work: asyncio.Task[None] | None) -> asyncio.Task[None] | None:
        """The leader's work goes on while it leads, whatever becomes of it."""
        if work is not None and work.done():
            log.error("the leader's work failed and begins anew", exc_info=work.exception())
            work = None
        if self.is_leading and work is None:
            log.info("this recorder leads")
            self._is_dismissed = False
            return asyncio.create_task(self._lead())
        if not self.is_leading and work is not None:
            log.warning("this recorder leads no more")
            self._is_dismissed = True
            work.cancel()
            return None
        return work

    async def _holds_lease(self) -> bool:
        """Take or renew it; a log that does not answer may have given it to another."""
        try:
            return await self.bus.lease(LEASE, self._holder, LEASE_MS)
        except BusError:
            return False

    async def _step_down(self) -> None:
        self.is_leading = False
        try:
            await self.bus.release(LEASE, self._holder)
        except BusError:
            log.debug("the lease is not released and will run out")

    async def _lead(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for partition in range(self.bus.partitions):
                    tasks.create_task(self._record(partition))
                tasks.create_task(timer.run(self.bus, self.sessions, self.store))
                tasks.create_task(
                    housekeeping.run(
                        self.bus, self.store.database, self.retain_days, self.audit_days
                    )
                )
        finally:
            self._scribes.clear()
            self.led.clear()

    def _tell_deleted(self, key: Key) -> None:
        self.on_deleted(key)

    async def _record(self, partition: int) -> None:
        """Record one partition for ever; after every failure from where it is written."""
        while True:
            scribe = Scribe(self.bus, self.store, partition, self._holder, self._flush_s)
            scribe.on_deleted, scribe.on_written = self._tell_deleted, self._tell_written
            try:
                await scribe.begin()
                self._scribes[partition] = scribe
                self._tell_written()
                if len(self._scribes) == self.bus.partitions:
                    self.led.set()
                await scribe.run()
            except* Fenced as errors:
                log.warning("%s", errors.exceptions[0])
            except* (BusError, DatabaseUnavailable) as errors:
                log.warning("partition %d is not recorded: %s", partition, errors.exceptions[0])
            if self._is_dismissed:
                return  # a failure that came with the cancellation has hidden it
            await asyncio.sleep(RETRY_S)


def _nobody(_key: Key) -> None:
    """Nobody needs to hear of it."""


async def _ended(work: asyncio.Task[None]) -> None:
    """Cancel, and wait until what was being written is written."""
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
