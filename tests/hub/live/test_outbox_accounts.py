"""An outbox's accounts after whatever rooms and a shell do with it, against counting anew."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.limits import Limits
from hub.live.outbox import Outbox
from hub.live.wire import Frame

Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["attention", "answer", "session", "overview", "rows", "notice", "drop", "forget",
             "pop", "ack", "hold", "release"]
        ), st.integers(1, 3), st.integers(1, 60),
    ), max_size=60,
)  # fmt: skip


def act(box: Outbox, step: Step, number: int) -> None:
    """One thing that rooms or a shell do."""
    kind, count, size = step
    space, frames = f"session:{count}", [Frame("made", b"x" * size)] * count
    acts: dict[str, Any] = {
        "attention": lambda: box.put_attention(frames, "attention", f"a{number}"),
        "answer": lambda: box.put_answer(frames[0]),
        "session": lambda: box.put_session(space, frames, f"m:{number}"),
        "overview": lambda: box.put_overview(frames, "overview", f"g{number}"),
        "rows": lambda: box.put_rows(frames, "overview", f"g{number}"),
        "notice": lambda: box.put_notice(frames[0]),
        "drop": lambda: (box.drop(space), box.put_answer(frames[0], ended=space)),
        "forget": lambda: box.forget(space),
        "pop": box.pop,
        "ack": lambda: box.ack(box.frames_acked + count),
        "hold": box.hold,
        "release": box.release,
    }
    acts[kind]()


def waiting(box: Outbox) -> list[Frame]:
    """Every frame in every lane but that of attention."""
    lanes = [box._answers, *box._sessions.values(), box._overview, box._notices]
    bundled: list[Sequence[Any]] = [bundle.frames for lane in lanes for bundle in lane]
    return [frame for frames in (*bundled, box._current) for frame in frames]


@given(steps, st.booleans())
def test_its_accounts_are_true_after_whatever_happens(told: list[Step], pushed: bool) -> None:
    """Bytes that wait, bytes in flight and clearness are what counting anew gives."""
    box = Outbox(Limits(in_flight_bytes_max=150, queued_bytes_max=200))
    if pushed:
        box.connect(lambda _data: None, deflates=False)
    for number, step in enumerate(told):
        act(box, step, number)
        if pushed:
            box.drain()
        assert box.queued_bytes == sum(map(len, waiting(box)))
        assert box.attention_bytes == sum(len(each.frames[0]) for each in box._attention)
        assert box.in_flight_bytes == sum(box.sizes)
        assert len(box.sizes) == box.frames_written - box.frames_acked
        assert not any(not lane for lane in box._sessions.values())
        assert box.waits == bool(waiting(box))
        if box.clear:
            assert pushed
            assert box.writable
            assert not box.waits
            assert not box._attention
            assert box.in_flight_bytes < box.in_flight_bytes_max
    box.ack(10**6)
    box.release()
    while box.pop() is not None:
        box.ack(10**6)
    assert (box.queued_bytes, box.attention_bytes, box.in_flight_bytes) == (0, 0, 0)
