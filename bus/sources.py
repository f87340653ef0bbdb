"""Who sends from afar: the readers on other machines that say now and then that they are there.

What an ingest heard of them, as notes that every hub finds. May be lost, decides nothing.
Written by the ingest, read by the hubs.
"""

from typing import NamedTuple

import msgspec
from msgspec import Struct

from bus.shared import Shared

TOPIC = "sources"
KEEP_MS = 7 * 24 * 60 * 60 * 1_000
"""So long is a source remembered that is heard no more."""


class Source(Struct, frozen=True, kw_only=True):
    """What a source said last, and ``heard_at`` by the ingest's clock, in ms.

    ``files_behind`` and ``bytes_behind`` are what it has read or seen, and not yet sent; None is
    not known. ``ended``: it said goodbye, so its silence means nothing.
    """

    workspace: str
    host: str
    user: str
    kind: str
    heard_at: int
    files_behind: int | None = None
    bytes_behind: int | None = None
    ended: bool = False


class Heard(NamedTuple):
    """A source, and how long ago it was heard by the clock of the bus."""

    source: Source
    age_ms: int


async def note(bus: Shared, source: Source) -> None:
    """It was heard just now; raises BusUnavailable."""
    told = (source.workspace, source.kind, source.host, source.user)
    name = msgspec.json.encode(told).decode()
    await bus.note(TOPIC, name, msgspec.msgpack.encode(source), KEEP_MS)


async def heard(bus: Shared) -> list[Heard]:
    """All that are remembered; a note that cannot be read is none. Raises BusUnavailable."""
    told = []
    for each in await bus.notes(TOPIC):
        try:
            source = msgspec.msgpack.decode(each.data, type=Source)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        told.append(Heard(source, each.age_ms))
    return told
