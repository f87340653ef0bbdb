"""The published protocol: a valid document, and every frame of a real hub is what it says."""

import ast
import json
import re
import subprocess
import sys
from typing import Any

import pytest
from jsonschema import Draft7Validator
from starlette.testclient import TestClient

from hub.asyncapi import document
from hub.errors import Refused
from hub.live.frames import CLOSE_CODES
from hub.live.hello import parse_hello
from hub.live.views import View
from session.state import STATUSES
from tests.hub.made import Desk
from tests.hub.recording import BAD_REQUEST, Recording, record
from tests.hub.servers import BEARER, make_app, make_door, make_hub
from tests.test_protocol_doc import FROM_CLIENT, FROM_HUB, ROOT, example, nodes, sections, texts

Json = dict[str, Any]

# What the hub has no reason to say in a run without a fault.
NOT_PROVOKED = {"session.stale", "notice"}
# Part of the protocol, but not of the page that tells what the hub does today.
NOT_ON_THE_PAGE = {"client": {"pong"}, "hub": {"notice"}}

BROKEN: list[Any] = [
    {},
    {"type": 5},
    {"type": "hello"},
    {"type": "hello", "protocol": 2},
    {"type": "hello", "protocol": 1, "rate_hz": 0},
    {"type": "hello", "protocol": 1, "rate_hz": "60"},
    {"type": "hello", "protocol": 1, "subscriptions": 4.5},
    {"type": "hello", "protocol": 1, "client": 5},
    {"type": "hello", "protocol": 1, "view": []},
    {"type": "hello", "protocol": 1, "view": {"limit": 0}},
    {"type": "hello", "protocol": 1, "resume": {"a": "m:1"}},
    {"type": "hello", "protocol": 1, "resume": [{"cursor": "m:1"}]},
    {"type": "hello", "protocol": 1, "resume": [{"session": "a", "cursor": ""}] * 65},
    {"type": "subscribe", "session": None},
    {"type": "subscribe", "session": ""},
    {"type": "unsubscribe", "session": None},
    {"type": "activate", "session": 5},
    {"type": "view", "status": ["asleep"]},
    {"type": "view", "status": "running"},
    {"type": "view", "sort": "size"},
    {"type": "view", "limit": "50"},
    {"type": "view", "q": "x" * 201},
    {"type": "view", "pinned": ["a"] * 33},
    {"type": "view", "pinned": [5]},
    {"type": "rate", "hz": -1},
    {"type": "resync"},
    {"type": "resync", "scope": "everything"},
    {"type": "resync", "scope": "session"},
    {"type": "ack"},
    {"type": "ack", "frames": -1},
    {"type": "ack", "frames": 1.5},
]
# As the dashboard makes them, and at the very limits.
GOOD: list[Json] = [
    {"type": "hello", "protocol": 1, "client": "dashboard/1.0", "rate_hz": 60, "subscriptions": 4,
     "view": {"limit": 200}, "resume": [{"session": "a", "cursor": "m:1"}], "active": "a"},
    {"type": "hello", "protocol": 1, "resume": [{"session": "a", "cursor": ""}] * 64},
    {"type": "hello", "protocol": 1, "rate_hz": 0.5, "subscriptions": 99, "token": "t"},
    {"type": "subscribe", "session": "a", "activate": False},
    {"type": "unsubscribe", "session": "a"},
    {"type": "activate", "session": "a"},
    {"type": "activate", "session": None},
    {"type": "view", "status": ["waiting"] * 32, "q": "x" * 200, "limit": 20_000},
    {"type": "view", "project": None, "sort": "cost", "pinned": ["a"] * 32, "archived": True},
    {"type": "rate", "hz": 1},
    {"type": "resync", "scope": "overview", "reason": "gap"},
    {"type": "resync", "scope": "attention", "reason": "parts"},
    {"type": "resync", "scope": "session", "session": "a", "reason": "gap"},
    {"type": "ack", "frames": 0},
    {"type": "ping", "id": 7},
    {"type": "pong", "id": "h1"},
    {"type": "ping", "id": "x", "nobody": "knows this"},
]  # fmt: skip


# The document as validators.


def published() -> Json:
    """The document."""
    told: Json = json.loads(document("tower_8787"))
    return told


def strict(schema: Any) -> Any:
    """The schema without room for fields that it does not list."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(each) for name, each in schema.items()}
    if made.get("type") == "object" and "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


def validator(payload: Json, schemas: Json) -> Draft7Validator:
    """Of one schema, among those that it refers to."""
    return Draft7Validator({"allOf": [payload], "components": {"schemas": schemas}})


def validators(side: str, *, is_strict: bool = False) -> dict[str, Draft7Validator]:
    """Of every frame from that side, by its type."""
    told = published()["components"]
    schemas = strict(told["schemas"]) if is_strict else told["schemas"]
    mine = [each for name, each in told["messages"].items() if name.startswith(f"{side}.")]
    return {each["name"]: validator(each["payload"], schemas) for each in mine}


def complaints(frame: Any, known: dict[str, Draft7Validator]) -> list[str]:
    """What is wrong with a frame."""
    kind = frame.get("type") if isinstance(frame, dict) else None
    if not isinstance(kind, str) or kind not in known:
        return [f"unknown: {frame}"]
    errors = known[kind].iter_errors(frame)
    return [f"{kind}: {error.json_path}: {error.message[:200]}" for error in errors]


@pytest.fixture(scope="module")
def recording() -> Recording:
    """A run that makes the hub say everything that needs no fault."""
    return record()


# The document itself.


def test_every_reference_arrives() -> None:
    """Whatever the document refers to is in it, and every component is needed."""
    told = published()
    found = set(re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(told)))
    for path in found:
        place = told
        for name in path.split("/"):
            place = place[name]
    schemas = {f"components/schemas/{name}" for name in told["components"]["schemas"]}
    assert schemas - found == {"components/schemas/Detail"}


def test_every_schema_is_one() -> None:
    """Draft 7, which is what AsyncAPI 3 speaks."""
    told = published()
    assert told["asyncapi"] == "3.0.0"
    for schema in told["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_the_channel_has_every_message_and_one_operation_each_way() -> None:
    """The hub receives what a client sends, and sends the rest."""
    told = published()
    channel = told["channels"]["ws"]
    assert channel["address"] == "/ws"
    assert channel["messages"].keys() == told["components"]["messages"].keys()
    for action, side in (("receive", "client"), ("send", "hub")):
        operation = told["operations"][action]
        assert operation["action"] == action
        paths = [each["$ref"] for each in operation["messages"]]
        wanted = [name for name in channel["messages"] if name.startswith(f"{side}.")]
        assert paths == [f"#/channels/ws/messages/{name}" for name in wanted]


def test_close_codes_and_credentials_are_told() -> None:
    """The whole table of codes, Bearer, and the cookie under its name."""
    told = published()
    codes = told["channels"]["ws"]["x-close-codes"]
    table = {int(code): (each["name"], each["reconnect"]) for code, each in codes.items()}
    assert table == CLOSE_CODES
    schemes = told["components"]["securitySchemes"]
    assert schemes["bearer"] == {"type": "http", "scheme": "bearer"}
    assert schemes["cookie"]["name"] == "tower_8787"
    assert len(told["servers"]["hub"]["security"]) == 2


def test_every_error_code_of_the_hub_is_told() -> None:
    """What the hub gives as the code of an error is among those of the document."""
    codes = published()["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    said_by_hub: set[str] = set()
    for node in nodes():
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("BadRequest"):
            said_by_hub |= texts(node.args[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("say_error"):
            said_by_hub |= texts(node.args[1])
    assert said_by_hub
    assert said_by_hub <= set(codes)


def test_values_that_the_code_lists_are_told() -> None:
    """Statuses and the fields of a view are those of the code."""
    schemas = published()["components"]["schemas"]
    assert set(schemas["Summary"]["properties"]["status"]["enum"]) == set(STATUSES)
    assert set(schemas["View"]["properties"]) == {*View.__struct_fields__, "pinned"}


@pytest.mark.parametrize(("side", "heading"), [("client", FROM_CLIENT), ("hub", FROM_HUB)])
def test_the_page_and_the_document_have_the_same_frames(side: str, heading: str) -> None:
    """Each type of the protocol's page is in the document, the other way round all but few."""
    page = sections(heading)
    assert page.keys() <= validators(side).keys()
    assert validators(side).keys() - page.keys() <= NOT_ON_THE_PAGE[side]
    told = [complaints(example(text), validators(side)) for text in page.values()]
    assert told == [[]] * len(page)


@pytest.mark.parametrize(("side", "union"), [("client", "ClientFrame"), ("hub", "ServerFrame")])
def test_the_dashboard_speaks_the_same_frames(side: str, union: str) -> None:
    """Its types name the frames that the document names."""
    source = (ROOT / "dashboard_static" / "src" / "protocol.ts").read_text()
    named = re.search(
        rf"^export type {union} =(.+?)(?=^export|\Z)", source, re.DOTALL | re.MULTILINE
    )
    assert named is not None
    kinds = set(re.findall(r'type: "([a-z.]+)"', named.group(1)))
    assert kinds | ({"hello"} if side == "client" else set()) == validators(side).keys()


# What is on the wire.


def test_every_frame_of_the_hub_is_as_published(recording: Recording) -> None:
    """No field is missing, of another type, or not in the document."""
    known = validators("hub", is_strict=True)
    assert [each for frame in recording.received for each in complaints(frame, known)] == []


def test_every_frame_that_is_published_was_seen(recording: Recording) -> None:
    """The run leaves out nothing but what needs a fault."""
    seen = {frame["type"] for frame in recording.received}
    assert validators("hub").keys() - seen <= NOT_PROVOKED


def test_the_run_shows_frames_from_all_their_sides(recording: Recording) -> None:
    """Parts, deltas, maps with removed keys, series, totals, and ends with and without return."""
    patches, attention = recording.of_type("session.patch"), recording.of_type("attention")
    rows, byes = recording.of_type("overview.patch"), recording.of_type("bye")
    assert {name for patch in patches for name, each in patch["maps"].items() if each} == {
        "objectives_list", "tools", "models", "subagents_tree"}  # fmt: skip
    assert {name for patch in patches for name in patch["append"]} == {
        "timeline", "errors_list", "token_series"}  # fmt: skip
    assert any(None in patch["maps"].get("objectives_list", {}).values() for patch in patches)
    assert any(patch["set"] for patch in patches)
    assert any(frame["parts"] > 2 for frame in recording.of_type("session.snapshot"))
    assert {frame["full"] for frame in attention} == {True, False}
    assert any(frame["closed"] for frame in attention)
    assert any(patch["gone"] for patch in rows)
    assert any("totals" in patch for patch in rows)
    assert {frame["code"] for frame in byes} == {4000, 4001, 4502}
    assert {"retry_ms" in frame for frame in byes} == {True, False}
    codes = {frame["code"] for frame in recording.of_type("error")}
    assert codes >= {"rate", "bad_frame", "unknown_session"}


def test_rows_and_details_are_whole(recording: Recording) -> None:
    """What the parts give together has every field of a summary and of a detail."""
    schemas = strict(published()["components"]["schemas"])
    for name, values in (("Summary", recording.rows), ("Detail", recording.details)):
        known = {name: validator({"$ref": f"#/components/schemas/{name}"}, schemas)}
        assert values
        assert [e.message for value in values for e in known[name].iter_errors(value)] == []


def test_a_field_more_is_allowed_to_clients_and_noticed_here(recording: Recording) -> None:
    """Clients ignore what they do not know; this test's own check does not."""
    for frame in {frame["type"]: frame for frame in recording.received}.values():
        odd = {**frame, "surprise": 1}
        assert complaints(odd, validators("hub")) == []
        assert complaints(odd, validators("hub", is_strict=True))


def test_a_field_less_is_noticed(recording: Recording) -> None:
    """A frame without one of its required fields is none."""
    known = validators("hub")
    for frame in {frame["type"]: frame for frame in recording.received}.values():
        for name in set(frame) - {"totals", "session", "retry_ms"}:
            assert complaints({key: frame[key] for key in frame if key != name}, known), name


# What clients send.


def hub_refuses(frame: Any) -> bool:
    """Whether the hub calls the frame a bad one."""
    if frame.get("type") == "hello":
        try:
            parse_hello(frame, Desk().board.limits)
        except Refused:
            return True
        return False
    desk, codes = Desk(), []
    viewer = desk.connect()
    desk.board.say_error = lambda _, code, *more: codes.append(code)  # type: ignore[method-assign]
    viewer.ask(frame.get("type"), **{name: frame[name] for name in frame if name != "type"})
    return "bad_frame" in codes


@pytest.mark.parametrize("frame", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_frame_is_none_for_the_document_and_for_the_hub(frame: Any) -> None:
    """What the schemas forbid the hub refuses."""
    assert complaints(frame, validators("client"))
    assert hub_refuses(frame)


@pytest.mark.parametrize("frame", GOOD, ids=range(len(GOOD)))
def test_a_good_frame_is_one_for_the_document_and_for_the_hub(frame: Json) -> None:
    """What the schemas allow the hub serves, up to the very limits."""
    assert complaints(frame, validators("client")) == []
    assert not hub_refuses(frame)


def test_what_a_client_sent_is_as_published(recording: Recording) -> None:
    """Every frame of the run, each type at least once, but for the one that is meant to be bad."""
    known = validators("client", is_strict=True)
    mine = [frame for frame in recording.sent if frame != BAD_REQUEST]
    assert [each for frame in mine for each in complaints(frame, known)] == []
    assert {frame["type"] for frame in mine} == known.keys()


# The route.


def test_the_route_needs_a_credential() -> None:
    """Without one 401; with it JSON, and the cookie of this very port."""
    app = make_app(make_hub(make_door(8799)))
    client = TestClient(app, base_url="http://127.0.0.1:8799")
    assert client.get("/asyncapi.json").status_code == 401
    answer = client.get("/asyncapi.json", headers=BEARER)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["components"]["securitySchemes"]["cookie"]["name"] == "tower_8799"


def test_nothing_of_it_is_imported_at_start() -> None:
    """The hub starts without the schemas."""
    look = "import hub.app, sys; sys.exit('hub.schemas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=False).returncode == 0
