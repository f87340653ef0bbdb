"""``POST /v1/events``: 2xx means in the log, everything else means that nothing is."""

import gzip
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ingest.adapters.native_kinds import schema
from ingest.limits import Limits
from session.delta import Event
from tests.ingest.calls import Bench, call, counted, refusal

PATH = "/v1/events"


def event(name: str = "1", **fields: Any) -> dict[str, Any]:
    """A native event."""
    return {"id": name, "session": "s", "agent": "cron", "kind": "update", **fields}


def body(*events: Any) -> bytes:
    """A list of events."""
    return json.dumps(list(events)).encode()


async def test_200_means_on_the_log() -> None:
    """One event or a list, in its order, stamped with what the sender may not choose."""
    bench, before = Bench(), counted("native", "accepted")
    answer = await bench.post(PATH, json.dumps(event("1", kind="stop")).encode())
    assert (answer.status, json.loads(answer.body)) == (200, {"appended": 1, "duplicates": 0})
    await bench.post(PATH, body(event("2"), event("3", host="far")), x_tower_host="near")
    told = [(each.id, each.workspace, each.host, each.user) for each in bench.bus.taken]
    assert told == [
        ("native:1", "default", "box", "ada"),
        ("native:2", "default", "near", "ada"),
        ("native:3", "default", "far", "ada"),
    ]
    assert counted("native", "accepted") == before + 3


async def test_an_id_is_told_once_in_its_session() -> None:
    """Again is a duplicate; in another session it is another event."""
    bench = Bench()
    told = body(event("1"), event("1"), event("1", session="t"))
    assert json.loads((await bench.post(PATH, told)).body) == {"appended": 2, "duplicates": 1}
    assert json.loads((await bench.post(PATH, told)).body) == {"appended": 0, "duplicates": 3}


async def test_a_fault_refuses_the_whole_body() -> None:
    """With its place and the reason; nothing of its neighbours is appended."""
    bench, before = Bench(), counted("native", "invalid")
    answer = await bench.post(PATH, body(event("1"), event("2", kind="nap"), event("3")))
    assert refusal(answer, 400) == "[1].kind: Invalid value 'nap'"
    assert bench.bus.taken == []
    assert counted("native", "invalid") == before + 1


async def test_gzip_is_inflated() -> None:
    """As for deltas; another encoding is named."""
    bench = Bench()
    answer = await bench.post(PATH, gzip.compress(body(event())), content_encoding="gzip")
    assert answer.status == 200
    assert len(bench.bus.taken) == 1
    refusal(await bench.post(PATH, body(event()), content_encoding="br"), 415)


async def test_a_body_that_is_too_large_is_413() -> None:
    """In bytes, inflated or not, and in events."""
    bench = Bench(Limits(batch_events_max=2))
    assert "2 events" in refusal(await bench.post(PATH, body(*[event()] * 3)), 413)
    large = b" " * (8 * 1024 * 1024 + 1)
    refusal(await bench.post(PATH, large), 413)
    refusal(await bench.post(PATH, gzip.compress(large), content_encoding="gzip"), 413)
    assert bench.bus.taken == []


async def test_a_log_that_is_away_is_503() -> None:
    """With a time to come back; the same body is taken afterwards."""
    bench = Bench()
    bench.bus.refuses = True
    answer = await bench.post(PATH, body(event()))
    refusal(answer, 503)
    assert int(answer.headers["retry-after"]) >= 1
    bench.bus.refuses = False
    assert (await bench.post(PATH, body(event()))).status == 200


async def test_an_empty_list_is_taken() -> None:
    """Nothing was to be told, and it was told."""
    answer = await Bench().post(PATH, b"[]")
    assert json.loads(answer.body) == {"appended": 0, "duplicates": 0}


async def test_the_schema_is_published() -> None:
    """It is the one that the types give, and holds what the route takes."""
    answer = await call(Bench().app, "GET", f"{PATH}/schema.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/schema+json")
    published = json.loads(answer.body)
    assert published == json.loads(json.dumps(schema()))
    validator = Draft202012Validator(published)
    assert validator.is_valid([event()])
    assert not validator.is_valid([event(kind="nap")])


@pytest.mark.parametrize("at", [None, 5, "2026-01-01T00:00:00Z"])
async def test_the_agents_own_time_is_kept(at: Any) -> None:
    """Absent, the time of arrival counts."""
    bench = Bench()
    await bench.post(PATH, body(event(at=at)))
    (told,) = bench.bus.taken
    assert isinstance(told, Event)
    assert told.at == {None: None, 5: 5}.get(at, 1_767_225_600_000)
    assert told.heard_at == (told.at or told.received_at)
