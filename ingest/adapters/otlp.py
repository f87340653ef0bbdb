"""Telemetry of agents (OTLP logs and metrics) to events: usage, prompts, tool ends, errors. Pure.

Records of agents that are not listed here, and those without a session, are counted and dropped.
Raises InvalidPayload or MissingExtra. Called by the ingest's OTLP routes.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ingest.adapters import otlp_wire as wire
from ingest.adapters.otlp_wire import Attributes, Point, Record
from ingest.adapters.texts import (
    RESULT_BYTES_MAX,
    SUMMARY_BYTES_MAX,
    cut,
    cut_fields,
    digest,
    short,
    text_of,
)
from session.delta import DEFAULT_WORKSPACE, Event
from session.pricing import cost_usd

SOURCE = "otlp"
JSON, PROTOBUF = "application/json", "application/x-protobuf"
SESSION_ID_MAX = 200
COUNT_MAX = 2**53
NO_PROMPT = "<REDACTED>"
_NS_PER_MS = 1_000_000

Fields = dict[str, Any]


class Told(NamedTuple):
    """What a body told, and how many of its records and points say nothing to the board."""

    events: list[Event]
    ignored: int


def logs(body: bytes, encoding: str, **origin: Any) -> Told:
    """The events of an ExportLogsServiceRequest; ``origin`` is received_at, workspace, host, user.

    A record's event has the same id whenever it is sent again.
    """
    read = wire.records_of_protobuf if encoding == PROTOBUF else wire.records_of_json
    return _told(_log_event(record, origin) for record in read(body))


def metrics(body: bytes, encoding: str, **origin: Any) -> Told:
    """The events of an ExportMetricsServiceRequest, what only takes away being the last."""
    read = wire.points_of_protobuf if encoding == PROTOBUF else wire.points_of_json
    told = _told(_metric_event(point, origin) for point in read(body))
    told.events.sort(key=lambda event: min(event.fields["adds"].values()) < 0)
    return told


def _told(events: Iterable[Event | None]) -> Told:
    whole = list(events)
    known = [event for event in whole if event is not None]
    return Told(known, len(whole) - len(known))


def _log_event(record: Record, origin: Fields) -> Event | None:
    session, named = _session(record.attributes), _named(record)
    if session is None or named is None:
        return None
    agent, name = named
    kind, read = AGENTS[agent].get(name, (None, _nothing))
    if kind is None:
        return None
    at = _time(record, origin["received_at"])
    key = digest([origin.get("workspace"), session, name, record.at_ns, record.attributes])
    fields = read(record.attributes)
    if kind == "usage" and fields.get("cost_usd") is None:
        fields["cost_usd"] = _price(fields, at or origin["received_at"])
    if kind == "tool_end":
        fields["call"] = fields.get("call") or f"{SOURCE}:{key}"
    return _event(session, agent, kind, f"{SOURCE}:{key}", at, fields, origin)


def _event(
    session: str, agent: str, kind: str, key: str, at: int | None, fields: Fields, origin: Fields
) -> Event:
    present = {name: value for name, value in fields.items() if value is not None}
    told = {"workspace": DEFAULT_WORKSPACE, **origin}
    return Event(
        id=key,
        session=session,
        agent=agent,
        source=SOURCE,
        kind=kind,
        at=at,
        fields=present,
        **told,
    )


def _session(attributes: Attributes) -> str | None:
    value = attributes.get("session.id")
    return value if isinstance(value, str) and 0 < len(value) <= SESSION_ID_MAX else None


def _named(record: Record) -> tuple[str, str] | None:
    """Agent and event: of a name with the agent's prefix, else by the service and a bare name."""
    for told in record.names:
        prefix, _, name = told.partition(".") if isinstance(told, str) else ("", "", "")
        if name and prefix in PREFIXES:
            return PREFIXES[prefix], name
    agent = str(record.attributes.get("service.name"))
    bare = text_of(record.attributes.get("event.name"))
    return (agent, bare) if agent in AGENTS and bare else None


def _time(record: Record, received_at: int) -> int | None:
    at = record.at_ns // _NS_PER_MS
    told = record.attributes.get("event.timestamp")
    if not at and isinstance(told, str):
        try:
            at = int(datetime.fromisoformat(told).timestamp() * 1000)
        except (ValueError, OverflowError):
            return None
    return min(at, received_at) if at > 0 else None


def _number(value: Any) -> float | None:
    """A number that is finite and not negative; exporters tell numbers as text as well."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) and 0 <= value < COUNT_MAX else None


def _count(attributes: Attributes, name: str) -> int:
    return int(_number(attributes.get(name)) or 0)


def _text(attributes: Attributes, *names: str) -> str | None:
    told = (text_of(attributes.get(name)) for name in names)
    return next((short(text) for text in told if text), None)


def _nothing(_: Attributes) -> Fields:
    return {}


def _price(fields: Fields, at: int) -> float | None:
    return cost_usd(fields["model"], at, {**fields, "cache_write_1h": 0})


# Claude Code.


def _claude_usage(told: Attributes) -> Fields:
    micros = _number(told.get("cost_usd_micros"))
    cost = _number(told.get("cost_usd"))
    return {
        "model": _text(told, "model") or "unknown",
        "input": _count(told, "input_tokens"),
        "output": _count(told, "output_tokens"),
        "cache_read": _count(told, "cache_read_tokens"),
        "cache_write": _count(told, "cache_creation_tokens"),
        "cost_usd": micros / 1_000_000 if cost is None and micros is not None else cost,
        "call": _text(told, "request_id"),
        "aside": told.get("query_source") in ("subagent", "auxiliary") or None,
    }


def _prompt(told: Attributes) -> Fields:
    whole = told.get("prompt")
    whole = whole if isinstance(whole, str) and whole != NO_PROMPT else ""
    return {
        **cut_fields(whole),
        "hash": digest(whole.strip()),
        "prompt_id": _text(told, "prompt.id", "prompt_id"),
    }


def _said(told: Attributes) -> Fields:
    whole = told.get("response")
    return cut_fields(whole if isinstance(whole, str) and whole != NO_PROMPT else "")


def _tool_end(told: Attributes) -> Fields:
    refused = told.get("decision") in ("reject", "deny")
    worked = str(told.get("success")).lower() == "true"
    took_ms = _number(told.get("duration_ms"))
    return {
        "call": _text(told, "tool_use_id"),
        "tool": _text(told, "tool_name", "function_name") or "unknown",
        "status": "ok" if worked else "denied" if refused else "error",
        "text": "" if worked else _reason(told, RESULT_BYTES_MAX),
        "duration_ms": None if took_ms is None else int(took_ms),
    }


def _error(told: Attributes) -> Fields:
    return {"text": _reason(told, SUMMARY_BYTES_MAX) or "API error"}


def _reason(told: Attributes, limit: int) -> str:
    """What went wrong, with the status of the answer where there was one."""
    names = ("error", "error.message", "error_message", "error_type")
    reason = next((text for name in names if (text := text_of(told.get(name)))), "")
    code = told.get("status_code")
    return cut(f"{reason} (status {code})" if code else reason, limit)[0].strip()


# Gemini CLI.


def _gemini_usage(told: Attributes) -> Fields:
    """Its input counts the cached part, and neither thoughts nor tools' prompts elsewhere."""
    cached = _count(told, "cached_content_token_count")
    prompted = _count(told, "input_token_count")
    return {
        "model": _text(told, "model") or "unknown",
        "input": max(0, prompted - cached) + _count(told, "tool_token_count"),
        "output": _count(told, "output_token_count") + _count(told, "thoughts_token_count"),
        "cache_read": cached,
        "cache_write": 0,
    }


Reader = Callable[[Attributes], Fields]
AGENTS: Mapping[str, Mapping[str, tuple[str, Reader]]] = {
    "claude-code": {
        "api_request": ("usage", _claude_usage),
        "user_prompt": ("prompt", _prompt),
        "assistant_response": ("message", _said),
        "tool_result": ("tool_end", _tool_end),
        "api_error": ("error", _error),
    },
    "gemini-cli": {
        "api_response": ("usage", _gemini_usage),
        "user_prompt": ("prompt", _prompt),
        "tool_call": ("tool_end", _tool_end),
        "api_error": ("error", _error),
    },
}
PREFIXES = {"claude_code": "claude-code", "gemini_cli": "gemini-cli"}

# Metrics.


# Metric → its agent; type of token → the names that a point adds to, or takes from.
METRICS = {
    "claude_code.token.usage": "claude-code",
    "claude_code.cost.usage": "claude-code",
    "gemini_cli.token.usage": "gemini-cli",
}
TYPES: Mapping[str, Mapping[str, dict[str, int]]] = {
    "claude-code": {
        "input": {"input": 1},
        "output": {"output": 1},
        "cacheRead": {"cache_read": 1},
        "cacheCreation": {"cache_write": 1},
    },
    "gemini-cli": {
        "input": {"input": 1},
        "output": {"output": 1},
        "thought": {"output": 1},
        "tool": {"input": 1},
        "cache": {"cache_read": 1, "input": -1},
    },
}


def _metric_event(point: Point, origin: Fields) -> Event | None:
    session, agent = _session(point.attributes), METRICS.get(point.metric)
    value = _number(point.value)
    if session is None or agent is None or not value:
        return None
    is_cost = point.metric.endswith(".cost.usage")
    adds = {"cost_usd": 1} if is_cost else TYPES[agent].get(str(point.attributes.get("type")))
    if adds is None:
        return None
    series = [point.metric, point.attributes]
    told = [origin.get("workspace"), session, *series, point.start_ns, point.at_ns, value]
    at = min(point.at_ns // _NS_PER_MS, origin["received_at"]) or None
    fields = {
        "model": _text(point.attributes, "model") or "unknown",
        "value": value,
        "adds": adds,
        "series": digest(series),
        "start": point.start_ns // _NS_PER_MS,
        "cumulative": point.cumulative or None,
    }
    return _event(session, agent, "usage_metric", f"{SOURCE}:{digest(told)}", at, fields, origin)
