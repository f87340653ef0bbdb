"""Made-up hooks: each is one that the ingest understands, and what they ask they close again."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters import claude_hooks
from locustfiles.payloads import Script
from locustfiles.stamps import stamps_in
from session.fold import fold, new_session
from session.state import summary

NOW_NS = 1_790_000_000_000_000_000
SEEDS = st.integers(0, 2**40)


def read(payload: dict[str, Any], number: int) -> Any:
    """What the ingest makes of a payload."""
    body = json.dumps(payload).encode()
    return claude_hooks.normalize(body, delta_id=f"e{number}", received_at=number, workspace="w")


@given(SEEDS)
def test_the_ingest_knows_every_event(seed: int) -> None:
    """None is of a type that says nothing."""
    script = Script(seed)
    kinds = {read(script.next(NOW_NS), number).kind for number in range(300)}
    assert "other" not in kinds
    assert {"session_start", "prompt", "tool_start", "tool_end", "permission", "stop"} <= kinds


@given(SEEDS)
def test_every_event_is_stamped_with_its_time(seed: int) -> None:
    """In the title always, and in what a person is asked."""
    script = Script(seed, asks_every=2)
    for number in range(100):
        payload = script.next(NOW_NS + number)
        assert stamps_in(payload["session_title"]) == [NOW_NS + number]
        if payload["hook_event_name"] == "PermissionRequest":
            assert stamps_in(read(payload, number).fields["summary"]) == [NOW_NS + number]


@given(SEEDS)
def test_the_same_seed_is_the_same_session(seed: int) -> None:
    """So that every server of a round is given the same events."""
    one, other = Script(seed), Script(seed)
    assert [one.next(NOW_NS) for _ in range(50)] == [other.next(NOW_NS) for _ in range(50)]


@given(SEEDS)
def test_what_is_asked_is_closed_by_the_next_event(seed: int) -> None:
    """A fold of the events has one open item after a question and none after what follows it."""
    script = Script(seed, asks_every=3)
    session = new_session(read(script.next(NOW_NS), 0))
    for number in range(1, 200):
        payload = script.next(NOW_NS + number)
        fold(session, msgspec.structs.replace(read(payload, number), number=number))
        asks = payload["hook_event_name"] == "PermissionRequest"
        assert summary(session)["attention"] == int(asks)
