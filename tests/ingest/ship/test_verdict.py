"""What an answer means for what was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ship.verdict import NO_ANSWER, Verdict, advice, judge, retry_after_ms

NOW = 1_790_000_000_000  # 2026-09-21 14:13:20 UTC


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((200, 204), Verdict.TAKEN),
        ((413,), Verdict.SPLIT),
        ((NO_ANSWER, 408, 429, 500, 502, 503, 504), Verdict.LATER),
        ((301, 307, 400, 401, 403, 404, 405, 415, 422), Verdict.REFUSED),
    ],
)
def test_every_answer_has_a_verdict(statuses: tuple[int, ...], verdict: Verdict) -> None:
    """Taken, halved, tried again, or told to a person."""
    assert {judge(status, "told so", 2) for status in statuses} == {verdict}


def test_a_delta_is_refused_by_a_tower_that_names_its_line() -> None:
    """A proxy that answers 400 to everything must not make a shipper leave out all it has."""
    assert judge(400, "line 1: Expected `str`", 1) is Verdict.SPLIT
    assert judge(413, "Content Too Large", 1) is Verdict.REFUSED
    assert judge(400, "The plain HTTP request was sent to HTTPS port", 1) is Verdict.REFUSED


@pytest.mark.parametrize(
    ("value", "after_ms"),
    [
        (None, 0), ("", 0), ("7", 7_000), (" 120 ", 120_000), ("-1", 0), ("soon", 0), ("1.5", 0),
        ("Mon, 21 Sep 2026 14:13:50 GMT", 30_000), ("Mon, 21 Sep 2026 14:13:00 GMT", 0),
        ("Mon, 99 Sep 2026 14:13:00 GMT", 0), ("٣", 0),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value: str | None, after_ms: int) -> None:
    """What is neither, or is over, asks for nothing."""
    assert retry_after_ms(value, NOW) == after_ms


@given(st.text(max_size=40))
def test_no_retry_after_is_an_error(value: str) -> None:
    """Whoever answers may write anything."""
    assert retry_after_ms(value, NOW) >= 0


def test_a_refusal_says_what_to_do() -> None:
    """In words for the person who can."""
    assert "TOWER_TOKEN" in advice(401, "a credential is needed")
    assert advice(301, "https://tower.example.org/").endswith("--to https://tower.example.org/")
    assert "--to" in advice(404, "Not Found")
    assert "no such Host" in advice(403, "no such Host")
