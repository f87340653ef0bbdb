"""One client's lanes: their order, bundles that stay together, budgets, and what was written."""

from typing import Any

import pytest

from hub.limits import Limits
from hub.live.outbox import SMALL_BYTES, Outbox
from hub.live.wire import Frame
from tests.hub.transport import Transport


def made(text: str, size: int = 0) -> Frame:
    """A frame that says ``text``, as large as is asked for."""
    return Frame("made", text.ljust(size, "_").encode())


def parts(text: str, count: int, size: int = 0) -> list[Frame]:
    """A snapshot."""
    return [made(f"{text}{part}", size) for part in range(1, count + 1)]


def outbox(**limits: Any) -> Outbox:
    """An empty one that somebody pops."""
    return Outbox(Limits(**limits))


def popped(box: Outbox, count: int = 99) -> list[str]:
    """What comes out, as texts."""
    told: list[str] = []
    while len(told) < count and (frame := box.pop()) is not None:
        told.append(frame.payload.decode().rstrip("_"))
    return told


def connected(box: Outbox, limit_bytes: int = 10**6, deflates: bool = False) -> Transport:
    """A transport that takes what it is given."""
    transport = Transport(box.hold, limit_bytes)
    box.connect(transport.write, deflates=deflates)
    return transport


# Order.


def test_lanes_come_in_the_order_of_the_protocol() -> None:
    """Attention, answers, the leading session, other sessions, the overview, notices."""
    box = outbox()
    box.leading = "session:b"
    box.put_notice(made("notice"))
    box.put_overview([made("rows")], "overview", "g1")
    box.put_session("session:a", [made("a")], "m:1")
    box.put_session("session:b", [made("b")], "m:2")
    box.put_answer(made("pong"))
    box.put_attention([made("item")], "attention", "a1")
    assert popped(box) == ["item", "pong", "b", "a", "rows", "notice"]
    assert box.written == {
        "attention": "a1", "session:a": "m:1", "session:b": "m:2", "overview": "g1",
    }  # fmt: skip


def test_sessions_take_turns() -> None:
    """One bundle of each, again and again; a session with many makes nobody wait for all."""
    box = outbox()
    for turn in range(3):
        box.put_session("session:a", [made(f"a{turn}")], "m:1")
    for turn in range(2):
        box.put_session("session:b", [made(f"b{turn}")], "m:1")
    box.put_session("session:c", [made("c0")], "m:1")
    assert popped(box) == ["a0", "b0", "c0", "a1", "b1", "a2"]


def test_the_leading_session_goes_before_the_others_with_all_it_has() -> None:
    """Whoever came first."""
    box = outbox()
    box.leading = "session:c"
    for space in ("session:a", "session:b", "session:c"):
        for turn in range(2):
            box.put_session(space, [made(f"{space[-1]}{turn}")], "m:1")
    assert popped(box) == ["c0", "c1", "a0", "b0", "a1", "b1"]


def test_nothing_but_attention_comes_between_the_parts_of_a_bundle() -> None:
    """Neither an answer nor the leading session, which came after the first part was written."""
    box = outbox()
    box.put_session("session:a", parts("a", 3), "m:1")
    assert popped(box, 1) == ["a1"]
    box.leading = "session:b"
    box.put_session("session:b", [made("b")], "m:2")
    box.put_answer(made("pong"))
    box.put_attention([made("item")], "attention", "a1")
    assert "session:a" not in box.written
    assert popped(box) == ["item", "a2", "a3", "pong", "b"]


def test_the_parts_of_an_attention_set_are_overtaken_by_nothing() -> None:
    """And the last of them gives the cursor."""
    box = outbox()
    box.put_attention(parts("full", 3), "attention", "a7")
    box.put_answer(made("pong"))
    box.put_attention([made("item")], "attention", "a8")
    assert popped(box, 2) == ["full1", "full2"]
    assert box.written == {}
    assert popped(box, 1) == ["full3"]
    assert box.written == {"attention": "a7"}
    assert popped(box) == ["item", "pong"]


# Taking back.


def test_rows_in_full_replace_the_patches_that_wait() -> None:
    """Not the answers, and not a patch of which a part is written already."""
    box = outbox()
    box.put_overview(parts("under_way", 2), "overview", "g1")
    assert popped(box, 1) == ["under_way1"]
    box.put_overview([made("patch")], "overview", "g2")
    box.put_answer(made("pong"))
    box.put_rows(parts("rows", 2), "overview", "g2")
    box.put_overview([made("later")], "overview", "g3")
    assert popped(box) == ["under_way2", "pong", "rows1", "rows2", "later"]
    assert (box.queued_bytes, box.written) == (0, {"overview": "g3"})


def test_an_eviction_drops_what_waits_and_ends_behind_a_snapshot_under_way() -> None:
    """Its parts come to their end, then the word; no heartbeat tells its cursor any more."""
    box = outbox()
    box.put_session("session:a", parts("a", 2), "m:1")
    assert popped(box, 1) == ["a1"]
    box.put_session("session:a", [made("patch")], "m:2")
    box.drop("session:a")
    box.put_answer(made("evicted"), ended="session:a")
    assert popped(box, 1) == ["a2"]
    assert box.written == {"session:a": "m:1"}
    assert popped(box) == ["evicted"]
    assert (box.queued_bytes, box.written) == (0, {})


def test_a_session_reopened_behind_its_eviction_has_its_new_cursor() -> None:
    """The word of the eviction takes away the old one, the new snapshot gives one again."""
    box = outbox()
    box.put_session("session:a", [made("a")], "m:1")
    assert popped(box) == ["a"]
    box.drop("session:a")
    box.put_answer(made("evicted"), ended="session:a")
    box.put_session("session:a", [made("again")], "m:2")
    assert box.last_cursor("session:a") == "m:2"
    assert popped(box) == ["evicted", "again"]
    assert box.written == {"session:a": "m:2"}


def test_a_closed_session_is_forgotten_at_once_and_for_good() -> None:
    """Also where parts of its snapshot are still to come, the last of which gives no cursor."""
    box = outbox()
    box.put_session("session:a", parts("a", 3), "m:1")
    box.put_session("session:a", [made("patch")], "m:2")
    assert popped(box, 1) == ["a1"]
    box.forget("session:a")
    assert box.last_cursor("session:a") is None
    assert popped(box) == ["a2", "a3"]
    assert (box.queued_bytes, box.written) == (0, {})


def test_the_last_cursor_is_that_of_what_waits_longest() -> None:
    """Queued before under way before written; what leaves the cursor alone counts for nothing."""
    box = outbox()
    assert box.last_cursor("session:a") is None
    box.put_session("session:a", parts("a", 2), "m:1")
    assert box.last_cursor("session:a") == "m:1"
    assert popped(box, 1) == ["a1"]
    assert box.last_cursor("session:a") == "m:1"
    box.put_session("session:a", [made("patch")], "m:2")
    box.put_session("session:a", [made("stale")], None)
    assert box.last_cursor("session:a") == "m:2"
    assert popped(box) == ["a2", "patch", "stale"]
    assert box.last_cursor("session:a") == box.written["session:a"] == "m:2"


# Budgets.


def test_over_its_budget_a_client_gets_attention_and_small_answers_alone() -> None:
    """Everything else waits for an ack."""
    box = outbox(in_flight_bytes_max=100)
    box.put_answer(made("first", 100))
    assert popped(box) == ["first"]
    box.put_session("session:a", [made("a")], "m:1")
    box.put_overview([made("rows")], "overview", "g1")
    box.put_answer(made("small"))
    box.put_answer(made("large", SMALL_BYTES))
    box.put_attention([made("item")], "attention", "a1")
    assert popped(box) == ["item", "small"]
    box.ack(3)
    assert popped(box) == ["large"]
    box.ack(4)
    assert popped(box) == ["a", "rows"]


def test_within_a_snapshot_a_client_over_its_budget_gets_attention_alone() -> None:
    """A small answer would come between its parts."""
    box = outbox(in_flight_bytes_max=100)
    box.put_session("session:a", parts("a", 2, 100), "m:1")
    assert popped(box) == ["a1"]
    box.put_answer(made("small"))
    box.put_attention([made("item")], "attention", "a1")
    assert popped(box) == ["item"]
    box.ack(1)
    assert popped(box) == ["a2", "small"]


def test_there_is_room_below_both_limits() -> None:
    """What waits counts against the queue, and with what is in flight against the budget."""
    box = outbox(in_flight_bytes_max=100, queued_bytes_max=50)
    box.put_overview([made("rows", 49)], "overview", "g1")
    assert box.is_open
    box.put_notice(made("!"))
    assert not box.is_open
    assert popped(box) == ["rows", "!"]
    assert box.is_open
    box.put_answer(made("answer", 49))
    assert box.is_open
    box.put_answer(made("?"))
    assert not box.is_open
    box.ack(1)
    box.pop()
    assert box.is_open


def test_attention_has_room_of_its_own() -> None:
    """A full queue is no reason to refuse an item, nor the other way round."""
    box = outbox(attention_bytes_max=100, queued_bytes_max=100)
    box.put_attention([made("item", 100)], "attention", "a1")
    assert (box.attention_is_open, box.is_open) == (False, True)
    popped(box)
    box.put_answer(made("answer", 100))
    assert (box.attention_is_open, box.is_open) == (True, False)


def test_an_ack_gives_back_what_was_written_and_no_more() -> None:
    """In any step, twice, or for more than there ever was."""
    box = outbox()
    for size in (10, 20, 30):
        box.put_answer(made("x", size))
    popped(box)
    left = []
    for frames in (1, 1, 0, 2, 99, 3):
        box.ack(frames)
        left.append(box.in_flight_bytes)
    assert left == [50, 50, 50, 30, 0, 0]


# What was written.


def test_what_is_encoded_late_sees_what_was_written_before_it() -> None:
    """A heartbeat tells the cursors of frames that went out, whatever waits behind it."""
    box = outbox()
    seen: list[dict[str, str]] = []

    def beat() -> Frame:
        seen.append(dict(box.written))
        return made("beat")

    box.put_overview([made("rows")], "overview", "g1")
    assert popped(box) == ["rows"]
    box.put_answer(beat)
    box.put_overview([made("patch")], "overview", "g2")
    box.put_attention([made("item")], "attention", "a1")
    assert seen == []
    assert popped(box) == ["item", "beat", "patch"]
    assert seen == [{"overview": "g1", "attention": "a1"}]
    assert box.queued_bytes == 0


# Pushing.


def test_what_waits_is_pushed_until_the_transport_is_full() -> None:
    """Never written to while it is held; the rest leaves when it has room again."""
    box = outbox()
    transport = connected(box, limit_bytes=50)
    for number in range(6):
        box.put_answer(made(f"{number}", 20))
    box.drain()
    assert transport.is_paused
    assert len(transport.writes) == 3
    box.put_attention([made("item")], "attention", "a1")
    box.drain()
    assert len(transport.writes) == 3
    told: list[bytes] = []
    while transport.waiting_bytes:
        if transport.take():
            box.release()
            box.drain()
        while (payload := transport.next_payload()) is not None:
            told.append(payload.rstrip(b"_"))
    assert told == [b"0", b"1", b"2", b"item", b"3", b"4", b"5"]
    assert box.clear


@pytest.mark.parametrize("deflates", [False, True])
def test_in_flight_is_counted_in_bytes_of_the_wire(deflates: bool) -> None:
    """What a transport was given, with headers and as it was deflated."""
    box = outbox()
    transport = connected(box, deflates=deflates)
    for size in (10, 200, 5_000):
        box.put_answer(made("x", size))
    box.drain()
    assert box.in_flight_bytes == transport.waiting_bytes == box.tally.sent_bytes
    assert (transport.waiting_bytes < 1_000) == deflates
    box.ack(3)
    assert box.in_flight_bytes == 0


def test_after_its_end_nothing_is_written() -> None:
    """Nor while there is no transport."""
    box = outbox()
    box.put_answer(made("early"))
    box.drain()
    transport = connected(box)
    assert not box.clear
    box.drain()
    box.disconnect()
    box.put_answer(made("late"))
    box.release()
    box.drain()
    assert len(transport.writes) == 1
    assert not box.clear


def test_of_a_client_that_is_gone_nothing_waits() -> None:
    """In no lane, nor what was under way."""
    box = outbox()
    box.put_session("s", [made("a"), made("b")], "1")
    assert box.pop() is not None
    box.put_attention([made("item")], "attention", "a1")
    box.put_answer(made("answer"))
    box.put_session("t", [made("c")], "1")
    box.put_overview([made("rows")], "overview", "o1")
    box.put_notice(made("notice"))
    box.empty()
    assert not box.waits
    assert (box.queued_bytes, box.attention_bytes, box.pop()) == (0, 0, None)
    assert box.last_cursor("s") is None


def test_it_is_clear_only_if_a_frame_may_overtake_nothing() -> None:
    """With a transport that has room, within the budget, and while nothing waits."""
    box = outbox(in_flight_bytes_max=100)
    assert not box.clear
    connected(box)
    assert box.clear
    box.put_attention([made("item")], "attention", "a1")
    assert not box.clear
    box.drain()
    assert box.clear
    box.hold()
    assert not box.clear
    box.release()
    assert box.clear
    box.put_answer(made("x", 200))
    assert not box.clear
    box.drain()
    assert not box.clear
    box.ack(2)
    assert box.clear
