"""Deltas recorded as the recorder does it, without its log: folded, and written in steps."""

from collections.abc import Sequence

import msgspec

from bus.base import Delivery
from bus.position import Position
from history.database import Database
from history.ledger import Ledger
from history.store import Store
from session.delta import Delta
from session.state import Session

EPOCH = "m1"


class Recording:
    """One partition of a log that is recorded at once."""

    def __init__(self, database: Database) -> None:
        self.store = Store(database)
        self.sessions: dict[tuple[str, str], Session] = {}
        self._count = 0
        self._numbers: dict[tuple[str, str], int] = {}
        self._ledger: Ledger | None = None

    async def log(self, *deltas: Delta) -> None:
        """Number, fold and write deltas in one transaction."""
        if self._ledger is None:
            self._ledger = Ledger(0, await self.store.position(0))
        self._fold(self._ledger, deltas)
        step, _ = self._ledger.take()
        await self.store.commit(step)
        self.sessions = {session.key: session for session in self._ledger.sessions}
        self._ledger.note_written(step)

    def _fold(self, ledger: Ledger, deltas: Sequence[Delta]) -> None:
        for delta in deltas:
            self._count += 1
            number = self._numbers[delta.key] = self._numbers.get(delta.key, 0) + 1
            numbered = msgspec.structs.replace(delta, number=number)
            ledger.take_in(Delivery(str(Position(EPOCH, self._count)), numbered))
