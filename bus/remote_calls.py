"""Calls of the log between two processes of one service: what they carry, and their frames.

The types are those of the interface itself. Never raises anything but InvalidDelta for what cannot
be packed. Used by the remote log and by whoever serves it.
"""

import asyncio
import inspect
import struct
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, get_type_hints

import msgspec

from bus.base import Batch, Bus, Group
from bus.errors import BusClosed, BusUnavailable
from bus.shared import Signal
from session.errors import InvalidDelta

_HEAD = struct.Struct(">I")

ERRORS = {each.__name__: each for each in (BusUnavailable, BusClosed, InvalidDelta, ValueError)}
"""What a method may raise, here and there."""


class Call(msgspec.Struct, array_like=True):
    """A method, by its name in TYPES, and its arguments. It is answered under the same id."""

    id: int
    name: str
    arguments: msgspec.Raw


class Answer(msgspec.Struct, array_like=True):
    """What a method gave, or the name and text of what it raised."""

    id: int
    value: msgspec.Raw = msgspec.Raw(b"\xc0")
    error: tuple[str, str] | None = None


class Types(NamedTuple):
    """Of a method's arguments, and of what it gives."""

    arguments: Any
    result: Any


def _types(method: Any, *before: Any) -> Types:
    """As the method is declared; ``before`` stand other arguments."""
    hints = get_type_hints(method)
    names = list(inspect.signature(method).parameters)[1:]
    arguments = (*before, *(hints[name] for name in names))
    return Types(tuple.__class_getitem__(arguments), hints["return"])


_PLAIN = (
    "append", "room", "position", "lineage", "holds", "survived", "behind", "trim",
    "save_checkpoint", "load_checkpoint", "lease", "release", "publish", "secret", "note", "notes",
    "put", "add", "forget", "table",
)  # fmt: skip
_OF_GROUPS = ("read", "ack", "reclaim")
_MEMBER = tuple[str, str, int]  # a group's name, the consumer, the partition

TYPES: dict[str, Types] = {
    **{name: _types(getattr(Bus, name)) for name in _PLAIN},
    **{f"group.{name}": _types(getattr(Group, name), _MEMBER) for name in _OF_GROUPS},
    "open": Types(tuple[()], int),  # gives the count of partitions
    "group": Types(_MEMBER, None),
    # What goes on for ever is asked for one by one; None is its end.
    "tail": Types(tuple[int, str | None], int),
    "listen": Types(list[str], int),
    "tail.next": Types(tuple[int], Batch | None),
    "listen.next": Types(tuple[int], Signal | None),
    "drop": Types(tuple[int], None),
}


def packed(value: object) -> msgspec.Raw:
    """An argument list or a result as bytes; raises InvalidDelta."""
    try:
        return msgspec.Raw(msgspec.msgpack.encode(value))
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError, RecursionError) as error:
        raise InvalidDelta(f"cannot be packed: {error}") from error


def send(writer: asyncio.StreamWriter, message: Call | Answer) -> None:
    """Queue one message."""
    data = msgspec.msgpack.encode(message)
    writer.write(_HEAD.pack(len(data)))
    writer.write(data)


async def messages(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """One after the other, until the other end is gone."""
    try:
        while True:
            (size,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
            yield await reader.readexactly(size)
    except (asyncio.IncompleteReadError, OSError):
        return
