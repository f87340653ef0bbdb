"""The attention lane: every open item to everybody, at once, whatever else goes on."""

import pytest

from hub.live.attention import AttentionLane
from tests.hub.made import NOW, Desk, event, folded, of_type, past, permission, tool_end

pytestmark = pytest.mark.usefixtures("way")


def test_an_item_comes_before_everything_that_waits() -> None:
    """It overtakes an overview and a session's snapshot that were queued before it."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect(rate_hz=1)
    viewer.read()
    viewer.hold()
    viewer.ask("subscribe", session="a")
    viewer.ask("view", status=["running"])
    desk.log(permission("b"))
    frames = viewer.read()
    assert frames[0]["type"] == "attention"
    assert (frames[0]["full"], [item["session"] for item in frames[0]["open"]]) == (False, ["b"])
    viewer.check_items()


def test_an_item_waits_for_no_tick() -> None:
    """It is there before anything is flushed, also at 1 Hz."""
    desk = Desk()
    viewer = desk.connect(rate_hz=1)
    viewer.read()
    desk.log(permission("a"))
    [opened] = viewer.read()
    desk.log(tool_end("a"))
    [closed] = viewer.read()
    assert closed["closed"] == [{"id": opened["open"][0]["id"], "outcome": "allowed"}]
    assert viewer.reference.items == {}


def test_an_item_has_the_fields_of_the_contract_and_no_request() -> None:
    """The request in full is for those who ask for it."""
    desk = Desk()
    viewer = desk.connect()
    viewer.read()
    desk.log(permission("a", request={"command": "make"}))
    [frame] = viewer.read()
    [item] = frame["open"]
    assert isinstance(item.pop("id"), str)
    assert frame["open"] == [
        {
            "session": "a", "kind": "permission", "tool": "Bash", "summary": "make",
            "opened_at": NOW, "answerable": False,
        },
    ]  # fmt: skip


def test_a_client_without_a_subscription_hears_of_it() -> None:
    """Neither a view that shows nothing nor an eviction keeps an item away."""
    desk = Desk()
    desk.log(*(event("prompt", each) for each in "abcde"))
    blind = desk.connect(view={"q": "nothing"})
    evicted = desk.connect().open(*"abcde")
    blind.read()
    assert evicted.reference.opened["a"].evicted
    desk.log(permission("a"))
    for viewer in (blind, evicted):
        assert [frame["type"] for frame in viewer.read()] == ["attention"]
        viewer.check_items()


@pytest.mark.parametrize("way", ["popped", "pushed"], indirect=True)
def test_it_comes_between_the_parts_of_a_snapshot() -> None:
    """A large snapshot that is under way is no reason to wait."""
    desk = Desk()
    desk.log(*(event("prompt", f"s{n:04}", cwd="/" + "x" * 400) for n in range(300)))
    viewer = desk.connect(view={"limit": 300})
    assert len(viewer.pop(4)) == 4
    desk.log(permission("s0000"))
    # A part that the transport had already taken goes before it.
    assert "attention" in [frame["type"] for frame in viewer.pop(2)]
    assert viewer.reference.items
    desk.advance(100)
    viewer.check()
    assert viewer.reference.frames[3]["parts"] > 2


@pytest.mark.parametrize("way", ["popped", "pushed"], indirect=True)
def test_it_reaches_a_client_that_is_behind() -> None:
    """Over its budget a client gets no patch, but every item."""
    desk = Desk(in_flight_bytes_max=4_096)
    desk.log(*(event("prompt", f"s{n}") for n in range(20)))
    viewer = desk.connect()
    viewer.pop()
    assert not viewer.client.outbox.is_open
    desk.say(event("stop", "s1"))
    for n in range(20):
        desk.log(permission(f"s{n}"))
    desk.advance(1_000)
    assert {frame["type"] for frame in viewer.pop()} == {"attention"}
    viewer.check_items()


def test_a_flood_beyond_the_lane_is_answered_by_the_full_set() -> None:
    """A client that reads nothing has a bounded lane, and is told everything when it reads."""
    desk = Desk()
    viewer = desk.connect()
    viewer.read()
    for n in range(400):
        desk.log(permission(f"s{n}", summary="x" * 600))
    for n in range(0, 400, 2):
        desk.log(tool_end(f"s{n}"))
    desk.advance(100)
    assert viewer.client.outbox.attention_bytes < 80_000
    viewer.read()
    desk.advance(100)
    viewer.check()
    assert len(viewer.reference.items) == 200


def test_the_full_set_comes_as_soon_as_the_lane_has_room() -> None:
    """A client that reads but does not acknowledge still hears of every item."""
    desk = Desk(in_flight_bytes_max=4_096)
    desk.log(*(event("prompt", f"s{n}") for n in range(20)))
    viewer = desk.connect()
    viewer.pop()
    for n in range(200):
        desk.log(permission(f"s{n}", summary="x" * 900))
    viewer.pop()
    desk.advance(2_000)
    viewer.pop()
    viewer.check_items()


def test_a_full_set_comes_in_parts_that_fit() -> None:
    """Hundreds of long items are told in several frames, the last of which moves the cursor."""
    desk = Desk()
    for n in range(300):
        desk.log(permission(f"s{n}", summary="x" * 1_000))
    viewer = desk.connect()
    frames = of_type(viewer.read(), "attention")
    assert len(frames) > 4
    assert [frame["part"] for frame in frames] == list(range(1, len(frames) + 1))
    viewer.check_items()


def test_a_resync_brings_the_whole_set() -> None:
    """It replaces what the client holds."""
    desk = Desk()
    viewer = desk.connect()
    desk.log(permission("a"))
    viewer.read()
    viewer.reference.items["ghost"] = {}
    viewer.ask("resync", scope="attention", reason="gap")
    [frame] = viewer.read()
    assert frame["full"] is True
    viewer.check_items()


def test_items_are_found_by_id_and_listed_oldest_first() -> None:
    """What the HTTP routes ask for."""
    desk = Desk()
    desk.log(permission("b", at=NOW + 1), permission("a", at=NOW + 2), permission("c"))
    lane, cache = desk.board.lane("default"), desk.board.cache
    assert [item.session for item in lane.items(cache)] == ["c", "b", "a"]
    for item_id, item in desk.items().items():
        found = lane.find(cache, item_id)
        assert found is not None
        assert found.session == item["session"]
    assert lane.find(cache, "x") is None
    assert AttentionLane("other", desk.board.limits).items(cache) == []


def test_two_sessions_may_ask_under_the_same_call() -> None:
    """A fork carries its parent's call ids: answering in one leaves the other's item open."""
    desk = Desk()
    viewer = desk.connect()
    desk.log(permission("parent", call="toolu_1"), permission("fork", call="toolu_1", at=NOW + 1))
    desk.log(tool_end("fork", call="toolu_1"))
    viewer.read()
    assert [item["session"] for item in viewer.reference.items.values()] == ["parent"]
    late = desk.connect()
    late.read()
    assert [item["session"] for item in late.reference.items.values()] == ["parent"]


def test_a_session_that_leaves_the_cache_takes_its_items_along() -> None:
    """An item of a session that nobody holds is open nowhere."""
    desk = Desk(board_rows_min=2)
    desk.log(past("old", 90_000_000), event("stop_failure", "old", at=NOW - 95_000_000))
    viewer = desk.connect()
    viewer.read()
    desk.log(event("prompt", "a"), event("prompt", "b"), event("prompt", "c"))
    desk.advance(100)
    viewer.read()
    viewer.check_items()
    viewer.check_rows()


def test_a_restored_session_brings_its_items_along() -> None:
    """They are told to everybody as they come into the cache."""
    desk = Desk()
    viewer = desk.connect()
    viewer.read()
    desk.restore(folded(permission("a")))
    desk.advance(10)
    viewer.read()
    viewer.check_items()
    viewer.check_rows()


def test_a_reopened_item_is_an_upsert() -> None:
    """The same item told twice stands once, with what is known now."""
    desk = Desk()
    viewer = desk.connect()
    desk.log(permission("a"), permission("a", summary="make all", id="again"))
    viewer.read()
    assert [item["summary"] for item in viewer.reference.items.values()] == ["make all"]
    viewer.check_items()
