"""Native events, as any agent, scheduler or calendar can post them, to events of the log. Pure.

Raises InvalidPayload with the place and the reason, and nothing else. Called by the ingest's route
for events; the kinds are in ``native_kinds``.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from ingest.adapters import native_kinds as kinds
from ingest.adapters.jsontext import decode
from ingest.adapters.texts import (
    RESULT_BYTES_MAX,
    SUMMARY_BYTES_MAX,
    cut,
    cut_fields,
    request,
    short,
)
from ingest.errors import InvalidPayload
from session.delta import DEFAULT_WORKSPACE, Event
from session.pricing import cost_usd
from session.state import TOKEN_NAMES

SOURCE = "native"
TIME_MAX_MS = 4_102_444_800_000  # the year 2100
OBJECTIVE_BYTES_MAX = 200
_COMMON = ("title", "cwd", "branch", "model", "phase", "event_id", "budget_usd")

Fields = dict[str, Any]


def normalize(
    body: bytes,
    *,
    received_at: int,
    workspace: str = DEFAULT_WORKSPACE,
    host: str | None = None,
    user: str | None = None,
) -> list[Event]:
    """Read one event or a list of them; nothing is read if one of them cannot be."""
    value = decode(body)
    told = value if isinstance(value, list) else [value]
    origin = {"received_at": received_at, "workspace": workspace, "host": host, "user": user}
    return [_event(each, f"[{place}]", origin) for place, each in enumerate(told)]


def _event(told: Any, place: str, origin: Fields) -> Event:
    try:
        happening: kinds.Native = msgspec.convert(told, type=kinds.Native)
    except msgspec.ValidationError as error:
        raise InvalidPayload(_complaint(str(error), place)) from error
    except (OverflowError, RecursionError) as error:
        raise InvalidPayload(f"{place}: {error}") from error
    kind, read = READERS[type(happening)]
    at = _time(happening.at, origin["received_at"], place)
    fields = {**{name: getattr(happening, name) for name in _COMMON}, **read(happening)}
    if isinstance(happening, kinds.Usage) and happening.cost_usd is None:
        fields["cost_usd"] = _price(fields, at if at is not None else origin["received_at"])
    origin = {**origin, "host": _label(happening.host) or origin["host"]}
    return Event(
        id=f"{SOURCE}:{happening.id}",
        session=happening.session,
        agent=happening.agent,
        source=SOURCE,
        kind=kind,
        at=at,
        fields=_present(fields),
        **{**origin, "user": _label(happening.user) or origin["user"]},
    )


def _complaint(error: str, place: str) -> str:
    """What msgspec says, with the place first: ``[3].kind: …``."""
    reason, _, path = error.partition(" - at `$")
    return f"{place}{path.removesuffix('`')}: {reason}"


def _label(text: str | None) -> str | None:
    return short(text.strip(), 100) or None if text else None


def _present(fields: Fields) -> Fields:
    """Fields that are known, names of them no longer than anything real."""
    limits = {"cwd": SUMMARY_BYTES_MAX, "summary": SUMMARY_BYTES_MAX}
    return {
        name: short(value, limits.get(name, 200))
        if isinstance(value, str) and name not in _CUT_ALREADY
        else value
        for name, value in fields.items()
        if value is not None and value != ""
    }


_CUT_ALREADY = frozenset({"text", "full_text", "call", "ask"})


def _time(at: int | str | None, received_at: int, place: str) -> int | None:
    """Milliseconds since the epoch, never in the future: what comes then has not happened yet."""
    if isinstance(at, str):
        try:
            read = datetime.fromisoformat(at)
        except (ValueError, OverflowError) as error:
            raise InvalidPayload(f"{place}.at: not a time of ISO 8601") from error
        if read.tzinfo is None:
            raise InvalidPayload(f"{place}.at: a time needs its offset, such as Z")
        at = int(read.timestamp() * 1000)
    if at is not None and not 0 <= at <= TIME_MAX_MS:
        raise InvalidPayload(f"{place}.at: expected a time between the years 1970 and 2100")
    return min(at, received_at) if at is not None else None


def _text(text: str | None) -> Fields:
    return cut_fields(text or "")


def _nothing(_: Any) -> Fields:
    return {}


def _session_end(told: kinds.SessionEnd) -> Fields:
    return {"reason": told.reason}


def _prompt(told: kinds.Prompt) -> Fields:
    return {**_text(told.text), "prompt_id": f"{SOURCE}:{told.id}"}


def _said(told: kinds.Message) -> Fields:
    return _text(told.text)


def _tool_start(told: kinds.ToolStart) -> Fields:
    return {"call": told.call, "tool": told.tool, "summary": told.text}


def _tool_end(told: kinds.ToolEnd) -> Fields:
    text = cut(told.text or "", RESULT_BYTES_MAX)[0]
    return {
        "call": told.call, "tool": told.tool, "status": told.status, "text": text,
        "duration_ms": told.duration_ms,
    }  # fmt: skip


def _ask(kind: str) -> Callable[[kinds.Ask], Fields]:
    def read(told: kinds.Ask) -> Fields:
        whole, full_bytes = request(told.request)
        return {
            "call": told.call, "tool": told.tool, "ask": told.id, "summary": told.text,
            "asks": kind, "request": whole, "full_bytes": full_bytes,
        }  # fmt: skip

    return read


def _resolved(told: kinds.Resolved) -> Fields:
    return {"call": told.call}


def _failed(told: kinds.Failure | kinds.Error) -> Fields:
    return {"text": cut(told.text, SUMMARY_BYTES_MAX)[0]}


def _objectives(told: kinds.Objectives) -> Fields:
    listed = {
        key: {"text": None if each.text is None else short(each.text, OBJECTIVE_BYTES_MAX),
              "status": each.status} if each else None
        for key, each in told.objectives.items()
    }  # fmt: skip
    return {"objectives": listed, "whole": told.whole}


def _subagent(told: kinds.Subagent) -> Fields:
    return {"agent_id": told.agent_id, "agent_type": told.agent_type}


def _usage(told: kinds.Usage) -> Fields:
    tokens = {name: getattr(told, name) for name in TOKEN_NAMES}
    return {**tokens, "model": told.model, "cost_usd": told.cost_usd, "call": told.call}


def _price(usage: Fields, at: int) -> float | None:
    tokens = {name: usage[name] for name in TOKEN_NAMES}
    return cost_usd(usage["model"], at, {**tokens, "cache_write_1h": 0})


READERS: dict[type[kinds.Happening], tuple[str, Callable[[Any], Fields]]] = {
    kinds.SessionStart: ("session_start", _nothing),
    kinds.SessionEnd: ("session_end", _session_end),
    kinds.Prompt: ("prompt", _prompt),
    kinds.Message: ("message", _said),
    kinds.ToolStart: ("tool_start", _tool_start),
    kinds.ToolEnd: ("tool_end", _tool_end),
    kinds.Permission: ("permission", _ask("permission")),
    kinds.Question: ("permission", _ask("question")),
    kinds.Plan: ("permission", _ask("plan")),
    kinds.Resolved: ("resolved", _resolved),
    kinds.Stop: ("stop", _nothing),
    kinds.Failure: ("stop_failure", _failed),
    kinds.Error: ("error", _failed),
    kinds.Objectives: ("task", _objectives),
    kinds.SubagentStart: ("subagent_start", _subagent),
    kinds.SubagentStop: ("subagent_stop", _subagent),
    kinds.Usage: ("usage", _usage),
    kinds.Update: ("update", _nothing),
}
