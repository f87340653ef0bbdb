"""The cheap judge finds what the reference client finds, and lets pass what that lets pass."""

import json
from typing import Any

import pytest
from chains import Chains

from locustfiles.reference_client import Violation

WELCOME = {"type": "welcome", "protocol": 1}
ITEMS = {"type": "attention", "cursor": "a1", "full": True, "part": 1, "parts": 1,
         "open": [{"id": "x"}, {"id": "y"}], "closed": []}  # fmt: skip
BOARD = {
    "type": "overview.snapshot",
    "cursor": "o1",
    "part": 1,
    "parts": 1,
    "sessions": [{"id": "s"}],
}
PATCH = {"type": "overview.patch", "from": "o1", "cursor": "o2", "set": [], "gone": []}
SNAPSHOT = {"type": "session.snapshot", "session": "s", "cursor": "e:5", "part": 1, "parts": 1,
            "live": True, "detail": {"title": "t"}, "timeline": []}  # fmt: skip
CHANGE = {"type": "session.patch", "session": "s", "from": "e:5", "cursor": "e:6"}
EVICTED = {"type": "session.evicted", "session": "s", "reason": "cap"}
STALE = {"type": "session.stale", "session": "s", "reason": "gap"}
BEAT = {
    "type": "heartbeat",
    "id": "h",
    "overview": "o1",
    "attention": "a1",
    "sessions": {"s": "e:5"},
}


def judged(*frames: dict[str, Any], opened: bool = True) -> Chains:
    """A client that has said hello, has a session open or not, and was told these frames."""
    made = Chains()
    for frame in (WELCOME, ITEMS, BOARD):
        made.feed(json.dumps(frame).encode())
    if opened:
        made.opening("s")
    for frame in frames:
        made.feed(json.dumps(frame).encode())
    return made


def test_what_the_protocol_allows_passes() -> None:
    """Patches in their chain, an eviction, an opening anew, a stale mark that a snapshot cures."""
    seen = judged(PATCH, SNAPSHOT, CHANGE, STALE, SNAPSHOT, CHANGE, EVICTED)
    assert (seen.overview, seen.attention, seen.items) == ("o2", "a1", {"x", "y"})
    seen.opening("s")
    seen.feed(json.dumps(SNAPSHOT).encode())
    assert seen.opened["s"].cursor == "e:5"
    assert judged(SNAPSHOT, BEAT).said["heartbeat"] == 1


@pytest.mark.parametrize(
    ("wrong", "frames"),
    [
        ("a gap on the board", [PATCH, PATCH]),
        ("a gap in a session", [SNAPSHOT, {**CHANGE, "from": "e:4"}]),
        ("a patch of an evicted session", [SNAPSHOT, EVICTED, CHANGE]),
        ("a snapshot of one that nobody opened again", [SNAPSHOT, EVICTED, SNAPSHOT]),
        ("a patch of a stale session", [SNAPSHOT, STALE, CHANGE]),
        ("a second welcome", [WELCOME]),
        ("a part that does not follow", [{**SNAPSHOT, "part": 2, "parts": 3, "live": False}]),
        ("something between parts", [{**SNAPSHOT, "parts": 2, "live": False}, PATCH]),
        ("live too early", [{**SNAPSHOT, "parts": 2}]),
        ("a heartbeat of another board", [SNAPSHOT, {**BEAT, "overview": "o9"}]),
        ("a heartbeat of another session", [SNAPSHOT, {**BEAT, "sessions": {"s": "e:9"}}]),
        ("a heartbeat of other items", [SNAPSHOT, {**BEAT, "attention": "a9"}]),
        ("a frame that is too large", [{**PATCH, "set": "x" * 70_000}]),
    ],
)
def test_what_the_protocol_forbids_is_found(wrong: str, frames: list[dict[str, Any]]) -> None:
    """One wrong frame after right ones."""
    judged(*frames[:-1])
    with pytest.raises(Violation):
        judged(*frames)


def test_items_are_a_keyed_set() -> None:
    """They open, they close, and a full set replaces all, in parts as well."""
    more = {**ITEMS, "full": False, "cursor": "a2", "open": [{"id": "z"}], "closed": [{"id": "x"}]}
    assert judged(more).items == {"y", "z"}
    parts = [
        {**ITEMS, "cursor": "a3", "open": [{"id": n}], "part": n, "parts": 2} for n in ("", "")
    ]
    first, last = (
        {**parts[0], "part": 1, "open": [{"id": "p"}]},
        {**parts[1], "part": 2, "open": [{"id": "q"}]},
    )
    assert judged(first).items == {"x", "y"}
    assert judged(first, last).items == {"p", "q"}


def test_frames_before_the_snapshot_of_an_opening_are_let_pass() -> None:
    """They are of an earlier opening."""
    assert judged(CHANGE).opened["s"].cursor is None


def test_a_resumed_session_goes_on_where_it_was() -> None:
    """Its first patch begins at the cursor that was handed back."""
    seen = judged(opened=False)
    seen.resuming("s", "e:5")
    seen.feed(json.dumps(CHANGE).encode())
    assert seen.opened["s"].cursor == "e:6"


def test_whoever_is_turned_away_hears_only_that() -> None:
    """A goodbye may come before any welcome; anything else may not."""
    assert Chains().feed(b'{"type":"bye","code":4006,"reason":"full"}').type == "bye"
    with pytest.raises(Violation):
        Chains().feed(json.dumps(BOARD).encode())
