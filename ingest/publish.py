"""From the routes to the log: a bounded queue in order for hooks, at once for everything else.

Never keeps an agent waiting for the log. Used by the routes; run by the command that serves them.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence

from bus.base import Bus, Receipt
from bus.errors import BusError
from ingest import metrics
from ingest.errors import BusUnavailable, InvalidPayload, QueueFull
from ingest.limits import Limits
from session import codec
from session.delta import Delta, Event
from session.errors import InvalidDelta

log = logging.getLogger(__name__)

BATCH_DELTAS_MAX = 256
RETRY_S = 0.1

Waiting = tuple[Delta | asyncio.Future[Event], asyncio.Future[Receipt], float]


class Publisher:
    """Puts deltas on the log. Hooks of one agent stay in the order of their arrival."""

    def __init__(self, bus: Bus, limits: Limits) -> None:
        self.bus = bus
        self.limits = limits
        self._queue: deque[Waiting] = deque()
        self._wake = asyncio.Event()

    def offer(self, delta: Delta | asyncio.Future[Event]) -> asyncio.Future[Receipt]:
        """Queue one hook event, or one that is still being read and keeps its place.

        The future tells when the log has it. Raises QueueFull.
        """
        if len(self._queue) >= self.limits.queue_deltas_max:
            raise QueueFull
        loop = asyncio.get_running_loop()
        taken: asyncio.Future[Receipt] = loop.create_future()
        self._queue.append((delta, taken, loop.time()))
        self._wake.set()
        return taken

    async def append(self, deltas: Sequence[Delta]) -> list[Receipt]:
        """Append now; raises BusUnavailable if the log does not take it in time."""
        try:
            return await self.bus.append(deltas)
        except BusError as error:
            raise BusUnavailable(str(error)) from error

    async def run(self) -> None:
        """Empty the queue for ever, in order, a batch at a time."""
        while True:
            self._wake.clear()
            while self._queue:
                await self._drain()
            metrics.queue_deltas.set(0)
            await self._wake.wait()

    async def _drain(self) -> None:
        self._drop_old()
        batch = await self._next_batch()
        if not batch:
            return
        metrics.queue_deltas.set(len(self._queue))
        try:
            receipts = await self.bus.append(batch)
        except BusError as error:
            log.warning("the log does not take hook events: %s", error)
            await asyncio.sleep(RETRY_S)
            return
        except InvalidDelta:
            self._drop_invalid(batch)
            return
        for receipt in receipts:
            _, taken, _ = self._queue.popleft()
            with contextlib.suppress(asyncio.InvalidStateError):
                taken.set_result(receipt)

    async def _next_batch(self) -> list[Delta]:
        """What stands at the head of the queue, up to one that is still being read."""
        batch: list[Delta] = []
        while len(batch) < min(len(self._queue), BATCH_DELTAS_MAX):
            delta, taken, at = self._queue[len(batch)]
            if not isinstance(delta, asyncio.Future):
                batch.append(delta)
                continue
            if batch and not delta.done():
                break
            try:
                self._queue[len(batch)] = (await delta, taken, at)
            except InvalidPayload:
                del self._queue[len(batch)]
                taken.cancel()
                metrics.events_total.labels("hooks", "invalid").inc()
        return batch

    def _drop_invalid(self, batch: list[Delta]) -> None:
        """Let go what the log will never take, so that its neighbours get there."""
        held = [self._queue.popleft() for _ in batch]
        for delta, each in zip(reversed(batch), reversed(held), strict=True):
            try:
                codec.pack(delta)
            except InvalidDelta as error:
                log.warning("a hook event is no delta: %s", error)
                each[1].cancel()
            else:
                self._queue.appendleft(each)

    def _drop_old(self) -> None:
        oldest = asyncio.get_running_loop().time() - self.limits.bus_gone_ms / 1000
        while self._queue and self._queue[0][2] < oldest:
            _, taken, _ = self._queue.popleft()
            taken.cancel()
            metrics.events_total.labels("hooks", "dropped").inc()
