"""One consumer of a consumer group of the Redis log: each delta to one consumer, until acked.

Never repeats a read by itself: its reply may be lost, and what it held is then this consumer's
without it knowing. Called by the Redis engine.
"""

import logging
from collections.abc import Sequence
from typing import Any

from redis.exceptions import ResponseError

from bus import keys
from bus.base import Delivery
from bus.errors import BusUnavailable
from bus.follow import Entry, read_entry
from bus.limits import BLOCK_MS_MAX
from bus.position import START_ID, Position, parse
from bus.redis_calls import Calls, heed
from bus.redis_clients import FAILURES, renew

logger = logging.getLogger(__name__)

SCANS_MAX = 100
"""XAUTOCLAIM looks at so many pieces of the pending list in one reclaim."""


class RedisGroup:
    """``poison`` counts entries that could not be read, ``gone`` those trimmed while pending."""

    def __init__(self, calls: Calls, name: str, consumer: str, partition: int) -> None:
        self.poison = 0
        self.gone = 0
        self._calls = calls
        self._stream = keys.deltas(partition)
        self._name = name
        self._consumer = consumer
        self._owed_from: str | None = None  # a reply was lost: first read again what it held

    async def join(self) -> None:
        """Make the group if there is none, from the oldest entry."""
        await self._calls.persist(self._create)

    async def read(self, count: int, wait_ms: int) -> list[Delivery]:
        """New deltas; after an error first those that the lost reply may have held."""
        self._calls.check()
        try:
            if self._owed_from is not None:
                entries = await self._read(self._owed_from, count)
                self._owed_from = entries[-1].id if entries else None
                if entries:
                    return await self._deliveries(entries)
            block = ["BLOCK", min(wait_ms, BLOCK_MS_MAX)] if wait_ms > 0 else []
            return await self._deliveries(await self._read(">", count, *block))
        except FAILURES as error:
            self._owed_from = self._owed_from or START_ID
            raise await self._unavailable(error) from error

    async def ack(self, positions: Sequence[str]) -> None:
        """Let go of these; may be repeated."""
        await self._ack_ids([parse(position).id for position in positions])

    async def reclaim(self, idle_ms: int, count: int) -> list[Delivery]:
        """This consumer's own, then the idle ones of others."""
        self._calls.check()
        try:
            entries = {entry.id: entry for entry in await self._read(START_ID, count)}
            if len(entries) < count:
                for entry in await self._idle(idle_ms, count):
                    entries.setdefault(entry.id, entry)
            return await self._deliveries(list(entries.values())[:count])
        except FAILURES as error:
            raise await self._unavailable(error) from error

    async def _create(self) -> None:
        try:
            await self._calls.writer.execute_command(
                "XGROUP CREATE", self._stream, self._name, START_ID, "MKSTREAM"
            )
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _unavailable(self, error: Exception) -> BusUnavailable:
        await renew(self._calls.reader)
        if isinstance(error, ResponseError) and str(error).startswith("NOGROUP"):
            await self.join()  # the stream was deleted
        return BusUnavailable(f"the group could not read: {error}")

    async def _read(self, after: str, count: int, *block: Any) -> list[Entry]:
        """New ones (``>``), or what was delivered to this consumer and not acked."""
        who = ["XREADGROUP", "GROUP", self._name, self._consumer, "COUNT", count, *block]
        asked = self._calls.reader.execute_command(*who, "STREAMS", self._stream, after)
        reply = await heed(asked)
        entries = reply[0][1] if reply else []
        gone = [entry_id for entry_id, fields in entries if not fields]
        self.gone += len(gone)
        await self._ack_ids(gone)
        return [read_entry(*each) for each in entries if each[1]]

    async def _idle(self, idle_ms: int, count: int) -> list[Entry]:
        """What others left lying, by then claimed for this consumer."""
        found: list[Entry] = []
        cursor: bytes | str = START_ID
        for _ in range(SCANS_MAX):
            who = ["XAUTOCLAIM", self._stream, self._name, self._consumer, idle_ms, cursor]
            asked = self._calls.reader.execute_command(*who, "COUNT", count)
            cursor, entries, *gone = await heed(asked)
            found += [read_entry(*each) for each in entries]
            self.gone += len(gone[0]) if gone else 0
            if cursor in {b"0-0", "0-0"} or len(found) >= count:
                break
        return found

    async def _deliveries(self, entries: Sequence[Entry]) -> list[Delivery]:
        """What can be read; the rest is acked, or it would come again for ever."""
        found = [
            Delivery(str(Position(entry.epoch, entry.ordinal, entry.id)), entry.delta)
            for entry in entries
            if entry.delta is not None and entry.ordinal is not None
        ]
        if len(found) < len(entries):
            unread = [entry.id for entry in entries if entry.delta is None]
            self.poison += len(unread)
            logger.warning("%d entries of %s cannot be read", len(unread), self._stream)
            await self._ack_ids(unread)
        return found

    async def _ack_ids(self, ids: Sequence[str | bytes]) -> None:
        if ids:
            await self._calls.command("XACK", self._stream, self._name, *ids)
