"""Reading one partition of the Redis log for ever: every reader sees all.

Explicit ids only; never repeats a read without knowing where it stands. Called by the Redis
engine.
"""

from typing import Any

from bus import keys
from bus.base import Batch
from bus.errors import BusError
from bus.follow import Entry, Follower, State, read_entry
from bus.limits import BATCH_DELTAS_MAX, TAIL_BLOCK_MS
from bus.redis_calls import Backoff, Calls
from bus.redis_clients import FAILURES, renew


class Tail:
    """A follower with its connection."""

    def __init__(self, calls: Calls, partition: int, position: str | None) -> None:
        self._calls = calls
        self._partition = partition
        self._follower = Follower(partition, position)
        self._backoff = Backoff()
        self._count = BATCH_DELTAS_MAX
        self._unsure = True

    async def turn(self) -> Batch | None:
        """One read; None if there is nothing to tell. Survives whatever Redis does."""
        try:
            await self._read_on()
        except (*FAILURES, BusError):
            if self._calls.closed:
                return None
            # A reply may have been too large for its time, so ask for less.
            self._unsure, self._count = True, max(1, self._count // 4)
            await renew(self._calls.reader)
            await self._backoff.pause()
            return None
        self._backoff.reset()
        self._count = min(self._count * 2, BATCH_DELTAS_MAX)
        return self._follower.batch()

    async def _read_on(self) -> None:
        if self._unsure:
            state = await self._calls.state(self._partition)
            self._follower.meet(state)
            self._unsure = False
            self._go_on(await self._read(), state)
            return
        entries = await self._read("BLOCK", TAIL_BLOCK_MS)
        if entries and self._follower.knows(entries):
            self._follower.take(entries)
        else:
            # Silence, or a new epoch: only the log's own state tells whether this place is in it.
            self._unsure = True

    def _go_on(self, entries: list[Entry], state: State) -> None:
        if entries:
            self._follower.take(entries)
        else:
            self._follower.settle(state)

    async def _read(self, *block: Any) -> list[Entry]:
        name = keys.deltas(self._partition)
        reply = await self._calls.reader.execute_command(
            "XREAD", "COUNT", self._count, *block, "STREAMS", name, self._follower.id
        )
        return [read_entry(*each) for each in reply[0][1]] if reply else []
