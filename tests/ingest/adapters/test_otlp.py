"""Telemetry by OTLP: JSON and protobuf say the same, and a record sent again is the same event."""

import json
import sys
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from ingest.adapters.otlp import JSON, PROTOBUF, Told, logs, metrics
from ingest.errors import InvalidPayload, MissingExtra
from session import codec
from session.delta import Event
from tests.session.made import NOW, after, attributes

ORIGIN: dict[str, Any] = {"received_at": NOW, "workspace": "w", "host": "h", "user": "u"}
REQUEST = {
    "event.name": "api_request", "event.sequence": 4, "model": "claude-opus-4-6",
    "cost_usd": 0.25, "input_tokens": 10, "output_tokens": 20, "cache_read_tokens": 30,
    "cache_creation_tokens": 40, "request_id": "req_1", "duration_ms": 900,
}  # fmt: skip


def record(
    name: str = "", *, session: str | None = "s", at: int = NOW, **told: Any
) -> dict[str, Any]:
    """A log record in JSON."""
    named = {key.replace("__", "."): value for key, value in told.items()}
    mine = {"session.id": session, **named} if session else named
    return {
        "timeUnixNano": str(at * 1_000_000),
        "severityNumber": 9,
        "body": {"stringValue": name},
        "attributes": attributes(mine),
        "traceId": "5b8efff798038103d269b633813fc60c",
    }


def export(*records: Any, **resource: Any) -> dict[str, Any]:
    """A request with these records."""
    scope = {"scope": {"name": "agent", "version": "1"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": attributes(resource)},
                              "scopeLogs": [scope]}]}  # fmt: skip


def read(*records: Any, **resource: Any) -> Told:
    """What these records tell."""
    return logs(json.dumps(export(*records, **resource)).encode(), JSON, **ORIGIN)


def only(*records: Any, **resource: Any) -> Event:
    """The one event that they tell."""
    (event,) = read(*records, **resource).events
    return event


def protobuf(told: dict[str, Any], kind: Any) -> bytes:
    """The same request in protobuf."""
    plain = json.loads(json.dumps(told).replace("5b8efff798038103d269b633813fc60c", ""))
    data: bytes = json_format.ParseDict(plain, kind()).SerializeToString()
    return data


def series(name: str, *points: dict[str, Any], temporality: Any = 1) -> dict[str, Any]:
    """A request with one sum."""
    told = {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": list(points)}
    metric = {"name": name, "unit": "tokens", "sum": told}
    return {"resourceMetrics": [{"resource": {"attributes": attributes({"service.name": "x"})},
                                 "scopeMetrics": [{"metrics": [metric]}]}]}  # fmt: skip


def point(value: Any, session: str | None = "s", **told: Any) -> dict[str, Any]:
    """A point of a sum."""
    mine = {"session.id": session, **told} if session else told
    return {
        "startTimeUnixNano": str((NOW - 60_000) * 1_000_000),
        "timeUnixNano": str(NOW * 1_000_000),
        "asInt" if isinstance(value, str) else "asDouble": value,
        "attributes": attributes(mine),
    }


# Claude Code.


def test_an_api_request_is_usage() -> None:
    """Tokens, its own cost, and the request that a transcript names too."""
    event = only(record("claude_code.api_request", **REQUEST))
    assert (event.kind, event.session, event.agent, event.source) == (
        "usage", "s", "claude-code", "otlp",
    )  # fmt: skip
    assert (event.at, event.workspace, event.host, event.user) == (NOW, "w", "h", "u")
    assert event.fields == {
        "model": "claude-opus-4-6", "input": 10, "output": 20, "cache_read": 30, "cache_write": 40,
        "cost_usd": 0.25, "call": "req_1",
    }  # fmt: skip


def test_numbers_may_be_text() -> None:
    """As some exporters tell them; what is no number is none."""
    told = {**REQUEST, "input_tokens": "11", "output_tokens": "many", "cost_usd": "0.5"}
    fields = only(record("claude_code.api_request", **told)).fields
    assert (fields["input"], fields["output"], fields["cost_usd"]) == (11, 0, 0.5)
    told = {**REQUEST, "cost_usd": "NaN", "cost_usd_micros": 7, "input_tokens": -3}
    fields = only(record("claude_code.api_request", **told)).fields
    assert (fields["input"], fields["cost_usd"]) == (0, 7e-6)


def test_a_prompt_may_be_withheld() -> None:
    """Then its text is not known; its id is that of the hook."""
    fields = only(record("claude_code.user_prompt", prompt="go", prompt__id="p1")).fields
    assert (fields["text"], fields["prompt_id"]) == ("go", "p1")
    assert only(record("claude_code.user_prompt", prompt="<REDACTED>")).fields["text"] == ""


def test_a_tool_result_is_the_end_of_a_call() -> None:
    """Ok, failed or refused; a call without an id has one of its own."""
    told = {"tool_name": "Bash", "tool_use_id": "t1", "success": "true", "duration_ms": 40}
    fields = only(record("claude_code.tool_result", **told)).fields
    assert fields == {"call": "t1", "tool": "Bash", "status": "ok", "text": "", "duration_ms": 40}
    failed = only(record("claude_code.tool_result", tool_name="Bash", success=False, error="no"))
    assert (failed.fields["status"], failed.fields["text"]) == ("error", "no")
    assert failed.fields["call"] == failed.id
    refused = record("claude_code.tool_result", tool_name="B", success=False, decision="reject")
    assert only(refused).fields["status"] == "denied"


def test_an_api_error_is_an_entry() -> None:
    """With the status of the answer."""
    event = only(record("claude_code.api_error", error="overloaded", status_code=529))
    assert (event.kind, event.fields) == ("error", {"text": "overloaded (status 529)"})
    assert only(record("claude_code.api_error")).fields["text"] == "API error"


# Gemini CLI.


def test_geminis_input_is_told_without_its_cache() -> None:
    """Thoughts are output, prompts of tools are input; a call is priced here."""
    event = only(record(
        "API response from gemini-2.5-pro.", event__name="gemini_cli.api_response",
        model="gemini-2.5-pro", input_token_count=1_000, cached_content_token_count=800,
        output_token_count=50, thoughts_token_count=25, tool_token_count=5,
    ))  # fmt: skip
    names = ("input", "output", "cache_read", "cache_write")
    assert (event.agent, [event.fields[name] for name in names]) == (
        "gemini-cli", [205, 75, 800, 0],
    )  # fmt: skip
    assert event.fields["cost_usd"] == pytest.approx(205e-6 * 1.25 + 75e-6 * 10 + 800e-6 * 0.125)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("user_prompt", "prompt"), ("tool_call", "tool_end"), ("api_error", "error")],
)
def test_what_else_gemini_tells(name: str, kind: str) -> None:
    """By the same readers."""
    told = {"event__name": f"gemini_cli.{name}", "function_name": "read_file", "success": True}
    assert only(record("words for people", **told)).kind == kind


# Records that say nothing to the board.


@pytest.mark.parametrize(
    "odd",
    [record("claude_code.api_request", session=None, **REQUEST), record("claude_code.tip"),
     record("other.api_request"), record("api_request"), record("", event__name="user_prompt"),
     record("claude_code.user_prompt", session="x" * 201), record("claude_code."), {}],
)  # fmt: skip
def test_other_records_are_counted_and_dropped(odd: dict[str, Any]) -> None:
    """Without a session, of unknown agents, of kinds that mean nothing here."""
    assert read(odd, record("claude_code.user_prompt")) == Told(
        [only(record("claude_code.user_prompt"))], 1
    )


def test_an_agent_may_be_named_by_its_service() -> None:
    """And the event by a bare name, the session by the resource."""
    bare = record("", session=None, event__name="user_prompt")
    named = {"service.name": "claude-code", "session.id": "r"}
    event = only(bare, **named)
    assert (event.session, event.kind, event.agent) == ("r", "prompt", "claude-code")


def test_the_time_is_the_agents_own() -> None:
    """Of the record, else of the event; never in the future, and null where nobody knows."""
    assert only(record("claude_code.user_prompt", at=NOW - 5)).at == NOW - 5
    assert only(record("claude_code.user_prompt", at=NOW + 5)).at == NOW
    stamped = record("claude_code.user_prompt", at=0, event__timestamp="2026-09-21T14:13:19Z")
    assert only(stamped).at == NOW - 1_000
    assert only(record("claude_code.user_prompt", at=0)).at is None


# The same again.


def test_a_record_that_is_sent_again_is_the_same_event() -> None:
    """Whatever differs makes another one."""
    told = record("claude_code.api_request", **REQUEST)
    assert only(told).id == only(told).id
    other = [{**REQUEST, "event.sequence": 5}, {**REQUEST, "request_id": "req_2"}]
    ids = {only(record("claude_code.api_request", **each)).id for each in (REQUEST, *other)}
    ids |= {only(record("claude_code.api_request", at=NOW - 1, **REQUEST)).id}
    ids |= {only(record("claude_code.api_request", session="t", **REQUEST)).id}
    assert len(ids) == 5


# Protobuf.


def test_protobuf_and_json_say_the_same() -> None:
    """The very same events, so that a retry in the other encoding is known."""
    told = export(
        record("claude_code.api_request", **REQUEST, ok=True),
        record("claude_code.user_prompt", prompt="go 🚀"),
        record("nobody.knows"),
        **{"service.name": "claude-code"},
    )
    data = protobuf(told, ExportLogsServiceRequest)
    expected = logs(json.dumps(told).encode(), JSON, **ORIGIN)
    assert logs(data, PROTOBUF, **ORIGIN) == expected
    assert (len(expected.events), expected.ignored) == (2, 1)


def test_protobuf_metrics_say_the_same() -> None:
    """Whole numbers and others, deltas and sums since a start."""
    for temporality in (1, 2, "AGGREGATION_TEMPORALITY_CUMULATIVE"):
        told = series("claude_code.token.usage", point("5", type="input", model="m"),
                      point(2.0, type="output", model="m"), temporality=temporality)  # fmt: skip
        data = protobuf(told, ExportMetricsServiceRequest)
        expected = metrics(json.dumps(told).encode(), JSON, **ORIGIN)
        assert metrics(data, PROTOBUF, **ORIGIN) == expected
        assert [each.fields.get("cumulative") for each in expected.events] == [
            None if temporality == 1 else True
        ] * 2


def test_protobuf_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON goes on without it; the refusal says what to install."""
    for module in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(MissingExtra, match=r"agenttower\[otlp\]"):
        logs(b"", PROTOBUF, **ORIGIN)
    assert only(record("claude_code.user_prompt")).kind == "prompt"


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff", b"oh no", b"\x0a\x02\x0a"])
def test_broken_protobuf_is_refused(data: bytes) -> None:
    """By name."""
    with pytest.raises(InvalidPayload, match="ExportLogsServiceRequest"):
        logs(data, PROTOBUF, **ORIGIN)
    with pytest.raises(InvalidPayload, match="ExportMetricsServiceRequest"):
        metrics(data, PROTOBUF, **ORIGIN)


# Metrics.


def test_points_of_tokens_and_cost_are_usage() -> None:
    """By type; other metrics, other types and points without a session are counted."""
    told = series("claude_code.token.usage", point(5.0, type="cacheCreation", model="m"),
                  point(5.0, type="odd"), point(5.0, session=None, type="input"),
                  point(0.0, type="input"), point("x", type="input"))  # fmt: skip
    events, ignored = metrics(json.dumps(told).encode(), JSON, **ORIGIN)
    assert [each.fields["adds"] for each in events] == [{"cache_write": 1}]
    assert ignored == 4
    cost = series("claude_code.cost.usage", point(0.5, model="m"))
    (event,) = metrics(json.dumps(cost).encode(), JSON, **ORIGIN).events
    assert (event.fields["adds"], event.fields["value"]) == ({"cost_usd": 1}, 0.5)
    other = series("claude_code.session.count", point(1.0))
    assert metrics(json.dumps(other).encode(), JSON, **ORIGIN) == Told([], 1)


def test_what_takes_away_comes_last() -> None:
    """The cached part is taken from an input that is there already."""
    kinds = {"cache": 8.0, "input": 10.0, "thought": 1.0}
    points = [point(value, type=kind, model="m") for kind, value in kinds.items()]
    told = series("gemini_cli.token.usage", *points)
    events = metrics(json.dumps(told).encode(), JSON, **ORIGIN).events
    assert min(events[-1].fields["adds"].values()) == -1
    session = after(*events)
    assert session.tokens == {"input": 2, "output": 1, "cache_read": 8, "cache_write": 0}


def test_only_sums_are_read() -> None:
    """Gauges and histograms are no usage."""
    gauge = {"name": "claude_code.token.usage", "gauge": {"dataPoints": [point(1.0)]}}
    told = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [gauge]}]}]}
    assert metrics(json.dumps(told).encode(), JSON, **ORIGIN) == Told([], 0)


# Anything.


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{oh", b"7", b'{"resourceLogs":7}', b'{"resourceLogs":[{"scopeLogs":{}}]}',
    b'{"resourceLogs":[7]}', b"[" * 20_000, b"NaN",
    b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[{"key":7}]}]}]}]}',
])  # fmt: skip
def test_a_body_of_another_shape_is_refused(body: bytes) -> None:
    """With the place, never by a failure of ours."""
    with pytest.raises(InvalidPayload):
        logs(body, JSON, **ORIGIN)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just([])
PARTS = ("stringValue", "boolValue", "intValue", "doubleValue", "kvlistValue", "bytesValue")
ATTRIBUTES = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from([*REQUEST, "session.id", "success", "prompt", "error", "type"]),
            "value": st.dictionaries(st.sampled_from(PARTS), VALUES, max_size=2),
        }
    )
)
RECORDS = st.fixed_dictionaries(
    {"attributes": ATTRIBUTES, "body": st.just({"stringValue": "claude_code.tool_result"})},
    optional={"timeUnixNano": VALUES, "eventName": VALUES, "observedTimeUnixNano": VALUES},
)


@given(st.lists(RECORDS, max_size=3))
def test_any_record_is_read_or_refused(records: list[Any]) -> None:
    """What is read can be packed and folded."""
    records = [{**each, "attributes": [*attributes({"session.id": "s"}), *each["attributes"]]}
               for each in records]  # fmt: skip
    try:
        told = read(*records)
    except InvalidPayload:
        return
    for event in told.events:
        assert codec.unpack(codec.pack(event)) == event
        after(event)


@given(st.lists(st.tuples(VALUES, ATTRIBUTES), max_size=3), VALUES)
def test_any_point_is_read_or_refused(points: list[tuple[Any, Any]], temporality: Any) -> None:
    """Values that are no numbers add nothing."""
    told = [{"asDouble": value, "attributes": [*attributes({"session.id": "s"}), *more]}
            for value, more in points]  # fmt: skip
    body = series("claude_code.token.usage", *told, temporality=temporality)
    try:
        events = metrics(json.dumps(body).encode(), JSON, **ORIGIN).events
    except InvalidPayload:
        return
    for event in events:
        assert 0 < event.fields["value"] < 2**53
        after(event)


@given(st.binary(max_size=200))
def test_any_bytes_are_protobuf_or_refused(data: bytes) -> None:
    """Nothing but InvalidPayload is raised."""
    for read_in in (logs, metrics):
        try:
            read_in(data, PROTOBUF, **ORIGIN)
        except InvalidPayload:
            continue
