"""Codex hooks: the shape of Claude Code's, a model on each, and the notification of a turn."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters.codex_hooks import EVENTS, READERS, normalize
from ingest.errors import InvalidPayload
from session import codec
from session.delta import Event
from session.events import HANDLERS
from tests.session.made import after

FULL: dict[str, Any] = {
    "session_id": "s", "transcript_path": None, "cwd": "/home/dev/app", "model": "gpt-5.5",
    "turn_id": "1", "permission_mode": "default", "tool_name": "exec_command",
    "tool_input": {"command": "make"}, "tool_response": "ok", "prompt": "go", "agent_id": "a1",
    "agent_type": "worker", "trigger": "auto", "source": "startup",
}  # fmt: skip
NOTIFICATION = {
    "type": "agent-turn-complete", "thread-id": "s", "turn-id": "1", "cwd": "/home/dev/app",
    "input-messages": ["go"], "last-assistant-message": "done",
}  # fmt: skip


def read(name: str = "Stop", **fields: Any) -> Event:
    """The event of a payload."""
    payload = {**FULL, "hook_event_name": name, **fields}
    return made(payload)


def made(payload: Any) -> Event:
    """The event of a whole body."""
    body = json.dumps(payload).encode()
    return normalize(body, delta_id="d", received_at=7, workspace="w", host="h", user="u")


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_type_is_accepted(name: str) -> None:
    """All ten are Codex's, and the board knows what they mean."""
    event = read(name)
    assert (event.agent, event.source, event.session, event.host) == ("codex", "hooks", "s", "h")
    assert event.kind in {*HANDLERS, "other"}
    assert event.kind == READERS[name][0]
    assert codec.unpack(codec.pack(event)) == event


def test_there_are_ten() -> None:
    """No more is read than Codex has."""
    assert sorted(READERS) == sorted(EVENTS)
    assert len(EVENTS) == 10


def test_an_unknown_event_is_heard() -> None:
    """A newer Codex is not refused."""
    assert read("MadeUpTomorrow").kind == "other"


def test_every_event_names_the_model() -> None:
    """Not only the start of a session."""
    assert after(read("UserPromptSubmit")).model == "gpt-5.5"


def test_a_notification_is_the_end_of_its_turn() -> None:
    """Its thread is the session."""
    event = made(NOTIFICATION)
    assert (event.kind, event.session, event.fields["cwd"]) == ("stop", "s", "/home/dev/app")
    assert after(read("UserPromptSubmit"), event).status == "idle"


@pytest.mark.parametrize("thread", [None, "", 7])
def test_a_notification_without_a_thread_is_refused(thread: Any) -> None:
    """Nobody knows whose turn it was."""
    with pytest.raises(InvalidPayload, match="session_id"):
        made({**NOTIFICATION, "thread-id": thread})


def test_another_notification_is_refused() -> None:
    """It is no hook either."""
    with pytest.raises(InvalidPayload):
        made({**NOTIFICATION, "type": "something-else"})


def test_a_call_without_an_id_ends_as_the_one_that_began() -> None:
    """Turn, tool and input name it; another input is another call."""
    session = after(read("PreToolUse"))
    assert session.current_tool == "exec_command"
    session = after(read("PreToolUse"), read("PostToolUse"))
    assert (session.current_tool, session.tool_calls) == (None, 1)
    other = read("PostToolUse", tool_input={"command": "ls"})
    assert after(read("PreToolUse"), other).current_tool == "exec_command"
    assert read("PreToolUse", tool_use_id="call_1").fields["call"] == "call_1"


def test_a_permission_waits_for_a_person_until_the_call_ends() -> None:
    """As with every other agent."""
    asked = [read("PreToolUse"), read("PermissionRequest")]
    assert after(*asked).status == "waiting"
    assert after(*asked, read("PostToolUse")).attention == 0


def test_a_plan_becomes_objectives() -> None:
    """The whole list, each time."""

    def told(*steps: tuple[str, str]) -> Event:
        plan = [{"step": step, "status": status} for step, status in steps]
        return read("PostToolUse", tool_name="update_plan", tool_input={"plan": plan})

    session = after(told(("look", "completed"), ("build", "in_progress")))
    assert session.objectives == {"done": 1, "total": 2}
    session = after(told(("look", "pending")), told(("build", "completed")))
    assert [each["text"] for each in session.objectives_list.values()] == ["build"]


@pytest.mark.parametrize("plan", [None, 3, [None, 3], [{"step": {}}], [{"status": "odd"}]])
def test_a_plan_of_any_shape_is_read(plan: Any) -> None:
    """What is no step is passed over."""
    event = read("PostToolUse", tool_name="update_plan", tool_input={"plan": plan})
    assert after(event).tool_calls == 1


VALUES = st.none() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({"plan": 1})


@given(st.dictionaries(st.sampled_from([*FULL, "hook_event_name", "type", "thread-id"]), VALUES),
       st.sampled_from(EVENTS))  # fmt: skip
def test_any_payload_is_read_or_refused(payload: dict[str, Any], name: str) -> None:
    """Nothing else is ever raised."""
    try:
        event = made({"session_id": "s", "hook_event_name": name, **payload})
    except InvalidPayload:
        return
    assert event.agent == "codex"
