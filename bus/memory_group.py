"""Consumer groups of the memory log: each delta to one consumer, kept until it is acked.

Called by the memory engine only.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bus.base import Delivery
from bus.limits import BLOCK_MS_MAX, PENDING_MAX
from bus.memory_ring import Reader, Ring
from bus.position import Position, parse
from session.delta import Delta


class Pending:
    """Delivered and not acked."""

    __slots__ = ("consumer", "delivered_at_ms", "delta")

    def __init__(self, delta: Delta, consumer: str, delivered_at_ms: int) -> None:
        self.delta = delta
        self.consumer = consumer
        self.delivered_at_ms = delivered_at_ms


class GroupState:
    """What the consumers of one group share."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.pending: dict[int, Pending] = {}

    @property
    def acked(self) -> int:
        """The ordinal up to which everything is acked."""
        return min(self.pending, default=self.reader.ordinal + 1) - 1


class MemoryGroup:
    """One consumer of a group."""

    def __init__(
        self, state: GroupState, consumer: str, epoch: str, ring: Ring, clock: Callable[[], int]
    ) -> None:
        self._state = state
        self._consumer = consumer
        self._epoch = epoch
        self._ring = ring
        self._clock = clock

    async def read(self, count: int, wait_ms: int) -> list[Delivery]:
        """New deltas; waits for the first one by event."""
        deliveries = self._take(count)
        if deliveries or wait_ms <= 0:
            return deliveries
        try:
            async with asyncio.timeout(min(wait_ms, BLOCK_MS_MAX) / 1_000):
                await self._state.reader.news.wait()
        except TimeoutError:
            return []
        return self._take(count)  # nothing, if another consumer was quicker

    async def ack(self, positions: Sequence[str]) -> None:
        """Let go of these."""
        for place in map(parse, positions):
            if place.epoch == self._epoch:
                self._state.pending.pop(place.ordinal, None)

    async def reclaim(self, idle_ms: int, count: int) -> list[Delivery]:
        """This consumer's own, then the idle ones of others, which become its own."""
        now_ms = self._clock()
        pending = self._state.pending
        own = [i for i, each in pending.items() if each.consumer == self._consumer]
        idle = [
            i
            for i, each in pending.items()
            if each.consumer != self._consumer and each.delivered_at_ms <= now_ms - idle_ms
        ]
        chosen = (own + idle)[:count]
        for ordinal in chosen[len(own) :]:
            pending[ordinal] = Pending(pending[ordinal].delta, self._consumer, now_ms)
        return self._deliveries((ordinal, pending[ordinal].delta) for ordinal in chosen)

    def _take(self, count: int) -> list[Delivery]:
        room = PENDING_MAX - len(self._state.pending)
        deltas, _ = self._ring.read(self._state.reader, max(0, min(count, room)))
        now_ms = self._clock()
        taken = list(enumerate(deltas, self._state.reader.ordinal - len(deltas) + 1))
        for ordinal, delta in taken:
            self._state.pending[ordinal] = Pending(delta, self._consumer, now_ms)
        return self._deliveries(taken)

    def _deliveries(self, taken: Iterable[tuple[int, Delta]]) -> list[Delivery]:
        return [Delivery(str(Position(self._epoch, ordinal)), delta) for ordinal, delta in taken]
