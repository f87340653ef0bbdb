"""The report: one file, whole and well formed, in which every text of an agent is only a text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.queries.usage import Usage
from hub.exports import charts, html, report
from session.state import Session, summary
from tests.hub.made import NOW, bucket, event, folded, permission, plain, said, tokens
from tests.hub.made import report as told
from tests.hub.test_openapi import read

NASTY = "</pre><script>alert(1)</script><a href='//x'>\u202e\x00"


def page(sums: report.Sums, sections: str, rows: list[Any], spent: Any = None) -> str:
    """The whole file."""
    return report.head(sums, spent or {}, NOW) + sections + report.tail(rows, sums.sessions)


def busy() -> Session:
    """A session in which everything is there, and every text is hostile."""
    objectives = {"1": {"text": NASTY, "status": "completed", "at": NOW}}
    return folded(
        told("a", to=3, entries=said(3, text=NASTY), calls=tokens(7), titles={"ai": NASTY},
             buckets={str(NOW): bucket(7), str(NOW + 60_000): bucket(9)}, objectives=objectives,
             tools={NASTY: {"calls": 2, "errors": 1, "total_ms": 90_000}}, cwd=f"/{NASTY}"),
        event("subagent_start", "a", agent_id=NASTY, agent_type=NASTY),
        permission("a", summary=NASTY),
        event("stop_failure", "a", text=NASTY),
    )  # fmt: skip


def usage(by: str, **row: Any) -> Usage:
    """Sums of one key."""
    values = {
        "input": 1, "output": 2, "cache_read": None, "cache_write": 0, "cost_usd": 1.5,
        "cost_state": "priced", "calls": 1, "unpriced_calls": 0, "sessions": 1,
    }  # fmt: skip
    return Usage(
        by, [{"key": NASTY, **values, **row}], False, values, [], {"package": "p", "version": "1"}
    )


def test_nothing_in_it_is_alive() -> None:
    """No script, no link and nothing from elsewhere, whatever an agent says."""
    sums = report.Sums()
    session = busy()
    sums.add(plain(summary(session)))
    spent = {each: usage(each) for each in ("model", "project")}
    spent["day"] = usage("day", key="2026-11-20")
    text = page(sums, report.section(session), [plain(summary(session))], spent)
    reader = read(text)
    assert not {"script", "a", "img", "link", "iframe", "form", "object"} & reader.tags
    assert {"svg", "table", "style", "pre"} <= reader.tags
    assert reader.references == set()
    assert "alert(1)" in text
    assert "\x00" not in text
    assert f'content="{report.POLICY}"' in text


def test_a_session_of_which_nothing_is_known_is_told() -> None:
    """Unknown reads as unknown, never as 0."""
    session = Session(id="a", workspace="default")
    sums = report.Sums()
    sums.add(plain(summary(session)))
    text = page(sums, report.section(session), [plain(summary(session))])
    read(text)
    assert "unknown" in text
    assert "$0" not in text


def test_sums_are_of_what_is_known() -> None:
    """A session without a price is counted apart."""
    sums = report.Sums()
    for cost_usd, state in ((1.5, "priced"), (None, "unpriced"), (0.5, "partial")):
        session = Session(id="a", workspace="w", cost_usd=cost_usd, cost_state=state, messages=2)
        sums.add(plain(summary(session)))
    assert (sums.sessions, sums.cost_usd, sums.without_price, sums.messages) == (3, 2.0, 2, 6)
    assert "2 sessions used models without a known" in report.head(sums, {}, NOW)


def test_what_is_not_shown_is_said() -> None:
    """A long list is cut with a word."""
    rows = [plain(summary(Session(id="a", workspace="w")))]
    assert "1,500 more are not shown" in report.tail(rows, 1_501)
    assert "not shown" not in report.tail(rows, 1)


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, html.UNKNOWN), (-1, html.UNKNOWN), (0, "0 s"), (61_000, "1 min 1 s"),
        (3_600_000, "1 h"), (90_061_000, "1 d 1 h"),
    ],
)  # fmt: skip
def test_a_duration_is_told_in_its_two_largest_parts(ms: int | None, words: str) -> None:
    """Unknown is no duration."""
    assert html.duration(ms) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, html.UNKNOWN), (0, "$0.00"), (0.0042, "$0.0042"), (1234.5, "$1,234.50")],
)
def test_money_is_told_as_exactly_as_it_matters(value: float | None, words: str) -> None:
    """Small sums to the hundredth of a cent."""
    assert html.money(value) == words


def test_days_between_are_shown_too() -> None:
    """As days of nothing; what has no day is left out, and very old days as well."""
    told_days = charts.every_day({"2026-11-20": 1.0, "2026-11-23": None, "": 5.0})
    assert told_days == [
        ("2026-11-20", 1.0), ("2026-11-21", 0.0), ("2026-11-22", 0.0), ("2026-11-23", None),
    ]  # fmt: skip
    assert len(charts.every_day({"1970-01-01": 1.0, "2026-11-20": 1.0})) == charts.BARS_MAX
    assert charts.every_day({"": 1.0}) == []


values = st.none() | st.floats(0, 1e18)


@given(st.lists(st.tuples(st.text(), values), max_size=400))
def test_bars_stay_inside(told_values: list[tuple[str, float | None]]) -> None:
    """However many they are, and whatever their names."""
    read(charts.bars(told_values, "${:,.2f}"))


@given(st.lists(st.tuples(st.integers(0, 10**15), st.floats(0, 1e12)), max_size=50))
def test_a_curve_ends_at_the_top(points: list[tuple[int, float]]) -> None:
    """Or there is none, where there is nothing to draw."""
    told_curve = charts.curve(sorted(points), "first", "last", "{:,.0f}")
    read(told_curve)
    assert not told_curve or f"{charts.WIDTH:.1f},0.0" in told_curve or "-0.0" in told_curve
