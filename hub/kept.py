"""Where sessions that were let go come from again: what a worker asks of history.

An interface only, so that a worker runs without any database. Called by the worker and the refold.
"""

from collections.abc import Sequence
from typing import Protocol

from history.standing import Standing
from hub.live.cache import Key
from session.state import Session


class Kept(Protocol):
    """Where sessions that were let go come from again.

    ``begins_empty``: nothing was kept before this worker began. Every method raises HistoryError
    or BusError where nobody can tell now, and nothing else that lies outside this process.
    """

    begins_empty: bool

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, int]:
        """Up to which of the log's numbers these sessions are kept, of those that are."""
        ...

    async def former(self, key: Key) -> tuple[int, str]:
        """Up to which number it is kept of what the log held before it lost its end; 0 for none.

        With the epoch that the log is in, which whoever reads it may not have heard of yet.
        """
        ...

    async def restore(
        self, workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """The session as far as it is kept, or None; to be shown with the end of its timeline.

        Its number is 0 where what is kept is of another count of the log.
        """
        ...

    async def board(self, partition: int) -> Standing:
        """What a worker begins with where the log has no checkpoint."""
        ...
