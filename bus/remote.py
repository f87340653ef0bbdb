"""The log of another process of the same service, over a socket.

What it raises is what was raised there; a peer that is gone is BusUnavailable. Served by
``bus.remote_server``. Called by whoever works beside ``tower up``.
"""

# What an answer is, its call tells when it is decoded.
# mypy: disable-error-code="no-any-return"

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

from bus.base import Batch, Checkpoint, Delivery, Receipt
from bus.errors import BusClosed, BusUnavailable
from bus.remote_calls import ERRORS, TYPES, Answer, Call, messages, packed, send
from bus.shared import Note, Signal
from session.delta import Delta


class RemoteBus:
    """``gone`` is set when the other process is. Calls wait for it, as long as it is there."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.partitions = 0  # as many as there are, once it is open
        self.gone = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._hearing: asyncio.Task[None] | None = None
        self._closed = False

    async def open(self) -> None:
        """Ask how many partitions there are."""
        self._hearing = asyncio.create_task(self._hear())
        self.partitions = await self.ask("open")

    async def close(self) -> None:
        """Let go of the socket."""
        self._closed = True
        self._writer.close()
        if self._hearing is not None:
            await self._hearing

    async def append(self, deltas: Sequence[Delta]) -> list[Receipt]:
        """As there."""
        return await self.ask("append", deltas)

    async def room(self) -> None:
        """As there."""
        await self.ask("room")

    def tail(self, partition: int, position: str | None) -> AsyncGenerator[Batch, None]:
        """As there, a batch at a time."""
        return self._each("tail", partition, position)

    async def group(self, name: str, consumer: str, partition: int) -> "RemoteGroup":
        """As there."""
        await self.ask("group", name, consumer, partition)
        return RemoteGroup(self, (name, consumer, partition))

    async def position(self, partition: int) -> str:
        """As there."""
        return await self.ask("position", partition)

    async def lineage(self, partition: int) -> str:
        """As there."""
        return await self.ask("lineage", partition)

    async def holds(self, partition: int, position: str) -> bool:
        """As there."""
        return await self.ask("holds", partition, position)

    async def behind(self, partition: int, position: str, count: int) -> list[Delivery]:
        """As there."""
        found: list[Delivery] = await self.ask("behind", partition, position, count)
        return found

    async def survived(self, partition: int, position: str) -> str | None:
        """As there."""
        return await self.ask("survived", partition, position)

    async def trim(self, partition: int, position: str) -> int:
        """As there."""
        return await self.ask("trim", partition, position)

    async def save_checkpoint(self, partition: int, checkpoint: Checkpoint) -> None:
        """As there."""
        await self.ask("save_checkpoint", partition, checkpoint)

    async def load_checkpoint(self, partition: int) -> Checkpoint | None:
        """As there."""
        return await self.ask("load_checkpoint", partition)

    async def lease(self, name: str, holder: str, ttl_ms: int) -> bool:
        """As there; given up there when this process is gone."""
        return await self.ask("lease", name, holder, ttl_ms)

    async def release(self, name: str, holder: str) -> None:
        """As there."""
        await self.ask("release", name, holder)

    async def publish(self, topic: str, data: bytes) -> None:
        """As there."""
        await self.ask("publish", topic, data)

    def listen(self, *topics: str) -> AsyncGenerator[Signal, None]:
        """As there, a signal at a time."""
        self._check()
        return self._each("listen", *topics)

    async def secret(self, name: str, value: str) -> str:
        """As there."""
        return await self.ask("secret", name, value)

    async def note(self, topic: str, name: str, data: bytes, ttl_ms: int) -> None:
        """As there."""
        await self.ask("note", topic, name, data, ttl_ms)

    async def notes(self, topic: str) -> list[Note]:
        """As there."""
        return await self.ask("notes", topic)

    async def put(self, table: str, key: str, value: bytes) -> None:
        """As there."""
        await self.ask("put", table, key, value)

    async def add(self, table: str, key: str, value: bytes) -> None:
        """As there."""
        await self.ask("add", table, key, value)

    async def forget(self, table: str, key: str) -> None:
        """As there."""
        await self.ask("forget", table, key)

    async def table(self, table: str) -> dict[str, bytes]:
        """As there."""
        return await self.ask("table", table)

    async def ask(self, name: str, *arguments: Any) -> Any:
        """Call one of TYPES there; raises what was raised there."""
        self._check()
        if self.gone.is_set():
            raise BusUnavailable("the process that holds the log is gone")
        call = Call(next(self._ids), name, packed(arguments))
        answered = self._waiting[call.id] = asyncio.get_running_loop().create_future()
        try:
            send(self._writer, call)
            value = await answered
        finally:
            del self._waiting[call.id]
        return msgspec.msgpack.decode(value, type=TYPES[name].result)

    def _check(self) -> None:
        if self._closed:
            raise BusClosed("the log was closed")

    async def _each(self, name: str, *arguments: Any) -> AsyncGenerator[Any, None]:
        stream = await self.ask(name, *arguments)
        try:
            while (found := await self.ask(f"{name}.next", stream)) is not None:
                yield found
        except BusClosed:
            return  # as everything that goes on for ever
        finally:
            if not (self._closed or self.gone.is_set()):
                send(self._writer, Call(next(self._ids), "drop", packed((stream,))))

    async def _hear(self) -> None:
        """Take answers until the other process is gone; then nobody waits for one any more."""
        async for data in messages(self._reader):
            answer = msgspec.msgpack.decode(data, type=Answer)
            waiting = self._waiting.get(answer.id)
            if waiting is None or waiting.done():
                continue  # whoever asked has given up
            if answer.error is None:
                waiting.set_result(answer.value)
            else:
                kind, text = answer.error
                waiting.set_exception(ERRORS[kind](text))
        self.gone.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                error = BusClosed if self._closed else BusUnavailable
                waiting.set_exception(error("the process that holds the log is gone"))


class RemoteGroup:
    """One consumer of a group that is kept there."""

    def __init__(self, bus: RemoteBus, member: tuple[str, str, int]) -> None:
        self._bus = bus
        self._member = member

    async def read(self, count: int, wait_ms: int) -> list[Delivery]:
        """As there, and no more at once than the other process packs in a moment."""
        return await self._bus.ask("group.read", self._member, count, wait_ms)

    async def ack(self, positions: Sequence[str]) -> None:
        """As there."""
        await self._bus.ask("group.ack", self._member, positions)

    async def reclaim(self, idle_ms: int, count: int) -> list[Delivery]:
        """As there."""
        return await self._bus.ask("group.reclaim", self._member, idle_ms, count)
