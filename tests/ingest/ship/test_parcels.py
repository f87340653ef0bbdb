"""Batches: in order, within their limits, at once after a pause and never late."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.ship.limits import Limits
from ingest.ship.parcels import Line, Parcels

LIMITS = Limits(batch_deltas_max=4, batch_bytes_max=100, batch_ms=250)


def line(name: str, size: int = 10) -> Line:
    """A delta that takes so many bytes."""
    return Line(name, bytes(size))


def test_the_first_batch_leaves_at_once_and_the_next_a_little_later() -> None:
    """After a pause it is at once again."""
    parcels = Parcels(LIMITS)
    assert parcels.due_ms(1_000) is None
    parcels.put(line("a"))
    assert parcels.due_ms(1_000) == 0
    assert [each.id for each in parcels.take(1_000)] == ["a"]
    parcels.put(line("b"))
    assert parcels.due_ms(1_100) == 150
    assert parcels.due_ms(1_250) == 0
    parcels.take(1_250)
    parcels.put(line("c"))
    assert parcels.due_ms(9_000) == 0


def test_a_full_batch_waits_for_nothing() -> None:
    """Full by number or by size."""
    for lines in ([line("x")] * 4, [line("x", 100)]):
        parcels = Parcels(LIMITS)
        parcels.put(line("a"))
        parcels.take(1_000)
        for each in lines:
            parcels.put(each)
        assert parcels.due_ms(1_000) == 0


@given(
    st.lists(st.integers(1, 150), max_size=60),
    st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=80),
)
def test_batches_are_all_lines_in_order_and_within_the_limits(
    sizes: list[int], steps: list[tuple[int, bool]]
) -> None:
    """Whatever comes when: no batch is too large but for a line that is, and none is late."""
    parcels, now_ms, sent, put_at = Parcels(LIMITS), 0, [], {}
    waiting = [line(str(number), size) for number, size in enumerate(sizes)]
    steps += [(LIMITS.batch_ms, False)] * (len(waiting) + 1) * 2
    for later_ms, wants_to_put in steps:
        due_ms = parcels.due_ms(now_ms)
        if (wants_to_put or due_ms is None) and waiting:
            each = waiting.pop(0)
            put_at[each.id] = now_ms
            parcels.put(each)
            continue
        now_ms += later_ms if due_ms is None else due_ms
        if due_ms is not None:
            batch = parcels.take(now_ms)
            sent += batch
            assert 1 <= len(batch) <= LIMITS.batch_deltas_max
            assert len(batch) == 1 or sum(len(each.data) for each in batch) <= 100
            assert now_ms - min(put_at[each.id] for each in batch) <= LIMITS.batch_ms
    assert [each.id for each in sent] == [str(number) for number in range(len(sizes))]
    assert (len(parcels), parcels.waiting_bytes) == (0, 0)
