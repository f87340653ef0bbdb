"""Secrets wherever an agent's text can stand: hooks, native events, telemetry, deltas, transcripts.

Each builder gives what an agent would send or write, with every secret in every place.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

from session import codec
from session.delta import Entry, Event, Report
from tests.ingest.adapters import rollouts
from tests.ingest.redact.planted import Planted
from tests.session import made

CUTS = (200, 1_024, 2_048)  # where titles, summaries and entries are cut
Payload = dict[str, Any]


def across(planted: Planted, limit: int) -> str:
    """A long text with the secret where a cut goes through it."""
    before = "x " * ((limit - planted.text.index(planted.secret) - 10) // 2)
    return f"{before}{planted.text}{' y' * 1_500}"


def texts(number: int, planted: Planted) -> list[str]:
    """The secret in a short text, and across one of the cuts, each in its turn."""
    return [planted.text, across(planted, CUTS[number % len(CUTS)])]


def hooks(session: str, all_planted: list[Planted]) -> Iterator[Payload]:
    """Payloads of Claude Code's hooks; the last ones leave something open."""
    for number, planted in enumerate(all_planted):
        for place, text in enumerate(texts(number, planted)):
            yield from _turn(f"{number}-{place}", text)
    for planted in all_planted:
        asked = {"command": planted.text, "env": {"x": [planted.text]}}
        yield {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": asked}


def _turn(call: str, text: str) -> Iterator[Payload]:
    tool = {"tool_use_id": f"t-{call}", "tool_name": "Bash"}
    other = {"tool_use_id": f"m-{call}", "tool_name": "mcp__made__up"}
    where = {"cwd": f"/code/{text[:1_500]}", "session_title": text}
    yield {"hook_event_name": "UserPromptSubmit", "prompt": text, **where}
    yield {"hook_event_name": "PreToolUse", "tool_input": {"command": text}, **tool}
    yield {"hook_event_name": "PostToolUse", "tool_response": {"stdout": text}, **tool}
    yield {"hook_event_name": "PreToolUse", "tool_input": {"note": {"text": text}}, **other}
    yield {"hook_event_name": "PostToolUseFailure", "error": text, **other}
    yield {"hook_event_name": "TaskCreated", "task_id": call, "task_subject": text}
    yield {"hook_event_name": "CwdChanged", "new_cwd": f"/code/{text}"}
    yield {"hook_event_name": "Elicitation", "mcp_server_name": "made", "message": text}
    yield {"hook_event_name": "StopFailure", "error": "server_error", "error_details": text}


def native(all_planted: list[Planted]) -> Iterator[Payload]:
    """Native events of every kind that has a text."""
    for number, planted in enumerate(all_planted):
        for place, text in enumerate(texts(number, planted)):
            call = f"{number}-{place}"
            told: list[Payload] = [
                {"kind": "prompt", "text": text, "title": text, "cwd": text, "branch": text},
                {"kind": "message", "text": text, "phase": text, "model": text},
                {"kind": "tool_start", "call": call, "tool": "Bash", "text": text},
                {"kind": "tool_end", "call": call, "tool": "Bash", "status": "error", "text": text},
                {"kind": "objectives", "objectives": {"o": {"text": text, "status": "pending"}}},
                {"kind": "permission", "text": text, "request": {"a": [text], text: 1}},
                {"kind": "failure", "text": text},
                {"kind": "error", "text": text},
                {"kind": "session_end", "reason": text},
            ]
            for at, each in enumerate(told):
                yield {"id": f"{call}-{at}", "session": "native", "agent": "made-up", **each}


def telemetry(all_planted: list[Planted]) -> Payload:
    """An OTLP export of logs."""
    records = []
    for number, planted in enumerate(all_planted):
        for text in texts(number, planted):
            records += [
                _record("user_prompt", prompt=text),
                _record("assistant_response", response=text),
                _record("tool_result", tool_name="Bash", success="false", error=text),
                _record("api_error", error=text),
            ]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


def _record(name: str, **told: str) -> Payload:
    told = {"session.id": "otlp", **told}
    attributes = [{"key": key, "value": {"stringValue": text}} for key, text in told.items()]
    return {
        "timeUnixNano": str(time.time_ns()), "body": {"stringValue": f"claude_code.{name}"},
        "attributes": attributes,
    }  # fmt: skip


def deltas(all_planted: list[Planted], now: int) -> Iterator[bytes]:
    """Deltas of a reader that knows nothing of secrets."""
    for number, planted in enumerate(all_planted):
        text, start = planted.text, number * 10
        told = Report(
            id=f"r{number}", session="deltas", received_at=now, at=now, from_=start, to=start + 10,
            values={
                "titles": {"prompt": text}, "cwd": text, "branch": text,
                "signal": {"status": "failed", "at": now, "text": text},
                "objectives": {f"o{number}": {"text": text, "status": "pending", "at": now}},
                "open_calls": {f"q{number}": {
                    "tool": "AskUserQuestion", "at": now, "kind": "question", "summary": text,
                    "request": {"questions": [{"question": text}]},
                }},
            },
            entries=[Entry(id=f"e{number}", kind="message", at=now, offset=start + 5, text=text,
                           full_bytes=9_999)],
            texts={f"e{number}": f"whole: {text}"},
        )  # fmt: skip
        said = Event(
            id=f"p{number}", session="deltas", received_at=now, kind="prompt", source="hooks",
            fields={"text": text, "full_text": text, "full_bytes": 9_999, "hash": f"h{number}"},
        )  # fmt: skip
        yield codec.to_ndjson([told, said])


def transcript(all_planted: list[Planted], now: int) -> bytes:
    """A transcript of Claude Code; its last question is open."""
    lines = []
    for number, planted in enumerate(all_planted):
        for place, text in enumerate(texts(number, planted)):
            call = f"c{number}-{place}"
            block = {"type": "tool_result", "tool_use_id": call, "content": text, "is_error": True}
            lines += [
                made.prompt(text, now, cwd=f"/code/{text[:1_500]}", gitBranch=text,
                            uuid=f"u{call}"),
                made.assistant(f"m{call}", {"type": "text", "text": text},
                               made.tool_use(call, command=text), at=now, uuid=f"a{call}"),
                made.line("user", now, message={"role": "user", "content": [block]}),
                made.assistant(f"n{call}", made.tool_use(f"o{call}", "mcp__x", note={"a": text}),
                               at=now),
                made.assistant(f"t{call}", made.tool_use(f"w{call}", "TodoWrite", todos=[
                    {"content": text, "status": "pending"}]), at=now),
                made.result(f"w{call}", now),
                made.line("ai-title", now, aiTitle=text),
                made.line("assistant", now, isApiErrorMessage=True, message={
                    "role": "assistant", "content": [{"type": "text", "text": text}]}),
            ]  # fmt: skip
    question = {"questions": [{"question": planted.text} for planted in all_planted]}
    lines.append(
        made.assistant("last", made.tool_use("ask", "AskUserQuestion", **question), at=now)
    )
    return b"".join(lines)


def rollout(session: str, all_planted: list[Planted], now: int) -> bytes:
    """A rollout of Codex."""
    lines = [rollouts.meta(session, now), rollouts.context(now)]
    for number, planted in enumerate(all_planted):
        for place, text in enumerate(texts(number, planted)):
            call = f"c{number}-{place}"
            lines += [
                rollouts.event("user_message", now, message=text),
                rollouts.said("assistant", text, now),
                rollouts.call(call, "exec_command", now, cmd=text),
                rollouts.output(call, text, now),
                rollouts.call(f"p{call}", "update_plan", now,
                              plan=[{"step": text, "status": "pending"}]),
                rollouts.output(f"p{call}", "ok", now),
                rollouts.event("error", now, message=text),
                rollouts.event("thread_name_updated", now, thread_name=text),
            ]  # fmt: skip
    return b"".join(lines)


def as_bodies(payloads: Iterator[Payload], session: str) -> Iterator[bytes]:
    """Hook payloads of one session, as they are posted."""
    for payload in payloads:
        yield json.dumps({"session_id": session, **payload}).encode()
