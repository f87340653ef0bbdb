"""What a hub worker brings back from history: sessions that it let go, and a board to begin with.

Numbers that are of another count than the log is at now are told as 0. Never waits for the
database or the log: what does not answer is DatabaseUnavailable, and who asks decides. Called by
the worker, which knows it as an interface.
"""

from collections.abc import Sequence

from bus.base import Bus, partition_of
from bus.errors import BusError
from bus.position import Position
from history.errors import DatabaseUnavailable
from history.first_board import PAST_MAX
from history.history import History
from history.rows import session_of
from history.store import Store
from session.errors import InvalidCheckpoint
from session.state import Session

Key = tuple[str, str]

UNCOUNTED = "-"
"""Of no count: whatever number stands in history, it says nothing here."""


class Kept:
    """History as a worker on this log sees it."""

    begins_empty = False

    def __init__(self, history: History, bus: Bus) -> None:
        self._history = history
        self._store = Store(history.database)
        self._bus = bus

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, int]:
        """Up to which of the log's numbers these sessions are kept, of those that are."""
        counts = await self._counts()
        found = await self._history.numbers(keys)
        return {
            key: number if numbering == self._count_of(key, counts) else 0
            for key, (number, numbering) in found.items()
        }

    async def restore(
        self, workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """The session as far as it is kept, or None; if wanted, with the end of its timeline."""
        read = self._history.session if with_timeline else self._history.outline
        key, before = (workspace, session_id), await self._counts()
        while True:
            session = await read(workspace, session_id, self._count_of(key, before))
            if session is None or session.number:
                return session
            # Of no count, or of one that began to be recorded in between: then its number counts.
            now = await self._counts()
            if now == before:
                return session
            before = now

    async def board(self) -> list[Session]:
        """Every session that is not past and the latest of those that are, without timelines."""
        counts = await self._counts()
        found: list[Session] = []
        for row in await self._store.board(PAST_MAX):
            key = (row["workspace"], row["id"])
            try:
                found.append(session_of(row, self._count_of(key, counts)))
            except InvalidCheckpoint:
                continue  # what cannot be read goes on without it
        return found

    async def _counts(self) -> dict[int, str]:
        """The count that each partition is at; none where the log is another one by now."""
        told = await self._history.numberings()
        try:
            return {
                partition: count
                for partition, count in told.items()
                if await self._bus.holds(partition, str(Position(count, 0)))
            }
        except BusError as error:
            # A log that is slow for a moment is no reason for a worker to end.
            raise DatabaseUnavailable(f"the log does not tell its count: {error}") from error

    def _count_of(self, key: Key, counts: dict[int, str]) -> str:
        return counts.get(partition_of(*key, self._bus.partitions), UNCOUNTED)
