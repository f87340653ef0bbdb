"""The token bucket: a burst, then so many a second, and what goes on after a refusal."""

from hub.rate import Bucket


def test_a_burst_is_taken_and_then_so_many_a_second() -> None:
    """Sixty at once, then one each fiftieth of a second."""
    bucket = Bucket(20, 60)
    assert sum(bucket.take(100.0) for _ in range(100)) == 60
    assert not bucket.take(100.04)
    assert bucket.take(100.06)
    assert not bucket.take(100.06)
    assert sum(bucket.take(1_000.0) for _ in range(100)) == 60


def test_who_goes_on_for_a_whole_burst_abuses_it() -> None:
    """Refused more than a burst in a row; one that is taken forgives."""
    bucket = Bucket(20, 60)
    for _ in range(120):
        bucket.take(5.0)
    assert not bucket.is_abused
    bucket.take(5.0)
    assert bucket.is_abused
    assert bucket.take(6.0)
    assert not bucket.is_abused


def test_a_clock_that_stands_still_gives_nothing() -> None:
    """Time that does not pass fills no bucket."""
    bucket = Bucket(20, 1)
    assert bucket.take(0.0)
    assert not any(bucket.take(0.0) for _ in range(10))
