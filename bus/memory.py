"""The log in memory, for one service: one partition, bounded, deltas shared by reference.

Never encodes for its readers, never polls, never outlives the process: every start is a new
epoch. Called through ``bus.connect``.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from bus.base import Batch, Checkpoint, Delivery, Receipt
from bus.errors import BusClosed, BusUnavailable
from bus.limits import BATCH_DELTAS_MAX, REPLY_MS_MAX
from bus.memory_group import GroupState, MemoryGroup
from bus.memory_notes import MemoryNotes
from bus.memory_ring import Reader, Ring, Seen, size_of
from bus.memory_signals import MemorySignals
from bus.position import Position, parse
from bus.shared import Note, Signal
from session import codec
from session.delta import Delta

Clock = Callable[[], int]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def wall_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def base36(value: int) -> str:
    """A number in few characters."""
    text = ""
    while value or not text:
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return text


class MemoryBus:
    """One partition. Every method changes state without awaiting inside the change."""

    partitions = 1

    def __init__(
        self, clock: Clock = wall_ms, wait_ms: int = REPLY_MS_MAX, ring: Ring | None = None
    ) -> None:
        self._clock = clock
        self._wait_ms = wait_ms
        self._ring = Ring() if ring is None else ring
        self._epoch = "m" + base36(clock())
        self._numbers: dict[tuple[str, str], int] = {}
        self._seen = Seen()
        self._groups: dict[str, GroupState] = {}
        self._checkpoint: Checkpoint | None = None
        self._signals = MemorySignals()
        self._leases: dict[str, tuple[str, int]] = {}  # the holder, and until when
        self._secrets: dict[str, str] = {}
        self._notes = MemoryNotes()
        self._tables: dict[str, dict[str, bytes]] = {}
        self._closed = False

    async def open(self) -> None:
        """Nothing to connect to."""
        self._check()

    async def close(self) -> None:
        """Tails and listeners end, waiting appends and reads give up."""
        self._closed = True
        self._signals.close()
        self._ring.wake()
        self._ring.room.set()

    async def append(self, deltas: Sequence[Delta]) -> list[Receipt]:
        """Append in order; waits for slow readers when full, then BusUnavailable."""
        self._check()
        sizes = [size_of(delta) for delta in deltas]  # a delta that cannot be packed fails here
        now_ms = self._clock()
        receipts = []
        for delta, size_bytes in zip(deltas, sizes, strict=True):
            known = self._seen.get(delta, now_ms)
            if known is None and not self._ring.fit(size_bytes):
                await self._wait_for_room(size_bytes)
                known = self._seen.get(delta, now_ms)
            if known is None:
                receipts.append(Receipt(self._add(delta, size_bytes, now_ms), duplicate=False))
            else:
                receipts.append(Receipt(known, duplicate=True))
        return receipts

    async def room(self) -> None:
        """Half of the ring is free, or held for nobody."""
        self._check()
        while self._ring.is_crowded:
            self._ring.room.clear()
            await self._ring.room.wait()
            self._check()

    async def tail(self, partition: int, position: str | None) -> AsyncGenerator[Batch, None]:
        """Everything behind a position, then live; ends at close."""
        reader, lost = self._attach(partition, position)
        try:
            while not self._closed:
                deltas, skipped = self._ring.read(reader, BATCH_DELTAS_MAX)
                lost = lost or skipped
                if deltas or lost:
                    yield Batch(partition, self._epoch, deltas, self._text(reader.ordinal), lost)
                    lost = False
                if len(deltas) == BATCH_DELTAS_MAX:
                    await asyncio.sleep(0)  # more lies there: let the others have their turn
                elif not deltas:
                    await reader.news.wait()
        finally:
            self._ring.detach(reader)

    async def behind(self, partition: int, position: str, count: int) -> list[Delivery]:
        """The first deltas behind a position."""
        self._check(partition)
        place = parse(position)
        start = place.ordinal if self._holds(place) else 0
        told = self._ring.since(start, count)
        return [Delivery(self._text(ordinal), delta) for ordinal, delta in told]

    async def group(self, name: str, consumer: str, partition: int) -> MemoryGroup:
        """Join a group, which holds back the ring until it has been given everything."""
        self._check(partition)
        if name not in self._groups:
            self._groups[name] = GroupState(self._ring.attach(self._ring.first - 1))
        return MemoryGroup(self._groups[name], consumer, self._epoch, self._ring, self._clock)

    def has_acked(self, name: str, position: str) -> bool:
        """Whether a group has acked everything up to a position; one that is not there has not."""
        group, place = self._groups.get(name), parse(position)
        return group is not None and self._holds(place) and group.acked >= place.ordinal

    async def position(self, partition: int) -> str:
        """Behind the newest entry."""
        self._check(partition)
        return self._text(self._ring.last)

    async def lineage(self, partition: int) -> str:
        """The epoch of this start."""
        self._check(partition)
        return self._epoch

    async def holds(self, partition: int, position: str) -> bool:
        """Whether it is of this start."""
        self._check(partition)
        return self._holds(parse(position))

    async def survived(self, partition: int, position: str) -> str | None:
        """Itself, if it is of this start: nothing else ever loses its end."""
        return position if await self.holds(partition, position) else None

    async def trim(self, partition: int, position: str) -> int:
        """Drop up to a position, whoever has read it or not; one of another epoch drops nothing."""
        self._check(partition)
        place = parse(position)
        if not self._holds(place):
            return 0
        dropped = self._ring.drop_to(place.ordinal)
        self._ring.wake()  # whoever had not read them must learn that they are gone
        return dropped

    async def save_checkpoint(self, partition: int, checkpoint: Checkpoint) -> None:
        """Keep it, unless a newer one is kept; one of another epoch is refused."""
        self._check(partition)
        place = parse(checkpoint.position)
        if not self._holds(place):
            raise BusUnavailable(f"the log has no position {checkpoint.position}: not stored")
        if self._checkpoint is None or parse(self._checkpoint.position).ordinal <= place.ordinal:
            self._checkpoint = checkpoint

    async def load_checkpoint(self, partition: int) -> Checkpoint | None:
        """What was kept since the start."""
        self._check(partition)
        return self._checkpoint

    async def lease(self, name: str, holder: str, ttl_ms: int) -> bool:
        """Take or renew a lease; False if another one holds it."""
        self._check()
        held_by, until_ms = self._leases.get(name, (holder, 0))
        now_ms = self._clock()
        if held_by != holder and now_ms < until_ms:
            return False
        self._leases[name] = (holder, now_ms + ttl_ms)
        return True

    async def release(self, name: str, holder: str) -> None:
        """Give it up, if it is this holder's."""
        self._check()
        if self._leases.get(name, ("", 0))[0] == holder:
            del self._leases[name]

    async def publish(self, topic: str, data: bytes) -> None:
        """Tell those who listen in this process: there are no others."""
        self._check()
        self._signals.publish(Signal(topic, data))

    def listen(self, *topics: str) -> AsyncGenerator[Signal, None]:
        """What is published from now on; ends at close."""
        self._check()
        return self._signals.listen(topics)

    async def secret(self, name: str, value: str) -> str:
        """The first value that was given under this name since the start."""
        self._check()
        return self._secrets.setdefault(name, value)

    async def note(self, topic: str, name: str, data: bytes, ttl_ms: int) -> None:
        """Keep the latest note under a name, for so long or until the end."""
        self._check()
        self._notes.note(topic, name, data, ttl_ms, self._clock())

    async def notes(self, topic: str) -> list[Note]:
        """Everything that is noted on a topic."""
        self._check()
        return self._notes.notes(topic, self._clock())

    async def put(self, table: str, key: str, value: bytes) -> None:
        """Set a value in a table of this process."""
        self._check()
        self._tables.setdefault(table, {})[key] = value

    async def add(self, table: str, key: str, value: bytes) -> None:
        """The same where there is none yet."""
        self._check()
        self._tables.setdefault(table, {}).setdefault(key, value)

    async def forget(self, table: str, key: str) -> None:
        """Take a value away."""
        self._check()
        self._tables.get(table, {}).pop(key, None)

    async def table(self, table: str) -> dict[str, bytes]:
        """What was put there since the start."""
        self._check()
        return dict(self._tables.get(table, {}))

    def _check(self, partition: int = 0) -> None:
        if self._closed:
            raise BusClosed("the log was closed")
        if partition != 0:
            raise ValueError(f"the log in memory has one partition, 0, not {partition}")

    def _add(self, delta: Delta, size_bytes: int, now_ms: int) -> int:
        number = self._numbers.get(delta.key, 0) + 1
        self._numbers[delta.key] = number
        self._seen.add(delta, number, now_ms)
        self._ring.append(codec.numbered(delta, number), size_bytes)
        return number

    def _attach(self, partition: int, position: str | None) -> tuple[Reader, bool]:
        """A live reader, and whether entries behind its position are gone."""
        self._check(partition)
        if position is None:
            return self._ring.attach(self._ring.first - 1), False
        place = parse(position)
        if not self._holds(place):
            return self._ring.attach(self._ring.first - 1), True
        return self._ring.attach(place.ordinal), False

    def _holds(self, place: Position) -> bool:
        """Whether a position is of this start and not of the future."""
        return place.epoch == self._epoch and place.ordinal <= self._ring.last

    def _text(self, ordinal: int) -> str:
        return str(Position(self._epoch, ordinal))

    async def _wait_for_room(self, size_bytes: int) -> None:
        try:
            async with asyncio.timeout(self._wait_ms / 1_000):
                while not self._ring.fit(size_bytes):
                    self._ring.room.clear()
                    await self._ring.room.wait()
                    self._check()
        except TimeoutError:
            raise BusUnavailable("the log is full: a reader does not keep up") from None
