"""Whose a call is that several sessions tell of."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.claims import Claim, settle


def claim(pk: int, output: int = 1, *, forked: bool = False, at: int | None = 1) -> Claim:
    """What one session tells."""
    return {"session_pk": pk, "id": f"s{pk}", "output": output, "forked": forked, "started_at": at}


CLAIMS = st.lists(
    st.builds(
        claim, st.integers(1, 4), st.integers(1, 3), forked=st.booleans(),
        at=st.none() | st.integers(1, 3),
    ),
    min_size=1, max_size=6, unique_by=lambda each: each["session_pk"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "other"),
    [
        (claim(2, at=9), claim(1, forked=True, at=1)),  # unmarked before marked
        (claim(2, at=1), claim(1, at=2)),  # then the earlier start
        (claim(2, at=1), claim(1, at=None)),  # an unknown one is the last
        (claim(1), claim(2)),  # then the smaller id
        (claim(1, forked=True), claim(2, forked=True)),
    ],
)
def test_the_owner_is_unmarked_then_the_earliest_then_of_the_smaller_id(
    owner: Claim, other: Claim
) -> None:
    """Whoever told first."""
    for told in itertools.permutations([owner, other]):
        assert settle(told) == (owner, [other])


@given(CLAIMS, st.randoms(use_true_random=False))
def test_the_order_of_telling_never_matters(claims: list[Claim], chance: Any) -> None:
    """Of any number of sessions."""
    shuffled = list(claims)
    chance.shuffle(shuffled)
    assert settle(shuffled) == settle(claims)


@given(CLAIMS)
def test_every_session_keeps_one_claim(claims: list[Claim]) -> None:
    """One owns the call, the others have copies."""
    owner, others = settle(claims)
    by_key = {each["session_pk"]: each for each in claims}
    assert {each["session_pk"]: each for each in [owner, *others]} == by_key
    assert len(others) == len(claims) - 1


@given(st.lists(st.integers(0, 5), min_size=1))
def test_of_one_session_the_line_with_most_output_stands_and_of_equal_ones_the_later(
    outputs: list[int],
) -> None:
    """It is the whole response."""
    claims = [{**claim(1, output), "at": at} for at, output in enumerate(outputs)]
    owner, others = settle(claims)
    best = max(outputs)
    last = max(at for at, output in enumerate(outputs) if output == best)
    assert (owner["output"], owner["at"], others) == (best, last, [])
