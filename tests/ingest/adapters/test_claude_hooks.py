"""Claude Code hooks: every event type is accepted, a faulty payload is refused by name."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ingest.adapters.claude_hooks import READERS, normalize
from ingest.errors import InvalidPayload
from session import codec
from session.delta import Event
from session.events import HANDLERS

EVENTS = (
    "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification",
    "UserPromptSubmit", "UserPromptExpansion", "SessionStart", "SessionEnd", "Stop",
    "StopFailure", "SubagentStart", "SubagentStop", "PreCompact", "PostCompact", "PreModelSwitch",
    "PostModelSwitch", "PermissionRequest", "PermissionDenied", "Setup", "TeammateIdle",
    "TaskCreated", "TaskCompleted", "Elicitation", "ElicitationResult", "ConfigChange",
    "WorktreeCreate", "WorktreeRemove", "InstructionsLoaded", "CwdChanged", "FileChanged",
    "DirectoryAdded", "MessageDisplay",
)  # fmt: skip

FULL: dict[str, Any] = {
    "session_id": "s", "transcript_path": "/t.jsonl", "cwd": "/home/dev/app", "tool_name": "Bash",
    "tool_input": {"command": "make"}, "tool_use_id": "toolu_1", "tool_response": {"stdout": "ok"},
    "duration_ms": 12, "prompt": "go", "agent_id": "a1", "agent_type": "Explore", "task_id": "1",
    "task_subject": "build", "error": "rate_limit", "error_details": "5 h", "reason": "other",
    "source": "startup", "model": "claude-opus-4-6", "session_title": "Title", "prompt_id": "p1",
    "notification_type": "idle_prompt", "message": "Name?", "mcp_server_name": "m",
    "elicitation_id": "e1", "action": "accept", "trigger": "auto", "to_model": "claude-haiku-4-5",
    "new_cwd": "/home/dev/lib", "background_tasks": [], "is_interrupt": False,
}  # fmt: skip
NEEDED = {
    "PreToolUse": ("tool_name", "tool_use_id"),
    "PostToolUse": ("tool_name", "tool_use_id"),
    "PostToolUseFailure": ("tool_name", "tool_use_id"),
    "PermissionRequest": ("tool_name",),
    "PermissionDenied": ("tool_name", "tool_use_id"),
    "SubagentStart": ("agent_id",),
    "SubagentStop": ("agent_id",),
    "TaskCreated": ("task_id",),
    "TaskCompleted": ("task_id",),
}


def read(name: str, without: str = "", **fields: Any) -> Event:
    """The event that a full payload becomes, less one field."""
    payload = {**FULL, "hook_event_name": name, **fields}
    payload.pop(without, None)
    body = json.dumps(payload).encode()
    return normalize(body, delta_id="d", received_at=7, workspace="w", host="h", user="u")


def test_there_are_33_event_types() -> None:
    """All of the list, and no other."""
    assert sorted(READERS) == sorted(EVENTS)
    assert len(EVENTS) == 33


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_type_is_accepted(name: str) -> None:
    """With every field there is, and with none that is not needed."""
    event = read(name)
    assert (event.session, event.workspace, event.host, event.user) == ("s", "w", "h", "u")
    assert (event.id, event.source, event.received_at, event.at) == ("d", "hooks", 7, None)
    assert event.kind in {*HANDLERS, "other", "model_switch", "cwd"}
    assert codec.unpack(codec.pack(event)) == event
    bare = {key: FULL[key] for key in ("session_id", *NEEDED.get(name, ()))}
    body = json.dumps({**bare, "hook_event_name": name}).encode()
    assert normalize(body, delta_id="d", received_at=7, workspace="w").kind == event.kind


def test_an_unknown_event_is_heard() -> None:
    """A newer agent must not be refused."""
    assert read("BrandNewEvent").kind == "other"
    assert read("BrandNewEvent").fields["cwd"] == "/home/dev/app"


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in NEEDED.items() for field in fields]
)
def test_a_missing_field_is_named(name: str, field: str) -> None:
    """With the event it is missing from."""
    with pytest.raises(InvalidPayload, match=f"{name}.*{field}"):
        read(name, without=field)


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, fields in NEEDED.items() for field in fields]
)
@pytest.mark.parametrize("value", [None, "", [], {}])
def test_a_field_that_is_no_name_is_named(name: str, field: str, value: Any) -> None:
    """Null, empty or of another type is as good as missing."""
    with pytest.raises(InvalidPayload, match=field):
        read(name, **{field: value})


@pytest.mark.parametrize("field", ["session_id", "hook_event_name"])
@pytest.mark.parametrize("value", [None, "", 3, [], {}])
def test_whose_event_it_is_must_be_told(field: str, value: Any) -> None:
    """Without a session or a name there is nothing to hear."""
    with pytest.raises(InvalidPayload, match=field):
        read("Stop", **{field: value})


def test_a_session_id_is_bounded() -> None:
    """200 characters."""
    assert read("Stop", session_id="x" * 200).session == "x" * 200
    with pytest.raises(InvalidPayload, match="session_id"):
        read("Stop", session_id="x" * 201)


def test_a_tool_call_tells_what_it_does() -> None:
    """Start, end, failure and denial of one call have one id."""
    start, end = read("PreToolUse").fields, read("PostToolUse").fields
    assert (start["call"], start["tool"], start["summary"]) == ("toolu_1", "Bash", "make")
    assert (end["call"], end["status"], end["text"]) == ("toolu_1", "ok", "ok")
    assert end["duration_ms"] == 12
    assert read("PostToolUseFailure").fields["status"] == "error"
    assert read("PostToolUseFailure", is_interrupt=True).fields["status"] == "interrupted"
    assert read("PermissionDenied").fields["status"] == "denied"


def test_a_request_is_told_apart_by_its_input() -> None:
    """It names no call: tool, agent and input must do."""
    start, ask = read("PreToolUse"), read("PermissionRequest", without="tool_use_id")
    other = read("PermissionRequest", tool_input={"command": "rm"})
    assert "call" not in ask.fields
    assert start.fields["input_hash"] == ask.fields["input_hash"] != other.fields["input_hash"]
    assert ask.fields["request"] == {"command": "make"}
    assert "request" not in start.fields


@pytest.mark.parametrize(
    ("tool", "kind"), [("AskUserQuestion", "question"), ("ExitPlanMode", "plan"), ("Bash", None)]
)
def test_tools_that_ask_a_person_are_known(tool: str, kind: str | None) -> None:
    """Questions and plans are blocking from their start."""
    assert read("PreToolUse", tool_name=tool).fields.get("asks") == kind


def test_a_prompt_is_cut_and_its_size_told() -> None:
    """At 2 KiB; the hash is that of the whole."""
    fields = read("UserPromptSubmit", prompt="é" * 2_000).fields
    assert (len(fields["text"].encode()), fields["full_bytes"]) == (2_048, 4_000)
    assert fields["hash"] != read("UserPromptSubmit", prompt="é" * 1_024).fields["hash"]


def test_tasks_become_objectives() -> None:
    """Created pending, completed done."""
    assert read("TaskCreated").fields["objectives"]["1"]["status"] == "pending"
    assert read("TaskCompleted").fields["objectives"]["1"]["status"] == "completed"
    assert read("TaskCreated").fields["objectives"]["1"]["text"] == "build"


def test_what_a_stop_leaves_behind_is_counted() -> None:
    """Background tasks mean paused, not done."""
    assert read("Stop").fields["background_tasks"] == 0
    assert read("Stop", background_tasks=[{}, {}]).fields["background_tasks"] == 2


@pytest.mark.parametrize("name", ["SessionStart", "PostModelSwitch"])
def test_the_model_is_told_by_few_events(name: str) -> None:
    """At the start and after a switch."""
    assert read(name).fields["model"] in ("claude-opus-4-6", "claude-haiku-4-5")
    assert "model" not in read("Stop").fields


@pytest.mark.parametrize("key", sorted({*FULL} - {"session_id"}))
def test_no_event_is_larger_than_a_delta_may_be(key: str) -> None:
    """A megabyte in any one field of any event becomes at most 256 KiB, or is refused."""
    too_large = []
    for name in EVENTS:
        try:
            event = read(name, **{key: "x" * 1_000_000})
        except InvalidPayload:
            continue
        if len(codec.pack(event)) > 256 * 1024:
            too_large.append(name)
    assert too_large == []


@pytest.mark.fixtures
def test_every_recorded_payload_is_read(shared_fixtures: Path) -> None:
    """893 of 893, each of the type that it names."""
    lines = (shared_fixtures / "hooks" / "claude_code.jsonl").read_bytes().splitlines()
    kinds = Counter(
        normalize(raw, delta_id="d", received_at=1, workspace="w").kind for raw in lines
    )
    assert kinds.total() == 893
    assert kinds["permission"] == 35
    assert kinds["tool_end"] == 168
