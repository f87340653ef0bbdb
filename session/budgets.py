"""Budgets: when 80 % and 100 % of one are spent, it is an item of attention, once each.

Pure: what is spent is told. ``due`` is called by the leader's timer, nobody else, so that all
workers agree; ``fold_budget`` by the fold.
"""

from collections.abc import Iterable
from typing import NamedTuple

from session import attention
from session.changes import Changes
from session.delta import Time
from session.record import add_entries
from session.state import Item, Session

LEVELS = (100, 80)
"""Percent of a budget, the highest first."""

SESSION = "session"


class Spending(NamedTuple):
    """A budget and what is spent of it, in USD. ``scope``: session, ``day:…`` or ``month:…``."""

    scope: str
    spent_usd: float
    limit_usd: float

    @property
    def level(self) -> int:
        """The highest level that is reached, or 0."""
        percent = 100 * self.spent_usd / self.limit_usd if self.limit_usd > 0 else 100.0
        return next((level for level in LEVELS if percent >= level), 0)


def own_spending(session: Session, limit_usd: float | None) -> Spending:
    """What the session itself has spent of its budget; ``limit_usd`` where it has none of its own.

    Without any budget nothing is ever spent of it.
    """
    limit = session.budget_usd if session.budget_usd is not None else limit_usd
    if limit is None:
        return Spending(SESSION, 0.0, 1.0)
    return Spending(SESSION, session.cost_usd or 0.0, limit)


def due(session: Session, spendings: Iterable[Spending], now_ms: int) -> list[Time]:
    """The deltas of all budgets whose level is another than was told; none of one that is over.

    A scope that was told and is not among ``spendings`` (yesterday) is taken back.
    """
    if session.base == "ended":
        return []
    by_scope = {each.scope: each for each in spendings}
    over = [Spending(scope, 0.0, 1.0) for scope in session.budget_levels if scope not in by_scope]
    return [
        _time(session, each, now_ms)
        for each in (*by_scope.values(), *over)
        if each.level != session.budget_levels.get(each.scope, 0)
    ]


def _time(session: Session, spending: Spending, now_ms: int) -> Time:
    scope, level = spending.scope, spending.level
    return Time(
        id=f"budget:{session.workspace}:{session.id}:{scope}:{level}:{session.number}",
        session=session.id,
        workspace=session.workspace,
        agent=session.agent,
        kind="budget",
        source="time",
        received_at=now_ms,
        fields={
            "scope": scope, "level": level, "spent_usd": spending.spent_usd,
            "limit_usd": spending.limit_usd,
        },
    )  # fmt: skip


def fold_budget(session: Session, delta: Time, changes: Changes) -> None:
    """A level of a budget was reached, or is no longer: the budget was raised."""
    scope, level = delta.fields.get("scope"), delta.fields.get("level")
    if not isinstance(scope, str) or level not in (0, *LEVELS):
        return
    if level == session.budget_levels.get(scope, 0) or session.base == "ended":
        return
    item_id = f"budget:{scope}"
    if level == 0:
        del session.budget_levels[scope]
        attention.close(session, item_id, "within budget", changes)
        return
    session.budget_levels[scope] = level
    item = Item(
        id=item_id, session=session.id, kind="budget", tool=None,
        summary=_summary(scope, level, delta), opened_at=delta.received_at,
    )  # fmt: skip
    attention.open_item(session, item, changes)
    add_entries(session, [attention.entry(item, delta.number)], delta.number, changes)


def _summary(scope: str, level: int, delta: Time) -> str:
    name, _, which = scope.partition(":")
    whose = f"the {name}'s budget" + (f" ({which})" if which else "")
    spent, limit = (_usd(delta.fields.get(each)) for each in ("spent_usd", "limit_usd"))
    return f"{level} % of {whose} is spent: {spent} of {limit} USD"


def _usd(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, int | float) else "?"
