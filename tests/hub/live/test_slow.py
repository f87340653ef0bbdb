"""Clients that do not keep up: values later, fewer sessions, and in the end the door."""

from typing import Any

import pytest

from tests.hub.made import NOW, Desk, Viewer, event, of_type, permission, report, said

# Budgets are counted in bytes: deflated, what these tests send would never fill one.
pytestmark = [
    pytest.mark.usefixtures("way"),
    pytest.mark.parametrize("way", ["popped", "pushed"], indirect=True),
]

SPACES = {"overview", "session:s0", "session:s1", "session:s2"}


def crowd(budget: int = 8_192, **hello: Any) -> tuple[Desk, Viewer]:
    """A desk with twenty sessions, and a client with three of them open."""
    desk = Desk(in_flight_bytes_max=budget)
    desk.log(*(event("prompt", f"s{n}") for n in range(20)))
    viewer = desk.connect(**hello).open("s0", "s1", "s2")
    viewer.ask("activate", session="s0")
    viewer.read()
    return desk, viewer


def overload(desk: Desk, viewer: Viewer) -> None:
    """Change everything until the client is over its budget, which it reads but does not ack."""
    for at in range(1, 200):
        desk.say(*(event("tool_start", f"s{n}", call=f"{n}.{at}", tool="Bash") for n in range(20)))
        desk.advance(20)
        viewer.pop()
        if viewer.client.missed:
            return
    raise AssertionError("the client never fell behind")


def test_over_its_budget_a_client_gets_no_patches() -> None:
    """In flight stays where it is, whatever happens; nothing it holds is called stale."""
    desk, viewer = crowd()
    overload(desk, viewer)
    viewer.pop()
    desk.say(*(event("stop", f"s{n}") for n in range(20)))
    desk.advance(100)
    in_flight, queued = viewer.client.outbox.in_flight_bytes, viewer.client.outbox.queued_bytes
    for at in range(20):
        desk.say(*(event("prompt", f"s{n}", at=NOW + at) for n in range(20)))
        desk.advance(20)
        assert viewer.pop() == []
    assert viewer.client.outbox.in_flight_bytes == in_flight
    assert viewer.client.outbox.queued_bytes == queued
    assert set(viewer.client.missed) == SPACES
    assert not any(viewer.reference.opened[each].stale for each in ("s0", "s1", "s2"))
    assert viewer.client.state == "behind"


def test_after_its_ack_it_gets_values_alone_and_is_in_step_again() -> None:
    """One patch each: the active session first, the overview last; then patches that are shared."""
    desk, viewer = crowd()
    overload(desk, viewer)
    desk.say(*(event("stop", f"s{n}") for n in range(20)))
    desk.advance(100)
    viewer.pop()
    told = [(frame["type"], frame.get("session")) for frame in viewer.read()]
    assert told[-4:] == [  # behind what had been put into its lanes before
        ("session.patch", "s0"), ("session.patch", "s2"), ("session.patch", "s1"),
        ("overview.patch", None),
    ]  # fmt: skip
    viewer.check()
    desk.say(event("prompt", "s0", at=NOW + 9))
    desk.advance(100)
    assert {frame["type"] for frame in viewer.read()} == {"session.patch", "overview.patch"}
    assert viewer.client.state == "live"
    assert "session.stale" not in [frame["type"] for frame in viewer.reference.frames]
    viewer.check()


def test_a_recovery_that_fills_the_budget_again_goes_on_later() -> None:
    """What had no room behind the first large snapshot follows when that is acknowledged."""
    desk = Desk(in_flight_bytes_max=8_192)
    for name in ("a", "b"):
        desk.log(report(name, to=500, entries=said(20, text="x" * 900)))
    viewer = desk.connect().open("a", "b")
    viewer.ask("subscribe", session="a")
    viewer.pop()
    for turn in range(3):
        desk.say(event("prompt", "a", at=NOW + turn), event("stop", "b", at=NOW + turn))
        desk.advance(100)
    assert len(viewer.client.missed) == 3
    for _ in range(6):
        viewer.read()
        desk.advance(1_000)
    viewer.check()


def test_a_quiet_client_with_an_unacknowledged_tail_is_fine() -> None:
    """Progress is judged only while the client is over its budget."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect().open("a")
    desk.say(event("stop", "a"))
    for _ in range(100):
        desk.advance(1_000)
        viewer.pop()
    assert viewer.client.outbox.in_flight_bytes > 0
    assert viewer.client.close_code is None
    assert len(viewer.client.subscriptions) == 1


def test_ten_seconds_over_budget_without_an_ack_evicts_its_sessions() -> None:
    """Each is told as session.evicted with the reason slow, also the active one."""
    desk, viewer = crowd()
    overload(desk, viewer)
    desk.advance(9_000)
    assert of_type(viewer.pop(), "session.evicted") == []
    desk.advance(1_100)
    evicted = of_type(viewer.pop(), "session.evicted")
    assert {(f["session"], f["reason"]) for f in evicted} == {
        ("s0", "slow"), ("s1", "slow"), ("s2", "slow"),
    }  # fmt: skip
    assert desk.board.rooms.channels == {}
    viewer.ack()
    viewer.read()
    viewer.check()


def test_thirty_seconds_over_budget_end_the_connection() -> None:
    """The close code is 4001, the shell is woken, and nobody else is disturbed."""
    desk, viewer = crowd()
    other = desk.connect().open("s0")
    overload(desk, viewer)
    other.read()
    desk.advance(29_500)
    assert viewer.client.close_code is None
    wakes = viewer.wakes
    desk.advance(1_000)
    assert viewer.client.close_code == 4001
    assert viewer.client.state == "closing"
    assert viewer.wakes > wakes
    assert other.client.close_code is None
    other.check()


def test_a_client_that_is_to_be_closed_is_not_judged_again() -> None:
    """Until its shell has let it go, the switchboard does not ask to be flushed all the time."""
    desk, viewer = crowd()
    overload(desk, viewer)
    desk.advance(30_500)
    assert viewer.client.close_code == 4001
    due = desk.board.next_due_ms()
    assert due is None or due > desk.now


def test_a_client_that_acknowledges_is_not_slow() -> None:
    """Over its budget for longer than ten seconds, but always moving, it keeps its sessions."""
    desk = Desk(in_flight_bytes_max=8_192)
    desk.log(report("a", to=500, entries=said(250, text="x" * 900)))
    viewer = desk.connect().open("a")
    viewer.ask("subscribe", session="a")
    last = viewer.pop()[-1]
    assert last["part"] < last["parts"] - 2
    desk.say(event("prompt", "a"))
    assert viewer.client in desk.board.patience.behind
    for _ in range(4):
        desk.advance(2_900)
        assert of_type(viewer.pop(), "session.evicted") == []
        viewer.ask("ack", frames=viewer.client.outbox.frames_acked + 1)
        assert not viewer.client.outbox.is_open
    assert len(viewer.client.subscriptions) == 1


@pytest.mark.parametrize(
    "kind", ["ping", "subscribe", "view", "rate", "resync", "activate", "attention"]
)
def test_a_client_that_asks_and_never_reads_has_a_bounded_queue(kind: str) -> None:
    """Answers count as well: beyond its budget it is conflated, judged or sent away."""
    desk = Desk()
    desk.log(report("a", to=500, entries=said(200, text="x" * 900)))
    desk.log(*(permission(f"s{n}", summary="x" * 900) for n in range(100)))
    viewer = desk.connect(subscriptions=4)
    viewer.open("a")
    viewer.hold()
    fields: dict[str, Any] = {
        "ping": {"id": "x" * 15_000}, "subscribe": {"session": "a"}, "view": {"limit": 100},
        "rate": {"hz": 60}, "resync": {"scope": "session", "session": "a"},
        "activate": {"session": "y" * 15_000}, "attention": {"scope": "attention"},
    }[kind]  # fmt: skip
    most = 0
    for _ in range(35 * 20):
        desk.advance(50)
        if viewer.client.close_code is None:
            viewer.ask("resync" if kind == "attention" else kind, **fields)
        outbox = viewer.client.outbox
        most = max(most, outbox.queued_bytes + outbox.attention_bytes)
    snapshot_bytes = 200_000
    limits = desk.board.limits
    assert most < limits.queued_bytes_max + limits.attention_bytes_max + 2 * snapshot_bytes


def test_a_pinned_row_that_changes_all_the_time_has_a_bounded_queue() -> None:
    """A frame of its own is no reason to queue for a client that reads nothing."""
    desk = Desk(in_flight_bytes_max=8_192)
    desk.log(event("prompt", "a"))
    viewer = desk.connect(view={"status": ["failed"], "pinned": ["a"]})
    viewer.read()
    viewer.hold()
    for at in range(300):
        desk.say(event("tool_start", "a", at=NOW + at, call=str(at), tool=f"t{at}"))
        desk.advance(20)
    assert viewer.client.outbox.queued_bytes < 10_000
    viewer.read()
    desk.advance(1_100)
    viewer.check()


def test_a_change_of_rate_while_behind_heals_when_there_is_room() -> None:
    """What was missed at the old rate is not forgotten at the new one."""
    desk, viewer = crowd()
    overload(desk, viewer)
    viewer.ask("rate", hz=5)
    desk.say(event("stop", "s0", at=NOW + 5))
    desk.advance(500)
    viewer.read()
    desk.advance(1_500)
    viewer.check()


def test_a_view_or_a_subscription_while_behind_heals_too() -> None:
    """Requests are answered, and what follows them is in step or stale."""
    desk, viewer = crowd()
    overload(desk, viewer)
    viewer.ask("view", status=["running"])
    viewer.ask("subscribe", session="s7")
    viewer.ask("unsubscribe", session="s1")
    for at in range(5):
        desk.say(*(event("stop", f"s{n}", at=NOW + at) for n in range(9)))
        desk.advance(100)
    viewer.read()
    desk.advance(1_500)
    viewer.check()


def test_a_client_that_leaves_while_behind_is_judged_no_more() -> None:
    """Nothing of it is due any more."""
    desk, viewer = crowd()
    overload(desk, viewer)
    viewer.leave()
    desk.advance(60_000)
    assert viewer.client.close_code is None
    assert desk.board.next_due_ms() is None


def test_a_slow_client_costs_its_group_nothing() -> None:
    """Healthy members get the same frames as without it, each encoded once."""
    desk, viewer = crowd()
    healthy = [desk.connect() for _ in range(3)]
    overload(desk, viewer)
    for each in healthy:
        each.read()
        each.handed.clear()
    desk.say(*(event("stop", f"s{n}", at=NOW + 1) for n in range(20)))
    desk.advance(50)
    for each in healthy:
        each.check()
    assert healthy[0].handed
    for other in healthy[1:]:
        assert all(a is b for a, b in zip(healthy[0].handed, other.handed, strict=True))
