"""Tokens and cost by every kind of key: each call once, and what is not known is null."""

from typing import Any

import pytest

from history.errors import BadQuery
from history.history import History
from history.queries import usage
from history.queries.usage import KINDS
from history.rows import COUNT_MAX
from session.delta import Report, Usage
from tests.history.recording import Recording
from tests.hub.made import event, report

DAY_MS = 86_400_000
FIRST = 1_795_132_800_000  # the first moment of 2026-11-20, UTC


def call(message: str, day: int = 0, cost_usd: float | None = 1.0, **more: Any) -> Usage:
    """One API call: 1 token in, 10 out."""
    told = {"model": "opus", "at": FIRST + day * DAY_MS, "input": 1, "output": 10, **more}
    return Usage(message_id=message, cost_usd=cost_usd, **told)


def calls(session: str, *usage: Usage, **values: Any) -> Report:
    """A report that tells of calls."""
    at = FIRST if usage and usage[0].at is None else None
    told = report(session, at=at or FIRST, started_at=FIRST, **values)
    return type(told)(**{**_fields(told), "usage": list(usage)})


def _fields(told: Report) -> dict[str, Any]:
    return {name: getattr(told, name) for name in told.__struct_fields__}


async def made(recording: Recording) -> None:
    """Two projects, three days, three models of which one has no price."""
    await recording.log(
        calls("a", call("m1"), call("m2", 1, cache_read=5, cache_write=2), cwd="/w/shop",
              tools={"Bash": {"calls": 3, "errors": 1, "total_ms": 40}}),
        calls("b", call("m3", 1, 0.25, model="haiku"), call("m4", 2, None, model="odd"),
              cwd="/w/blog", tools={"Bash": {"calls": 1, "errors": 0, "total_ms": 2},
                                    "Read": {"calls": 2, "errors": 0, "total_ms": 0}}),
        calls("c", call("m1", forked=True), call("m5", 1, None, model="odd"), cwd="/w/shop"),
        event("prompt", "d", at=FIRST),
        msg_of_another_workspace(),
    )  # fmt: skip


def msg_of_another_workspace() -> Report:
    """The same call in another workspace is another one."""
    told = calls("a", call("m1", cost_usd=100.0))
    return Report(**{**_fields(told), "workspace": "other"})


def brief(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Key, output tokens, cost, its state, calls, calls without a price, sessions."""
    names = ("key", "output", "cost_usd", "cost_state", "calls", "unpriced_calls", "sessions")
    return [tuple(row.get(name) for name in names) for row in rows]


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("day", [("2026-11-20", 10, 1.0, "priced", 1, 0, 1),
                 ("2026-11-21", 30, 1.25, "partial", 3, 1, 3),
                 ("2026-11-22", 10, None, "unpriced", 1, 1, 1)]),
        ("model", [("opus", 20, 2.0, "priced", 2, 0, 1), ("haiku", 10, 0.25, "priced", 1, 0, 1),
                   ("odd", 20, None, "unpriced", 2, 2, 2)]),
        ("project", [("shop", 30, 2.0, "partial", 3, 1, 2),
                     ("blog", 20, 0.25, "partial", 2, 1, 1)]),
        ("session", [("a", 20, 2.0, "priced", 2, 0, 1), ("b", 20, 0.25, "partial", 2, 1, 1),
                     ("c", 10, None, "unpriced", 1, 1, 1)]),
        ("agent", [("claude-code", 50, 2.25, "partial", 5, 2, 3)]),
        ("user", [(None, 50, 2.25, "partial", 5, 2, 3)]),
    ],
)  # fmt: skip
async def test_sums_by_key(
    recording: Recording, history: History, by: str, rows: list[tuple[Any, ...]]
) -> None:
    """A call that two sessions tell of is counted once; days in order, else by cost."""
    await made(recording)
    told = await history.usage("default", by)
    assert (told.by, brief(told.rows)) == (by, rows)
    assert brief([told.total]) == [(None, 50, 2.25, "partial", 5, 2, 3)]
    assert told.unpriced_models == ["odd"]
    assert told.prices == {"package": "genai-prices", "version": "0.2.3"}
    for name in ("input", "output", "cache_read", "cache_write", "calls"):
        assert sum(row[name] for row in told.rows) == told.total[name]


async def test_days_are_both_included(recording: Recording, history: History) -> None:
    """Told as a day, as a time or in milliseconds."""
    await made(recording)
    for since in ("2026-11-21", "2026-11-21T18:00:00Z", str(FIRST + DAY_MS)):
        told = await history.usage("default", "day", since)
        assert [row["key"] for row in told.rows] == ["2026-11-21", "2026-11-22"]
        told = await history.usage("default", "model", since, since)
        assert brief([told.total]) == [(None, 30, 1.25, "partial", 3, 1, 3)]
        assert told.unpriced_models == ["odd"]
    told = await history.usage("default", "day", None, "2026-11-20")
    assert ([row["key"] for row in told.rows], told.unpriced_models) == (["2026-11-20"], [])


async def test_tools_are_those_of_the_sessions_of_these_days(
    recording: Recording, history: History
) -> None:
    """Calls, errors and time by name, the most called first."""
    await made(recording)
    told = await history.usage("default", "tool")
    assert told.rows == [
        {"key": "Bash", "calls": 4, "errors": 1, "total_ms": 42, "sessions": 2},
        {"key": "Read", "calls": 2, "errors": 0, "total_ms": 0, "sessions": 1},
    ]
    assert told.total == {"calls": 6, "errors": 1, "total_ms": 42, "sessions": 2}
    told = await history.usage("default", "tool", "2026-11-22")
    assert told.total == {"calls": 3, "errors": 0, "total_ms": 2, "sessions": 1}


@pytest.mark.parametrize("by", KINDS)
async def test_of_many_sessions_the_same_is_told(
    recording: Recording, history: History, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """They are read in another order than those of a few, and by other indexes."""
    await made(recording)
    asked = [("2026-11-21", None), (None, "2026-11-21"), ("2026-11-22", "2026-11-22")]
    few = [await history.usage("default", by, *days) for days in asked]
    monkeypatch.setattr(usage, "FEW_SESSIONS", 0)
    assert [await history.usage("default", by, *days) for days in asked] == few
    assert all(told.rows for told in few)


@pytest.mark.parametrize("by", KINDS)
async def test_nothing_spent_is_unknown(history: History, by: str) -> None:
    """No call: no rows, zero calls, and neither tokens nor cost are known."""
    told = await history.usage("default", by)
    assert (told.rows, told.unpriced_models) == ([], [])
    assert (told.total["calls"], told.total["sessions"]) == (0, 0)
    others = {name: told.total[name] for name in told.total if name.endswith(("put", "cost_usd"))}
    assert set(others.values()) <= {None}


async def test_a_call_without_a_time_counts_where_no_days_are_asked_for(
    recording: Recording, history: History
) -> None:
    """Its day is not known, so it is in none."""
    await recording.log(calls("a", call("m1", at=None), call("m2")))
    told = await history.usage("default", "day")
    assert [row["key"] for row in told.rows] == [None, "2026-11-20"]
    for since, until in (("2020-01-01", None), (None, "2030-01-01")):
        assert (await history.usage("default", "day", since, until)).total["calls"] == 1


async def test_a_count_that_nobody_can_have_had_is_none(
    recording: Recording, history: History
) -> None:
    """One that is just possible is in the sum, which a column holds whatever it is a sum of."""
    await recording.log(
        calls("a", call("m1", output=COUNT_MAX)), calls("b", call("m2", output=COUNT_MAX)),
        calls("c", call("m3", output=COUNT_MAX + 1)),
    )  # fmt: skip
    told = await history.usage("default", "model")
    assert told.total["output"] == 2 * COUNT_MAX


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ({"by": "hour"}, "by"), ({"by": "day", "since": "x"}, "since"),
        ({"by": "day", "until": "2026-02-30"}, "until"), ({"by": "x" * 100_000}, "by"),
    ],
)  # fmt: skip
async def test_what_means_nothing_is_named(
    history: History, told: dict[str, str], name: str
) -> None:
    """The parameter stands at the head of the refusal."""
    with pytest.raises(BadQuery, match=f"^{name}: "):
        await history.usage("default", **told)


async def test_rows_beyond_many_are_left_out(
    recording: Recording, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The costliest stay, of days the latest; the total counts all of them in."""
    monkeypatch.setattr(usage, "ROWS_MAX", 2)
    await made(recording)
    for by, keys in (("model", ["opus", "haiku"]), ("day", ["2026-11-21", "2026-11-22"])):
        told = await history.usage("default", by)
        assert ([row["key"] for row in told.rows], told.more) == (keys, True)
        assert told.total["calls"] == 5
    assert not (await history.usage("default", "tool")).more
