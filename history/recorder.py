"""The recorder: folds the log like a hub, and the one that leads stores checkpoints and trims.

All of them fold, so that another can lead at once; a lease tells which one does. Only the leader
appends what time alone changes. Started by ``tower recorder``.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator

from bus.base import Bus
from bus.errors import BusError
from bus.position import NOWHERE, ordinal_of
from history import metrics, timer
from history.ledger import Ledger
from session.state import Session

log = logging.getLogger(__name__)

LEASE = "recorder"
LEASE_MS = 15_000
RENEW_S = 5.0
LOOK_S = 1.0
STORE_S = 10.0
RETRY_S = 0.5


class Recorder:
    """One recorder of several. ``is_leading`` is true for at most one of them."""

    def __init__(self, bus: Bus, store_s: float = STORE_S) -> None:
        self.bus = bus
        self.is_leading = False
        self.ledgers = [Ledger(partition) for partition in range(bus.partitions)]
        self._store_s = store_s
        self._holder = secrets.token_hex(8)
        self._caught_up: set[int] = set()

    def sessions(self) -> Iterator[Session]:
        """Every session of every partition."""
        for ledger in self.ledgers:
            yield from ledger.sessions

    async def unready(self) -> str | None:
        """Why the recorder cannot do its work, or None."""
        if len(self._caught_up) < len(self.ledgers):
            return "the log is not folded yet"
        return None

    def collect(self) -> None:
        """Bring the gauges up to date."""
        metrics.leading.set(self.is_leading)
        metrics.checkpoint_bytes.set(sum(ledger.stored_bytes for ledger in self.ledgers))

    async def run(self) -> None:
        """Fold, and lead when it is this one's turn, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for ledger in self.ledgers:
                    tasks.create_task(self._follow(ledger))
                tasks.create_task(self._lead())
        finally:
            if self.is_leading:
                await self._step_down()

    async def _follow(self, ledger: Ledger) -> None:
        while True:
            try:
                end = await self.bus.position(ledger.partition)
                await ledger.load(self.bus)
            except BusError as error:
                log.warning("partition %d: the log is not there: %s", ledger.partition, error)
                await asyncio.sleep(RETRY_S)
                continue
            if await self._fold(ledger, end):
                return

    async def _fold(self, ledger: Ledger, end: str) -> bool:
        """Follow the log; False when it lost entries, and what was folded may never have been."""
        is_first = True
        self._note_end(ledger, end)
        begins_at = ledger.position or (NOWHERE if ordinal_of(end) else None)
        async for batch in self.bus.tail(ledger.partition, begins_at):
            if batch.lost and ledger.position is not None:
                metrics.lost_total.inc()
                log.warning("partition %d: the log lost entries", ledger.partition)
            if batch.lost and (not is_first or await ledger.is_outdated(self.bus)):
                return False
            ledger.take_in(batch, is_first=is_first)
            is_first = False
            self._note_lag(batch.deltas[-1].received_at if batch.deltas else 0)
            self._note_end(ledger, end)
            await asyncio.sleep(0)
        return True

    def _note_end(self, ledger: Ledger, end: str) -> None:
        """Ready once everything is folded that the log held at the start."""
        if ordinal_of(ledger.position or "") >= ordinal_of(end):
            self._caught_up.add(ledger.partition)

    @staticmethod
    def _note_lag(received_at: int) -> None:
        if received_at:
            metrics.lag.set(max(0.0, time.time() - received_at / 1000))

    # Leading.

    async def _lead(self) -> None:
        work: asyncio.Task[None] | None = None
        try:
            while True:
                self.is_leading = await self._holds_lease()
                work = self._see_to(work)
                await asyncio.sleep(RENEW_S if self.is_leading else LOOK_S)
        finally:
            if work is not None:
                work.cancel()

    def _see_to(self, work: asyncio.Task[None] | None) -> asyncio.Task[None] | None:
        """The leader's work goes on while it leads, whatever becomes of it."""
        if work is not None and work.done():
            log.error("the leader's work failed and begins anew", exc_info=work.exception())
            work = None
        if self.is_leading and work is None:
            log.info("this recorder leads")
            return asyncio.create_task(self._work())
        if not self.is_leading and work is not None:
            log.warning("this recorder leads no more")
            work.cancel()
            return None
        return work

    async def _holds_lease(self) -> bool:
        """Take or renew it; a log that does not answer may have given it to another."""
        if await self.unready() is not None:
            return False
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

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(timer.run(self.bus, lambda: list(self.sessions())))
            tasks.create_task(self._store())

    async def _store(self) -> None:
        """Checkpoints of all partitions, one after the other so that the loop is never held up."""
        while True:
            for ledger in self.ledgers:
                try:
                    await ledger.store(self.bus)
                except BusError as error:
                    log.warning("partition %d is not stored: %s", ledger.partition, error)
                await asyncio.sleep(self._store_s / len(self.ledgers))
