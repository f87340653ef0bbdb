"""A bucket for each key, and never more buckets than so many."""

import pytest

from hub import throttle
from hub.throttle import Throttle, address_key


def test_each_key_has_its_own_bucket() -> None:
    """One that comes too often is told how long to wait, and nobody else is."""
    often = Throttle(1 / 6, 2)
    assert [often.take("a", 100.0) for _ in range(3)] == [True, True, False]
    assert often.is_empty("a", 100.0)
    assert often.wait_s("a", 100.0) == 6
    assert not often.is_empty("b", 100.0)
    assert often.take("b", 100.0)
    assert often.wait_s("a", 105.5) == 1
    assert often.take("a", 106.0)


def test_looking_takes_nothing() -> None:
    """However often it is asked."""
    often = Throttle(1, 1)
    assert not any(often.is_empty("a", 1.0) for _ in range(9))
    assert often.take("a", 1.0)


def test_the_one_that_came_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of addresses fills no memory."""
    monkeypatch.setattr(throttle, "KEYS_MAX", 2)
    often = Throttle(0.001, 1)
    for key in ("a", "b", "a", "c"):
        often.take(key, 1.0)
    assert often.is_empty("a", 1.0)
    assert not often.is_empty("b", 1.0)
    assert len(often._buckets) == 2


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"), ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""), ("x" * 99, "x" * 64), ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
    ],
)  # fmt: skip
def test_an_address_counts_as_its_household(address: str, key: str) -> None:
    """Of IPv6 everybody has very many."""
    assert address_key(address) == key
