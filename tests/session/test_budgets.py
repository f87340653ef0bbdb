"""Budgets: 80 % and 100 % are told once each, and taken back when the budget is raised."""

from hypothesis import given
from hypothesis import strategies as st

from session import codec
from session.budgets import Spending, due, fold_budget, own_spending
from session.changes import Changes
from session.fold import fold
from session.state import Session
from tests.session.made import hook

NOW = 1_790_000_000_000


def spent(cost_usd: float | None, budget_usd: float | None = None) -> Session:
    """A session at work that has cost so much."""
    session = Session(id="s", workspace="default", base="running")
    session.cost_usd, session.budget_usd = cost_usd, budget_usd
    return session


def look(session: Session, *shared: Spending, limit_usd: float | None = None) -> list[str]:
    """What the timer has to say, folded; the summaries that are open then."""
    for delta in due(session, [own_spending(session, limit_usd), *shared], NOW):
        fold(session, codec.numbered(delta, session.number + 1))
    return [item.summary for item in session.items.values()]


def test_each_level_is_told_once() -> None:
    """Nothing below 80 %, one item from there on, and the same item says 100 %."""
    session = spent(7.9, 10.0)
    assert look(session) == []
    session.cost_usd = 8.0
    assert look(session) == ["80 % of the session's budget is spent: 8.00 of 10.00 USD"]
    assert due(session, [own_spending(session, None)], NOW) == []
    session.cost_usd = 12.0
    assert look(session) == ["100 % of the session's budget is spent: 12.00 of 10.00 USD"]
    assert [entry.kind for entry in session.timeline] == ["attention", "attention"]


def test_a_raised_budget_takes_the_item_back() -> None:
    """As does one that is no more; a later crossing is told again."""
    for raised in (100.0, None):
        session = spent(10.0, 10.0)
        look(session)
        session.budget_usd = raised
        assert (look(session), session.attention, session.budget_levels) == ([], 0, {})
        session.budget_usd = 11.0
        assert len(look(session)) == 1


def test_a_session_without_a_budget_of_its_own_has_the_common_one() -> None:
    """Its own one wins."""
    assert len(look(spent(5.0), limit_usd=5.0)) == 1
    assert look(spent(5.0, 50.0), limit_usd=5.0) == []
    assert look(spent(5.0)) == []


def test_unknown_cost_is_not_spent_and_a_budget_of_nothing_is_spent_at_once() -> None:
    """Nobody divides by it."""
    assert look(spent(None, 1.0)) == []
    assert len(look(spent(0.0, 0.0))) == 1


def test_yesterdays_budget_is_taken_back() -> None:
    """A day's item does not stay for ever."""
    session = spent(1.0)
    assert len(look(session, Spending("day:2026-11-20", 9.0, 10.0))) == 1
    assert look(session, Spending("day:2026-11-21", 0.5, 10.0)) == []


def test_an_ended_session_asks_for_nothing() -> None:
    """Its items are closed, and none is opened."""
    session = spent(10.0, 10.0)
    delta = due(session, [own_spending(session, None)], NOW)[0]
    session.base = "ended"
    changes = Changes()
    fold_budget(session, delta, changes)
    assert (due(session, [own_spending(session, None)], NOW), bool(changes)) == ([], False)


def test_a_session_that_ends_closes_its_budget() -> None:
    """All of a session's items close when it ends."""
    session = spent(10.0, 10.0)
    look(session)
    fold(session, hook("SessionEnd", NOW + 1, session.number + 1, reason="logout"))
    assert session.items == {}


@given(st.lists(st.floats(0, 20), max_size=12))
def test_what_is_open_is_the_level_that_is_reached(costs: list[float]) -> None:
    """However the cost moves between two looks of the timer."""
    session = spent(0.0, 10.0)
    for cost in costs:
        session.cost_usd = cost
        told = look(session)
        level = Spending("session", cost, 10.0).level
        assert [each.split(" ")[0] for each in told] == ([str(level)] if level else [])
