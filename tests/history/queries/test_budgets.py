"""Budgets are kept for each workspace, beside what is spent today and this month."""

from typing import Any

import pytest

from history.database import Database
from history.errors import BadQuery
from history.history import History
from tests.history.queries.test_usage import FIRST, call, calls
from tests.history.recording import Recording

NOTHING = {
    "day": {"limit_usd": None, "spent_usd": None},
    "month": {"limit_usd": None, "spent_usd": None},
    "session": {"limit_usd": None},
}


@pytest.fixture
def history(database: Database) -> History:
    """It is the afternoon of 2026-11-20."""
    return History(database, now_ms=lambda: FIRST + 50_000_000)


async def test_limits_are_set_changed_and_taken_away(history: History) -> None:
    """Scopes that are not named stay as they are."""
    assert await history.budgets("default") == NOTHING
    await history.set_budgets("default", {"day": 5, "session": 2.5})
    await history.set_budgets("default", {"day": 7.25, "month": 100})
    await history.set_budgets("other", {"day": 1})
    told = await history.budgets("default")
    assert {scope: each["limit_usd"] for scope, each in told.items()} == {
        "day": 7.25, "month": 100.0, "session": 2.5,
    }  # fmt: skip
    await history.set_budgets("default", {"day": None, "month": None, "session": None})
    assert await history.budgets("default") == NOTHING
    assert (await history.budgets("other"))["day"]["limit_usd"] == 1.0


async def test_what_is_spent_stands_beside_them(recording: Recording, history: History) -> None:
    """Today's and this month's calls that have a price; not those of before."""
    spent = [call("m1", 0, 1.5), call("m2", -3, 2.0), call("m3", -25, 50.0), call("m4", 0, None)]
    await recording.log(calls("a", *spent))
    told = await history.budgets("default")
    assert (told["day"]["spent_usd"], told["month"]["spent_usd"]) == (1.5, 3.5)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ([], "object"), (None, "object"), ("day", "object"), ({"week": 1}, "week"),
        ({"day": 0}, "day"), ({"day": -1}, "day"), ({"month": True}, "month"),
        ({"month": "5"}, "month"), ({"session": float("nan")}, "session"),
        ({"session": float("inf")}, "session"), ({"day": 10**400}, "day"), ({"day": [1]}, "day"),
    ],
)  # fmt: skip
async def test_what_is_no_limit_is_refused_whole(history: History, limits: Any, said: str) -> None:
    """The refusal names the scope, and nothing of it is kept."""
    with pytest.raises(BadQuery, match=said):
        await history.set_budgets("default", limits)
    if isinstance(limits, dict):
        with pytest.raises(BadQuery):
            await history.set_budgets("default", {"day": 3, **limits, "month": "x"})
    assert await history.budgets("default") == NOTHING
