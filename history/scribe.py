"""One partition being recorded: read, fold, write, acknowledge, store a checkpoint, trim.

Reading goes on while the database is away, as far as memory allows; what was read and not written
stays pending in the log. Never acknowledges what is not written. Called by the recorder.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import asdict

from bus.base import Bus, Checkpoint, Delivery, Group, partition_of
from bus.errors import BusError
from bus.position import ordinal_of
from history import metrics
from history.change import Change, Key, Step
from history.errors import DatabaseUnavailable, HistoryError
from history.first_board import PAST_MAX
from history.ledger import Ledger
from history.missed import missed
from history.rows import Row
from history.store import Store
from session.state import Session

log = logging.getLogger(__name__)

GROUP = "recorder"
READ_DELTAS_MAX = 500
READ_MS = 1_000
SLICE_S = 0.002
STEP_ROWS = 2_000
"""About so many rows are written at once; beyond, folding waits for the database if it is there."""

WAITING_DELTAS_MAX = 20_000
"""Read and not written; beyond, nothing more is read until the database takes some."""

RECLAIM_S = 30.0
CHECKPOINT_S = 10.0
KEEP_S = 60.0
"""So much of the log stays behind a checkpoint, for hubs that lag and clients that resume."""

RETRY_S = 0.5
RETRY_S_MAX = 5.0
CLOSE_S = 5.0


class Scribe:
    """Whoever makes one calls ``begin`` and then ``run``, which ends only by a failure."""

    def __init__(
        self, bus: Bus, store: Store, partition: int, consumer: str, flush_s: float
    ) -> None:
        self.checkpoint_bytes = 0
        self.waiting_since_ms: int | None = None
        self.on_deleted: Callable[[Key], None]
        self.on_written: Callable[[], None]
        self._bus = bus
        self._store = store
        self._partition = partition
        self._consumer = consumer
        self._flush_s = flush_s
        self._ledger: Ledger
        self._group: Group
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._is_hurried = asyncio.Event()
        self._is_drained = asyncio.Event()
        self._is_drained.set()
        self._step: tuple[Step, list[str]] | None = None  # taken, and not known to be written
        self._stored: deque[tuple[float, str]] = deque()  # when, and the position, oldest first
        self._read_since_ms: int | None = None  # the oldest that came after that step
        self._is_changed = False
        self._is_away = False  # the database
        self._is_torn = False  # a step is being made
        self._is_taken = asyncio.Event()
        self._still = asyncio.Lock()  # held by whoever folds, and by whoever makes a step

    @property
    def sessions(self) -> Iterator[Session]:
        """Every session at hand."""
        return self._ledger.sessions

    def has_written(self, place: str) -> bool:
        """Whether what stands at a place of the log is in the database."""
        return self._ledger.has_written(place)

    async def begin(self) -> None:
        """Take over from where history is written."""
        self._group = await self._bus.group(GROUP, self._consumer, self._partition)
        position = await self._store.position(self._partition)
        self._ledger = Ledger(self._partition, position)
        for row in await self._store.board(PAST_MAX):
            if self._owns(row):
                self._ledger.adopt([row])
                await asyncio.sleep(0)  # the live path has its turn in between
        is_held = await self._bus.holds(self._partition, position.place)
        if position.place and not is_held:
            self._ledger.begin_count(await self._bus.lineage(self._partition))
            step, _ = self._ledger.take()
            await self._store.commit(step)
            self._ledger.note_written(step)
        self._is_changed = is_held

    def _owns(self, row: Row) -> bool:
        """Whether a session is of this partition: the database has those of all."""
        count = self._bus.partitions
        return partition_of(row["workspace"], row["id"], count) == self._partition

    async def run(self) -> None:
        """Record until something fails; what is folded by then is written if it can be."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._read())
                tasks.create_task(self._write())
                tasks.create_task(self._keep_checkpoints())
        except asyncio.CancelledError:
            await self._write_the_rest()
            raise

    # Reading.

    async def _read(self) -> None:
        """What was delivered before and not written comes first, and again now and then."""
        while True:
            reclaimed = await self._reclaim()
            until = time.monotonic() + RECLAIM_S
            while time.monotonic() < until:
                await self._room.wait()
                deliveries = await self._group.read(READ_DELTAS_MAX, READ_MS)
                await asyncio.sleep(0)  # a board in the same process shows it first
                await self._take_in(deliveries)
            metrics.reclaimed_total.inc(reclaimed)

    async def _reclaim(self) -> int:
        """This consumer's own and everybody else's: who leads is alone.

        The log gives this consumer's own first. So that these do not hide the others', nor one
        part the next, each part is written and acknowledged before the next one is asked for.
        """
        count = 0
        while not self._ledger.waiting:
            found = await self._group.reclaim(0, READ_DELTAS_MAX)
            places = [each.position for each in found]
            await self._group.ack([each for each in places if self._ledger.has_written(each)])
            fresh = [each for each in found if not self._ledger.has_taken(each.position)]
            await self._take_in(fresh)
            count += len(fresh)
            if not found:
                break
            await self._drained()
        return count

    async def _drained(self) -> None:
        """Return when all that was taken in is written and acknowledged."""
        self._is_hurried.set()
        await self._is_drained.wait()
        self._is_hurried.clear()

    async def _take_in(self, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        ordered = await self._completed(deliveries)
        async for part in missed(self._bus, self._ledger, ordered[0]):
            await self._fold(part)
        await self._fold(ordered)

    async def _fold(self, ordered: Sequence[Delivery]) -> None:
        """As they follow each other."""
        if unknown := self._ledger.unknown(ordered):
            self._ledger.adopt(await self._states(unknown))
        rest = deque(ordered)
        while rest:
            received_at = rest[0].delta.received_at
            async with self._still:
                self._fold_some(rest)
            self._note_waiting(received_at)
            await asyncio.sleep(0)  # sockets and hooks have their turn in between
            if self._ledger.rows_waiting >= STEP_ROWS and not self._is_away:
                await self._room_in_step()

    def _fold_some(self, rest: deque[Delivery]) -> None:
        """As many as a moment allows, one at least."""
        began = time.perf_counter()
        while rest and time.perf_counter() - began < SLICE_S:
            self._ledger.take_in(rest.popleft())

    async def _room_in_step(self) -> None:
        """Return when what is folded is in a step: it is written while the next one is folded."""
        self._is_hurried.set()
        self._is_taken.clear()
        await self._is_taken.wait()
        self._is_hurried.clear()

    def _note_waiting(self, received_at: int) -> None:
        """Something is folded that is not written."""
        if self.waiting_since_ms is None:
            self.waiting_since_ms = received_at
        elif self._step is not None and self._read_since_ms is None:
            self._read_since_ms = received_at
        self._news.set()
        self._is_drained.clear()
        if self._ledger.waiting >= WAITING_DELTAS_MAX:
            self._room.clear()

    async def _completed(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """In the log's order, with what lies between and was given to another consumer."""
        found = {each.position: each for each in deliveries}
        while True:
            ordered = sorted(found.values(), key=_ordinal)
            if not self._ledger.misses([each.position for each in ordered]):
                return ordered
            await self._drained()  # else what this consumer has would hide what others have
            more = await self._group.reclaim(0, len(found) + READ_DELTAS_MAX)
            fresh = {each.position: each for each in more if each.position not in found}
            if not fresh:
                return ordered
            found |= fresh

    async def _states(self, keys: Sequence[Key]) -> list[Row]:
        """Sessions as they are written; waits for a database that is away."""
        while True:
            try:
                return await self._store.states(keys)
            except DatabaseUnavailable as error:
                self._tell(error)
                await asyncio.sleep(RETRY_S)

    # Writing.

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._flush_s):
                    await self._is_hurried.wait()
            await self._flush()

    async def _flush(self) -> None:
        """Write what there is and acknowledge it; the same again until the database takes it."""
        self._news.clear()
        if self._step is None:
            self._step = await self._take()
        step, acks = self._step
        if step.before != step.after:
            await self._commit(step)
            self._is_changed = True
        await self._conclude(step, acks)

    async def _conclude(self, step: Step, acks: list[str]) -> None:
        """It is written."""
        self._ledger.note_written(step)
        for change in step.changes:
            if change.is_deleted:
                self.on_deleted(change.key)
        self._step = None
        self.waiting_since_ms, self._read_since_ms = self._read_since_ms, None
        await self._group.ack(acks)
        self._ledger.note_acked(len(acks))
        if self._ledger.waiting < WAITING_DELTAS_MAX:
            self._room.set()
        if not self._ledger.waiting:
            self._is_drained.set()
        self.on_written()

    async def _take(self) -> tuple[Step, list[str]]:
        """The next step; its rows are made while nothing is folded, and everybody else goes on."""
        async with self._still:
            self._is_torn = True
            changes: list[Change] = []
            for change in self._ledger.changes():
                changes.append(change)
                await asyncio.sleep(0)
            taken = self._ledger.take(changes)
            self._is_torn = False
            self._is_taken.set()
            return taken

    async def _commit(self, step: Step) -> None:
        began, pause_s = time.perf_counter(), RETRY_S
        while True:
            try:
                spent = await self._store.commit(step)
            except DatabaseUnavailable as error:
                self._tell(error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_S_MAX)
            except HistoryError:
                raise
            except Exception:
                log.exception("partition %d: a step is refused, and taken apart", self._partition)
                await self._commit_apart(step)
                break
            else:
                metrics.count_spent(asdict(spent))
                break
        self._is_away = False
        metrics.commit_seconds.observe(time.perf_counter() - began)
        _count_rows(step.changes)

    async def _commit_apart(self, step: Step) -> None:
        """Each session alone, so that the one that cannot be written holds up no other."""
        for change in step.changes:
            try:
                alone = Step(step.partition, step.before, step.before, [change])
                metrics.count_spent(asdict(await self._store.commit(alone)))
            except HistoryError:
                raise
            except Exception:
                metrics.rejected_total.inc()
                log.exception("what is new of session %s cannot be written", change.key)
        await self._store.commit(Step(step.partition, step.before, step.after))

    def _tell(self, error: DatabaseUnavailable) -> None:
        self._is_away = True
        for each in (self._is_drained, self._is_taken):
            each.set()  # nobody waits for a database that is away: what comes is folded
        metrics.failures_total.inc()
        log.warning("partition %d waits for its database: %s", self._partition, error)

    async def _write_the_rest(self) -> None:
        """The end of an orderly stop: nothing that was folded is left to be read again."""
        if self._is_torn:
            return  # a step was being made: of some sessions what is new is no longer known
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._conclude_cut_off()
                await self._flush()
                await self._store_checkpoint()
        except Exception as error:  # noqa: BLE001 - it stays pending in the log, where it is safe
            log.warning("partition %d: the rest is not written: %s", self._partition, error)

    async def _conclude_cut_off(self) -> None:
        """The step that was being written when this was cancelled, where it was written."""
        if self._step is not None:
            step, acks = self._step
            if await self._store.position(self._partition) == step.after:
                await self._conclude(step, acks)

    # Checkpoints for the hubs, and the end of the log.

    async def _keep_checkpoints(self) -> None:
        while True:
            try:
                await self._store_checkpoint()
                await self._trim()
            except BusError as error:
                log.warning("partition %d has no new checkpoint: %s", self._partition, error)
            await asyncio.sleep(CHECKPOINT_S)

    async def _store_checkpoint(self) -> None:
        """What is folded, for hubs to begin with."""
        position = self._ledger.position
        if not self._is_changed:
            return
        if not await self._bus.holds(self._partition, position.place):
            return  # the log is another one by now, and has told nothing yet
        began = time.perf_counter()
        data = self._ledger.packed()
        self._is_changed = False
        try:
            stored = Checkpoint(position.epoch, position.place, data)
            await self._bus.save_checkpoint(self._partition, stored)
        except BusError:
            self._is_changed = True
            raise
        self.checkpoint_bytes = len(data)
        self._stored.append((time.monotonic(), position.place))
        metrics.checkpoint_seconds.observe(time.perf_counter() - began)

    async def _trim(self) -> None:
        """Up to the newest checkpoint that is old enough, and no further than is written."""
        place: str | None = None
        while self._stored and time.monotonic() - self._stored[0][0] >= KEEP_S:
            if not self._ledger.has_written(self._stored[0][1]):
                break
            place = self._stored.popleft()[1]
        if place is not None:
            metrics.trimmed_total.inc(await self._bus.trim(self._partition, place))


def _ordinal(delivery: Delivery) -> int:
    return ordinal_of(delivery.position)


def _count_rows(changes: Sequence[Change]) -> None:
    for table, count in (
        ("sessions", len(changes)),
        ("session_events", sum(len(each.events) for each in changes)),
        ("usage", sum(len(each.usage) for each in changes)),
    ):
        metrics.rows_total.labels(table).inc(count)
