"""Pauses: they grow, are spread, keep what was asked for, and begin anew when it went well."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.ship.backoff import Backoff
from ingest.ship.limits import Limits

LIMITS = Limits(retry_ms_min=500, retry_ms_max=15_000, retry_after_ms_max=60_000)


def test_the_longest_pause_doubles_up_to_its_limit() -> None:
    """And begins anew after a success."""
    backoff = Backoff(LIMITS)
    assert [backoff.next_ms(1) for _ in range(7)] == [
        500,
        1_000,
        2_000,
        4_000,
        8_000,
        15_000,
        15_000,
    ]
    backoff.reset()
    assert backoff.next_ms(1) == 500


@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(0, 10**12))
def test_a_pause_is_spread_behind_what_was_asked_for(
    tries: int, chance: float, asked_ms: int
) -> None:
    """Full jitter: from nothing to the longest, and a request for ages is cut."""
    backoff = Backoff(LIMITS)
    backoff.tries = tries
    pause_ms = backoff.next_ms(chance, asked_ms)
    least_ms = min(asked_ms, LIMITS.retry_after_ms_max)
    assert least_ms <= pause_ms <= least_ms + LIMITS.retry_ms_max
    assert backoff.tries == tries + 1
