"""Folding one partition aside: from its checkpoint to where its log ended when it began.

Nobody sees the state before it is whole, so that no board goes back in time while it is built.
Never raises for a checkpoint that cannot be read: then the log alone tells. Called by the worker.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bus.base import Batch, Bus, Checkpoint
from bus.errors import BusError
from bus.position import NOWHERE, ordinal_of, parse
from history.errors import HistoryError
from hub import metrics
from hub.kept import Kept
from hub.limits import Limits
from hub.live.cache import Cache, Held, Key
from session import checkpoint
from session.errors import InvalidCheckpoint

log = logging.getLogger(__name__)

T = TypeVar("T")

SLICE_S = 0.005
RETRY_S = 0.5
READS = 4
SETTLE_S = 0.2
SETTLES = 15
"""So often history is looked at again until the recorder has noticed a loss too; then no more."""


class Refold:
    """One partition's sessions on their way. ``is_done`` once the log's end is reached."""

    def __init__(self, bus: Bus, partition: int, limits: Limits, kept: Kept | None) -> None:
        self.epoch = ""
        self.position: str | None = None
        self.ordinal = 0
        self._bus = bus
        self._partition = partition
        self._limits = limits
        self._kept = kept
        self._end = 0
        self._stored_epoch = ""
        self._has_begun = False
        self._cache = Cache(limits)
        self._former: dict[Key, int] = {}  # so much of what was told before is not folded again

    @property
    def is_done(self) -> bool:
        """Whether everything is folded that the log held when this began."""
        return self._stored_epoch == self.epoch and self.ordinal >= self._end

    @property
    def held(self) -> list[Held]:
        """The sessions, as a board takes them over: their cursors are of the log's epoch."""
        for held in self._cache.held.values():
            held.epoch = self.epoch
        return list(self._cache.held.values())

    @property
    def deleted(self) -> dict[Key, int]:
        """Sessions that were deleted on the way, and at which number."""
        return self._cache.deleted

    async def look(self) -> None:
        """Read the checkpoint and where the log ends now; waits for a log that is not there."""
        while True:
            try:
                self.epoch = await self._bus.lineage(self._partition)
                self._end = ordinal_of(await self._bus.position(self._partition))
                stored = await self._bus.load_checkpoint(self._partition)
            except BusError as error:
                log.warning("partition %d: the log is not there: %s", self._partition, error)
                await asyncio.sleep(RETRY_S)
            else:
                break
        self._cache = Cache(self._limits)
        self._former.clear()
        self.position = NOWHERE if self._end else None
        self.ordinal = 0
        self._stored_epoch = self.epoch  # until it is met, nobody knows whether it holds another
        if stored is not None:
            self._load(stored)
        elif self._kept is not None:
            await self._load_kept(self._kept)

    async def _load_kept(self, kept: Kept) -> None:
        """A log without a checkpoint is new, or lost it: history has not.

        What history has recorded is not folded a second time, though the log still holds it.
        """
        try:
            board = await _there(lambda: kept.board(self._partition))
            for _ in range(SETTLES):
                if board.is_settled:
                    break
                await asyncio.sleep(SETTLE_S)
                board = await _there(lambda: kept.board(self._partition))
        except HistoryError as error:
            log.warning("what is kept cannot be read: %s", error)
            return
        for session in board.sessions:
            self._cache.put(Held(session, self.epoch, has_ring=session.timeline.seq == 0))
        if board.place is not None:
            self.position, self._stored_epoch = board.place, parse(board.place).epoch
            self.ordinal = ordinal_of(board.place)

    async def _find_end(self) -> int:
        while True:
            try:
                return ordinal_of(await self._bus.position(self._partition))
            except BusError:
                await asyncio.sleep(RETRY_S)

    def _load(self, stored: Checkpoint) -> None:
        """Begin with a stored state; one that cannot be read is left aside."""
        try:
            saved = checkpoint.unpack(stored.data)
        except InvalidCheckpoint as error:
            log.warning("a checkpoint cannot be read, so the log is: %s", error)
            return
        for session, epoch in saved:
            # Series are not in a checkpoint: what was in the ring is no longer here.
            self._cache.put(Held(session, epoch, has_ring=session.timeline.seq == 0))
        self.position, self._stored_epoch = stored.position, stored.epoch
        self.ordinal = ordinal_of(stored.position)

    def _forget_numbers(self) -> None:
        """The log is another one than the checkpoint's: its numbers begin anew."""
        for held in self._cache.held.values():
            held.session.number = 0

    async def is_outdated(self) -> bool:
        """Entries are gone: whether another checkpoint is there than the one this began with.

        Once something was folded, it may have been of what is gone.
        """
        before = self.position
        if not self._has_begun:
            await self.look()
        return self._has_begun or self.position != before

    async def take_in(self, batch: Batch) -> None:
        """Fold a batch, letting the loop turn now and then."""
        if batch.lost:
            self._note_loss(batch)
        self._has_begun = True
        if batch.epoch != self.epoch:
            self._end = await self._find_end()  # the one that was told is of another log
        self.epoch = self._stored_epoch = batch.epoch
        if self._kept is not None:
            await self._bring_all_back(self._kept, batch)
        began = time.perf_counter()
        for place, delta in enumerate(batch.deltas):
            if place < batch.former and delta.number <= self._former.get(delta.key, 0):
                continue
            try:
                if self._cache.apply(delta, batch.epoch, 0).deleted:
                    self._cache.drop(delta.key)
                    self._cache.note_deleted(delta.key, delta.number)
            except Exception:
                metrics.poison_total.inc()
                log.exception("a delta of kind %r could not be folded", delta.kind)
            if time.perf_counter() - began > SLICE_S:
                await asyncio.sleep(0)
                began = time.perf_counter()
        self.ordinal = ordinal_of(batch.position)

    async def _bring_all_back(self, kept: Kept, batch: Batch) -> None:
        """What history keeps of the sessions that are spoken of, some at once."""
        wanted: dict[Key, bool] = {}
        for place, delta in enumerate(batch.deltas):
            if self._cache.lacks(delta):
                wanted.setdefault(delta.key, place < batch.former)
        rest = deque(wanted.items())

        async def read() -> None:
            while rest:
                key, is_former = rest.popleft()
                await self._bring_back(kept, key, is_former=is_former)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(READS, len(rest))):
                tasks.create_task(read())

    async def _bring_back(self, kept: Kept, key: Key, *, is_former: bool) -> None:
        """A session that no checkpoint holds and that is spoken of again.

        What the log told before it lost its end may stand in it, though its numbers begin anew.
        """
        try:
            session = await _there(lambda: kept.restore(*key, with_timeline=False))
            if is_former and session is not None and not session.number:
                self._former[key], _ = await _there(lambda: kept.former(key))
        except HistoryError as error:
            log.warning("a session could not be restored: %s", error)
            return
        if session is not None and not self._cache.is_deleted(session):
            self._cache.put(Held(session, self.epoch, has_ring=not session.timeline.seq))

    def _note_loss(self, batch: Batch) -> None:
        """The log does not hold the place of its own checkpoint, which is the best there is."""
        if batch.epoch != self._stored_epoch:
            self._forget_numbers()
        elif self.position != NOWHERE:
            metrics.gaps_total.inc()
            log.warning("partition %d: the log goes on behind its checkpoint", self._partition)


async def _there(ask: Callable[[], Awaitable[T]]) -> T:
    """An answer for which the log is asked as well; waits for one that is not there."""
    while True:
        try:
            return await ask()
        except BusError as error:
            log.warning("the log is not there: %s", error)
            await asyncio.sleep(RETRY_S)


async def begin(bus: Bus, partition: int, limits: Limits, kept: Kept | None = None) -> Refold:
    """Read the checkpoint and where the log ends now; waits for a log that is not there."""
    refold = Refold(bus, partition, limits, kept)
    await refold.look()
    return refold
