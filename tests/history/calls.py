"""API calls as sessions tell them, and what of them must stand in SQL, by a plain model.

The model knows nothing of steps: it holds what each session says now, and decides from all of it.
"""

import math
from collections import defaultdict
from typing import Any, NamedTuple

from history.rows import day_of
from history.store import Store
from tests.history.looking import Row, rows_of

COUNTS = ("input", "output", "cache_read", "cache_write")
Days = dict[tuple[str, str, str], dict[str, Any]]


class Said(NamedTuple):
    """One session's word of one call."""

    session: str
    call: str
    model: str
    at: int | None
    counts: tuple[int, int, int, int]
    cost_usd: float | None
    forked: bool


def owners(said: list[Said], started_at: dict[str, int | None]) -> dict[str, Said]:
    """Call → whose it is: unmarked before marked, the earlier start, the smaller id."""

    def rank(each: Said) -> tuple[bool, float, str]:
        at = started_at[each.session]
        return each.forked, math.inf if at is None else at, each.session

    found: dict[str, Said] = {}
    for each in sorted(said, key=rank):
        found.setdefault(each.call, each)
    return found


def day_sums(said: list[Said]) -> Days:
    """(session, day, model) → sums of these calls."""
    sums: Days = {}
    for each in said:
        empty = {**dict.fromkeys(COUNTS, 0), "cost_usd": None, "calls": 0, "unpriced": 0}
        row = sums.setdefault((each.session, day_of(each.at), each.model), empty)
        for name, count in zip(COUNTS, each.counts, strict=True):
            row[name] += count
        row["calls"] += 1
        if each.cost_usd is None:
            row["unpriced"] += 1
        else:
            row["cost_usd"] = (row["cost_usd"] or 0.0) + each.cost_usd
    return sums


def _said(row: Row, names: dict[int, str]) -> Said:
    counts = tuple(row[name] for name in COUNTS)
    told = row["message_id"], row["model"], row["at"], counts, row["cost_usd"], row["forked"]
    return Said(names[row["session_pk"]], *told)  # type: ignore[arg-type]


async def check(store: Store, said: list[Said]) -> None:
    """Each call once at its owner, all others aside, and all sums those of the calls."""
    sessions = await rows_of(store, "sessions")
    names = {row["pk"]: row["id"] for row in sessions}
    started_at = {row["id"]: row["started_at"] for row in sessions}
    owned = owners(said, started_at)
    usage = [_said(row, names) for row in await rows_of(store, "usage")]
    assert sorted(usage) == sorted(owned.values())
    copies = [_said(row, names) for row in await rows_of(store, "usage_copies")]
    assert sorted(copies) == sorted(each for each in said if each is not owned[each.call])
    families = {row["id"]: row["usage_family"] for row in sessions}
    counted = [each for each in owned.values() if families[each.session] == "transcript"]
    assert_days(await days_of(store, names), day_sums(counted))
    undated = [each._replace(at=None, model="") for each in counted]
    assert_days(await whole_of(store, names), day_sums(undated))


async def days_of(store: Store, names: dict[int, str]) -> Days:
    """``usage_days`` as the model has it."""
    found: Days = defaultdict(dict)
    for row in await rows_of(store, "usage_days"):
        key = names[row["session_pk"]], row["day"], row["model"]
        found[key] = {name: row[name] for name in (*COUNTS, "cost_usd", "calls", "unpriced")}
    return found


async def whole_of(store: Store, names: dict[int, str]) -> Days:
    """``usage_sessions`` in the same way, of no day and no model."""
    return {
        (names[row["session_pk"]], "", ""): {
            name: row[name] for name in (*COUNTS, "cost_usd", "calls", "unpriced")
        }
        for row in await rows_of(store, "usage_sessions")
    }


def assert_days(found: Days, expected: Days) -> None:
    """Counts exactly, cost but for the order in which it was added up."""
    assert found.keys() == expected.keys()
    for key, sums in expected.items():
        told = found[key]
        assert {**told, "cost_usd": None} == {**sums, "cost_usd": None}, key
        if sums["cost_usd"] is None:
            assert told["cost_usd"] is None
        else:
            assert math.isclose(told["cost_usd"], sums["cost_usd"], rel_tol=1e-9), key
