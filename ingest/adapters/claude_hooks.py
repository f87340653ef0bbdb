"""One Claude Code hook payload to one event. Pure: the id and the time are given.

Raises InvalidPayload and nothing else; an event type that is not known is heard, not refused.
Called by the ingest's hook route.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ingest.adapters import objectives
from ingest.adapters.jsontext import decode_object
from ingest.adapters.texts import (
    ASKING_TOOLS,
    FULL_BYTES_MAX,
    SHORT_BYTES_MAX,
    SUMMARY_BYTES_MAX,
    count,
    cut,
    cut_fields,
    digest,
    named,
    request,
    result_text,
    short,
    summarize,
    text_of,
)
from ingest.errors import InvalidPayload
from session.delta import ENTRY_TEXT_BYTES_MAX, Event

AGENT = "claude-code"
SESSION_ID_MAX = 200

Fields = dict[str, Any]
Payload = dict[str, Any]
Readers = Mapping[str, tuple[str, Callable[[Payload], Fields]]]


def normalize(
    body: bytes,
    *,
    delta_id: str,
    received_at: int,
    workspace: str,
    host: str | None = None,
    user: str | None = None,
) -> Event:
    """Read one payload of any of the 33 event types into an event."""
    payload = decode_object(body)
    told = {"received_at": received_at, "workspace": workspace, "host": host, "user": user}
    return read(payload, READERS, agent=AGENT, id=delta_id, **told)


def read(payload: Payload, readers: Readers, **told: Any) -> Event:
    """The event of a payload in the shape that Claude Code gave hooks; ``told`` are its fields.

    ``readers`` say what each event type means: agents that took the shape over differ in those.
    """
    session_id = payload.get("session_id")
    if not isinstance(session_id, str) or not 0 < len(session_id) <= SESSION_ID_MAX:
        raise InvalidPayload("session_id: expected a text of 1 to 200 characters")
    name = payload.get("hook_event_name")
    if not isinstance(name, str) or not name:
        raise InvalidPayload("hook_event_name: expected the name of an event")
    kind, reader = readers.get(name, ("other", nothing))
    try:
        fields = present({**_common(payload), **reader(payload)})
    except KeyError as error:
        raise InvalidPayload(f"{name}: {error.args[0]} is missing") from error
    return Event(session=session_id, source="hooks", kind=kind, fields=fields, **told)


def present(fields: Fields) -> Fields:
    """Fields that are known, none longer than anything real."""
    return {
        name: short(value, _BYTES_MAX.get(name, SHORT_BYTES_MAX))
        if isinstance(value, str)
        else value
        for name, value in fields.items()
        if value is not None
    }


_BYTES_MAX = {
    "text": ENTRY_TEXT_BYTES_MAX,
    "full_text": FULL_BYTES_MAX,
    "cwd": SUMMARY_BYTES_MAX,
    "summary": SUMMARY_BYTES_MAX,
}


def _common(payload: Payload) -> Fields:
    """Fields that stand on most events."""
    return {
        "cwd": text_of(payload.get("cwd")),
        "title": text_of(payload.get("session_title")),
        "agent_id": text_of(payload.get("agent_id")),
        "agent_type": text_of(payload.get("agent_type")),
    }


def _required(payload: Payload, name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise KeyError(name)
    return value


def nothing(_: Payload) -> Fields:
    """Of an event that says nothing but that it happened."""
    return {}


def _session_start(payload: Payload) -> Fields:
    return {"trigger": text_of(payload.get("source")), "model": text_of(payload.get("model"))}


def _session_end(payload: Payload) -> Fields:
    return {"reason": text_of(payload.get("reason"))}


def _prompt(payload: Payload) -> Fields:
    whole = payload.get("prompt")
    whole = whole if isinstance(whole, str) else ""
    return {
        **cut_fields(whole),
        "hash": digest(whole.strip()),
        "prompt_id": text_of(payload.get("prompt_id")),
    }


def _call(payload: Payload) -> Fields:
    tool = _required(payload, "tool_name")
    tool_input = payload.get("tool_input")
    return {
        "tool": tool,
        "input_hash": digest(tool_input),
        "summary": summarize(tool, tool_input),
        "asks": ASKING_TOOLS.get(tool),
    }


def _request(payload: Payload) -> Fields:
    whole, full_bytes = request(payload.get("tool_input"))
    return {"request": whole, "full_bytes": full_bytes}


def _tool_start(payload: Payload) -> Fields:
    told = _call(payload)
    asked = _request(payload) if told["asks"] else {}
    return {**told, **asked, "call": _required(payload, "tool_use_id")}


def _permission(payload: Payload) -> Fields:
    return {**_call(payload), **_request(payload), "call": text_of(payload.get("tool_use_id"))}


def _tool_end(payload: Payload) -> Fields:
    tool = _required(payload, "tool_name")
    told, whole = objectives.told_by_hook(
        tool, payload.get("tool_input"), payload.get("tool_response")
    )
    return {
        "call": _required(payload, "tool_use_id"),
        "tool": tool,
        "status": "ok",
        "text": result_text(payload.get("tool_response")),
        "duration_ms": count(payload.get("duration_ms")),
        "objectives": told or None,
        "whole": whole or None,
    }


def _tool_failure(payload: Payload) -> Fields:
    interrupted = payload.get("is_interrupt") is True
    return {
        "call": _required(payload, "tool_use_id"),
        "tool": _required(payload, "tool_name"),
        "status": "interrupted" if interrupted else "error",
        "text": result_text(payload.get("error")),
        "duration_ms": count(payload.get("duration_ms")),
    }


def _permission_denied(payload: Payload) -> Fields:
    return {
        "call": _required(payload, "tool_use_id"),
        "tool": _required(payload, "tool_name"),
        "status": "denied",
        "text": result_text(payload.get("reason")),
    }


def _stop(payload: Payload) -> Fields:
    tasks = payload.get("background_tasks")
    return {"background_tasks": len(tasks) if isinstance(tasks, list) else 0}


def _stop_failure(payload: Payload) -> Fields:
    parts = (text_of(payload.get("error")), text_of(payload.get("error_details")))
    text = ": ".join(part for part in parts if part) or "unknown error"
    return {"text": cut(text, SUMMARY_BYTES_MAX)[0]}


def _subagent(payload: Payload) -> Fields:
    return {"agent_id": _required(payload, "agent_id")}


def _notification(payload: Payload) -> Fields:
    return {"notification": text_of(payload.get("notification_type"))}


def _elicitation(payload: Payload) -> Fields:
    server = text_of(payload.get("mcp_server_name")) or "an MCP server"
    asked = {"message": payload.get("message"), "requested_schema": payload.get("requested_schema")}
    whole, full_bytes = request(asked)
    return {
        "tool": server,
        "elicitation_id": text_of(payload.get("elicitation_id")),
        "summary": cut(text_of(payload.get("message")) or server, SUMMARY_BYTES_MAX)[0],
        "request": whole,
        "full_bytes": full_bytes,
    }


def _elicitation_result(payload: Payload) -> Fields:
    return {
        "elicitation_id": text_of(payload.get("elicitation_id")),
        "outcome": text_of(payload.get("action")),
    }


def _compaction(payload: Payload) -> Fields:
    return {"trigger": text_of(payload.get("trigger"))}


def _task(payload: Payload) -> Fields:
    done = payload["hook_event_name"] == "TaskCompleted"
    task = objectives.objective(
        payload.get("task_subject"), "completed" if done else "pending", None
    )
    task_id = payload.get("task_id")
    if isinstance(task_id, bool) or not isinstance(task_id, str | int) or task_id == "":
        raise KeyError("task_id")
    return {"objectives": {named(str(task_id)): task}}


def _model_switch(payload: Payload) -> Fields:
    return {"model": text_of(payload.get("to_model"))}


def _cwd(payload: Payload) -> Fields:
    return {"cwd": text_of(payload.get("new_cwd"))}


READERS: Readers = {
    "SessionStart": ("session_start", _session_start),
    "SessionEnd": ("session_end", _session_end),
    "UserPromptSubmit": ("prompt", _prompt),
    "PreToolUse": ("tool_start", _tool_start),
    "PostToolUse": ("tool_end", _tool_end),
    "PostToolUseFailure": ("tool_end", _tool_failure),
    "PermissionRequest": ("permission", _permission),
    "PermissionDenied": ("permission_denied", _permission_denied),
    "Elicitation": ("elicitation", _elicitation),
    "ElicitationResult": ("elicitation_result", _elicitation_result),
    "Notification": ("notification", _notification),
    "Stop": ("stop", _stop),
    "StopFailure": ("stop_failure", _stop_failure),
    "SubagentStart": ("subagent_start", _subagent),
    "SubagentStop": ("subagent_stop", _subagent),
    "PostCompact": ("compaction", _compaction),
    "TaskCreated": ("task", _task),
    "TaskCompleted": ("task", _task),
    "PostModelSwitch": ("model_switch", _model_switch),
    "CwdChanged": ("cwd", _cwd),
    # Heard, but nothing on the board follows from them.
    "PostToolBatch": ("other", nothing),
    "UserPromptExpansion": ("other", nothing),
    "PreCompact": ("other", nothing),
    "PreModelSwitch": ("other", nothing),
    "Setup": ("other", nothing),
    "TeammateIdle": ("other", nothing),
    "ConfigChange": ("other", nothing),
    "WorktreeCreate": ("other", nothing),
    "WorktreeRemove": ("other", nothing),
    "InstructionsLoaded": ("other", nothing),
    "FileChanged": ("other", nothing),
    "DirectoryAdded": ("other", nothing),
    "MessageDisplay": ("other", nothing),
}
