"""Opening, evicting, activating and closing sessions, and what their patches carry."""

import pytest

from hub.live.subscriptions import Subscriptions
from tests.hub.made import (
    NOW,
    Desk,
    Viewer,
    bucket,
    event,
    of_type,
    permission,
    report,
    said,
    tokens,
)

pytestmark = pytest.mark.usefixtures("way")


def keys(names: str) -> list[tuple[str, str]]:
    """Session keys of one letter each."""
    return [("default", each) for each in names]


def desk_of(names: str) -> tuple[Desk, Viewer]:
    """A desk with these sessions, and a client."""
    desk = Desk()
    desk.log(*(event("prompt", each) for each in names))
    viewer = desk.connect()
    viewer.read()
    return desk, viewer


def test_the_fifth_opened_session_evicts_the_least_recent_before_its_snapshot() -> None:
    """Four fit; session.evicted is written before the snapshot of the one that displaced it."""
    _, viewer = desk_of("abcde")
    viewer.open(*"abcd")
    viewer.ask("subscribe", session="e")
    evicted, snapshot = viewer.read()
    assert evicted == {"type": "session.evicted", "session": "a", "reason": "cap"}
    assert (snapshot["type"], snapshot["session"], snapshot["live"]) == (
        "session.snapshot", "e", True,
    )  # fmt: skip
    viewer.check()


def test_the_active_session_is_never_evicted() -> None:
    """Eviction skips it, wherever it stands, and goes on with the next."""
    desk, viewer = desk_of("abcdefgh")
    viewer.open("a", activate=True).open(*"bcd")
    for opened, evicted in zip("efgh", "bcde", strict=True):
        viewer.ask("subscribe", session=opened)
        assert [f["session"] for f in of_type(viewer.read(), "session.evicted")] == [evicted]
    assert ("default", "a") in viewer.client.subscriptions
    assert desk.board.tally.evictions == {"cap": 4}
    viewer.check()


def test_activate_counts_as_opened_now() -> None:
    """The one that was looked at last is the last to go, also when it is active no more."""
    _, viewer = desk_of("abcde")
    viewer.open(*"abcd")
    viewer.ask("activate", session="a")
    viewer.ask("activate", session=None)
    viewer.ask("subscribe", session="e")
    assert [f["session"] for f in of_type(viewer.read(), "session.evicted")] == ["b"]


def test_opening_again_counts_as_opened_now_and_gives_a_snapshot() -> None:
    """An open session is answered by its snapshot and evicts nobody."""
    _, viewer = desk_of("abcde")
    viewer.open(*"abcd")
    viewer.ask("subscribe", session="a")
    assert viewer.types() == ["session.snapshot"]
    viewer.ask("subscribe", session="e")
    assert [f["session"] for f in of_type(viewer.read(), "session.evicted")] == ["b"]
    viewer.check()


def test_a_reopened_session_is_answered_by_a_snapshot() -> None:
    """Evicted means snapshot: what happened meanwhile is in it, and patches follow it."""
    desk, viewer = desk_of("abcde")
    viewer.open(*"abcde")
    assert viewer.reference.opened["a"].evicted
    desk.say(event("stop", "a", at=NOW + 1))
    desk.advance(100)
    assert of_type(viewer.read(), "session.patch") == []
    viewer.open("a")
    desk.say(event("prompt", "a", at=NOW + 2))
    desk.advance(100)
    viewer.check()
    assert [name for name, each in viewer.reference.opened.items() if each.evicted] == ["b"]


def test_a_closed_session_is_told_of_no_more() -> None:
    """No patch and no heartbeat speaks of it, and closing it again is nothing."""
    desk, viewer = desk_of("ab")
    viewer.open("a", "b")
    viewer.ask("unsubscribe", session="a")
    viewer.ask("unsubscribe", session="a")
    viewer.ask("unsubscribe", session="never opened")
    desk.say(event("stop", "a"), event("stop", "b"))
    desk.advance(12_000)
    frames = viewer.read()
    assert {f["session"] for f in of_type(frames, "session.patch")} == {"b"}
    assert list(of_type(frames, "heartbeat")[-1]["sessions"]) == ["b"]
    viewer.check()


def test_closing_the_active_session_leaves_none_active() -> None:
    """A session that is opened later may be evicted like any other."""
    _, viewer = desk_of("a")
    viewer.open("a", activate=True)
    viewer.ask("unsubscribe", session="a")
    assert viewer.client.subscriptions.active is None


def test_what_is_unknown_is_an_error_and_the_connection_lives() -> None:
    """Subscribe, activate and resync of an unknown session name it in their answer."""
    _, viewer = desk_of("a")
    viewer.ask("subscribe", session="x")
    viewer.ask("activate", session="x")
    viewer.ask("resync", scope="session", session="x", reason="gap")
    errors = viewer.read()
    assert [(f["code"], f["session"]) for f in errors] == [("unknown_session", "x")] * 3
    viewer.open("a")
    viewer.check_rows()


def test_a_patch_carries_names_maps_and_series() -> None:
    """Scalars in set, keys in maps with null for a removed one, items in append."""
    desk, viewer = desk_of("a")
    tasks = {str(n): {"text": "t", "status": "open", "at": 1} for n in (1, 2)}
    desk.log(event("task", "a", objectives=tasks))
    viewer.open("a")
    desk.say(
        event("task", "a", objectives={"1": None}),
        event("tool_start", "a", call="1", tool="Bash"),
        event("tool_end", "a", call="1", tool="Bash", status="error", text="no"),
    )
    [patch] = of_type(viewer.read(), "session.patch")
    assert patch["maps"]["objectives_list"] == {"1": None}
    assert patch["maps"]["tools"]["Bash"]["errors"] == 1
    assert [e["id"] for e in patch["append"]["timeline"]] == ["1", "1:end"]
    assert [e["text"] for e in patch["append"]["errors_list"]] == ["no"]
    assert patch["set"]["tool_errors"] == 1
    viewer.check()


def test_buckets_are_appended_and_later_values_replace_them() -> None:
    """A minute that goes on is told again under its own key."""
    desk, viewer = desk_of("a")
    viewer.open("a")
    desk.say(report("a", to=1, buckets={"60000": bucket(1)}, calls=tokens(1)))
    desk.advance(20)
    desk.say(report("a", to=2, from_=1, buckets={"60000": bucket(2), "120000": bucket(1)}))
    desk.advance(20)
    viewer.check()
    series = viewer.reference.opened["a"].detail["token_series"]
    assert [(each["at"], each["output"]) for each in series] == [(60_000, 2), (120_000, 1)]


def test_merged_buckets_come_whole() -> None:
    """Beyond 240 minutes older ones are merged, and every patch carries the series as a whole."""
    desk, viewer = desk_of("a")
    viewer.open("a")
    for to in range(1, 6):
        minutes = {str(60_000 * (100 * to + n)): bucket(to) for n in range(60)}
        desk.say(report("a", to=to, from_=to - 1, buckets=minutes))
        desk.advance(20)
        viewer.check()
    assert len(viewer.reference.opened["a"].detail["token_series"]) <= 240


def test_a_bucket_that_is_gone_is_gone_at_the_client() -> None:
    """A transcript that became another file takes its minutes back."""
    desk, viewer = desk_of("a")
    desk.log(report("a", to=9, buckets={"60000": bucket(1), "120000": bucket(2)}))
    viewer.open("a")
    desk.say(report("a", to=5, generation=1, buckets={"120000": bucket(3)}))
    desk.advance(20)
    viewer.check()


def test_the_newest_five_hundred_entries_and_fifty_errors_are_kept() -> None:
    """A client that cuts as the protocol says holds what the hub holds."""
    desk, viewer = desk_of("a")
    viewer.open("a")
    for n in range(70):
        desk.log(event("tool_end", "a", call=str(n), tool="Bash", status="error", text=f"e{n}"))
    desk.say(report("a", to=900, entries=said(490)))
    desk.advance(20)
    viewer.check()
    assert len(viewer.reference.opened["a"].timeline) == 500
    assert len(viewer.reference.opened["a"].detail["errors_list"]) == 50


def test_members_in_step_share_the_very_bytes() -> None:
    """Subscribers of one session at one rate are handed the same object."""
    desk, one = desk_of("a")
    two = desk.connect().open("a")
    one.open("a")
    two.read()
    for viewer in (one, two):
        viewer.handed.clear()
    desk.say(event("stop", "a"))
    for viewer in (one, two):
        viewer.check()
    assert len(one.handed) == 2
    assert all(a is b for a, b in zip(one.handed, two.handed, strict=True))


def test_another_rate_keeps_the_cursors_continuous() -> None:
    """Neither a gap nor a repetition, whatever is pending at the old and at the new rate."""
    desk, viewer = desk_of("ab")
    slow = desk.connect(rate_hz=1).open("a", "b")
    viewer.open("a", "b")
    for at, hz in enumerate((1, 60, 1000, 5, 1, 60)):
        desk.say(event("tool_start", "a", at=NOW + at, call=f"x{at}", tool="Bash"))
        desk.log(event("tool_end", "a", at=NOW + at, call=f"x{at}", tool="Bash"))
        viewer.ask("rate", hz=hz)
        assert of_type(viewer.read(), "session.snapshot") == []
        desk.advance(300)
        viewer.read()
    desk.advance(1_500)
    viewer.check()
    slow.check()


def test_a_change_of_rate_is_answered_by_the_overview() -> None:
    """The group is another one, so is its chain."""
    _, viewer = desk_of("a")
    viewer.ask("rate", hz=1)
    assert viewer.types() == ["overview.snapshot"]
    assert viewer.client.rate_hz == 1


def test_a_session_cursor_moves_with_patches_and_snapshots_alone() -> None:
    """Deleting every overview, attention, notice and heartbeat frame changes no session cursor."""
    desk, viewer = desk_of("abc")
    viewer.open("a", "b")
    for at in range(20):
        desk.say(permission("abc"[at % 3], at=NOW + at), event("stop", "abc"[at % 2], at=NOW + at))
        desk.advance(700)
        viewer.read()
    viewer.check_isolation()
    assert viewer.reference.heartbeats


def test_detach_frees_everything() -> None:
    """No group, channel, pin, lane or judgement remembers a client that went."""
    desk, viewer = desk_of("ab")
    viewer.open("a", "b", activate=True)
    desk.say(event("stop", "a"))
    viewer.ask("view", status=["idle"], pinned=["b"])
    viewer.ask("rate", hz=5)
    desk.log(event("prompt", "a"))
    for _ in range(2):
        viewer.leave()
    board = desk.board
    assert (board.clients, board.patience.behind, board.cache.pinned) == ({}, {}, {})
    assert (board.rooms.groups, board.rooms.channels, board.lane("default").members) == ({}, {}, {})
    assert not any(board.rooms._by_session.values())
    assert not any(board.rooms._by_workspace.values())
    desk.advance(20_000)
    assert board.next_due_ms() is None
    assert not board.rooms._stirred


def test_what_a_client_asked_for_long_ago_is_forgotten() -> None:
    """Sessions opened and closed, and resyncs asked for, leave nothing that grows."""
    desk = Desk()
    names = [f"s{n}" for n in range(300)]
    desk.log(*(event("prompt", each) for each in names))
    viewer = desk.connect()
    for each in names:
        viewer.open(each)
        viewer.ask("resync", scope="session", session=each, reason="gap")
        viewer.read()
    outbox = viewer.client.outbox
    sizes = {
        "lanes": len(outbox._sessions), "written": len(outbox.written),
        "sizes": len(outbox.sizes),
        "missed": len(viewer.client.missed), "resynced": len(viewer.client.resynced_ms),
    }  # fmt: skip
    assert max(sizes.values()) < 50, sizes


@pytest.mark.parametrize("cap", [2, 4, 32])
def test_never_more_than_the_cap(cap: int) -> None:
    """Whatever is opened and activated, in whatever order."""
    opened = Subscriptions(cap)
    names = keys("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJ")
    for turn, key in enumerate(names * 2):
        active = opened.active
        evicted = opened.open(key, activate=turn % 5 == 0)
        assert active not in evicted or opened.active != active
        assert key not in evicted
        assert len(opened) <= cap
    assert len(opened) == cap


def test_activating_what_is_not_open_changes_nothing() -> None:
    """It is refused, and the active one stays active."""
    opened = Subscriptions(2)
    a, b = keys("ab")
    opened.open(a, activate=True)
    assert opened.activate(b) is False
    assert opened.active == a
    assert opened.activate(None) is True
    assert opened.active is None
