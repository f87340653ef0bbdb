"""The route of Codex hooks: the contract of all hooks, by another adapter."""

import asyncio
import json

import pytest

from session.delta import Event
from tests.ingest.calls import Bench, counted

PATH = "/v1/hooks/codex"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"session_id": "s", "hook_event_name": "Stop", "model": "gpt-5.5"}', "accepted"),
        (b'{"type": "agent-turn-complete", "thread-id": "s", "turn-id": "1"}', "accepted"),
        (b'{"type": "agent-turn-complete"}', "invalid"),
        (b"{oh", "invalid"),
    ],
)
async def test_codex_is_never_alarmed(body: bytes, outcome: str) -> None:
    """200 with nothing, whatever it sent; what became of it is counted."""
    bench, before = Bench(), counted("hooks", outcome)
    queue = asyncio.create_task(bench.publisher.run())
    answer = await bench.post(PATH, body)
    queue.cancel()
    assert (answer.status, answer.body) == (200, b"")
    assert counted("hooks", outcome) == before + 1
    told = [(each.session, each.agent, each.kind) for each in bench.bus.taken]
    assert told == ([("s", "codex", "stop")] if outcome == "accepted" else [])


async def test_each_route_has_its_own_agent() -> None:
    """The same payload by two doors is of two agents."""
    bench = Bench()
    queue = asyncio.create_task(bench.publisher.run())
    body = json.dumps({"session_id": "s", "hook_event_name": "Stop"}).encode()
    await bench.post(PATH, body)
    await bench.hook(body)
    queue.cancel()
    assert all(isinstance(each, Event) for each in bench.bus.taken)
    assert [each.agent for each in bench.bus.taken] == ["codex", "claude-code"]
