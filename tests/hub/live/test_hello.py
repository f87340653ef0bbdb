"""What a hub says to a client that says hello, and in which order."""

from typing import Any

import pytest

from hub.errors import Refused
from hub.limits import Limits
from hub.live.client import bucket_hz
from hub.live.hello import parse_hello
from tests.hub.made import NOW, Desk, event, of_type, permission, report, said

pytestmark = pytest.mark.usefixtures("way")

LIMITS = Limits()


def hello(**told: Any) -> dict[str, Any]:
    """A hello that is well formed but for what is told."""
    return {"type": "hello", "protocol": 1, **told}


def test_answers_come_in_the_order_of_the_protocol() -> None:
    """Welcome, the full attention set, the overview, then each resumed session."""
    desk = Desk()
    desk.log(event("prompt", "a"), permission("b"))
    first = desk.connect().open("a", "b")
    second = desk.connect(held=first.leave())
    assert second.types() == [
        "welcome", "attention", "overview.snapshot", "session.patch", "session.patch",
    ]  # fmt: skip
    second.check()


def test_welcome_tells_the_limits_that_this_client_has() -> None:
    """What the client asked for, rounded to what it gets, and the sizes of frames."""
    desk = Desk()
    viewer = desk.connect("c-1", rate_hz=30, subscriptions=8)
    viewer.read()
    assert viewer.reference.welcome == {
        "type": "welcome", "protocol": 1, "connection": "c-1", "worker": "w", "now": desk.now,
        "heartbeat_ms": 10_000,
        "limits": {
            "subscriptions": 8, "rate_hz": 20, "message_bytes": 16_384, "frame_bytes": 65_536,
        },
    }  # fmt: skip


def test_the_first_attention_is_full_even_if_empty() -> None:
    """A client with nothing open knows it from the first frames."""
    viewer = Desk().connect()
    [_, attention, overview] = viewer.read()
    assert attention["full"] is True
    assert (attention["open"], attention["closed"], attention["part"]) == ([], [], 1)
    assert (overview["sessions"], overview["part"], overview["parts"]) == ([], 1, 1)
    assert overview["totals"]["sessions"] == 0


def test_resumed_sessions_beyond_the_cap_are_evicted_oldest_first() -> None:
    """The least recently opened are answered by session.evicted, the active one is kept."""
    desk = Desk()
    desk.log(*(event("prompt", each) for each in "abcdef"))
    resume = [{"session": each, "cursor": desk.cursor(each)} for each in "abcdef"]
    viewer = desk.connect(resume=resume, active="a")
    frames = viewer.read()
    assert [f["session"] for f in frames if f["type"] == "session.evicted"] == ["b", "c"]
    assert [f["session"] for f in frames if f["type"] == "session.patch"] == ["a", "d", "e", "f"]
    assert viewer.client.subscriptions.active == ("default", "a")


def test_an_unknown_session_in_resume_takes_nobodys_place() -> None:
    """A session that is gone is an error of its own; the ones that live are all resumed."""
    desk = Desk()
    desk.log(*(event("prompt", each) for each in "abcd"))
    resume = [{"session": each, "cursor": f"m1:{1}"} for each in ("a", "gone", "b", "c", "d")]
    viewer = desk.connect(resume=resume)
    frames = viewer.read()
    assert [f["session"] for f in frames if f["type"] == "error"] == ["gone"]
    assert [f["session"] for f in frames if f["type"] == "session.evicted"] == []


def test_a_resumed_session_twice_in_the_list_is_answered_once() -> None:
    """The last mention counts, as the most recently opened."""
    desk = Desk()
    desk.log(event("prompt", "a"), event("prompt", "b"))
    resume = [{"session": each, "cursor": "m1:1"} for each in ("a", "b", "a")]
    viewer = desk.connect(resume=resume)
    assert [f["session"] for f in viewer.read() if f["type"] == "session.patch"] == ["b", "a"]


@pytest.mark.parametrize("cursor", ["", "m1", "m1:", "m1:x", ":1", "m1:-1", "m1:²", None, 7])
def test_a_cursor_that_is_none_is_answered_by_a_snapshot(cursor: Any) -> None:
    """Whatever a client hands back, it gets the state."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(resume=[{"session": "a", "cursor": cursor}])
    assert viewer.types()[-1] == "session.snapshot"


def test_an_endless_cursor_is_answered_by_a_snapshot() -> None:
    """A number of thousands of digits is nothing that any hub gave out."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(resume=[{"session": "a", "cursor": "m1:" + "9" * 5_000}])
    assert viewer.types()[-1] == "session.snapshot"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (None, 4502),
        ({"type": "subscribe"}, 4502),
        ({"type": ["hello"]}, 4502),
        ({"type": "hello"}, 4503),
        (hello(protocol=2), 4503),
        (hello(protocol="1"), 4503),
        (hello(view=[]), 4500),
        (hello(view={"status": ["no such"]}), 4500),
        (hello(view={"limit": 0}), 4500),
        (hello(rate_hz=0), 4500),
        (hello(rate_hz="fast"), 4500),
        (hello(subscriptions=True), 4500),
        (hello(subscriptions=2.5), 4500),
        (hello(resume={}), 4500),
        (hello(resume=["a"]), 4500),
        (hello(resume=[{"cursor": "m1:1"}]), 4500),
        (hello(resume=[{"session": str(n)} for n in range(65)]), 4500),
        (hello(client=1), 4500),
        (hello(token=1), 4500),
        (hello(active={}), 4500),
    ],
)
def test_what_is_no_hello_is_refused_with_its_code(told: Any, code: int) -> None:
    """4502 for another frame, 4503 for another protocol, 4500 for what makes no sense."""
    with pytest.raises(Refused) as caught:
        parse_hello(told, LIMITS)
    assert caught.value.close_code == code


def test_everything_but_type_and_protocol_may_be_absent() -> None:
    """The defaults are 60 Hz, four sessions, every status, 200 rows."""
    told = parse_hello(hello(), LIMITS)
    assert (told.rate_hz, told.cap, told.resume, told.active, told.token) == (60, 4, [], None, None)
    assert (told.view.status, told.view.limit, told.view.archived) == ((), 200, False)


@pytest.mark.parametrize(("asked", "got"), [(0, 2), (2, 2), (32, 32), (1_000, 32), (-5, 2)])
def test_the_cap_is_kept_between_two_and_thirty_two(asked: int, got: int) -> None:
    """A wish beyond the range gives its end."""
    assert parse_hello(hello(subscriptions=asked), LIMITS).cap == got


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (1, 1), (4, 1), (5, 5), (19.9, 5), (20, 20), (60, 60), (144, 60), (999, 200), (1000, 1000),
        (9999, 1000), (0.5, 1),
    ],
)  # fmt: skip
def test_rates_are_rounded_down_to_those_of_the_groups(asked: float, got: int) -> None:
    """1, 5, 20, 60, 200 and 1000 Hz are all there is."""
    assert parse_hello(hello(rate_hz=asked), LIMITS).rate_hz == got
    assert bucket_hz(max(1, int(asked))) == got


def test_a_resume_in_an_empty_gap_is_an_empty_patch() -> None:
    """Nothing happened: the patch carries the same cursor twice and nothing else."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    first = desk.connect().open("a")
    patch = desk.connect(held=first.leave()).read()[-1]
    assert patch["type"] == "session.patch"
    assert patch["from"] == patch["cursor"] == desk.cursor()
    assert not patch.get("set")
    assert not patch.get("maps")
    assert not patch.get("append")


def test_a_resume_over_a_gap_brings_what_happened() -> None:
    """Values as they are now, and the entries of the gap alone."""
    desk = Desk()
    desk.log(event("prompt", "a", text="one", hash="1"))
    first = desk.connect().open("a")
    held = first.leave()
    desk.log(permission("a", text="x"), event("prompt", "a", text="two", hash="2"))
    second = desk.connect(held=held)
    patch = second.read()[-1]
    assert patch["type"] == "session.patch"
    assert [entry["kind"] for entry in patch["append"]["timeline"]] == ["attention", "prompt"]
    second.check()


def test_a_resume_in_another_epoch_is_a_snapshot() -> None:
    """Numbers of another lineage mean nothing here."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(resume=[{"session": "a", "cursor": "m0:1"}])
    assert viewer.types()[-1] == "session.snapshot"


def test_a_resume_from_the_future_is_stale_until_this_worker_has_come_so_far() -> None:
    """Nothing that the client has seen is taken back: the snapshot is as new at least."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(resume=[{"session": "a", "cursor": "m1:3"}])
    viewer.reference.opening("a")
    assert viewer.read()[-1] == {"type": "session.stale", "session": "a", "reason": "worker"}
    desk.say(event("stop", "a"))
    desk.advance(100)
    assert "session.patch" not in viewer.types()
    desk.say(event("prompt", "a", at=NOW + 1))
    desk.advance(100)
    assert [f["cursor"] for f in of_type(viewer.read(), "session.snapshot")] == ["m1:3"]
    desk.say(event("stop", "a", at=NOW + 2))
    desk.advance(100)
    viewer.check()


def test_a_worker_that_does_not_come_so_far_gives_what_it_has() -> None:
    """A cursor that nobody gave out, or a worker that hangs: five seconds are enough."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(resume=[{"session": "a", "cursor": "m1:99"}])
    viewer.reference.opening("a")
    viewer.read()
    desk.advance(4_900)
    assert viewer.read() == []
    desk.advance(200)
    assert "session.snapshot" in viewer.types()
    viewer.check()


def test_a_gap_that_the_ring_does_not_cover_is_a_snapshot() -> None:
    """More entries than the ring holds have come since."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    first = desk.connect().open("a")
    held = first.leave()
    for at in range(60):
        desk.log(event("session_end", "a", id=f"s{at}"), event("prompt", "a", hash=str(at)))
    desk.log(report("a", to=600, entries=said(550)))
    second = desk.connect(held=held)
    assert second.types()[-1] == "session.snapshot"
    second.check()


def test_a_gap_in_which_a_key_was_removed_is_a_snapshot() -> None:
    """A removal cannot be told by present values."""
    desk = Desk()
    objectives = {"1": {"text": "t", "status": "open", "at": 1}}
    desk.log(event("task", "a", objectives=objectives))
    first = desk.connect().open("a")
    held = first.leave()
    desk.log(event("task", "a", objectives={"1": None}))
    second = desk.connect(held=held)
    assert second.types()[-1] == "session.snapshot"
    second.check()


@pytest.mark.parametrize(
    ("open_max", "missing", "here"),
    [(4, "b", ["a", "c"]), (4, "", ["a", "b", "c"]), (2, "b", []), (2, "", ["a", "b", "c"])],
)
def test_what_must_be_read_first_is_resumed_later(
    open_max: int, missing: str, here: list[str]
) -> None:
    """And all of more than may be open, so that those leave that were opened longest ago."""
    resume = [{"session": each, "cursor": ""} for each in "abc"]
    told = parse_hello(hello(resume=resume, subscriptions=open_max), LIMITS)
    now, later = told.parted(lambda session: session == missing)
    assert [session for session, _ in now.resume] == here
    assert [session for session, _ in later.resume] == [each for each in "abc" if each not in here]
