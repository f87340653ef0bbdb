"""The write path of one partition: one call under way, and what comes meanwhile goes in the next.

So an idle lane writes at once, a busy one in batches, and the order of appends is kept. Never
gives half an answer: each append has its receipts or an error. Called by the Redis engine.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence

from bus import keys
from bus.base import Receipt
from bus.errors import BusClosed, BusUnavailable
from bus.limits import (
    CALL_BYTES_MAX,
    CALL_DELTAS_MAX,
    DEDUPE_MS,
    LANE_BYTES_MAX,
    REPLY_MS_MAX,
    STREAM_DELTAS_MAX,
)
from bus.redis_calls import APPEND, Calls
from session import codec
from session.delta import Delta

logger = logging.getLogger(__name__)


class Parcel:
    """What one caller waits for: some deltas as the script wants them, and their receipts."""

    __slots__ = ("args", "deadline", "names", "receipts", "size_bytes")

    def __init__(self) -> None:
        self.deadline = 0.0
        self.receipts: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        self.names: list[str] = []
        self.args: list[str | bytes] = []
        self.size_bytes = 0

    def fits(self, count: int, size_bytes: int) -> bool:
        """Whether so much more goes into the same call; the first thing always does."""
        return not self.names or (
            len(self.names) + count <= CALL_DELTAS_MAX
            and self.size_bytes + size_bytes <= CALL_BYTES_MAX
        )

    def add(self, names: list[str], args: list[str | bytes], size_bytes: int) -> None:
        """Put something in."""
        self.names += names
        self.args += args
        self.size_bytes += size_bytes


class Lane:
    """One partition's queue of parcels and the task that sends them."""

    def __init__(self, calls: Calls, partition: int, stream_max: int = STREAM_DELTAS_MAX) -> None:
        self.dropped = 0  # entries that the safety limit has cost
        self._calls = calls
        self._partition = partition
        self._stream_max = stream_max
        self._parcels: deque[Parcel] = deque()
        self._size_bytes = 0
        self._sender: asyncio.Task[None] | None = None

    async def append(self, deltas: Sequence[Delta]) -> list[Receipt]:
        """Append in order, in as few calls as the limits allow."""
        receipts: list[Receipt] = []
        for parcel in list(
            self._packed(deltas)
        ):  # what cannot be packed fails before the first call
            self._calls.check()
            if self._size_bytes + parcel.size_bytes > LANE_BYTES_MAX:
                raise BusUnavailable("too much waits to be written to Redis")
            parcel.deadline = asyncio.get_running_loop().time() + REPLY_MS_MAX / 1_000
            self._parcels.append(parcel)
            self._size_bytes += parcel.size_bytes
            if self._sender is None:
                self._sender = asyncio.create_task(self._send())
            receipts += await parcel.receipts
        return receipts

    async def close(self) -> None:
        """Nobody is left waiting."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        self._fail(self._parcels, BusClosed("the log was closed"))

    def _packed(self, deltas: Sequence[Delta]) -> Iterator[Parcel]:
        parcel = Parcel()
        for delta in deltas:
            data = codec.pack(delta)
            name = keys.seen(self._partition, delta.workspace, delta.session, delta.id)
            size_bytes = len(data) + len(name)
            if not parcel.fits(1, size_bytes):
                yield parcel
                parcel = Parcel()
            field = keys.number_field(delta.workspace, delta.session)
            parcel.add([name], [field, data], size_bytes)
        if parcel.names:
            yield parcel

    async def _send(self) -> None:
        while self._parcels:
            call, parcels = self._next_call()
            try:
                receipts = await self._call(call)
            except asyncio.CancelledError:
                self._fail(parcels, BusClosed("the log was closed"))
                raise
            except Exception as error:  # noqa: BLE001 - told to those who wait; the next may go well
                self._fail(parcels, error)
            else:
                self._deliver(parcels, receipts)
        self._sender = None

    def _next_call(self) -> tuple[Parcel, list[Parcel]]:
        """As many parcels as go into one call. It must be done when the first one is due."""
        call, parcels = Parcel(), []
        call.deadline = self._parcels[0].deadline
        while self._parcels:
            parcel = self._parcels[0]
            if not call.fits(len(parcel.names), parcel.size_bytes):
                break
            parcels.append(self._parcels.popleft())
            call.add(parcel.names, parcel.args, parcel.size_bytes)
        self._size_bytes -= call.size_bytes
        return call, parcels

    async def _call(self, call: Parcel) -> list[Receipt]:
        names = [keys.deltas(self._partition), keys.meta(self._partition), *call.names]
        args = [DEDUPE_MS, self._stream_max, *call.args]
        reply = await self._calls.script(APPEND, names, args, call.deadline)
        self._alarm(int(reply[4]))
        values = iter(reply[5])
        return [Receipt(number, bool(known)) for number, known in zip(values, values, strict=True)]

    def _alarm(self, dropped: int) -> None:
        if dropped > 0:
            self.dropped += dropped
            logger.warning(
                "partition %d: the safety limit dropped %d entries that nobody had trimmed",
                self._partition,
                dropped,
            )

    def _deliver(self, parcels: Sequence[Parcel], receipts: list[Receipt]) -> None:
        start = 0
        for parcel in parcels:
            end = start + len(parcel.names)
            if not parcel.receipts.done():  # its caller may have been cancelled
                parcel.receipts.set_result(receipts[start:end])
            start = end

    def _fail(self, parcels: Sequence[Parcel] | deque[Parcel], error: Exception) -> None:
        for parcel in parcels:
            if not parcel.receipts.done():
                parcel.receipts.set_exception(error)
