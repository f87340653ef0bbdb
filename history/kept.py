"""What a hub worker brings back from history: sessions that it let go, and a board to begin with.

Numbers that are of another count than the log is at now are told as 0. Never waits for the
database or the log: HistoryError and BusError are passed on, and who asks decides. Called by the
worker, which knows it as an interface.
"""

import contextlib
from collections.abc import Iterable, Sequence

from bus.base import Bus, partition_of
from bus.position import Position
from history.first_board import PAST_MAX
from history.history import History
from history.rows import session_of
from history.standing import Standing
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
        counts = await self._counts({self._partition_of(key) for key in keys})
        found = await self._history.numbers(keys)
        return {
            key: number if numbering == counts[self._partition_of(key)] else 0
            for key, (number, numbering) in found.items()
        }

    async def former(self, key: Key) -> tuple[int, str]:
        """Up to which number it is kept of what the log held before it lost its end; 0 for none.

        With the epoch that the log is in.
        """
        partition = self._partition_of(key)
        number, numbering = (await self._history.numbers([key])).get(key, (0, ""))
        place = str(Position(numbering, 0))
        is_ours = bool(numbering) and await self._bus.holds(partition, place)
        return (number if is_ours else 0), await self._bus.lineage(partition)

    async def restore(
        self, workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """The session as far as it is kept, or None; if wanted, with the end of its timeline."""
        read = self._history.session if with_timeline else self._history.outline
        partitions = {self._partition_of((workspace, session_id))}
        [before] = (await self._counts(partitions)).values()
        while True:
            session = await read(workspace, session_id, before)
            if session is None or session.number:
                return session
            # Of no count, or of one that began to be recorded in between: then its number counts.
            [now] = (await self._counts(partitions)).values()
            if now == before:
                return session
            before = now

    async def board(self, partition: int) -> Standing:
        """What is not past and the latest of what is, of a partition, without timelines.

        Where the log lost its end, it goes on behind the last entry that it still has; and until
        the recorder has begun to count anew, it may be writing what it had read before.
        """
        told, rows = await self._store.board_at(partition, PAST_MAX)
        place = await self._bus.survived(partition, told.place) if told.place else None
        is_held = bool(told.place) and place == told.place
        count = told.numbering if is_held else UNCOUNTED
        is_settled = is_held or told.numbering in ("", await self._bus.lineage(partition))
        found: list[Session] = []
        for row in rows:
            if self._partition_of((row["workspace"], row["id"])) == partition:
                with contextlib.suppress(InvalidCheckpoint):  # it goes on without it
                    found.append(session_of(row, count))
        return Standing(found, place, is_settled)

    async def _counts(self, partitions: Iterable[int]) -> dict[int, str]:
        """The count that each of them is at; none where the log lost what is recorded of it."""
        told = await self._history.numberings()
        counts = dict.fromkeys(partitions, UNCOUNTED)
        for partition in counts:
            numbering, place = told.get(partition, ("", ""))
            if place and await self._bus.holds(partition, place):
                counts[partition] = numbering
        return counts

    def _partition_of(self, key: Key) -> int:
        return partition_of(*key, self._bus.partitions)
