"""``GET /openapi.json``: the HTTP API as an OpenAPI 3.1 document, made of the table of operations.

Built once, at the first request: nothing of it is imported at start. Holds no data of any session.
What else the same app serves (health, ingest) comes as parts, given by whoever puts it together.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

import msgspec

from hub import schemas
from hub.openapi.bodies import Problem
from hub.openapi.operation import JSON, Operation, Text
from hub.openapi.operations import OPERATIONS

Json = dict[str, Any]
Part = Callable[[], Json]
"""Gives ``paths`` and ``schemas`` of routes that are served beside the hub's."""

DESCRIPTION = (
    "One live board for AI coding-agent sessions. Times are milliseconds since the Unix epoch, "
    "money is US dollars, null is not known. Everything is of the workspace of the credential: "
    "a Bearer token, or the cookie that /login gives. Errors are problem details (RFC 9457). "
    "What happens while you watch comes over the WebSocket: /asyncapi.json."
)
_ALWAYS = (401, 403, 429, 503)
_RETRIED = (429, 503)
_SCHEMA = "#/components/schemas/{}"
_PROBLEM = {"$ref": _SCHEMA.format("Problem")}


def build(cookie_name: str, parts: Iterable[Part] = ()) -> Json:
    """The document; the cookie that is a credential is named after the port."""
    types = [kind for each in OPERATIONS for kind in each.types]
    told, made = schemas.components([Problem, *types])
    by_type = dict(zip(map(_key, types), told[1:], strict=False))
    paths: Json = {}
    for operation in OPERATIONS:
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, by_type, made)
    for part in parts:
        more = part()
        _join(paths, more["paths"])
        _join(made, more["schemas"])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Agent Tower", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/", "description": "Where this document comes from."}],
        "security": [{"bearer": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": _reachable(paths, made),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookie_name},
            },
        },
    }


def _join(whole: Json, part: Json) -> None:
    """Add a part's names; raises ValueError for one that means something else already."""
    for name, told in part.items():
        if whole.setdefault(name, told) != told:
            raise ValueError(f"two parts of the document differ about {name}")


def _key(kind: Any) -> int:
    """Types such as ``list[Summary]`` are not all hashable; the table holds each of them."""
    return id(kind)


def _operation(operation: Operation, by_type: dict[int, Json], made: Json) -> Json:
    told: Json = {
        "operationId": operation.id,
        "tags": [operation.group],
        "summary": operation.summary,
        "parameters": list(_parameters(operation, made)),
        "responses": dict(_responses(operation, by_type)),
    }
    if operation.description:
        told["description"] = operation.description
    if operation.body is not None:
        content = {JSON: {"schema": by_type[_key(operation.body)]}}
        told["requestBody"] = {"required": operation.is_body_needed, "content": content}
    if operation.is_open:
        told["security"] = []
    return told


def _parameters(operation: Operation, made: Json) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", operation.path):
        schema: Json = {"type": "string", "minLength": 1}
        if operation.path_values:
            schema = {"type": "string", "enum": list(operation.path_values)}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if operation.query is not None:
        yield from _query(made[operation.query.__name__])
    for name, description in operation.headers.items():
        schema = {"type": "string"}
        yield {"name": name, "in": "header", "description": description, "schema": schema}


def _query(schema: Json) -> Iterator[Json]:
    for name, field in schema["properties"].items():
        told = dict(field)
        described = {"description": told.pop("description")} if "description" in told else {}
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": told, **described}


def _responses(operation: Operation, by_type: dict[int, Json]) -> Iterator[tuple[str, Json]]:
    for status, answer in sorted(operation.answers.items()):
        yield str(status), _answer(status, answer, by_type)
    always = (403,) if operation.is_open else _ALWAYS
    for status in sorted({*always, *operation.problems}):
        yield str(status), problem_of(status)


def _answer(status: int, answer: Any, by_type: dict[int, Json]) -> Json:
    told: Json = {"description": HTTPStatus(status).phrase}
    if isinstance(answer, Text):
        return told | {"content": {answer.media: {}}}
    if answer is not None:
        told["content"] = {JSON: {"schema": by_type[_key(answer)]}}
    return told


def problem_of(status: int) -> Json:
    """A refusal; one that goes away by itself says when to come back."""
    told: Json = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }
    if status in _RETRIED:
        schema = {"type": "integer", "description": "Seconds."}
        told["headers"] = {"Retry-After": {"schema": schema}}
    return told


def _reachable(paths: Json, made: Json) -> Json:
    """The components that something refers to; parameters are spelled out where they are."""
    found: dict[str, None] = {}
    waiting = [paths]
    while waiting:
        text = msgspec.json.encode(waiting.pop()).decode()
        for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
            if name not in found:
                found[name] = None
                waiting.append(made[name])
    return {name: made[name] for name in sorted(found)}
