"""What changed since a number, against counting anew."""

from hypothesis import given
from hypothesis import strategies as st

from hub.live.trace import Trace

steps = st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, 5), max_size=4)), max_size=20)


def test_a_thing_is_remembered_once_with_its_last_change() -> None:
    """However often it changed, in the order of the last change."""
    trace: Trace[str] = Trace()
    trace.note(1, ["a", "b"])
    trace.note(2, ["b", "c"])
    trace.note(3, ["a"])
    assert trace.since(0) == ["b", "c", "a"]
    assert trace.since(2) == ["a"]
    assert trace.since(3) == []


def test_nothing_is_remembered_when_nobody_is_behind() -> None:
    """Cleared, it knows of nothing; what comes later it knows again."""
    trace: Trace[str] = Trace()
    trace.note(1, ["a"])
    trace.clear()
    assert trace.since(0) == []
    trace.note(2, ["b"])
    assert trace.since(0) == ["b"]


@given(steps, st.integers(0, 60))
def test_it_tells_what_counting_anew_tells(told: list[tuple[int, list[int]]], since: int) -> None:
    """Numbers never fall, and may stand still."""
    trace: Trace[int] = Trace()
    last: dict[int, int] = {}
    number = 0
    for step, things in told:
        number += step
        trace.note(number, things)
        last.update(dict.fromkeys(things, number))
    found = trace.since(since)
    assert sorted(found) == sorted(thing for thing, at in last.items() if at > since)
    assert [last[thing] for thing in found] == sorted(last[thing] for thing in found)
