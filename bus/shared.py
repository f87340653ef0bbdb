"""What processes share besides the log: leases, secrets, tables, signals that may be lost, notes.

Both engines keep it and one conformance suite proves it. Never a place for what must not be
lost: that goes on the log. Called by hub, ingest, recorder and the roles.
"""

from collections.abc import AsyncGenerator
from typing import NamedTuple, Protocol


class Signal(NamedTuple):
    """Something that was published on a topic."""

    topic: str
    data: bytes


SUBSCRIBED = Signal("", b"")
"""From here on signals are heard; what was published before may have been missed."""


class Note(NamedTuple):
    """Something that was noted under a name, ``age_ms`` ago by the clock of the place itself."""

    name: str
    data: bytes
    age_ms: int


class Shared(Protocol):
    """Every method but ``listen`` may raise BusUnavailable within 3 s, and may be called again."""

    async def lease(self, name: str, holder: str, ttl_ms: int) -> bool:
        """Take or renew a lease; False if another one holds it.

        True means: for ``ttl_ms`` from the call (not from its answer) nobody else is told True.
        A Redis that fails over may forget a lease, so two holders for a moment must do no harm.
        """
        ...

    async def release(self, name: str, holder: str) -> None:
        """Give a lease up, if this holder has it.

        Whoever gives up and comes back does so under a new name, for a release that was not
        answered may still be done.
        """
        ...

    async def publish(self, topic: str, data: bytes) -> None:
        """Tell all who listen now, in this process too. It may be heard twice, or not at all."""
        ...

    def listen(self, *topics: str) -> AsyncGenerator[Signal, None]:
        """What is published on these topics, for ever; ends at close.

        The first thing is SUBSCRIBED, and it comes again whenever signals may have been missed:
        whoever keeps a state by them must then look at the state itself.
        """
        ...

    async def secret(self, name: str, value: str) -> str:
        """The secret of all processes under a name; ``value`` becomes it if there was none."""
        ...

    async def note(self, topic: str, name: str, data: bytes, ttl_ms: int) -> None:
        """Keep the latest note under a name, for so long; the log in memory forgets it at its end.

        Of more than NOTES_MAX on one topic those are forgotten whose time is over first.
        """
        ...

    async def notes(self, topic: str) -> list[Note]:
        """Everything that is noted on a topic, in no order."""
        ...

    async def put(self, table: str, key: str, value: bytes) -> None:
        """Set a value in a table.

        A table is a copy of what is kept elsewhere: Redis may lose it, and whoever knows better
        must fill it again.
        """
        ...

    async def add(self, table: str, key: str, value: bytes) -> None:
        """The same where there is none yet; one that is there stays."""
        ...

    async def forget(self, table: str, key: str) -> None:
        """Take a value away, if there is one."""
        ...

    async def table(self, table: str) -> dict[str, bytes]:
        """Everything in a table, by key."""
        ...
