"""The OpenAPI document as a page: groups of operations, their parameters, an example, schemas.

Rendered here, without a script and without anything from elsewhere. Pure. Called by ``/docs``.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from hub.openapi.style import STYLE

Json = dict[str, Any]

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
CREDENTIAL = '-H "Authorization: Bearer $(tower token)"'


def render(document: Json, base_url: str) -> str:
    """The page; ``base_url`` is where the examples ask."""
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            told = "".join(_operation(method.upper(), path, operation, base_url))
            groups.setdefault(operation["tags"][0], []).append(told)
    return "".join(_page(document, groups))


def _page(document: Json, groups: dict[str, list[str]]) -> Iterator[str]:
    info = document["info"]
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(info['title'])}: the HTTP API</title><style>{STYLE}</style></head><body>"
    yield f"<header><h1>{escape(info['title'])}: the HTTP API</h1>"
    yield f"<p>{_prose(info['description'])}</p>"
    yield '<p><a href="/openapi.json">openapi.json</a> <a href="/asyncapi.json">asyncapi.json</a> '
    yield '<a href="/">the board</a></p></header>'
    names = [*groups, "Schemas"]
    links = (f'<li><a href="#{_slug(name)}">{escape(name)}</a></li>' for name in names)
    yield f"<nav><ul>{''.join(links)}</ul></nav><main>"
    for name, told in groups.items():
        yield f'<section id="{_slug(name)}"><h2>{escape(name)}</h2>{"".join(told)}</section>'
    yield '<section id="schemas"><h2>Schemas</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield from _schema(name, schema)
    yield "</section></main></body></html>"


def _operation(method: str, path: str, operation: Json, base_url: str) -> Iterator[str]:
    yield f'<article id="{escape(operation["operationId"])}">'
    yield f'<h3><span class="method">{method}</span> <code>{escape(path)}</code></h3>'
    is_open = operation.get("security") == []
    note = " <small>without a credential</small>" if is_open else ""
    yield f"<p>{_prose(operation['summary'])}.{note}</p>"
    if "description" in operation:
        yield f"<p>{_prose(operation['description'])}</p>"
    if operation.get("parameters"):
        yield _table(("Parameter", "in", "", ""), map(_parameter, operation["parameters"]))
    if "requestBody" in operation:
        for media, content in operation["requestBody"]["content"].items():
            yield f"<p>Body: {shape(content.get('schema', {}))} <small>{escape(media)}</small></p>"
    yield _table(("Answer", "", ""), map(_answer, operation["responses"].items()))
    yield f"<pre>{escape(_example(method, path, operation, base_url))}</pre></article>"


def _parameter(told: Json) -> tuple[str, ...]:
    name = f"<code>{escape(told['name'])}</code>{'' if told.get('required') else ' <i>?</i>'}"
    return name, escape(told["in"]), shape(told["schema"]), _prose(told.get("description", ""))


def _answer(pair: tuple[str, Json]) -> tuple[str, ...]:
    status, told = pair
    shapes = [
        shape(content["schema"]) if "schema" in content else escape(media)
        for media, content in told.get("content", {}).items()
    ]
    return f"<code>{escape(status)}</code>", escape(told["description"]), ", ".join(shapes)


def _example(method: str, path: str, operation: Json, base_url: str) -> str:
    """One that can be pasted into a shell; names in braces are to be replaced."""
    words = ["curl"]
    if operation.get("security") != []:
        words.append(CREDENTIAL)
    if method != "GET":
        words.append(f"-X {method}")
    needed = operation.get("requestBody", {})
    if needed.get("required"):
        words.append(f"-H 'Content-Type: {next(iter(needed['content']))}' -d @body")
    return " ".join([*words, f"'{base_url}{path}'"])


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield f'<article id="schema-{escape(name)}"><h3><code>{escape(name)}</code></h3>'
    yield f"<p>{_prose(schema.get('description', ''))}</p>"
    required = set(schema.get("required", ()))
    fields = schema.get("properties", {}).items()
    rows = [
        (
            f"<code>{escape(field)}</code>{'' if field in required else ' <i>?</i>'}",
            shape(told),
            _prose(told.get("description", "")),
        )
        for field, told in fields
    ]
    yield _table(("Field", "", ""), rows) if rows else f"<p>{shape(schema)}</p>"
    yield "</article>"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def shape(schema: Json) -> str:
    """A schema in a few words, with links to those that have a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    for key, word in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
        if key in schema:
            return word.join(map(shape, schema[key]))
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    return _plain(schema)


def _plain(schema: Json) -> str:
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(map(escape, kind))
    if kind == "array":
        return f"list of {shape(schema.get('items') or {})}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {shape(schema['additionalProperties'])}"
    told = escape(f"{kind} ({schema['format']})" if "format" in schema else kind)
    return told + _bounds(schema)


def _bounds(schema: Json) -> str:
    names = {
        "minimum": "from {:,}", "exclusiveMinimum": "above {:,}", "maximum": "to {:,}",
        "maxLength": "at most {:,} characters", "default": "by default {}",
    }  # fmt: skip
    told = [text.format(schema[name]) for name, text in names.items() if name in schema]
    return f" <small>{escape(', '.join(told))}</small>" if told else ""


def _prose(text: str) -> str:
    """Words as they stand in a docstring: what is between doubled backticks is code."""
    return re.sub(r"``(.+?)``", r"<code>\1</code>", escape(text))


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name.lower()).strip("-")
