"""Recorded sessions, and requests made of parameters."""

from collections.abc import Iterable

import pytest

from history.database import Database
from history.history import History
from history.queries.filters import parse_filter
from history.queries.merge import Found
from session.state import Session
from tests.history.recording import Recording


@pytest.fixture
def recording(database: Database) -> Recording:
    """Nothing yet."""
    return Recording(database)


class Lister:
    """Asks for lists as a request does, in the default workspace."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.live: dict[str, Session] = {}

    async def page(self, **told: object) -> Found:
        """One page."""
        wanted = parse_filter([(name, str(value)) for name, value in told.items()])
        return await self.history.sessions("default", wanted, self.live)

    async def ids(self, **told: object) -> list[str]:
        """The sessions of one page, which are all that there are."""
        found = await self.page(**told)
        ids = [row["id"] for row in found.sessions]
        assert (found.total, found.next) == (len(ids), None)
        return ids

    async def all_ids(self, **told: object) -> list[str]:
        """The sessions of all pages; each says how many there are."""
        found = await self.page(**told)
        ids = [row["id"] for row in found.sessions]
        total = found.total
        while found.next is not None:
            found = await self.page(**told, cursor=found.next)
            assert found.total == total
            assert found.sessions
            ids += [row["id"] for row in found.sessions]
        assert len(ids) == total
        return ids


@pytest.fixture
def lister(history: History) -> Lister:
    """Who asks."""
    return Lister(history)


def live_of(sessions: Iterable[Session]) -> dict[str, Session]:
    """What a cache would hold."""
    return {session.id: session for session in sessions}
