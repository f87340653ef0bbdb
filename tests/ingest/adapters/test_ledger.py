"""The usage rule: per call the whole record with the most output tokens, the later on a tie."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters.ledger import Ledger
from tests.session.made import NOW, OPUS

HAIKU = "claude-haiku-4-5"


def counts(output: int, fresh: int = 100) -> dict[str, int]:
    """Tokens of one line."""
    rest = dict.fromkeys(("cache_read", "cache_write", "cache_write_1h"), 0)
    return {"input": fresh, "output": output, **rest}


def add(ledger: Ledger, name: str, output: int, **more: Any) -> bool:
    """One line of a call."""
    told = {"model": OPUS, "at": NOW, "forked": False, "fresh": 100, **more}
    tokens = counts(output, told.pop("fresh"))
    return ledger.add(name, told["model"], told["at"], tokens, told["forked"])


def test_a_better_line_replaces_the_whole_record() -> None:
    """Its model, too; a worse line changes nothing."""
    ledger = Ledger()
    assert add(ledger, "m", 1)
    assert add(ledger, "m", 90, model=HAIKU, fresh=200)
    assert not add(ledger, "m", 89, fresh=999)
    assert ledger.records["m"].model == HAIKU
    assert ledger.calls[HAIKU]["input"] == 200
    assert ledger.calls.get(OPUS, {}).get("output", 0) == 0


def test_the_later_line_wins_a_tie() -> None:
    """A line that says the same again is no news."""
    ledger = Ledger()
    assert add(ledger, "m", 5, fresh=100)
    assert add(ledger, "m", 5, fresh=70)
    assert not add(ledger, "m", 5, fresh=70)
    assert ledger.calls[OPUS]["input"] == 70


def test_the_whole_record_includes_its_time() -> None:
    """The minute of the kept line gets the tokens."""
    ledger = Ledger()
    add(ledger, "m", 1)
    add(ledger, "m", 9, at=NOW + 60_000)
    told = {minute: each["output"] for minute, each in ledger.buckets.items() if each["output"]}
    assert list(told.values()) == [9]
    assert int(next(iter(told))) == (NOW + 60_000) // 60_000 * 60_000


def test_a_minute_that_lost_its_only_call_is_gone() -> None:
    """A better line of the call says that it was later, or another session's."""
    ledger = Ledger()
    add(ledger, "m", 1)
    assert list(ledger.take_sums()["buckets"].values()) != [None]
    add(ledger, "m", 9, forked=True)
    assert list(ledger.take_sums()["buckets"].values()) == [None]
    assert ledger.buckets == {}


def test_rows_are_given_once() -> None:
    """A call that became better is given again, whole."""
    ledger = Ledger()
    add(ledger, "m", 1)
    assert [row.output for row in ledger.take_usage()] == [1]
    assert ledger.take_usage() == []
    add(ledger, "m", 4)
    assert [row.output for row in ledger.take_usage()] == [4]


def test_calls_without_a_time_are_in_no_minute() -> None:
    """They count, but nobody knows when they were."""
    ledger = Ledger()
    add(ledger, "m", 4, at=None)
    assert (ledger.calls[OPUS]["output"], ledger.buckets) == (4, {})


def test_forked_calls_are_kept_apart() -> None:
    """Rows for the recorder, sums of their own."""
    ledger = Ledger()
    add(ledger, "m", 4, forked=True)
    assert (ledger.calls, ledger.buckets) == ({}, {})
    assert ledger.inherited is not None
    assert ledger.inherited["tokens"]["output"] == 4
    assert [row.forked for row in ledger.take_usage()] == [True]


Told = tuple[str, int, str, int, int | None]
lines = st.tuples(
    st.sampled_from("abcd"), st.integers(0, 9), st.sampled_from((OPUS, HAIKU, "made-up")),
    st.integers(0, 5), st.sampled_from((None, NOW, NOW + 60_000)),
)  # fmt: skip


@given(st.lists(lines, max_size=30))
def test_sums_are_those_of_the_kept_records(told: list[Told]) -> None:
    """Whatever was taken back on the way."""
    ledger, best = Ledger(), {}
    for name, output, model, fresh, at in told:
        add(ledger, name, output, model=model, fresh=fresh, at=at)
        if name not in best or output >= best[name][0]:
            best[name] = (output, model, fresh)
    for model in {model for _, model, _ in best.values()}:
        kept = [each for each in best.values() if each[1] == model]
        sums = ledger.calls[model]
        assert (sums["calls"], sums["output"]) == (len(kept), sum(each[0] for each in kept))
        assert sums["input"] == sum(each[2] for each in kept)
        assert sums["unpriced"] == (len(kept) if model == "made-up" else 0)
    assert sum(sums["calls"] for sums in ledger.calls.values()) == len(best)
