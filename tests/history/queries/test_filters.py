"""What a request may ask for, and how it is told what it may not."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.errors import BadQuery
from history.queries.filters import SORTS, Filter, parse_before, parse_filter, rank
from history.queries.times import day, moment
from session.state import Session

DAY_MS = 86_400_000
values = st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1))
costs = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


def test_nothing_asked_is_the_first_page_of_all() -> None:
    """The defaults, and unknown names are let be."""
    assert parse_filter([]) == parse_filter([("other", "x"), ("q", "")]) == Filter()


def test_every_filter_is_read() -> None:
    """Statuses may come several times or with commas; a day begins and ends in UTC."""
    told = [
        ("status", "ended,failed"), ("status", "idle"), ("agent", "codex"), ("project", "shop"),
        ("user", "ann"), ("q", "cart page"), ("since", "2026-11-20"), ("until", "2026-11-21"),
        ("archived", "true"), ("sort", "cost"), ("limit", "7"),
    ]  # fmt: skip
    start = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp() * 1000)
    assert parse_filter(told) == Filter(
        status=("ended", "failed", "idle"), agent="codex", project="shop", user="ann",
        q="cart page", since=start, until=start + 2 * DAY_MS - 1, archived=True, sort="cost",
        limit=7,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "busy"), ("status", "idle,busy"), ("sort", "size"), ("limit", "0"),
        ("limit", "1001"), ("limit", "x"), ("limit", ""), ("limit", "9" * 5_000),
        ("since", "x"), ("since", "-1"), ("since", "9" * 30), ("until", "2026-13-01"),
        ("until", "9" * 5_000), ("until", "0001-01-01"), ("archived", "perhaps"),
        ("q", "x" * 1_001), ("project", "x" * 1_001), ("cursor", "x"), ("cursor", "é"),
        ("cursor", "W10"),
        ("cursor", "x" * 5_000), ("cursor", "WyJ1cGRhdGVkIiwxZTMwMCwiYSJd"),
        ("cursor", "WyJ1cGRhdGVkIiwxODQ0Njc0NDA3MzcwOTU1MTYxNiwiYSJd"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_named(name: str, value: str) -> None:
    """The text of the refusal begins with the parameter."""
    with pytest.raises(BadQuery) as refused:
        parse_filter([(name, value)])
    assert str(refused.value).startswith(f"{name}: ")


@pytest.mark.parametrize("value", ["0", "-1", "x", "", "1.5", str(2**63), "9" * 5_000])
def test_a_place_in_a_timeline_is_a_seq(value: str) -> None:
    """Anything else is refused by its name."""
    assert parse_before("12") == 12
    with pytest.raises(BadQuery, match="before"):
        parse_before(value)


def test_a_cursor_of_another_sort_is_refused() -> None:
    """It says nothing about a place in this order."""
    cursor = Filter(sort="cost").behind(1.5, "a")
    assert parse_filter([("sort", "cost"), ("cursor", cursor)]).cursor is not None
    with pytest.raises(BadQuery, match=r"cursor: .*cost"):
        parse_filter([("cursor", cursor)])


@given(st.sampled_from(sorted(SORTS)), values, costs, st.text(max_size=200))
def test_a_cursor_comes_back_as_it_was(sort: str, whole: int, cost: float, name: str) -> None:
    """Any id that a row can have, and any value, an unknown one as well."""
    value = cost if sort == "cost" else whole
    session_id = name.encode("utf-8", "ignore").decode()
    cursor = Filter(sort=sort).behind(value, session_id)
    parsed = parse_filter([("sort", sort), ("cursor", cursor)]).cursor
    assert parsed is not None
    assert (parsed.value, parsed.id) == (value, session_id)


@given(st.text())
def test_no_words_break_the_filter(text: str) -> None:
    """Whatever is told is read or refused."""
    for name in ("status", "q", "since", "until", "limit", "cursor", "sort", "archived", "agent"):
        with contextlib.suppress(BadQuery):
            wanted = parse_filter([(name, text)])
            assert "\x00" not in (wanted.q or "") + (wanted.agent or "")


@given(
    st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.text(max_size=2)), unique=True)
)
def test_the_order_is_total_and_a_page_goes_on_behind_the_last(
    rows: list[tuple[int | None, str]],
) -> None:
    """Every row is before or behind every other one; unknown values are last."""
    order = sorted(rows, key=lambda row: rank(*row), reverse=True)
    known = [value for value, _ in order if value is not None]
    assert known == sorted(known, reverse=True)
    assert [value for value, _ in order[len(known) :]] == [None] * (len(order) - len(known))
    for at, (value, session_id) in enumerate(order):
        wanted = parse_filter([("cursor", Filter().behind(value, session_id))])
        assert [row for row in order if wanted.is_behind(*row)] == order[at + 1 :]


@pytest.mark.parametrize(
    ("filtered", "matches"),
    [
        ({}, True), ({"agent": "codex"}, False), ({"agent": "claude-code"}, True),
        ({"project": "shop", "user": "ann"}, True), ({"user": ""}, False),
        ({"status": ("idle", "ended")}, True), ({"status": ("failed",)}, False),
        ({"since": 200}, True), ({"since": 201}, False), ({"until": 100}, True),
        ({"until": 99}, False), ({"since": 150, "until": 160}, True),
    ],
)  # fmt: skip
def test_a_live_session_is_looked_at_by_the_same_rules(
    filtered: dict[str, object], matches: bool
) -> None:
    """It was active from 100 to 200; what is not known overlaps with nothing."""
    session = Session(
        id="a", workspace="w", project="shop", user="ann", started_at=100, updated_at=200
    )
    assert Filter(**filtered).matches(session) is matches  # type: ignore[arg-type]
    session.archived = True
    assert not Filter(**filtered).matches(session)  # type: ignore[arg-type]
    unknown = Session(id="a", workspace="w", archived=True)
    assert not Filter(since=1, archived=True).matches(unknown)
    assert not Filter(until=1, archived=True).matches(unknown)
    assert Filter(archived=True).matches(unknown)


def test_a_time_may_be_told_in_three_ways() -> None:
    """Milliseconds, a day, or ISO 8601 with an offset or without one, which is UTC."""
    noon = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp() * 1000)
    for told in (str(noon), "2026-11-20T12:00:00Z", "2026-11-20T12:00", "2026-11-20T14:00+02:00"):
        assert moment("since", told) == noon
        assert day("since", told) == "2026-11-20"
    assert moment("until", "2026-11-20", is_end=True) == noon + DAY_MS // 2 - 1
