"""The interface of the bus: the log (append, tail, group, checkpoint), and what is shared besides.

Both engines keep it and one conformance suite proves it. Called by ingest, hub and recorder;
nobody else knows which engine runs.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple, Protocol

from bus.shared import Shared
from session.delta import Delta


class Receipt(NamedTuple):
    """What the log made of one delta: its dense number, and whether its id was known already."""

    number: int
    duplicate: bool


class Batch(NamedTuple):
    """Deltas of one partition in their order, already numbered.

    ``position`` is behind the last of them. ``lost`` says that entries between the asked
    position and the first one are gone (trimmed, or a new lineage): whoever folds must begin
    anew from a checkpoint. ``poison`` counts entries that could not be read and were passed over.
    The first ``former`` of the deltas were told in a former epoch, and have survived its end.
    """

    partition: int
    epoch: str
    deltas: list[Delta]
    position: str
    lost: bool = False
    poison: int = 0
    former: int = 0


class Delivery(NamedTuple):
    """One delta handed to a consumer group; ``position`` is what to ack."""

    position: str
    delta: Delta


class Checkpoint(NamedTuple):
    """A stored state of one partition, as of ``position`` in ``epoch``."""

    epoch: str
    position: str
    data: bytes


class Group(Protocol):
    """One consumer of a consumer group on one partition: each delta to one consumer."""

    async def read(self, count: int, wait_ms: int) -> list[Delivery]:
        """New deltas, at most ``count``; waits at most ``wait_ms`` (≤ 2,000) for the first."""
        ...

    async def ack(self, positions: Sequence[str]) -> None:
        """These are stored: never deliver them again."""
        ...

    async def reclaim(self, idle_ms: int, count: int) -> list[Delivery]:
        """Delivered and not acked: this consumer's own, and others' idle for ``idle_ms``."""
        ...


class Bus(Shared, Protocol):
    """The log. Every method may raise BusUnavailable within 3 s; nothing is half done then.

    What processes share besides it lies in the same place.
    """

    partitions: int

    async def open(self) -> None:
        """Connect; raises BusUnavailable if the log is not there."""
        ...

    async def close(self) -> None:
        """Let go of everything; tails and listeners end."""
        ...

    async def append(self, deltas: Sequence[Delta]) -> list[Receipt]:
        """Append in order, one receipt each; an id seen within 24 h gives its first receipt."""
        ...

    async def room(self) -> None:
        """Return when the log has much room; whoever has much to append and no hurry asks first.

        What room there is then is for those who have: hooks.
        """
        ...

    def tail(self, partition: int, position: str | None) -> AsyncGenerator[Batch, None]:
        """Everything behind ``position`` (None: from the oldest entry), then live, for ever.

        Every reader sees all. Yields an empty batch when the epoch or ``lost`` changes while
        nothing is new, never otherwise.
        """
        ...

    async def behind(self, partition: int, position: str, count: int) -> list[Delivery]:
        """The first deltas behind a position, of those that are still there, given to nobody."""
        ...

    async def group(self, name: str, consumer: str, partition: int) -> Group:
        """Join a consumer group; it begins at the oldest entry that there is."""
        ...

    async def position(self, partition: int) -> str:
        """The position behind the newest entry."""
        ...

    async def lineage(self, partition: int) -> str:
        """The epoch: it changes when acknowledged entries may have been lost."""
        ...

    async def holds(self, partition: int, position: str) -> bool:
        """Whether this log goes on from what was read up to a position, trimmed or not."""
        ...

    async def survived(self, partition: int, position: str) -> str | None:
        """A position that this log holds; the last before it where entries behind that one are
        lost; None for one that is of another log, or of which nothing can be told."""
        ...

    async def trim(self, partition: int, position: str) -> int:
        """Drop entries up to and including ``position``; gives how many."""
        ...

    async def save_checkpoint(self, partition: int, checkpoint: Checkpoint) -> None:
        """Store the state of one partition, replacing the last."""
        ...

    async def load_checkpoint(self, partition: int) -> Checkpoint | None:
        """The stored state, or None."""
        ...


def partition_of(workspace: str, session: str, partitions: int) -> int:
    """The partition of a session: the same in every process and every release."""
    value = 0xCBF29CE484222325
    for byte in f"{workspace}\x00{session}".encode("utf-8", "replace"):
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value % partitions
