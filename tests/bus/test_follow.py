"""What a reader makes of the entries and of the log's state, without any Redis."""

import pytest

from bus.follow import Entry, Follower, State, read_entry, read_state
from bus.position import Position
from session import codec
from session.delta import Event

DELTA = Event(id="a", session="s", kind="note", received_at=1)


def entry(ordinal: int, epoch: str = "now") -> Entry:
    """A good entry."""
    return Entry(f"1-{ordinal}", ordinal, epoch, DELTA)


def state(ordinal: int, epoch: str = "now", **past: int) -> State:
    """The log's state."""
    return State(epoch, past, ordinal, f"1-{ordinal}")


def test_the_reply_of_the_script_is_read() -> None:
    """Epoch, former epochs with their reach, count and last id."""
    assert read_state([b"e3", b"e2 7 e1 4", 9, b"5-0", 0, []]) == State(
        "e3", {"e2": 7, "e1": 4}, 9, "5-0"
    )
    assert read_state([b"e1", b"", 0, b"0-0", 0, []]).past == {}


def test_a_log_holds_what_survived() -> None:
    """A place of a former epoch is good up to where that epoch came in this log, no further."""
    log = state(9, then=7)
    for place, held in [
        (Position("now", 9), True),
        (Position("now", 10), False),
        (Position("then", 7), True),
        (Position("then", 8), False),
        (Position("other", 0), False),
    ]:
        assert log.holds(place) is held


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"x": b"y"},
        {b"o": b"1", b"n": b"1", b"e": b"\xff", b"d": b""},
        {b"o": b"", b"n": b"1", b"e": b"e", b"d": codec.pack(DELTA)},
    ],
)
def test_foreign_entries_have_no_ordinal(fields: dict[bytes, bytes]) -> None:
    """What nobody of ours wrote does not count."""
    assert read_entry(b"1-1", fields) == Entry("1-1", None, "", None)


def test_an_entry_without_a_delta_still_counts() -> None:
    """One of ours whose delta cannot be read keeps its ordinal, so that nothing seems lost."""
    fields = {b"o": b"5", b"n": b"1", b"e": b"e", b"d": b"\xc1"}
    assert read_entry(b"1-1", fields) == Entry("1-1", 5, "e", None)


def test_a_gap_is_a_loss() -> None:
    """An ordinal that is not the next one means that entries are gone."""
    follower = Follower(0, str(Position("now", 3, "1-3")))
    follower.meet(state(9))
    follower.take([entry(4), entry(5)])
    batch = follower.batch()
    assert batch is not None
    assert (batch.lost, batch.position) == (False, "now:5:1-5")
    follower.take([entry(7)])
    batch = follower.batch()
    assert batch is not None
    assert batch.lost
    assert follower.batch() is None


def test_a_new_reader_has_lost_nothing() -> None:
    """Without a position any entry may be the first."""
    follower = Follower(0, None)
    follower.meet(state(9))
    follower.take([entry(7, "then")])
    batch = follower.batch()
    assert batch is not None
    assert (batch.lost, batch.epoch) == (False, "now")


def test_silence_behind_a_shorter_place_is_a_loss() -> None:
    """If the log counts more and nothing comes, what lay between was dropped."""
    follower = Follower(0, str(Position("now", 3, "1-3")))
    follower.meet(state(9))
    follower.settle(state(9))
    batch = follower.batch()
    assert batch is not None
    assert (batch.lost, batch.deltas, batch.position) == (True, [], "now:9:1-9")
    follower.settle(state(9))
    assert follower.batch() is None


def test_a_new_epoch_is_told_once() -> None:
    """A change of the epoch without any loss is an empty batch, and only one."""
    follower = Follower(0, str(Position("then", 3, "1-3")))
    follower.meet(state(3, then=3))
    follower.settle(state(3))
    batch = follower.batch()
    assert batch is not None
    assert (batch.epoch, batch.lost, batch.deltas) == ("now", False, [])
    assert follower.batch() is None


def test_entries_of_an_unknown_epoch_are_noticed() -> None:
    """They are taken only after the log itself was asked."""
    follower = Follower(0, None)
    follower.meet(state(3, then=1))
    assert follower.knows([entry(1, "then"), entry(2), Entry("1-9", None, "", None)])
    assert not follower.knows([entry(3), entry(4, "later")])


def test_poison_waits_for_the_next_batch() -> None:
    """Poison alone makes no batch; it is counted in the next one, and its id is passed."""
    follower = Follower(0, None)
    follower.meet(state(0))
    follower.take([Entry("1-1", None, "", None)])
    assert follower.batch() is None
    assert follower.id == "1-1"
    follower.settle(state(0))
    assert follower.id == "1-1"
    follower.take([entry(1)])
    batch = follower.batch()
    assert batch is not None
    assert (batch.poison, batch.lost) == (1, False)
