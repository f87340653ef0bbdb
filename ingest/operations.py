"""The ingest's routes described, as paths of an OpenAPI document and the schemas they refer to.

Joined to the hub's by whoever serves both; the hub itself knows nothing of it. Imported late.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec

from ingest import alive
from ingest.limits import Limits

Json = dict[str, Any]

GROUP = "Ingest"
_REFERENCE = "#/components/schemas/{name}"
_PROBLEM = {"schema": {"$ref": _REFERENCE.format(name="Problem")}}
_REFUSALS = (400, 413, 415, 429, 503)
_APPENDED = {
    "type": "object",
    "description": "What is on the log by now.",
    "required": ["appended", "duplicates"],
    "properties": {"appended": {"type": "integer"}, "duplicates": {"type": "integer"}},
}


def part() -> Json:
    """``paths`` and ``schemas``, for the document."""
    return {"paths": dict(_paths()), "schemas": _schemas()}


def _schemas() -> Json:
    """What the routes refer to; deltas are lines of text for OpenAPI, which knows no NDJSON."""
    _, made = msgspec.json.schema_components([alive.Alive], ref_template=_REFERENCE)
    return {**made, "Appended": _APPENDED}


def _paths() -> Iterator[tuple[str, Json]]:
    for agent, name in (("claude-code", "Claude Code"), ("codex", "Codex")):
        yield f"/v1/hooks/{agent}", _hooks(agent, name)
    lines = {"application/x-ndjson": {"schema": {"type": "string"}}}
    told = (
        "One delta a line, each a Report or an Event; plain, gzip or zstd. 200: all are on the log."
    )
    deltas = _post("postDeltas", "Deltas of a reader", told, lines, _appended())
    yield "/v1/deltas", deltas
    yield "/v1/alive", _sign_of_life()
    told = "One event or a list of them, as /v1/events/schema.json has it. 200: on the log."
    yield "/v1/events", _post("postEvents", "Native events", told, _any_json(), _appended())
    yield "/v1/events/schema.json", _schema_of_events()
    for name in ("logs", "metrics"):
        told = "One export of OTLP/HTTP, JSON or protobuf; the answer is in the same encoding."
        answer = {"content": _telemetry()}
        id_ = f"post{name.title()}"
        yield f"/v1/{name}", _post(id_, f"OTLP {name}", told, _telemetry(), answer)


def _any_json() -> Json:
    return {"application/json": {}}


def _telemetry() -> Json:
    return {"application/json": {}, "application/x-protobuf": {}}


def _appended() -> Json:
    schema = {"$ref": _REFERENCE.format(name="Appended")}
    return {"content": {"application/json": {"schema": schema}}}


def _hooks(agent: str, name: str) -> Json:
    told = (
        "Always 200 with an empty body, at once and whatever was sent: an agent is never slowed "
        "or alarmed by its board. What became of it is counted in tower_ingest_events_total."
    )
    named = "".join(word.title() for word in agent.split("-"))
    return _post(f"post{named}Hook", f"A hook of {name}", told, _any_json(), {}, refusals=())


def _sign_of_life() -> Json:
    told = "That a reader on another machine is there, and how far behind. 204: it is noted."
    content = {"application/json": {"schema": {"$ref": _REFERENCE.format(name="Alive")}}}
    item = _post("postAlive", "A sign of life", told, content, {}, limit=alive.BODY_BYTES_MAX)
    answers = item["post"]["responses"]
    answers["204"] = {**answers.pop("200"), "description": "No Content"}
    return item


def _post(
    id_: str, summary: str, description: str, content: Json, answer: Json,
    refusals: tuple[int, ...] = _REFUSALS, limit: int | None = None,
) -> Json:  # fmt: skip
    body = limit or Limits().body_bytes_max
    responses = {"200": {"description": "OK", **answer}}
    responses |= {str(status): _refusal(status) for status in (401, 403, *refusals)}
    return {
        "post": {
            "operationId": id_, "tags": [GROUP], "summary": summary,
            "description": f"{description} A body is at most {body:,} bytes.",
            "security": [{"bearer": []}, {}],
            "requestBody": {"required": True, "content": content},
            "responses": responses,
        }
    }  # fmt: skip


def _refusal(status: int) -> Json:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": _PROBLEM},
    }


def _schema_of_events() -> Json:
    answer = {"description": "OK", "content": {"application/schema+json": {}}}
    return {
        "get": {
            "operationId": "getEventsSchema", "tags": [GROUP],
            "summary": "JSON Schema of native events",
            "security": [{"bearer": []}, {}],
            "responses": {"200": answer, "401": _refusal(401), "403": _refusal(403)},
        }
    }  # fmt: skip
