"""A hub worker: tails the log, folds, and flushes at its own pace.

Everything that changes state is one synchronous step; awaits stand only between steps.
Started by ``tower up`` and by ``tower hub``.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from bus.base import Batch, Bus, partition_of
from bus.position import ordinal_of
from history.errors import HistoryError
from hub import metrics
from hub.kept import Kept
from hub.live import handover
from hub.live.cache import Held, Key
from hub.live.switchboard import Switchboard
from hub.refold import Refold, begin
from session.delta import Delta
from session.state import STATUSES, Session

log = logging.getLogger(__name__)

SLICE_S = 0.005
FLUSH_WARN_S = 0.1
TRIM_RINGS_S = 60.0
UNREAD_S = 5.0
LOSS_TOLD_S = 10.0


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
        self.started_ms = now_ms()
        self.ready = asyncio.Event()
        self.folded: dict[int, int] = {}  # partition → ordinal of the last entry folded
        self._kept = kept
        self._progress = asyncio.Event()  # wakes whoever waits for the fold; it is never left set
        self._epochs: dict[int, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loss_told_s = -LOSS_TOLD_S
        self._reading: dict[Key, asyncio.Task[bool]] = {}  # sessions that somebody waits for
        self._unread: dict[Key, None] = {}  # sessions that go on without what was kept of them

    async def run(self) -> None:
        """Follow every partition until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for partition in range(self.bus.partitions):
                    tasks.create_task(self._follow(partition))
                tasks.create_task(self._trim())
                tasks.create_task(self._read_unread())
        finally:
            if self._timer is not None:
                self._timer.cancel()

    # Following the log.

    async def _follow(self, partition: int) -> None:
        """From the checkpoint to the log's end aside, then live; anew when the log lost some."""
        reason = ""
        while True:
            refold = await begin(self.bus, partition, self.board.limits, self._kept)
            is_live = refold.is_done
            if is_live:
                self._take_over(partition, refold, reason)
            async for batch in self.bus.tail(partition, refold.position):
                self._note(batch)
                if batch.lost and (is_live or await refold.is_outdated()):
                    break
                if is_live:
                    await self._take_in(batch)
                    continue
                await refold.take_in(batch)
                is_live = refold.is_done
                if is_live:
                    self._take_over(partition, refold, reason)
            else:
                return  # the log was closed
            if is_live:
                reason = "epoch" if batch.epoch != self._epochs[partition] else "trimmed"
                self._lose(partition, reason)

    def _lose(self, partition: int, reason: str) -> None:
        """What the board shows of this partition is no longer known to be true."""
        metrics.gaps_total.inc()
        log.warning("partition %d: the log lost entries (%s)", partition, reason)
        handover.lose(self.board, self._owns(partition), reason)
        self._tell_of_loss()

    def _tell_of_loss(self) -> None:
        """Once, though every partition notices it."""
        now_s = time.monotonic()
        if now_s - self._loss_told_s >= LOSS_TOLD_S:
            self._loss_told_s = now_s
            text = "The log lost entries: the board is read anew."
            self.board.notify("warning", "log_lost", text)

    def _note(self, batch: Batch) -> None:
        if batch.poison:
            metrics.poison_total.inc(batch.poison)

    def _owns(self, partition: int) -> Callable[[Key], bool]:
        count = self.bus.partitions
        return lambda key: partition_of(*key, count) == partition

    def _take_over(self, partition: int, refold: Refold, reason: str) -> None:
        """What was folded aside becomes the board's; a worker that has all of it is ready."""
        known = self._epochs.get(partition)
        if known is not None and known != refold.epoch:
            metrics.epoch_changes_total.inc()
        self._epochs[partition] = refold.epoch
        self._note_folded(partition, refold.ordinal)
        handover.replace(self.board, self._owns(partition), refold.held, reason, now_ms())
        for key, number in refold.deleted.items():
            self.board.cache.note_deleted(key, number)
        self.pump()
        if len(self.folded) == self.bus.partitions:
            self.ready.set()

    async def _take_in(self, batch: Batch) -> None:
        """Fold a batch in slices, so that flushes and sockets are never kept waiting."""
        partition = batch.partition
        if batch.epoch != self._epochs[partition]:
            metrics.epoch_changes_total.inc()
            self._epochs[partition] = batch.epoch
            handover.change_epoch(self.board, self._owns(partition), batch.epoch)
        began = time.perf_counter()
        for delta in batch.deltas:
            if self._kept is not None and self.board.cache.lacks(delta):
                was_read = await self.bring_back(delta.key, batch.epoch)
                if not was_read and delta.number > 1:
                    self._unread[delta.key] = None
            self._apply(delta, batch.epoch)
            if time.perf_counter() - began > SLICE_S:
                self.pump()
                await asyncio.sleep(0)
                began = time.perf_counter()
        self._note_folded(partition, ordinal_of(batch.position))
        self.pump()

    def _note_folded(self, partition: int, ordinal: int) -> None:
        self.folded[partition] = ordinal
        self._progress.set()
        self._progress.clear()

    def _apply(self, delta: Delta, epoch: str) -> None:
        try:
            self.board.apply((delta,), epoch, now_ms())
        except Exception:
            # One entry that the fold cannot digest must not stop its neighbours.
            metrics.poison_total.inc()
            log.exception("a delta of kind %r could not be folded", delta.kind)

    async def lag(self) -> int:
        """Log entries that are not folded yet; raises BusUnavailable."""
        ends = [await self.bus.position(each) for each in range(self.bus.partitions)]
        return sum(
            max(0, ordinal_of(end) - self.folded.get(partition, 0))
            for partition, end in enumerate(ends)
        )

    # Sessions that were let go.

    async def bring_back(self, key: Key, epoch: str | None = None) -> bool:
        """Restore a session that was let go, if there is one; False if nobody could tell.

        With an ``epoch`` it is to be folded on, without one to be shown with its timeline.
        """
        is_shown = epoch is None
        session, was_read = await self._read_kept(key, with_timeline=is_shown)
        if session is not None:
            if epoch is None:
                epoch = self._epochs.get(partition_of(*key, self.bus.partitions), "")
            handover.restore(self.board, session, epoch, now_ms(), has_ring=is_shown)
        return was_read

    async def _read_kept(self, key: Key, *, with_timeline: bool) -> tuple[Session | None, bool]:
        """What is kept of a session, and whether that could be told.

        What was kept before the session was let go is not enough: the rest is on its way.
        """
        if self._kept is None or self._is_unheard_of(self._kept, key):
            return None, True
        try:
            session = await self._kept.restore(*key, with_timeline=with_timeline)
        except HistoryError as error:
            log.warning("a session could not be restored: %s", error)
            session, is_whole = None, False
        except Exception:
            # What is kept must not stop the log, whatever it is.
            log.exception("a session could not be restored")
            session, is_whole = None, False
        else:
            if session is not None and self.board.cache.is_deleted(session):
                session = None
            is_whole = session is None or self.board.cache.is_whole(session)
        if not is_whole:
            self.board.cache.note_unread(key)
        return (session, True) if is_whole else (None, False)

    def _is_unheard_of(self, kept: Kept, key: Key) -> bool:
        """Whether nothing can be kept of a session: all that is came by here, and it did not."""
        cache = self.board.cache
        return kept.begins_empty and cache.remembers_all and not cache.knows(key)

    async def _read_unread(self) -> None:
        """Sessions that spoke while nobody could tell what is kept of them, tried again."""
        while True:
            await asyncio.sleep(UNREAD_S)
            for key in list(self._unread):
                held = self.board.cache.get(key)
                session, was_read = await self._read_kept(key, with_timeline=False)
                if held is None or (was_read and session is None):
                    del self._unread[key]
                elif session is not None and session.number >= held.session.number:
                    del self._unread[key]
                    anew = [Held(session, held.epoch, has_ring=False)]
                    handover.replace(self.board, {key}.__contains__, anew, "gap", now_ms())
                    self.pump()

    def lacks(self, workspace: str, session_id: str) -> bool:
        """Whether a session must be restored before it is opened."""
        is_kept = self._kept is not None or self.board.cache.knows((workspace, session_id))
        return is_kept and bool(self.board.cache.wanted(workspace, [session_id]))

    async def ensure(self, workspace: str, *ids: str) -> None:
        """Have these sessions in the cache with their timelines, before they are opened.

        None of them is let go while another one is read. The caller goes on in the same step.
        """
        keys = [(workspace, each) for each in self.board.cache.wanted(workspace, ids)]
        with contextlib.ExitStack() as kept:
            for key in keys:
                kept.enter_context(self.board.cache.keeping(key))
            await asyncio.gather(*map(self._bring_back_for_all, keys))

    async def _bring_back_for_all(self, key: Key) -> None:
        """One read for all who wait for the same session: after a start everybody does.

        Who is gone meanwhile does not end it for the others.
        """
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self.bring_back(key))
            reading.add_done_callback(lambda _: self._reading.pop(key))
        await asyncio.shield(reading)

    async def caught_up(self) -> None:
        """Returns once everything that is on the log by now is folded."""
        for partition in range(self.bus.partitions):
            end = ordinal_of(await self.bus.position(partition))
            while self.folded.get(partition, 0) < end:
                await self._progress.wait()

    async def reach(self, key: Key, number: int) -> None:
        """Returns once that delta of a session is folded, or the board has no such session."""
        while (held := self.board.cache.get(key)) is not None and held.session.number < number:
            await self._progress.wait()

    def pump(self) -> None:
        """Flush what is due, and come back when the next thing is."""
        began = time.perf_counter()
        made = self.board.flush(now_ms())
        took_s = time.perf_counter() - began
        if made:
            metrics.flush_seconds.observe(took_s)
            self.board.charge(took_s * 1000)
        waited = self.board.rooms.waited
        if waited:
            now = now_ms()
            for lane, received_ms in waited:
                metrics.broadcast_latency.labels(lane).observe(max(0, now - received_ms) / 1000)
            waited.clear()
        if took_s > FLUSH_WARN_S:
            log.warning(
                "a flush took %d ms: %d frames for %d clients in %d groups and %d channels",
                took_s * 1000, made, len(self.board.clients), len(self.board.rooms.groups),
                len(self.board.rooms.channels),
            )  # fmt: skip
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
                await self.trim_rings(self._kept)

    async def trim_rings(self, kept: Kept) -> None:
        """Free timelines that can be read again."""
        cache = self.board.cache
        try:
            numbers = await kept.numbers(cache.idle(now_ms()))
        except HistoryError as error:
            log.warning("nobody can tell which sessions are kept: %s", error)
            return
        cache.trim_rings(now_ms(), numbers)

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
        items = dict.fromkeys(metrics.ITEM_KINDS, 0)
        for lane in self.board.lanes.values():
            for item in lane.items(self.board.cache):
                items[item.kind] += 1
        for kind, count in items.items():
            metrics.attention.labels(kind).set(count)
        self._take_tally()

    def _take_tally(self) -> None:
        tally = self.board.tally
        for (kind, sharing), count in tally.frames.items():
            metrics.frames_total.labels(kind, sharing).inc(count)
        for reason, count in tally.evictions.items():
            metrics.evictions_total.labels(reason).inc(count)
        for reason, count in tally.snapshots.items():
            metrics.snapshots_total.labels(reason).inc(count)
        metrics.sent_bytes_total.inc(tally.sent_bytes)
        metrics.conflated_total.inc(tally.conflated)
        tally.clear()
