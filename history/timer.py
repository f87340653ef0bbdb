"""The leader's timer: appends what time alone changes, and what budgets ask for.

Exactly one process runs it, so that all workers agree. Started by the recorder.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from bus.base import Bus
from bus.errors import BusError
from history.errors import DatabaseUnavailable
from session.aging import by_time
from session.budgets import Spending, due, own_spending
from session.delta import Delta
from session.state import Session

log = logging.getLogger(__name__)

INTERVAL_S = 15.0

Limits = dict[str, float]
"""Scope (``day``, ``month``, ``session``) → USD, of one workspace."""


class Accounts(Protocol):
    """What the timer asks the database."""

    async def budgets(self) -> dict[str, Limits]:
        """Every workspace's budgets."""
        ...

    async def spent(self, workspace: str, day_prefix: str) -> float:
        """What all sessions have spent on days that begin so: ``2026-11`` or ``2026-11-20``."""
        ...


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


async def run(
    bus: Bus,
    sessions: Callable[[], Iterable[Session]],
    accounts: Accounts,
    interval_s: float | None = None,
) -> None:
    """Look at every session for ever, now and then."""
    while True:
        now = now_ms()
        found: list[Delta] = [delta for session in sessions() for delta in by_time(session, now)]
        try:
            found += await _budgets_due(list(sessions()), accounts, now)
        except DatabaseUnavailable as error:
            log.warning("nobody can tell what is spent: %s", error)
        if found:
            try:
                await bus.append(found)
            except BusError as error:
                log.warning("the log does not take what time changed: %s", error)
        await asyncio.sleep(INTERVAL_S if interval_s is None else interval_s)


async def _budgets_due(sessions: Sequence[Session], accounts: Accounts, now: int) -> list[Delta]:
    """What the budgets of each workspace ask for; few have any."""
    limits = await accounts.budgets()
    found: list[Delta] = []
    for workspace in {session.workspace for session in sessions}:
        mine = [session for session in sessions if session.workspace == workspace]
        shared = await _shared(workspace, limits.get(workspace, {}), accounts, now)
        speaker = _speaker(mine, shared)
        for session in mine:
            own = own_spending(session, limits.get(workspace, {}).get("session"))
            told = [each for each in shared if session is speaker.get(each.scope)]
            found += due(session, [own, *told], now)
    return found


async def _shared(workspace: str, limits: Limits, accounts: Accounts, now: int) -> list[Spending]:
    """The budgets that all sessions of a workspace spend of."""
    today = datetime.fromtimestamp(now / 1000, UTC)
    prefixes = {"day": today.strftime("%Y-%m-%d"), "month": today.strftime("%Y-%m")}
    return [
        Spending(f"{scope}:{prefix}", await accounts.spent(workspace, prefix), limits[scope])
        for scope, prefix in prefixes.items()
        if scope in limits
    ]


def _speaker(sessions: Sequence[Session], shared: Sequence[Spending]) -> dict[str, Session]:
    """Which session tells of a budget that is everybody's: who did before, else the latest."""
    live = [session for session in sessions if session.base != "ended"]
    chosen: dict[str, Session] = {}
    for spending in shared:
        told = [session for session in live if spending.scope in session.budget_levels]
        latest = sorted(live, key=lambda each: (each.updated_at or 0, each.id))
        if told or latest:
            chosen[spending.scope] = (told or latest[::-1])[0]
    return chosen
