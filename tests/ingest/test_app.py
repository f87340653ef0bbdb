"""The routes: an agent is never slowed or alarmed; what is answered 200 is on the log."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ingest.limits import Limits
from session import codec
from session.delta import Delta, Event, Report, Time
from session.mark import Mark
from session.persons import HANDLERS, PERSON
from tests.ingest.calls import TOKEN, Bench, call, counted, refusal
from tests.ingest.reading import NOW, until

PROMPT = {"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": "go"}
OUTCOMES = ("accepted", "invalid", "too_large", "late", "dropped")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """The routes, with the queue at work; it must still be when the test is over."""
    made = Bench()
    task = asyncio.create_task(made.publisher.run())
    yield made
    assert not task.done(), task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def outcome_of(bench: Bench, body: bytes, **headers: str) -> str:
    """What became of one payload, which was answered 200 with nothing."""
    before = {name: counted("hooks", name) for name in OUTCOMES}
    answer = await bench.hook(body, **headers)
    assert (answer.status, answer.body) == (200, b"")
    changed = [name for name in OUTCOMES if counted("hooks", name) != before[name]]
    assert len(changed) == 1
    return changed[0]


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """A payload whose tool input is that deep."""
    told = {**PROMPT, "hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": 0}
    deep = f"{opening * depth}{closing * depth}"
    return json.dumps(told).replace('"tool_input": 0', f'"tool_input": {{"x": {deep}}}').encode()


INVALID = {
    "nothing": b"",
    "no JSON": b"{oh",
    "half": json.dumps(PROMPT).encode()[:-4],
    "an array": b"[]",
    "a text": b'"x"',
    "NaN": b'{"session_id":"s","hook_event_name":"Stop","x":NaN}',
    "infinity": b'{"session_id":"s","hook_event_name":"Stop","x":-Infinity}',
    "NaN beside a surrogate": b'{"session_id":"s","hook_event_name":"Stop","x":NaN,"y":"\\ud800"}',
    "no session": b'{"hook_event_name":"Stop"}',
    "an empty session": b'{"session_id":"","hook_event_name":"Stop"}',
    "a session that is none": b'{"session_id":7,"hook_event_name":"Stop"}',
    "a long session": json.dumps({**PROMPT, "session_id": "s" * 201}).encode(),
    "no event": b'{"session_id":"s"}',
    "an event that is none": b'{"session_id":"s","hook_event_name":{}}',
    "a call without an id": b'{"session_id":"s","hook_event_name":"PreToolUse","tool_name":"B"}',
    "depth 20,000": nested(20_000),
    "depth 20,000 of objects": nested(20_000, '{"a":', "1}"),
    "depth 20,000 unclosed": b"[" * 20_000,
    "depth 20,000 and a surrogate": nested(20_000).replace(b'"prompt": "go"', b'"p": "\\ud800"'),
}


@pytest.mark.parametrize("name", INVALID)
async def test_what_cannot_be_read_is_counted_and_answered_200(bench: Bench, name: str) -> None:
    """The agent is not alarmed, and the next payload is taken in."""
    assert await outcome_of(bench, INVALID[name]) == "invalid"
    assert await outcome_of(bench, json.dumps(PROMPT).encode()) == "accepted"
    assert len(bench.bus.taken) == 1


ACCEPTED = {
    "a prompt": json.dumps(PROMPT).encode(),
    "lone surrogates": json.dumps({**PROMPT, "prompt": "a\ud800b", "cwd": "/\udfff"}).encode(),
    "a surrogate as its name": json.dumps({**PROMPT, "\ud800": 1}).encode(),
    "bytes that are no UTF-8": json.dumps(PROMPT).encode().replace(b"go", b"g\xff\xfe"),
    "an unknown event": json.dumps({**PROMPT, "hook_event_name": "MadeUpTomorrow"}).encode(),
    "an event with control characters": json.dumps({**PROMPT, "hook_event_name": "\r\n"}).encode(),
    "fields of other kinds": json.dumps({**PROMPT, "prompt": [1], "cwd": {}}).encode(),
    "depth 1": nested(1),
    "depth 500": nested(500),
    "depth 900": nested(900),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_what_can_be_read_is_accepted(bench: Bench, name: str) -> None:
    """It is on the log as text that can be encoded."""
    assert await outcome_of(bench, ACCEPTED[name]) == "accepted"
    assert codec.unpack(codec.pack(bench.bus.taken[0])).session == "s"


@pytest.mark.parametrize("number", [str(2**64), str(-(2**63) - 1), "1" + "0" * 30, "9" * 5_000])
@pytest.mark.parametrize("name", ["PermissionRequest", "PreToolUse", "PostToolUse", "Elicitation"])
async def test_numbers_beyond_64_bits_end_nothing(bench: Bench, number: str, name: str) -> None:
    """JSON allows them and the log's encoding does not: whatever is made of it, life goes on."""
    told = {**PROMPT, "hook_event_name": name, "tool_use_id": "t", "tool_name": "AskUserQuestion"}
    more = {"tool_input": {"n": 0}, "requested_schema": {"n": 0}, "duration_ms": 0}
    body = json.dumps({**told, **more}).replace(": 0", f": {number}")
    assert await outcome_of(bench, body.encode()) in ("accepted", "invalid")
    assert await outcome_of(bench, json.dumps(PROMPT).encode()) == "accepted"


@pytest.mark.parametrize("depth", range(940, 1_020, 6))
@pytest.mark.parametrize("surrogate", [False, True])
async def test_every_depth_about_the_limit_is_answered(
    bench: Bench, depth: int, surrogate: bool
) -> None:
    """What one encoder still digests and the next one does not is refused, never raised."""
    body = nested(depth)
    if surrogate:
        body = body.replace(b'"prompt": "go"', b'"prompt": "\\ud800"')
    assert await outcome_of(bench, body) in ("accepted", "invalid")


async def test_ten_megabytes_are_too_large(bench: Bench) -> None:
    """Counted as that, answered 200 all the same."""
    body = json.dumps({**PROMPT, "prompt": "x" * 10_000_000}).encode()
    assert await outcome_of(bench, body) == "too_large"
    assert bench.bus.taken == []


async def test_a_hook_is_answered_before_a_slow_log_has_it(bench: Bench) -> None:
    """It is late, and appended in order once the log answers."""
    bench.bus.open_gate.clear()
    for text in ("one", "two"):
        assert await outcome_of(bench, json.dumps({**PROMPT, "prompt": text}).encode()) == "late"
    assert bench.bus.taken == []
    bench.bus.open_gate.set()
    await until(lambda: len(bench.bus.taken) == 2)
    assert [fields_of(each)["text"] for each in bench.bus.taken] == ["one", "two"]


def fields_of(delta: Delta) -> dict[str, Any]:
    """An event's fields."""
    assert isinstance(delta, Event)
    return delta.fields


async def test_a_hook_beyond_a_full_queue_is_dropped() -> None:
    """It is counted, and answered like every other."""
    bench = Bench(Limits(queue_deltas_max=1, hook_answer_ms=1))
    body = json.dumps(PROMPT).encode()
    assert await outcome_of(bench, body) == "late"
    assert await outcome_of(bench, body) == "dropped"


def large(prompt: str) -> bytes:
    """A payload over the size that is read at once."""
    return json.dumps(
        {**PROMPT, "prompt": prompt, "more": "x" * Limits().hook_inline_bytes_max}
    ).encode()


async def test_a_large_hook_is_answered_first_and_keeps_its_place(bench: Bench) -> None:
    """It is read aside, so that nobody waits; what came after it stays behind it."""
    assert await outcome_of(bench, large("first \ud83d")) == "late"
    await bench.hook(json.dumps({**PROMPT, "prompt": "second"}).encode())
    await until(lambda: len(bench.bus.taken) == 2)
    told = [delta.fields["text"] for delta in bench.bus.taken if isinstance(delta, Event)]
    assert told == ["first \ufffd", "second"]


async def test_seven_megabytes_are_on_the_log(bench: Bench) -> None:
    """What is under the limit is taken in, cut to what an entry may hold."""
    body = json.dumps({**PROMPT, "prompt": "x" * 7_000_000}).encode()
    assert await outcome_of(bench, body) == "late"
    await until(lambda: len(bench.bus.taken) == 1)
    [event] = bench.bus.taken
    assert isinstance(event, Event)
    assert (len(event.fields["text"]), event.fields["full_bytes"]) == (2048, 7_000_000)


async def test_a_large_hook_that_cannot_be_read_is_counted(bench: Bench) -> None:
    """Its agent has its answer already; the next one is taken in."""
    before = counted("hooks", "invalid")
    assert await outcome_of(bench, large("x")[:-1]) == "late"
    await until(lambda: counted("hooks", "invalid") == before + 1)
    assert await outcome_of(bench, json.dumps(PROMPT).encode()) == "accepted"


async def test_more_large_hooks_than_may_be_read_at_once_are_dropped() -> None:
    """Bodies that wait for a thread are bounded like everything else."""
    bench = Bench(Limits(hooks_aside_max=0))
    assert await outcome_of(bench, large("x")) == "dropped"


async def test_a_hook_says_whose_machine_it_is_from(bench: Bench) -> None:
    """By its headers, else it is this machine's own; hostile text is cut and mended."""
    body = json.dumps(PROMPT).encode()
    await bench.hook(body)
    await bench.hook(body, x_tower_host="laptop", x_tower_user="  grace ")
    await bench.hook(body, x_tower_host="h" * 1_000, x_tower_user="   ")
    told = [(each.host, each.user) for each in bench.bus.taken]
    assert told == [("box", "ada"), ("laptop", "grace"), ("h" * 100, "ada")]


async def test_two_equal_payloads_are_two_events(bench: Bench) -> None:
    """A hook has no id of its own: the same prompt twice happened twice."""
    for _ in range(2):
        await bench.hook(json.dumps(PROMPT).encode())
    assert len({each.id for each in bench.bus.taken}) == 2


PATHS = (
    "/v1/hooks/claude-code", "/v1/hooks/codex", "/v1/deltas", "/v1/events", "/v1/logs",
    "/v1/metrics",
)  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("path", [*PATHS, "/v1/alive"])
async def test_only_post_is_spoken(bench: Bench, method: str, path: str) -> None:
    """Another method is no hook: it is told so at once, and nothing is appended."""
    answer = await call(bench.app, method, path, json.dumps(PROMPT).encode())
    assert "POST" in refusal(answer, 405)
    assert answer.headers["allow"] == "POST"
    assert bench.bus.taken == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_foreign_page_cannot_post(bench: Bench, path: str) -> None:
    """A browser sends its Origin with every POST; names that are not ours are refused too."""
    body = json.dumps(PROMPT).encode()
    for headers in ({"origin": "https://evil.example"}, {"host": "rebound.example:8787"}):
        assert (await call(bench.app, "POST", path, body, headers)).status == 403
    assert bench.bus.taken == []


@pytest.mark.parametrize("path", PATHS)
async def test_beyond_loopback_a_token_is_needed(path: str) -> None:
    """Only a tower that listens on loopback may be written to without one."""
    bench = Bench(on_loopback=False)
    answer = await call(bench.app, "POST", path, json.dumps(PROMPT).encode())
    assert answer.status == 401
    assert not bench.publisher._queue
    assert bench.bus.taken == []
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-protobuf"}
    body = b"[]" if path == "/v1/events" else b""
    assert (await call(bench.app, "POST", path, body, headers)).status == 200


# Deltas.


def report(name: str = "r1", **more: Any) -> Report:
    """A report as a reader posts it."""
    told = {"session": "s", "received_at": 1, "from_": 0, "to": 10, **more}
    return Report(id=name, **told)


def ndjson(*deltas: Delta) -> bytes:
    """A body."""
    return codec.to_ndjson(deltas)


async def test_200_means_on_the_log(bench: Bench) -> None:
    """Every delta in the order of its line, blank lines passed over."""
    answer = await bench.deltas(b"\n" + ndjson(report("r1"), report("r2", to=20)) + b"\r\n\n")
    assert json.loads(answer.body) == {"appended": 2, "duplicates": 0}
    assert [each.id for each in bench.bus.taken] == ["r1", "r2"]


async def test_the_same_deltas_again_are_duplicates(bench: Bench) -> None:
    """Also within one body."""
    body = ndjson(report("r1"), report("r1"))
    assert json.loads((await bench.deltas(body)).body) == {"appended": 1, "duplicates": 1}
    assert json.loads((await bench.deltas(body)).body) == {"appended": 0, "duplicates": 2}


async def test_a_bad_line_refuses_the_whole_body(bench: Bench) -> None:
    """With its number and the reason; nothing of its neighbours is appended."""
    before = counted("deltas", "invalid")
    body = ndjson(report("r1")) + b'{"type":"report","id":7}\n' + ndjson(report("r2"))
    detail = refusal(await bench.deltas(body), 400)
    assert detail.startswith("line 2: ")
    assert "$.id" in detail
    assert bench.bus.taken == []
    assert counted("deltas", "invalid") == before + 1


@pytest.mark.parametrize(
    "line",
    [
        b"{oh", b"[]", b"null", b"7", b'{"type":"gossip"}', b"{}",
        b'{"type":"report","id":"a","session":"s","received_at":1,"to":NaN}',
        b'{"type":"report","id":"a","session":"s","received_at":"1"}',
        b'{"type":"report","id":"a","session":"s"}', b"\xff\xfe", b'{"id":"\\ud800"}',
        b"[" * 20_000,
        b'{"type":"report","id":"a","session":"s","received_at":1,"values":'
        + b'{"a":' * 20_000 + b"1" + b"}" * 20_001,
        b'{"type":"report","id":"a","session":"s","received_at":1,"values":{"n":%d}}' % 10**30,
    ],
)  # fmt: skip
async def test_what_is_no_delta_is_refused_with_its_place(bench: Bench, line: bytes) -> None:
    """A clear error, never a failure of ours."""
    detail = refusal(await bench.deltas(ndjson(report("r1")) + line + b"\n"), 400)
    assert detail.startswith("line 2: ")
    assert bench.bus.taken == []


async def test_the_sender_chooses_neither_workspace_nor_number_nor_arrival(bench: Bench) -> None:
    """They are stamped; whose machine it was the sender may say."""
    told = report("r1", workspace="other", number=77, received_at=1, host="far", user="eve")
    await bench.deltas(ndjson(told, report("r2")), x_tower_host="near")
    first, second = bench.bus.taken
    assert (first.workspace, first.number) == ("default", 0)
    assert first.received_at > NOW
    assert (first.host, first.user) == ("far", "eve")
    assert (second.host, second.user) == ("near", "ada")


async def test_a_mark_of_another_machine_is_left_at_the_door(bench: Bench) -> None:
    """A path there names nothing here; what the report says is taken all the same."""
    mark = Mark(path="/far/s.jsonl", session="s", source="main", offset=10)
    assert (await bench.deltas(ndjson(report("r1", mark=mark)))).status == 200
    assert [(each.id, getattr(each, "mark", mark)) for each in bench.bus.taken] == [("r1", None)]


async def test_time_is_told_by_the_tower_alone(bench: Bench) -> None:
    """Nobody may age another's session from outside."""
    delta = Time(id="t", session="s", received_at=1, kind="past", fields={"heard_at": 1})
    assert "line 2" in refusal(await bench.deltas(ndjson(report(), delta)), 400)
    assert bench.bus.taken == []


@pytest.mark.parametrize("kind", sorted(HANDLERS))
async def test_what_a_person_does_is_told_by_the_tower_alone(bench: Bench, kind: str) -> None:
    """Nobody who may only write ends, hides or deletes a session."""
    delta = Event(id="p", session="s", received_at=1, kind=kind, source=PERSON)
    assert "line 1" in refusal(await bench.deltas(ndjson(delta)), 400)
    assert bench.bus.taken == []


async def test_a_large_delta_is_refused_with_its_line(bench: Bench) -> None:
    """256 KiB each."""
    big = report("r2", values={"title": "x" * 256 * 1024})
    assert refusal(await bench.deltas(ndjson(report(), big)), 400).startswith("line 2: ")


async def test_a_body_over_the_limit_is_413(bench: Bench) -> None:
    """Plain or inflated."""
    body = b"\n" * (8 * 1024 * 1024 + 1)
    assert "8388608" in refusal(await bench.deltas(body), 413)
    refusal(await bench.deltas(gzip.compress(body), content_encoding="gzip"), 413)


async def test_who_asks_for_it_is_answered_when_history_has_it(bench: Bench) -> None:
    """Where the log would not outlive its process; nobody else waits."""
    written = asyncio.Event()

    async def wait() -> None:
        await written.wait()

    bench.ingest.recorded = wait
    assert (await bench.deltas(ndjson(report("r1")))).status == 200
    asked = asyncio.create_task(bench.deltas(ndjson(report("r2")), x_tower_until="recorded"))
    await until(lambda: len(bench.bus.taken) == 2)
    assert not asked.done()
    written.set()
    assert (await asked).status == 200


async def test_a_log_that_is_away_is_503_with_a_time_to_come_back(bench: Bench) -> None:
    """Nothing half done: the same body is taken afterwards."""
    bench.bus.refuses = True
    body = ndjson(report("r1"), report("r2"))
    answer = await bench.deltas(body)
    refusal(answer, 503)
    assert int(answer.headers["retry-after"]) >= 1
    bench.bus.refuses = False
    assert json.loads((await bench.deltas(body)).body) == {"appended": 2, "duplicates": 0}


async def test_an_empty_body_is_taken(bench: Bench) -> None:
    """A reader that has nothing to say has said it."""
    assert json.loads((await bench.deltas(b"")).body) == {"appended": 0, "duplicates": 0}
