"""One partition as the recorder folds it: what is new, what is written, and what is let go."""

import pytest

from bus.position import Position as Place
from history import ledger as ledger_module
from history import metrics
from history.change import Position, Step
from history.ledger import Ledger
from session.delta import Delta
from session.state import Session
from tests.history.delivered import Log
from tests.hub.made import event, past, report, said

HOUR_MS = 3_600_000


def take_in(ledger: Ledger, log: Log, *deltas: Delta) -> None:
    """What the log would deliver of them."""
    for delivery in log.deliver(*deltas):
        ledger.take_in(delivery)


def written(ledger: Ledger) -> Step:
    """The next step, as if it had been written: sessions got the keys 1, 2, …"""
    step, acks = ledger.take()
    for pk, change in enumerate(step.changes, 1):
        change.pk = change.pk or pk
    ledger.note_written(step)
    ledger.note_acked(len(acks))
    return step


def session(ledger: Ledger, name: str) -> Session:
    """One that is at hand."""
    return next(each for each in ledger.sessions if each.id == name)


def test_a_past_session_that_is_about_to_speak_is_not_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was asked for is at hand until it is folded, however many past ones there are."""
    monkeypatch.setattr(ledger_module, "PAST_MAX", 1)
    ledger, log = Ledger(0, Position()), Log()
    take_in(ledger, log, past("old", 9 * HOUR_MS), past("new", HOUR_MS))
    (spoken,) = log.deliver(report("old", to=5, from_=1, entries=said(1, first=5)))
    assert ledger.unknown([spoken]) == []
    written(ledger)
    ledger.take_in(spoken)
    assert session(ledger, "old").transcripts["main"].to == 5
    assert session(ledger, "old").started_at is not None
    assert not session(ledger, "old").timeline_partial


@pytest.mark.parametrize("begins_anew", [False, True])
def test_what_was_passed_under_an_earlier_epoch_is_not_folded_again(begins_anew: bool) -> None:
    """A failover renames the log while something is not acknowledged yet: that comes once more."""
    log = Log("r1")
    first = log.deliver(event("prompt", "a"), event("tool_start", "a", tool="Bash", call="t"))
    log.epoch = "r2"
    second = log.deliver(event("tool_end", "a", tool="Bash", call="t"))
    ledger = Ledger(0, Position())
    for delivery in (*first, *second):
        ledger.take_in(delivery)
    position = written(ledger).after
    assert position == Position("r2", log.place, "r1")
    if begins_anew:
        ledger = Ledger(0, position)
    for delivery in (*first, *second):
        assert ledger.has_taken(delivery.position)
        assert ledger.has_written(delivery.position)
        ledger.take_in(delivery)
    step, acks = ledger.take()
    assert step.changes == []
    assert step.before == step.after == position
    assert acks == [each.position for each in (*first, *second)]


def test_a_log_that_begins_anew_counts_its_sessions_anew() -> None:
    """What was recorded stays, and events with small numbers are new ones."""
    ledger = Ledger(0, Position())
    take_in(ledger, Log("r1"), event("prompt", "a"), event("stop", "a"))
    written(ledger)
    log = Log("r2")
    take_in(ledger, log, event("prompt", "a", prompt="again"))
    step = written(ledger)
    assert step.after == Position("r2", log.place, "r2")
    (change,) = step.changes
    assert change.state["number"] == 1
    assert [row["seq"] for row in change.events] == [2]


def test_a_log_that_was_found_to_be_another_one_is_recorded_from_its_beginning() -> None:
    """Before anything of it came: its count is written already, its places are all to come."""
    ledger = Ledger(0, Position())
    take_in(ledger, Log("r1"), event("prompt", "a"), event("stop", "a"))
    ledger.begin_count("r2")
    position = written(ledger).after
    again = Ledger(0, position)
    again.begin_count("r2")
    for each in (ledger, again):
        (delivery,) = Log("r2").deliver(event("prompt", "a", prompt="again"))
        assert not each.has_taken(delivery.position)
        each.take_in(delivery)
        assert each.position == Position("r2", delivery.position, "r2")


def test_a_place_that_lies_between_is_missed_under_any_epoch() -> None:
    """Another consumer may have been given what lies there, before or behind a failover."""
    log = Log("r1")
    deliveries = log.deliver(event("prompt", "a"), event("prompt", "b"))
    log.epoch = "r2"
    deliveries += log.deliver(event("prompt", "c"), event("prompt", "d"))
    places = [each.position for each in deliveries]
    ledger = Ledger(0, Position())
    assert ledger.misses(places[1:])
    assert not ledger.misses(places)
    ledger.take_in(deliveries[0])
    assert not ledger.misses(places[1:])
    assert not ledger.misses(places)
    assert ledger.misses(places[2:])
    assert ledger.misses([places[1], places[3]])
    assert not ledger.misses([str(Place("r3", 1))])  # another log, from its beginning


def test_entries_that_are_gone_before_they_were_folded_are_counted() -> None:
    """What a log of the same epoch lacks was trimmed."""
    ledger, log = Ledger(0, Position()), Log()
    take_in(ledger, log, event("prompt", "a"))
    log.deliver(*(event("prompt", f"gone{n}") for n in range(7)))
    lost = metrics.lost_total._value.get()
    take_in(ledger, log, event("prompt", "b"))
    assert metrics.lost_total._value.get() == lost + 7
    assert ledger.position.place == log.place
