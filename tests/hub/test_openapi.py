"""The HTTP API as it is published: complete, true, and a page that needs nothing."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

import hub.app
import ingest.app
import ingest.operations
from hub.openapi import page
from hub.openapi.document import build
from hub.openapi.operations import OPERATIONS
from tests.hub.servers import BEARER, make_app, make_door, make_hub
from tests.hub.test_rest import HOST

Json = dict[str, Any]
PARTS = (ingest.operations.part,)


def served(routes: list[Any]) -> set[tuple[str, str]]:
    """Method and path of every HTTP route, the path as a document has it."""
    return {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in routes
        if isinstance(route, Route)
        for method in (route.methods or {"POST"}) - {"HEAD"}
    }


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The owner's client of a hub without sessions."""
    with TestClient(make_app(make_hub(make_door())), base_url=HOST, headers=dict(BEARER)) as made:
        yield made


@pytest.fixture
def document(client: TestClient) -> Json:
    """What is published."""
    told: Json = client.get("/openapi.json").json()
    return told


def test_every_route_has_its_entry() -> None:
    """And every entry its route."""
    assert {(each.method, each.path) for each in OPERATIONS} == served(hub.app.routes)


def test_every_ingest_route_has_its_entry() -> None:
    """And every entry its route: what a tower serves in one process stands in one document."""
    paths = ingest.operations.part()["paths"]
    told = {(method.upper(), path) for path, item in paths.items() for method in item}
    assert served(ingest.app.routes) == told


def test_an_operation_has_one_name() -> None:
    """Generators of clients make functions of them."""
    names = [each.id for each in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names)


def test_the_parts_are_one_document() -> None:
    """References lead somewhere, and nothing stands there that nobody refers to."""
    told = build("tower_1", PARTS)
    assert {"/v1/deltas", "/api/live"} <= set(told["paths"])
    text = str(told["paths"]) + str(told["components"]["schemas"])
    named = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert named == set(told["components"]["schemas"])


def test_no_part_changes_what_another_says() -> None:
    """The hub's own answers are described alike with the ingest beside it and without."""
    alone, whole = (build("tower_1", parts)["components"]["schemas"] for parts in ((), PARTS))
    assert {name: whole[name] for name in alone} == alone
    part = {"paths": {}, "schemas": {"Usage": {"type": "string"}}}
    with pytest.raises(ValueError, match="Usage"):
        build("tower_1", (lambda: part,))


def test_what_needs_a_credential_says_so(client: TestClient, document: Json) -> None:
    """Open operations are open, all others are 401 to strangers."""
    assert document["security"] == [{"bearer": []}, {"cookie": []}]
    assert document["components"]["securitySchemes"]["cookie"]["name"] == "tower_8787"
    for path, item in document["paths"].items():
        for method, operation in item.items():
            asked = re.sub(r"{\w+}", "x", path)
            status = client.request(method, asked, headers={"Authorization": ""}).status_code
            if operation.get("security") == []:
                assert status != 401 or path == "/login"
            else:
                assert (status, "401" in operation["responses"]) == (401, True), path


def test_parameters_are_told_with_their_limits(document: Json) -> None:
    """As the route checks them."""
    told = {each["name"]: each for each in document["paths"]["/api/sessions"]["get"]["parameters"]}
    assert {"status", "q", "since", "archived", "sort", "limit", "cursor"} <= set(told)
    limit = told["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 1_000, 50)
    assert not any(each["required"] for each in told.values())


class Reader(HTMLParser):
    """Tags with their attributes, anchors, and references."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: set[str] = set()
        self.references: set[str] = set()
        self.styles = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it; every one but the void must be closed."""
        self.tags.add(tag)
        told = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in told)
        self.ids.add(told.get("id") or "")
        self.references |= {told[name] or "" for name in ("href", "src") if name in told}
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """In the order in which they were opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the style."""
        if self.open[-1:] == ["style"]:
            self.styles += data


def read(html: str) -> Reader:
    """A page that is well formed."""
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_the_page_needs_nothing_but_itself(client: TestClient) -> None:
    """No script, nothing of another site, and a style that its policy names by hash."""
    answer = client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    reader = read(answer.text)
    assert not {"script", "img", "iframe", "link", "form"} & reader.tags
    digest = base64.b64encode(hashlib.sha256(reader.styles.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    inner = {each[1:] for each in reader.references if each.startswith("#")}
    assert inner <= reader.ids
    assert reader.references - {f"#{each}" for each in inner} == {
        "/", "/openapi.json", "/asyncapi.json",
    }  # fmt: skip


def test_the_page_shows_every_operation(client: TestClient, document: Json) -> None:
    """With an example that asks this very board."""
    text = client.get("/docs").text
    for path, item in document["paths"].items():
        assert f"<code>{path}</code>" in text
        assert all(f'id="{operation["operationId"]}"' in text for operation in item.values())
    assert f"&#x27;{HOST}/api/live&#x27;" in text


def test_whatever_a_document_says_is_text() -> None:
    """Markup in it is shown, not obeyed."""
    nasty = "<script>alert(1)</script>"
    operation = {
        "operationId": nasty, "tags": [nasty], "summary": nasty, "description": nasty,
        "parameters": [{"name": nasty, "in": nasty, "schema": {"enum": [nasty]}}],
        "responses": {nasty: {"description": nasty, "content": {nasty: {}}}},
    }  # fmt: skip
    schema = {"description": nasty, "properties": {nasty: {"type": nasty, "format": nasty}}}
    told = {
        "info": {"title": nasty, "description": nasty},
        "paths": {nasty: {"get": operation}},
        "components": {"schemas": {"x": schema}},
    }
    reader = read(page.render(told, f"http://{nasty}"))
    assert "script" not in reader.tags


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({}, "anything"),
        ({"type": "integer", "minimum": 1, "maximum": 1000},
         "integer <small>from 1, to 1,000</small>"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/A"}},
         'list of <a href="#schema-A">A</a>'),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "map to number"),
        ({"type": ["object", "null"]}, "object or null"),
        ({"enum": [1, "b"]}, "<code>1</code> <code>b</code>"),
    ],
)  # fmt: skip
def test_a_schema_is_told_in_a_few_words(schema: Json, told: str) -> None:
    """With a link where it has a name."""
    assert page.shape(schema) == told
