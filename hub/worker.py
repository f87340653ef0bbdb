"""A hub worker: tails the log, folds, and flushes at its own pace.

Everything that changes state is one synchronous step; awaits stand only between steps.
Started by ``tower up`` and by ``tower hub``.
"""

import asyncio
import logging
import time
from typing import Protocol

from bus.base import Batch, Bus, partition_of
from bus.position import ordinal_of
from hub import metrics
from hub.live.cache import Key
from hub.live.switchboard import Switchboard, wanted
from session.delta import Delta
from session.state import STATUSES, Session

log = logging.getLogger(__name__)

SLICE_S = 0.005
TRIM_RINGS_S = 60.0


class Kept(Protocol):
    """Where sessions that were let go come from again."""

    def has(self, workspace: str, session_id: str) -> bool:
        """Whether the session, with its timeline, can be restored."""
        ...

    async def restore(self, workspace: str, session_id: str) -> Session | None:
        """The session as far as it is kept, or None."""
        ...


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Worker:
    """One switchboard fed by one log. ``ready`` is set once the log's tail is folded.

    Without ``kept`` (a worker that has no history) nothing is let go that can be kept.
    """

    def __init__(self, bus: Bus, board: Switchboard, kept: Kept | None = None) -> None:
        self.bus = bus
        self.board = board
        self.ready = asyncio.Event()
        self._kept = kept
        self._epochs: dict[int, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._caught_up: set[int] = set()

    async def run(self) -> None:
        """Tail every partition until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for partition in range(self.bus.partitions):
                    tasks.create_task(self._tail(partition))
                tasks.create_task(self._trim())
        finally:
            if self._timer is not None:
                self._timer.cancel()

    async def _tail(self, partition: int) -> None:
        self._epochs[partition] = await self.bus.lineage(partition)
        end = ordinal_of(await self.bus.position(partition))
        self._note_folded(partition, 0, end)
        async for batch in self.bus.tail(partition, None):
            await self._take_in(batch)
            self._note_folded(partition, ordinal_of(batch.position), end)

    def _note_folded(self, partition: int, ordinal: int, end: int) -> None:
        """Ready once every partition is folded up to where its log ended at the start."""
        if ordinal >= end:
            self._caught_up.add(partition)
            if len(self._caught_up) == self.bus.partitions:
                self.ready.set()

    async def _take_in(self, batch: Batch) -> None:
        """Fold a batch in slices, so that flushes and sockets are never kept waiting."""
        if batch.poison:
            metrics.poison_total.inc(batch.poison)
        if batch.lost:
            metrics.gaps_total.inc()
        if batch.epoch != self._epochs.get(batch.partition):
            metrics.epoch_changes_total.inc()
            self._epochs[batch.partition] = batch.epoch
        began = time.perf_counter()
        for delta in batch.deltas:
            if self.board.cache.lacks(delta):
                await self.bring_back(delta.key, batch.epoch)
            self._apply(delta, batch.epoch)
            if time.perf_counter() - began > SLICE_S:
                self.pump()
                await asyncio.sleep(0)
                began = time.perf_counter()
        self.pump()

    def _apply(self, delta: Delta, epoch: str) -> None:
        try:
            self.board.apply((delta,), epoch, now_ms())
        except Exception:
            # One entry that the fold cannot digest must not stop its neighbours.
            metrics.poison_total.inc()
            log.exception("a delta of kind %r could not be folded", delta.kind)

    async def bring_back(self, key: Key, epoch: str | None = None) -> bool:
        """Restore a session that was let go; False if nothing is known of it."""
        if self._kept is None:
            return False
        try:
            session = await self._kept.restore(*key)
        except Exception:
            # A transcript that cannot be read must not stop the log.
            log.exception("a session could not be restored")
            return False
        if session is None:
            return False
        if epoch is None:
            epoch = self._epochs.get(partition_of(*key, self.bus.partitions), "")
        self.board.restore(session, epoch, now_ms())
        return True

    async def ensure(self, workspace: str, *ids: str) -> None:
        """Have these sessions in the cache with their timelines, before they are opened.

        None of them is let go while another one is read. The caller goes on in the same step.
        """
        keys = [(workspace, each) for each in wanted(self.board, workspace, ids)]
        pinned = self.board.cache.pinned
        for key in keys:
            pinned[key] = pinned.get(key, 0) + 1
        try:
            for key in keys:
                if self.board.cache.knows(key):
                    await self.bring_back(key)
        finally:
            for key in keys:
                pinned[key] -= 1
                if not pinned[key]:
                    del pinned[key]

    def pump(self) -> None:
        """Flush what is due, and come back when the next thing is."""
        began = time.perf_counter()
        made = self.board.flush(now_ms())
        took_s = time.perf_counter() - began
        if made:
            metrics.flush_seconds.observe(took_s)
            self.board.charge(took_s * 1000)
        for lane, latency_ms in self.board.rooms.latencies_ms:
            metrics.broadcast_latency.labels(lane).observe(latency_ms / 1000)
        self.board.rooms.latencies_ms.clear()
        self.schedule()

    def schedule(self) -> None:
        """Set the timer to the next due time; after anything that may have changed it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.board.next_due_ms()
        if due is not None:
            delay_s = max(0.0, (due - now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self.pump)

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(TRIM_RINGS_S)
            if self._kept is not None:
                self.board.cache.trim_rings(now_ms(), self._kept.has)

    def collect(self) -> None:
        """Bring the gauges up to date, when they are asked for."""
        counts = dict.fromkeys(STATUSES, 0)
        for totals in self.board.cache.totals.values():
            for status, count in totals.status.items():
                counts[status] += count  # type: ignore[index]
        for status, count in counts.items():
            metrics.sessions.labels(status).set(count)
        states = {"live": 0, "behind": 0, "closing": 0}
        opened = 0
        for client in self.board.clients.values():
            states[client.state] += 1
            opened += len(client.subscriptions)
        for state, count in states.items():
            metrics.clients.labels(state).set(count)
        metrics.subscriptions.set(opened)
        for reason, count in self.board.evictions.items():
            metrics.evictions_total.labels(reason).inc(count)
        self.board.evictions.clear()
