"""The log in Redis Streams: P partitions, each a stream, a meta hash, seen ids and a checkpoint.

Never repeats what may have been done without an id that makes it harmless. Called through
``bus.connect``; the parts are ``redis_lane`` (write), ``redis_tail`` and ``redis_group`` (read),
``redis_signals``.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from bus import keys
from bus.base import Batch, Checkpoint, Delivery, Receipt, partition_of
from bus.errors import BusUnavailable
from bus.follow import read_entry
from bus.limits import NOTES_MAX, PARTITIONS, STREAM_DELTAS_MAX
from bus.position import Position, parse
from bus.redis_calls import (
    CHECKPOINT,
    LEASE,
    NOTE,
    NOTES,
    RELEASE,
    SECRET,
    TRIM,
    Calls,
    heed,
)
from bus.redis_clients import Clients, make_clients
from bus.redis_group import RedisGroup
from bus.redis_lane import Lane
from bus.redis_signals import RedisSignals
from bus.redis_tail import Tail
from bus.shared import Note, Signal
from session.delta import Delta

T = TypeVar("T")


class RedisBus:
    """The log of many processes. A session's partition is the same in all of them."""

    def __init__(
        self,
        url: str,
        partitions: int = PARTITIONS,
        stream_max: int = STREAM_DELTAS_MAX,
        make: Callable[[str], Clients] = make_clients,
    ) -> None:
        self.partitions = partitions
        self._calls = Calls(make(url))
        self._signals = RedisSignals(self._calls)
        self._lanes = [Lane(self._calls, each, stream_max) for each in range(partitions)]

    async def open(self) -> None:
        """Ask every partition for its state, which proves that the scripts run."""
        await _all([self._calls.state(each) for each in range(self.partitions)])

    async def close(self) -> None:
        """Waiting appends fail, tails and listeners end."""
        self._calls.closed = True
        self._signals.close()
        await asyncio.gather(*(lane.close() for lane in self._lanes))
        await self._calls.close()

    async def append(self, deltas: Sequence[Delta]) -> list[Receipt]:
        """Append to every partition concerned; the same ids may be appended again on failure."""
        self._calls.check()
        places: dict[int, list[int]] = {}
        for place, delta in enumerate(deltas):
            partition = partition_of(delta.workspace, delta.session, self.partitions)
            places.setdefault(partition, []).append(place)
        parts = await _all(
            [self._lanes[part].append([deltas[i] for i in each]) for part, each in places.items()]
        )
        order = [place for each in places.values() for place in each]
        receipts = [receipt for part in parts for receipt in part]
        return [receipt for _, receipt in sorted(zip(order, receipts, strict=True))]

    async def room(self) -> None:
        """The recorder trims, and Redis itself bounds the streams: nobody needs to wait."""

    async def tail(self, partition: int, position: str | None) -> AsyncGenerator[Batch, None]:
        """Everything behind a position, then live; ends at close."""
        self._calls.check()
        tail = Tail(self._calls, partition, position)
        while not self._calls.closed:
            batch = await heed(tail.turn())
            if batch is not None:
                yield batch

    async def behind(self, partition: int, position: str, count: int) -> list[Delivery]:
        """Entries that cannot be read are passed over."""
        name, start = keys.deltas(partition), parse(position).id
        while True:
            told = await self._calls.command("XRANGE", name, f"({start}", "+", "COUNT", count)
            entries = [read_entry(*each) for each in told]
            found = [
                Delivery(str(Position(each.epoch, each.ordinal, each.id)), each.delta)
                for each in entries
                if each.delta is not None and each.ordinal is not None
            ]
            if found or not entries:
                return found
            start = entries[-1].id

    async def group(self, name: str, consumer: str, partition: int) -> RedisGroup:
        """Join a group."""
        group = RedisGroup(self._calls, name, consumer, partition)
        await group.join()
        return group

    async def position(self, partition: int) -> str:
        """Behind the newest entry."""
        state = await self._calls.state(partition)
        return str(Position(state.epoch, state.ordinal, state.id))

    async def lineage(self, partition: int) -> str:
        """The epoch."""
        return (await self._calls.state(partition)).epoch

    async def holds(self, partition: int, position: str) -> bool:
        """Whether it is of the present epoch or of one that this log goes on from."""
        return (await self._calls.state(partition)).holds(parse(position))

    async def survived(self, partition: int, position: str) -> str | None:
        """What came behind a tail that was lost has later ids than all of it."""
        state, place = await self._calls.state(partition), parse(position)
        if state.holds(place):
            return position
        if state.reached(place.epoch) < 0:
            return None
        name = keys.deltas(partition)
        found = await self._calls.command("XREVRANGE", name, place.id, "-", "COUNT", 1)
        entry = read_entry(*found[0]) if found else None
        if entry is None or entry.ordinal is None or entry.ordinal > state.reached(place.epoch):
            return None
        return str(Position(place.epoch, entry.ordinal, entry.id))

    async def trim(self, partition: int, position: str) -> int:
        """Drop up to a position; one that this log does not hold drops nothing."""
        place = parse(position)
        head, _, tail = place.id.partition("-")
        names = [keys.deltas(partition), keys.meta(partition)]
        args = [place.epoch, place.ordinal, f"{head}-{int(tail) + 1}"]
        return int(await self._calls.script(TRIM, names, args))

    async def save_checkpoint(self, partition: int, checkpoint: Checkpoint) -> None:
        """Store it, unless a newer one is stored; one that holds what was lost is refused."""
        place = parse(checkpoint.position)
        names = [keys.deltas(partition), keys.meta(partition), keys.checkpoint(partition)]
        args = [place.epoch, place.ordinal, *checkpoint]
        if not await self._calls.script(CHECKPOINT, names, args):
            raise BusUnavailable(f"the log has no position {checkpoint.position}: not stored")

    async def load_checkpoint(self, partition: int) -> Checkpoint | None:
        """What is stored; its position tells a tail whether the log still holds it."""
        names = ("epoch", "position", "data")
        reply = await self._calls.command("HMGET", keys.checkpoint(partition), *names)
        if None in reply:
            return None
        return Checkpoint(reply[0].decode(), reply[1].decode(), reply[2])

    async def lease(self, name: str, holder: str, ttl_ms: int) -> bool:
        """Take or renew a lease; False if another one holds it."""
        return bool(await self._calls.script(LEASE, [keys.lease(name)], [holder, ttl_ms]))

    async def release(self, name: str, holder: str) -> None:
        """Give it up, if it is this holder's."""
        await self._calls.script(RELEASE, [keys.lease(name)], [holder])

    async def publish(self, topic: str, data: bytes) -> None:
        """Tell all who listen now."""
        await self._signals.publish(Signal(topic, data))

    def listen(self, *topics: str) -> AsyncGenerator[Signal, None]:
        """What is published from now on; ends at close."""
        self._calls.check()
        return self._signals.listen(topics)

    async def secret(self, name: str, value: str) -> str:
        """The first value that any process gave under this name."""
        kept = await self._calls.script(SECRET, [keys.secret(name)], [value])
        return str(kept, "utf-8")

    async def note(self, topic: str, name: str, data: bytes, ttl_ms: int) -> None:
        """Keep the latest note under a name, for so long."""
        names = [keys.notes(topic), keys.notes_end(topic)]
        await self._calls.script(NOTE, names, [name, data, ttl_ms, NOTES_MAX])

    async def notes(self, topic: str) -> list[Note]:
        """Everything that is noted on a topic; how old it is, Redis itself says."""
        names = [keys.notes(topic), keys.notes_end(topic)]
        now, *told = await self._calls.script(NOTES, names, [])
        return [_note(*pair, int(now)) for pair in zip(told[::2], told[1::2], strict=True)]

    async def put(self, table: str, key: str, value: bytes) -> None:
        """Set a value in a table; repeated it says the same again."""
        await self._calls.command("HSET", keys.table(table), key, value)

    async def add(self, table: str, key: str, value: bytes) -> None:
        """The same where there is none yet."""
        await self._calls.command("HSETNX", keys.table(table), key, value)

    async def forget(self, table: str, key: str) -> None:
        """Take a value away."""
        await self._calls.command("HDEL", keys.table(table), key)

    async def table(self, table: str) -> dict[str, bytes]:
        """Everything in a table."""
        found = await self._calls.command("HGETALL", keys.table(table))
        return {str(key, "utf-8"): value for key, value in found.items()}


def _note(name: bytes, kept: bytes, now_ms: int) -> Note:
    noted_ms, _, data = kept.partition(b":")
    return Note(name.decode(), data, now_ms - int(noted_ms))


async def _all(asked: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Wait for all, then fail with the first error if there is one."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
