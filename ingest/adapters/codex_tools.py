"""Tool calls of Codex: what was asked, how it ended, and what it tells of subagents.

Outputs are text, JSON in a text, or a list of items, by tool and version. Called by the rollout
adapter.
"""

import re
from typing import Any, NamedTuple

from ingest.adapters import jsontext, texts
from ingest.adapters.codex_lines import Payload, read_raw
from ingest.errors import InvalidPayload

_FILES = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d{1,10})$", re.MULTILINE)
_HEAD_CHARS = 1000  # behind it begins what the command printed
_DAY_S = 86_400


class Outcome(NamedTuple):
    """How a call ended; ``took_ms`` is None where nothing tells it."""

    failed: bool
    text: str
    took_ms: int | None = None


def asked(payload: Payload) -> Any:
    """The arguments of a call, whichever way they are told."""
    told = payload.input if payload.arguments is None else payload.arguments
    if isinstance(told, str) and payload.arguments is not None:
        told = _json(told, told)
    patch = told.get("patch", told.get("input")) if isinstance(told, dict) else told
    if isinstance(patch, str) and patch.startswith("*** Begin Patch"):
        return {"path": texts.short(", ".join(_FILES.findall(patch)), texts.SUMMARY_BYTES_MAX)}
    if isinstance(told, dict) and isinstance(told.get("command"), list):
        return {**told, "command": " ".join(map(str, told["command"]))}
    return told


def shell(action: Any) -> dict[str, Any]:
    """The command of a call of the shell that is built in."""
    told = action.get("command") if isinstance(action, dict) else None
    return {"command": " ".join(map(str, told))} if isinstance(told, list) else {}


def searched(action: Any) -> dict[str, Any]:
    """What a search of the web looked for."""
    action = action if isinstance(action, dict) else {}
    return {name: action[name] for name in ("query", "url") if texts.text_of(action.get(name))}


def output(payload: Payload) -> tuple[Outcome, Any]:
    """How a call ended by what the model was given, and that itself, decoded where it is JSON."""
    told = read_raw(payload.output)
    told = _json(told, told) if isinstance(told, str) else told
    if isinstance(told, str):
        code = _EXIT.search(told[:_HEAD_CHARS])
        return Outcome(code is not None and int(code[1]) != 0, texts.result_text(told)), told
    if isinstance(told, list):
        items = [each for each in told if isinstance(each, dict)]
        return Outcome(False, texts.result_text(items)), told
    if not isinstance(told, dict):
        return Outcome(False, ""), told
    about = told.get("metadata")
    code = about.get("exit_code") if isinstance(about, dict) else None
    failed = told.get("success") is False or (isinstance(code, int) and code != 0)
    text = told.get("output", told.get("content"))
    return Outcome(failed, texts.result_text(text)), told


def ended(payload: Payload) -> Outcome:
    """How a call ended by its own event (a command, a patch, a tool of an MCP server)."""
    failed = payload.status == "failed" or payload.success is False
    failed = failed or (isinstance(payload.exit_code, int) and payload.exit_code != 0)
    result = read_raw(payload.result)
    if isinstance(result, dict):
        whole = result.get("Ok")
        failed = (
            failed or "Err" in result or (isinstance(whole, dict) and bool(whole.get("isError")))
        )
    told = (payload.aggregated_output, payload.stderr, payload.stdout)
    text = next((each for each in told if texts.text_of(each)), "")
    return Outcome(failed, texts.result_text(text), _duration_ms(payload.duration))


def _duration_ms(told: Any) -> int | None:
    if not isinstance(told, dict):
        return None
    secs, nanos = texts.count(told.get("secs")), texts.count(told.get("nanos"))
    if secs is None or secs > _DAY_S or nanos is None:
        return None
    return secs * 1000 + min(nanos, 10**9) // 10**6


class Agent(NamedTuple):
    """What a call tells of a subagent."""

    id: str
    kind: str | None
    state: str
    about: str | None


def agents(tool: str, wanted: Any, result: Any) -> list[Agent]:
    """The subagents that a call started, or whose end it tells."""
    wanted = wanted if isinstance(wanted, dict) else {}
    result = result if isinstance(result, dict) else {}
    if tool == "spawn_agent":
        started = texts.text_of(result.get("agent_id"))
        kind = texts.text_of(wanted.get("agent_type")) or texts.text_of(result.get("nickname"))
        about = texts.text_of(wanted.get("message"))
        return [Agent(started, kind, "running", about)] if started else []
    if tool == "wait_agent" and isinstance(result.get("status"), dict):
        told = result["status"].items()
        return [Agent(name, None, "done", None) for name, how in told if isinstance(how, dict)]
    closed = texts.text_of(wanted.get("id") or wanted.get("target"))
    return [Agent(closed, None, "done", None)] if tool == "close_agent" and closed else []


def _json(text: str, otherwise: Any) -> Any:
    """The JSON that a text is, if it is an object or a list."""
    if text[:1] not in ("{", "["):
        return otherwise
    try:
        return jsontext.decode(text.encode())
    except InvalidPayload:
        return otherwise
