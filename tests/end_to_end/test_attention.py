"""Opened sessions and open requests through a real tower, as a browser sees them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.running import Client, Tower, client, started, until

NAMES = ("a", "b", "c", "d", "e")


@pytest.fixture
def tower(tmp_path: Path) -> Iterator[Tower]:
    """A tower with five sessions under way."""
    (tmp_path / "home" / "projects").mkdir(parents=True)
    with started(tmp_path / "home", tmp_path / "data") as running:
        for name in NAMES:
            say(running, name, "UserPromptSubmit", prompt=f"do {name}")
        until(lambda: len(running.live()) == 5)
        yield running


def say(tower: Tower, session: str, event: str, **fields: object) -> None:
    """One hook of one session."""
    tower.hook({"session_id": session, "hook_event_name": event, **fields})


async def opened_four(opened: Client) -> None:
    """The first four, the first of which the person looks at."""
    await opened.next("overview.snapshot")
    for name in NAMES[:4]:
        await opened.opened(name, activate=name == "a")


async def test_a_fifth_session_evicts_the_least_recent_that_is_not_active(tower: Tower) -> None:
    """``session.evicted`` comes before the fifth one's snapshot."""
    async with client(tower) as opened:
        await opened_four(opened)
        told = [frame for frame in await opened.opened("e") if frame["type"].startswith("session.")]
    kinds = [(frame["type"], frame["session"]) for frame in told]
    assert kinds[0] == ("session.evicted", "b")
    assert told[0]["reason"] == "cap"
    assert set(kinds[1:]) == {("session.snapshot", "e")}


async def test_a_reopened_session_is_answered_by_a_snapshot(tower: Tower) -> None:
    """Evicted means snapshot, never a replay; the next least recent goes."""
    async with client(tower) as opened:
        await opened_four(opened)
        await opened.opened("e")
        say(tower, "b", "PreToolUse", tool_name="Read", tool_use_id="t1", tool_input={})
        until(lambda: tower.live()["b"]["current_tool"] == "Read")
        told = await opened.opened("b")
    evicted = [frame["session"] for frame in told if frame["type"] == "session.evicted"]
    snapshot = next(frame for frame in told if frame["type"] == "session.snapshot")
    assert evicted == ["c"]
    assert snapshot["detail"]["current_tool"] == "Read"
    assert "t1" in [entry["id"] for entry in snapshot["timeline"]]


async def test_a_request_in_an_evicted_session_still_arrives(tower: Tower) -> None:
    """Attention needs no subscription; it is answered as it was opened."""
    call = {"tool_name": "Bash", "tool_input": {"command": "rm -rf build"}}
    async with client(tower) as opened:
        await opened_four(opened)
        await opened.opened("e")
        say(tower, "b", "PermissionRequest", **call)
        told = await opened.next("attention")
        (item,) = told["open"]
        assert (item["session"], item["kind"], item["tool"]) == ("b", "permission", "Bash")
        assert item["summary"] == "rm -rf build"
        assert tower.live()["b"]["status"] == "waiting"
        assert tower.get(f"/api/attention/{item['id']}")["request"] == call["tool_input"]
        say(tower, "b", "PostToolUse", **call, tool_use_id="t1", tool_response={})
        closed = (await opened.next("attention"))["closed"]
        assert [each["id"] for each in closed] == [item["id"]]
    assert until(lambda: tower.live()["b"]["status"] == "running")


async def test_a_late_client_is_told_of_every_open_request(tower: Tower) -> None:
    """No lost frame can lose one."""
    for name in NAMES:
        say(tower, name, "PermissionRequest", tool_name="Bash", tool_input={"command": name})
    until(lambda: tower.get("/api/live")["totals"]["attention"] == 5)
    async with client(tower) as opened:
        told = await opened.next("attention")
    assert {item["session"] for item in told["open"]} == set(NAMES)


async def test_global_frames_touch_no_session_cursor(tower: Tower) -> None:
    """What happens elsewhere leaves an opened session's cursor as it is."""
    async with client(tower) as opened:
        await opened.next("overview.snapshot")
        cursor = (await opened.opened("a"))[-1]["cursor"]
        for at in range(20):
            say(tower, "b", "PreToolUse", tool_name="B", tool_use_id=f"t{at}", tool_input={})
        until(lambda: tower.live()["b"]["tool_calls"] == 20)
        say(tower, "a", "PreToolUse", tool_name="Read", tool_use_id="x", tool_input={})
        patch = await opened.next("session.patch")
    assert patch["from"] == cursor
