"""OTLP over HTTP: an exporter is answered in its own encoding, and a retry is one event."""

import gzip
import json
import sys
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from ingest.limits import Limits
from tests.ingest.adapters.test_otlp import export, point, protobuf, record, series
from tests.ingest.calls import Answer, Bench, counted, refusal

JSON, PROTOBUF = "application/json", "application/x-protobuf"
TOLD = export(record("claude_code.user_prompt", prompt="go"), record("nobody.knows"))


async def post(bench: Bench, told: Any, path: str = "/v1/logs", **headers: str) -> Answer:
    """An export, in JSON unless it is bytes."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return await bench.post(path, body, **{"content_type": JSON, **headers})


async def test_json_is_answered_in_json() -> None:
    """Empty, which means that all was taken; what says nothing to the board is counted."""
    bench = Bench()
    before = counted("otlp", "accepted"), counted("otlp", "ignored")
    answer = await post(bench, TOLD, content_type="application/json; charset=utf-8")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"{}", JSON)
    assert [(each.session, each.source, each.host) for each in bench.bus.taken] == [
        ("s", "otlp", "box")
    ]
    after = counted("otlp", "accepted"), counted("otlp", "ignored")
    assert after == (before[0] + 1, before[1] + 1)


async def test_protobuf_is_answered_in_protobuf() -> None:
    """With the empty response of the specification."""
    bench = Bench()
    answer = await post(bench, protobuf(TOLD, ExportLogsServiceRequest), content_type=PROTOBUF)
    assert (answer.status, answer.headers["content-type"]) == (200, PROTOBUF)
    assert ExportLogsServiceResponse.FromString(answer.body) == ExportLogsServiceResponse()
    assert len(bench.bus.taken) == 1


async def test_a_retry_is_one_event() -> None:
    """Also in another encoding."""
    bench = Bench()
    await post(bench, TOLD)
    await post(bench, TOLD)
    await post(bench, protobuf(TOLD, ExportLogsServiceRequest), content_type=PROTOBUF)
    assert len({each.id for each in bench.bus.taken}) == 1
    assert counted("otlp", "accepted") >= 1


async def test_metrics_have_a_route_of_their_own() -> None:
    """Points become usage."""
    bench = Bench()
    told = series("claude_code.token.usage", point(5.0, type="input", model="m"))
    answer = await post(bench, told, "/v1/metrics")
    assert (answer.status, answer.body) == (200, b"{}")
    assert [each.kind for each in bench.bus.taken] == ["usage_metric"]


async def test_gzip_is_inflated() -> None:
    """As exporters send it."""
    bench = Bench()
    data = gzip.compress(protobuf(TOLD, ExportLogsServiceRequest))
    answer = await post(bench, data, content_type=PROTOBUF, content_encoding="gzip")
    assert answer.status == 200
    assert len(bench.bus.taken) == 1
    refusal(await post(bench, b"plain", content_encoding="gzip"), 400)


@pytest.mark.parametrize("kind", ["text/plain", "", "application/grpc"])
async def test_another_type_is_415(kind: str) -> None:
    """The refusal names the two."""
    detail = refusal(await post(Bench(), TOLD, content_type=kind), 415)
    assert JSON in detail
    assert PROTOBUF in detail


async def test_protobuf_without_its_extra_is_415(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install; JSON is taken all the same."""
    for module in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    bench = Bench()
    detail = refusal(await post(bench, b"", content_type=PROTOBUF), 415)
    assert "agenttower[otlp]" in detail
    assert (await post(bench, TOLD)).status == 200


@pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
@pytest.mark.parametrize("path", ["/v1/logs", "/v1/metrics"])
async def test_what_cannot_be_read_is_400(encoding: str, path: str) -> None:
    """With a reason, and counted."""
    bench, before = Bench(), counted("otlp", "invalid")
    assert refusal(await post(bench, b"oh no", path, content_type=encoding), 400)
    assert counted("otlp", "invalid") == before + 1


async def test_a_body_that_is_too_large_is_413() -> None:
    """In bytes and in events; nothing of it is appended."""
    bench = Bench(Limits(batch_events_max=1))
    two = [record("claude_code.user_prompt", prompt=text) for text in "ab"]
    assert "1 events" in refusal(await post(bench, export(*two)), 413)
    refusal(await post(bench, b" " * (8 * 1024 * 1024 + 1)), 413)
    assert bench.bus.taken == []


async def test_a_log_that_is_away_is_503() -> None:
    """An exporter comes back, and the same records are taken then."""
    bench = Bench()
    bench.bus.refuses = True
    answer = await post(bench, TOLD)
    refusal(answer, 503)
    assert int(answer.headers["retry-after"]) >= 1
    bench.bus.refuses = False
    assert (await post(bench, TOLD)).status == 200
