"""What the hub asks history, by workspace: the one door to the queries.

Raises BadQuery for what cannot be answered and DatabaseUnavailable, nothing else of its own.
Given to the hub by the service; the hub imports it for its types alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bus.unbroken import unbroken
from history.credentials import Act, Acts, Logout, Token
from history.database import Database
from history.errors import DatabaseUnavailable, WrongSchema
from history.queries import acts, budgets, listing, restore, timelines, tokens, usage
from history.queries.filters import Filter, asked
from history.queries.merge import Found
from history.queries.timelines import Page
from history.queries.usage import Usage, parse_days, parse_kind
from history.rows import day_of
from session.state import Session
from session.timeline import TimelineEntry

Key = tuple[str, str]


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class History:
    """One database, read for people."""

    def __init__(self, database: Database, now_ms: Callable[[], int] = now_ms) -> None:
        self.database = database
        self._now_ms = now_ms

    async def sessions(
        self, workspace: str, wanted: Filter, live: Mapping[str, Session] | None = None
    ) -> Found:
        """A page of all sessions; of those in ``live`` (id → session) the row is not looked at."""
        async with self.database.read() as connection:
            return await listing.found(connection, asked(workspace), wanted, live or {})

    async def session(
        self, workspace: str, session_id: str, numbering: str | None = None
    ) -> Session | None:
        """A session as the fold goes on from it, its ring filled; None if it is not recorded.

        ``numbering`` is the count that the log is at: a number of another one is 0 then.
        """
        async with self.database.read() as connection:
            return await restore.session(connection, asked(workspace), asked(session_id), numbering)

    async def outline(
        self, workspace: str, session_id: str, numbering: str | None = None
    ) -> Session | None:
        """The same without its timeline, for those who only tell what it is, or fold it on."""
        async with self.database.read() as connection:
            return await restore.session(
                connection, asked(workspace), asked(session_id), numbering, ring_entries=0
            )

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, tuple[int, str]]:
        """Up to which of the log's numbers sessions are recorded, and the count it is of."""
        plain = {(asked(workspace), asked(each)): (workspace, each) for workspace, each in keys}
        async with self.database.read() as connection:
            found = await restore.numbers(connection, list(plain))
        return {plain[key]: told for key, told in found.items()}

    async def numberings(self) -> dict[int, tuple[str, str]]:
        """Partition of the log → the count that it is recorded in, and up to which place."""
        async with self.database.read() as connection:
            return await restore.numberings(connection)

    async def timeline(
        self, workspace: str, session_id: str, before: int | None, limit: int
    ) -> Page | None:
        """Entries with a ``seq`` below ``before``, or the newest; None for no such session."""
        async with self.database.read() as connection:
            return await timelines.page(
                connection, asked(workspace), asked(session_id), before, limit
            )

    async def entry(
        self, workspace: str, session_id: str, entry_id: str
    ) -> tuple[TimelineEntry, str] | None:
        """One entry and its whole text, or None."""
        async with self.database.read() as connection:
            return await timelines.entry(
                connection, asked(workspace), asked(session_id), asked(entry_id)
            )

    async def usage(
        self, workspace: str, by: str | None, since: str | None = None, until: str | None = None
    ) -> Usage:
        """Tokens and cost by one of KINDS, over days that are both included."""
        kind, days = parse_kind(by), parse_days(since, until)
        async with self.database.read() as connection:
            return await usage.sums(connection, asked(workspace), kind, days)

    async def budgets(self, workspace: str) -> dict[str, Any]:
        """Scope (day, month, session) → its limit, and what is spent today and this month."""
        today = day_of(self._now_ms())
        async with self.database.read() as connection:
            return await budgets.told(connection, asked(workspace), today)

    @unbroken
    async def set_budgets(self, workspace: str, limits: Any) -> None:
        """Set limits by scope, in USD; None takes one away."""
        parsed = budgets.parse_limits(limits)
        async with self.database.write() as connection:
            await budgets.keep(connection, asked(workspace), parsed)

    # Who may come in, and who did what.

    async def credentials(self) -> tuple[list[Token], list[Logout]]:
        """Every token, also those that are over, and every sign-in that was ended.

        None where the tables of an older release, or none at all, are still to be brought up to
        date: nothing of the kind was ever kept there.
        """
        try:
            async with self.database.read() as connection:
                return await tokens.everything(connection, self._now_ms())
        except DatabaseUnavailable:
            try:
                await self.database.check()
            except WrongSchema as error:
                if (error.found or "") < tokens.SINCE:
                    return [], []
            raise

    @unbroken
    async def keep_token(self, token: Token) -> bool:
        """Add a token; False where there are as many as there may be."""
        async with self.database.write() as connection:
            return await tokens.keep(connection, token)

    @unbroken
    async def revoke_token(self, token_id: str, workspace: str | None) -> Token | None:
        """End a token, of that workspace if one is told; None where there is none."""
        async with self.database.write() as connection:
            return await tokens.revoke(
                connection, asked(token_id), workspace and asked(workspace), self._now_ms()
            )

    @unbroken
    async def keep_logouts(self, ended: Sequence[Logout]) -> None:
        """Sign-ins that were ended."""
        async with self.database.write() as connection:
            await tokens.end(connection, list(ended))

    @unbroken
    async def keep_acts(self, told: Sequence[Act]) -> None:
        """Who did what, in its order."""
        async with self.database.write() as connection:
            await acts.keep(connection, told)

    async def acts(self, workspace: str | None, limit: int, before: int | None) -> Acts:
        """A page of who did what in a workspace, the latest first; None: in all, and in none."""
        async with self.database.read() as connection:
            return await acts.page(connection, workspace and asked(workspace), limit, before)
