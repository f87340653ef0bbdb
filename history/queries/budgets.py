"""Budgets of a workspace: for a day, for a month, for each session; and what is spent of them.

Days and months are of UTC. A limit is told and kept, nothing is stopped by it. Called by the
facade.
"""

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from history.errors import BadQuery
from history.sql import upsert
from history.tables import budgets, usage_days

SCOPES = ("day", "month", "session")
LIMIT_USD_MAX = 1e9

Limits = Mapping[str, float | None]


def parse_limits(told: Any) -> dict[str, float | None]:
    """Scope → USD, or null for no limit; scopes that are not named stay. Raises BadQuery."""
    if not isinstance(told, dict):
        raise BadQuery(f"expected an object of {', '.join(SCOPES)}")
    if unknown := [name for name in told if name not in SCOPES]:
        raise BadQuery(f"{unknown[0][:40]!r}: expected one of {', '.join(SCOPES)}")
    return {scope: _limit(scope, value) for scope, value in told.items()}


def _limit(scope: str, value: Any) -> float | None:
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= LIMIT_USD_MAX or not math.isfinite(value):
        raise BadQuery(f"{scope}: expected USD from above 0 to {LIMIT_USD_MAX:.0f}, or null")
    return float(value)


async def told(connection: AsyncConnection, workspace: str, today: str) -> dict[str, Any]:
    """Scope → ``limit_usd``, and ``spent_usd`` of day and month; null where nothing is known.

    ``today`` as ``2026-11-20``, UTC.
    """
    rows = select(budgets).where(budgets.c.workspace == workspace)
    limits = {each.scope: each.limit_usd for each in await connection.execute(rows)}
    spent = {
        "day": await _spent(connection, workspace, today),
        "month": await _spent(connection, workspace, today[:7] + "-01"),
    }
    return {
        scope: {"limit_usd": limits.get(scope)}
        | ({"spent_usd": spent[scope]} if scope in spent else {})
        for scope in SCOPES
    }


async def _spent(connection: AsyncConnection, workspace: str, first: str) -> float | None:
    """Since a day; clocks that are ahead count as well."""
    theirs = (usage_days.c.workspace == workspace) & (usage_days.c.day >= first)
    cost = select(func.sum(usage_days.c.cost_usd)).where(theirs)
    spent: float | None = (await connection.execute(cost)).scalar()
    return spent


async def keep(connection: AsyncConnection, workspace: str, limits: Limits) -> None:
    """Set limits, and take those away that are None."""
    gone = [scope for scope, limit in limits.items() if limit is None]
    theirs = (budgets.c.workspace == workspace) & budgets.c.scope.in_(gone)
    await connection.execute(delete(budgets).where(theirs))
    kept = {scope: limit for scope, limit in limits.items() if limit is not None}
    rows = [
        {"workspace": workspace, "scope": scope, "limit_usd": limit}
        for scope, limit in kept.items()
    ]
    await upsert(connection, budgets, rows)
