"""Serves this process's log to another process of the same service, until that is gone.

Never trusts its peer with more than the log, never packs much at once: the board lives in the same
loop. Called by ``tower up``.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from bus.base import Bus, Delivery, Group
from bus.limits import REMOTE_READ_BYTES_MAX
from bus.remote_calls import ERRORS, TYPES, Answer, Call, messages, packed, send
from bus.unbroken import unbroken
from session import codec

log = logging.getLogger(__name__)

Member = tuple[str, str, int]


async def serve(bus: Bus, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one peer until it is gone, or this is cancelled; its leases are given up then."""
    peer = _Peer(bus, writer)
    try:
        async for data in messages(reader):
            peer.take(msgspec.msgpack.decode(data, type=Call))
    finally:
        writer.close()
        await peer.end()


class _Peer:
    """One process that is served: what it has joined, taken and opened."""

    def __init__(self, bus: Bus, writer: asyncio.StreamWriter) -> None:
        self._bus = bus
        self._writer = writer
        self._groups: dict[Member, Group] = {}
        self._leases: dict[str, str] = {}
        self._streams: dict[int, AsyncGenerator[Any, None]] = {}
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._calls: set[asyncio.Task[None]] = set()

    def take(self, call: Call) -> None:
        """Do what is asked, while more may be asked."""
        task = asyncio.create_task(self._answer(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    @unbroken  # whoever started the process may hear of its end as well, and cancel this
    async def end(self) -> None:
        """Nobody waits for an answer any more, nor need anybody wait for its leases to run out."""
        calls = list(self._calls)
        for each in calls:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for stream in list(self._streams):
            await self._drop(stream)
        for name, holder in self._leases.items():
            with contextlib.suppress(*ERRORS.values()):
                await self._bus.release(name, holder)

    async def _answer(self, call: Call) -> None:
        """Say what came of it."""
        try:
            arguments = msgspec.msgpack.decode(call.arguments, type=TYPES[call.name].arguments)
            answer = Answer(call.id, packed(await self._do(call.name, arguments)))
        except tuple(ERRORS.values()) as error:
            answer = Answer(call.id, error=(_name_of(error), str(error)))
        except asyncio.CancelledError:
            return  # nobody waits for it: the peer has dropped what it asked, or is gone
        except Exception as error:
            log.exception("the log could not do what another process asked: %s", call.name)
            answer = Answer(call.id, error=("BusUnavailable", repr(error)))
        send(self._writer, answer)
        with contextlib.suppress(OSError):
            await self._writer.drain()

    async def _do(self, name: str, arguments: Any) -> Any:
        match name:
            case "open":
                return self._bus.partitions
            case "group":
                self._groups[arguments] = await self._bus.group(*arguments)
                return None
            case "group.read":
                return await self._read(*arguments)
            case "tail" | "listen":
                stream = next(self._ids)
                self._streams[stream] = getattr(self._bus, name)(*arguments)
                return stream
            case "tail.next" | "listen.next":
                return await self._next(arguments[0])
            case "drop":
                return await self._drop(arguments[0])
        if name.startswith("group."):
            member, *rest = arguments
            return await getattr(self._groups[member], name.removeprefix("group."))(*rest)
        found = await getattr(self._bus, name)(*arguments)
        if name == "lease" and found:
            self._leases[arguments[0]] = arguments[1]
        return found

    async def _next(self, stream: int) -> Any:
        task = self._asked[stream] = asyncio.ensure_future(anext(self._streams[stream], None))
        return await task

    async def _drop(self, stream: int) -> None:
        """Its reader has given up, and may have asked for the next one before."""
        if (task := self._asked.pop(stream, None)) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._streams.pop(stream).aclose()

    async def _read(self, member: Member, count: int, wait_ms: int) -> list[Delivery]:
        """As many as are packed in a moment: they are packed between two turns of the loop."""
        group = self._groups[member]
        found = await group.read(min(count, 1), wait_ms)
        size = sum(len(codec.pack(each.delta)) for each in found)
        while found and len(found) < count and size < REMOTE_READ_BYTES_MAX:
            more = await group.read(1, 0)
            if not more:
                break
            size += len(codec.pack(more[0].delta))
            found += more
        return found


def _name_of(error: BaseException) -> str:
    return next(name for name, kind in ERRORS.items() if isinstance(error, kind))
