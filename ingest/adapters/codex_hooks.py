"""One Codex hook payload, or one of its notifications, to one event. Pure: id and time are given.

Codex took over the shape of Claude Code's hooks; what differs is here. Raises InvalidPayload and
nothing else. Called by the ingest's hook route.
"""

from collections.abc import Callable
from typing import Any

from ingest.adapters import claude_hooks, objectives
from ingest.adapters.claude_hooks import Fields, Payload
from ingest.adapters.jsontext import decode_object
from ingest.adapters.texts import digest, text_of
from session.delta import Event

AGENT = "codex"
PLAN_TOOL = "update_plan"
TURN_COMPLETE = "agent-turn-complete"  # what its ``notify`` program is told


def normalize(
    body: bytes,
    *,
    delta_id: str,
    received_at: int,
    workspace: str,
    host: str | None = None,
    user: str | None = None,
) -> Event:
    """Read one payload into an event; a notification is the end of a turn."""
    payload = decode_object(body)
    if payload.get("type") == TURN_COMPLETE and "hook_event_name" not in payload:
        thread = payload.get("thread-id")
        payload = {**payload, "session_id": thread, "hook_event_name": "Stop"}
    told = {"received_at": received_at, "workspace": workspace, "host": host, "user": user}
    return claude_hooks.read(payload, READERS, agent=AGENT, id=delta_id, **told)


def _with_model(read: Callable[[Payload], Fields]) -> Callable[[Payload], Fields]:
    """Every payload of Codex names the model of its turn."""

    def reader(payload: Payload) -> Fields:
        return {"model": text_of(payload.get("model")), **read(_with_call(payload))}

    return reader


def _with_call(payload: Payload) -> Payload:
    """A call without an id is known by its turn and its input, the same at start and end."""
    if payload.get("hook_event_name") not in CALLS or text_of(payload.get("tool_use_id")):
        return payload
    asked = (payload.get("turn_id"), payload.get("tool_name"), digest(payload.get("tool_input")))
    return {**payload, "tool_use_id": f"call:{digest(repr(asked))}"}


def _tool_end(payload: Payload) -> Fields:
    told = claude_hooks.READERS["PostToolUse"][1](payload)
    if payload.get("tool_name") != PLAN_TOOL:
        return told
    return {**told, "objectives": _plan(payload.get("tool_input")) or None, "whole": True}


def _plan(tool_input: Any) -> objectives.Objectives:
    """A plan is a list that replaces the one before, like the todos of other agents."""
    plan = tool_input.get("plan") if isinstance(tool_input, dict) else None
    steps = [each for each in plan if isinstance(each, dict)] if isinstance(plan, list) else []
    todos = [{"content": each.get("step"), "status": each.get("status")} for each in steps]
    return objectives.told_by_hook("TodoWrite", {"todos": todos}, None)[0]


CALLS = frozenset({"PreToolUse", "PostToolUse"})
EVENTS = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse",
    "PreCompact", "PostCompact", "SubagentStart", "SubagentStop", "Stop",
)  # fmt: skip
READERS: claude_hooks.Readers = {
    **{
        name: (kind, _with_model(read))
        for name, (kind, read) in claude_hooks.READERS.items()
        if name in EVENTS
    },
    "PostToolUse": ("tool_end", _with_model(_tool_end)),
}
