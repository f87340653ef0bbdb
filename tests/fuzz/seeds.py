"""Good input of every kind, as agents, readers, exporters and clients really send it.

Shapes are those of recorded data, texts are made up. What the grammar changes, and the corpus that
a coverage-guided run begins with.
"""

import json
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from session.events import HANDLERS
from tests.ingest.adapters import rollouts, test_codex_hooks
from tests.ingest.adapters.test_claude_hooks import EVENTS, FULL
from tests.ingest.adapters.test_native import event as native_event
from tests.ingest.adapters.test_otlp import REQUEST, export, record
from tests.session.made import (
    NOW,
    assistant,
    attributes,
    interrupt,
    line,
    prompt,
    result,
    tool_use,
)

Json = dict[str, Any]

TODOS = [{"content": "plan", "status": "in_progress", "activeForm": "planning"}]
ASKED = {
    "questions": [
        {"question": "Which?", "header": "h", "multiSelect": False,
         "options": [{"label": "a", "description": "b"}]},
    ]
}  # fmt: skip
INPUTS: dict[str, Json] = {
    "Bash": {"command": "make", "description": "build", "timeout": 5, "run_in_background": False},
    "Edit": {"file_path": "/a", "old_string": "x", "new_string": "y", "replace_all": False},
    "TodoWrite": {"todos": TODOS},
    "TaskCreate": {"subject": "build", "description": "d", "activeForm": "building"},
    "TaskUpdate": {"taskId": "1", "status": "completed", "subject": "build"},
    "AskUserQuestion": ASKED,
    "ExitPlanMode": {"plan": "# Plan", "planFilePath": "/p.md"},
    "Agent": {"prompt": "look", "description": "search", "subagent_type": "Explore"},
}
HOOKS: list[Json] = [
    *({**FULL, "hook_event_name": name} for name in EVENTS),
    *(
        {**FULL, "hook_event_name": name, "tool_name": tool, "tool_input": asked}
        for name in ("PreToolUse", "PermissionRequest", "PostToolUse")
        for tool, asked in INPUTS.items()
    ),
]
CODEX_HOOKS: list[Json] = [
    *({**test_codex_hooks.FULL, "hook_event_name": name} for name in test_codex_hooks.EVENTS),
    {**test_codex_hooks.FULL, "hook_event_name": "PostToolUse", "tool_name": "update_plan",
     "tool_input": {"plan": [{"step": "a", "status": "pending"}]}},
    test_codex_hooks.NOTIFICATION,
]  # fmt: skip


def _read(lines: bytes) -> list[Json]:
    return [json.loads(each) for each in lines.splitlines()]


_COMMON = {
    "uuid": "u1", "parentUuid": None, "sessionId": "s", "version": "2.1.218", "cwd": "/code/app",
    "gitBranch": "main", "isSidechain": False, "userType": "external", "requestId": "req_1",
}  # fmt: skip
_USAGE = {
    "input_tokens": 3, "output_tokens": 40, "cache_creation_input_tokens": 7,
    "cache_read_input_tokens": 900, "service_tier": "standard",
    "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
}  # fmt: skip
TRANSCRIPT: list[Json] = _read(
    b"".join((
        prompt("go", promptId="p1", **_COMMON),
        prompt("<command-name>/clear</command-name><command-args>x</command-args>", **_COMMON),
        *(
            assistant(f"m{n}", tool_use(f"t{n}", tool, **asked), usage=_USAGE, **_COMMON)
            for n, (tool, asked) in enumerate(INPUTS.items())
        ),
        assistant("m9", {"type": "text", "text": "done"}, stop_reason="end_turn", **_COMMON),
        assistant("f", forkedFrom={"sessionId": "o", "messageUuid": "u"}, **_COMMON),
        assistant("e", isApiErrorMessage=True, error="rate_limit", model="<synthetic>", **_COMMON),
        *(result(f"t{n}", **_COMMON) for n in range(len(INPUTS))),
        result("t7", toolUseResult={"agentId": "a1", "agentType": "Explore", "status": "done"}),
        result("t3", toolUseResult={"task": {"id": "1", "subject": "build"}}, error=True),
        interrupt(),
        line("system", subtype="compact_boundary", compactMetadata={"preTokens": 9}, **_COMMON),
        line("system", subtype="api_error", retryAttempt=1, maxRetries=5, retryInMs=9.5),
        line("system", subtype="turn_duration", durationMs=5),
        line("ai-title", None, aiTitle="Title"),
        line("summary", None, summary="Sum", leafUuid="u"),
        line("custom-title", None, customTitle="Mine"),
        line("agent-name", None, agentName="Name"),
        line("progress", data={"type": "agent_progress"}, toolUseID="t1"),
        line("file-history-snapshot", None, snapshot={}),
    ))
)  # fmt: skip
ROLLOUT: list[Json] = _read(
    b"".join((
        rollouts.meta(git={"branch": "main"}, source={"subagent": {"thread_spawn": {}}}),
        rollouts.meta(forked_from_id=rollouts.uuid7(NOW, 7)),
        rollouts.context(),
        rollouts.event("task_started"),
        rollouts.event("user_message", message="fix it", images=[]),
        rollouts.said("user", "fix it"),
        rollouts.said("assistant", "well", phase="final_answer"),
        rollouts.event("agent_message", message="well"),
        rollouts.tokens((500, 9, 20), (100, 3, 7)),
        rollouts.tokens((900, 9, 40)),
        rollouts.call("c1", cmd="make"),
        rollouts.call("c2", "update_plan", plan=[{"step": "a", "status": "pending"}]),
        rollouts.call("c3", "request_user_input", questions=ASKED["questions"]),
        rollouts.output("c1", {"output": "ok", "metadata": {"exit_code": 1}}),
        rollouts.output("c2"),
        rollouts.item("custom_tool_call", name="apply_patch", call_id="c4", input="*** x"),
        rollouts.item("local_shell_call", call_id="c5", action={"command": ["ls"]}),
        rollouts.event("exec_command_end", call_id="c1", exit_code=0, stdout="ok",
                       duration={"secs": 1, "nanos": 5}),
        rollouts.event("mcp_tool_call_end", call_id="c1", result={"Err": "no"}),
        rollouts.event("turn_aborted", reason="interrupted"),
        rollouts.event("error", message="no"),
        rollouts.event("thread_name_updated", thread_name="Name"),
        rollouts.event("context_compacted"),
        rollouts.line("compacted", {"message": ""}),
        rollouts.event("task_complete"),
    ))
)  # fmt: skip

NATIVE: list[Any] = [
    *(native_event(kind, at=NOW) for kind in (
        "session_start", "session_end", "prompt", "message", "tool_start", "tool_end",
        "permission", "question", "plan", "resolved", "stop", "failure", "error", "objectives",
        "subagent_start", "subagent_stop", "usage", "update",
    )),
    [native_event("prompt"), native_event("usage", at="2026-09-21T00:00:00Z")],
]  # fmt: skip

LOGS: list[Json] = [
    export(record("claude_code.api_request", **REQUEST)),
    export(record("claude_code.user_prompt", prompt="go", prompt__id="p"),
           record("claude_code.tool_result", tool_name="Bash", success="true", duration_ms=5)),
    export(record("", event__name="api_error", error="no", status_code=529),
           **{"service.name": "claude-code"}),
    export(record("gemini_cli.api_response", model="gemini-3", input_token_count=9,
                  output_token_count=1, cached_content_token_count=3),
           record("gemini_cli.tool_call", function_name="x", success=False, decision="reject")),
]  # fmt: skip


def _sum(name: str, *, cumulative: bool, **told: Any) -> Json:
    point = {
        "startTimeUnixNano": str(NOW * 1_000_000), "timeUnixNano": str(NOW * 1_000_000),
        "asDouble": 4.5, "attributes": attributes({"session.id": "s", "model": "opus", **told}),
    }  # fmt: skip
    held = {"aggregationTemporality": 2 if cumulative else 1, "dataPoints": [point]}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": name, "sum": held}]}]}]}


METRICS: list[Json] = [
    _sum("claude_code.token.usage", cumulative=False, type="input"),
    _sum("claude_code.cost.usage", cumulative=True),
    _sum("gemini_cli.token.usage", cumulative=True, type="cache"),
]
PROTOBUF_LOGS, PROTOBUF_METRICS = (
    [json_format.ParseDict(each, kind()).SerializeToString() for each in told]
    for told, kind in ((LOGS, ExportLogsServiceRequest), (METRICS, ExportMetricsServiceRequest))
)

_TOKENS = {"input": 1, "output": 5, "cache_read": 0, "cache_write": 2}
_SUMS = {**_TOKENS, "cost_usd": 0.5, "calls": 1, "unpriced": 0}
VALUES: Json = {
    "calls": {"opus": _SUMS, "gone": None},
    "tools": {"Bash": {"calls": 2, "errors": 1, "total_ms": 5}},
    "buckets": {"1789999980000": {**_TOKENS, "cost_usd": 0.1}},
    "objectives": {"1": {"text": "plan", "status": "pending", "at": NOW}, "2": None},
    "titles": {"ai": "Title", "prompt": "go"},
    "open_calls": {
        "c": {"tool": "Bash", "at": NOW},
        "q": {"tool": "AskUserQuestion", "at": NOW, "kind": "question", "summary": "?",
              "request": ASKED},
        "d": {"tool": "Bash", "at": NOW, "ended": True},
    },
    "agents": {"x": {"type": "Explore", "status": "running"}},
    "started_at": NOW, "cwd": "/home/dev/app", "branch": "main", "model": "opus",
    "context_tokens": 5, "messages": 3, "inherited": {"tokens": _TOKENS, "cost_usd": 0.5},
    "prompted_at": NOW, "signal": {"status": "running", "at": NOW},
}  # fmt: skip
_COMMON_DELTA = {"id": "d", "session": "a", "received_at": NOW, "at": NOW}
REPORT: Json = {
    "type": "report", **_COMMON_DELTA, "to": 9, "values": VALUES,
    "entries": [
        {"id": "e", "kind": "prompt", "at": NOW, "offset": 3, "text": "go", "full_bytes": 5_000},
        {"id": "c:end", "ref": "c", "kind": "tool", "at": NOW, "offset": 4, "tool": "Bash",
         "status": "error", "text": "no", "duration_ms": 5, "agent_id": "x", "tokens": 5},
    ],
    "usage": [{"message_id": "m", "model": "opus", "at": NOW, "output": 4, "request_id": "r"}],
    "texts": {"e": "go on"},
}  # fmt: skip
SUBAGENT: Json = {
    **REPORT, "source": "subagents/agent-x", "from": 3, "generation": 1,
    "values": {**VALUES, "subagent": {"type": "Explore", "parent": None, "status": "running"},
               "signal": {"status": "failed", "at": NOW, "text": "no"}, "past": NOW},
}  # fmt: skip
FIELDS: Json = {
    "cwd": "/a", "model": "m", "title": "t", "phase": "p", "event_id": "e", "branch": "b",
    "budget_usd": 1.5, "trigger": "startup", "reason": "r", "text": "x", "hash": "h",
    "prompt_id": "p", "full_bytes": 5, "call": "c", "tool": "Bash", "input_hash": "h",
    "summary": "s", "asks": "question", "request": {}, "agent_id": "x", "agent_type": "t",
    "status": "ok", "duration_ms": 5, "whole": True, "ask": "q", "elicitation_id": "e",
    "objectives": {"1": {"text": "x", "status": "pending"}, "2": None}, "outcome": "o",
    "notification": "idle_prompt", "background_tasks": 0, "input": 1, "output": 2,
    "cache_read": 1, "cache_write": 1, "cost_usd": 0.1, "value": 5.0, "adds": {"input": 1},
    "series": "s", "cumulative": True, "start": 4,
}  # fmt: skip
DELTAS: list[Json] = [
    *[REPORT] * 9,
    *[SUBAGENT] * 6,
    *(
        {"type": "event", **_COMMON_DELTA, "kind": kind, "source": source, "fields": FIELDS}
        for kind in HANDLERS
        for source in ("hooks", "native", "otlp")
    ),
]

HELLOS: list[Json] = [
    {"type": "hello", "protocol": 1},
    {
        "type": "hello", "protocol": 1, "client": "dashboard/1.0", "rate_hz": 60,
        "subscriptions": 4, "token": "t", "active": "a",
        "view": {"status": ["running"], "limit": 200, "q": "a b", "sort": "updated",
                 "archived": True, "pinned": ["a"], "project": "app", "agent": "x", "user": "u"},
        "resume": [{"session": "a", "cursor": "m1:1"}, {"session": "n", "cursor": "m0:5"}],
    },
]  # fmt: skip
REQUESTS: list[Json] = [
    {"type": "subscribe", "session": "a", "activate": True},
    {"type": "subscribe", "session": "n"},
    {"type": "unsubscribe", "session": "a"},
    {"type": "activate", "session": None},
    {"type": "activate", "session": "a"},
    {"type": "view", "status": ["waiting", "idle"], "q": "a", "sort": "cost", "limit": 2},
    {"type": "rate", "hz": 1_000},
    {"type": "rate", "hz": 0.5},
    *({"type": "resync", "scope": scope, "session": "a"} for scope in
      ("overview", "attention", "session")),
    {"type": "ack", "frames": 3},
    {"type": "ping", "id": "p1"},
    {"type": "pong", "id": 3},
]  # fmt: skip


def names_of(*seeds: Any) -> list[str]:
    """Every name that stands in these values."""
    found: set[str] = set()
    waiting = list(seeds)
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            found |= each.keys()
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return sorted(found)
