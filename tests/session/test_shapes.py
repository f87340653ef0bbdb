"""What a stranger's delta may hold: every type and size that the fold relies on is asked for."""

from typing import Any

import msgspec
import pytest

from session import shapes
from session.delta import Delta, Entry, Event, Report, Usage
from session.errors import InvalidDelta
from session.report import KEYED, PLAIN

NOW = 1_790_000_000_000
TOKENS = {"input": 1, "output": 2, "cache_read": 0, "cache_write": 0}
VALUES: dict[str, Any] = {
    "calls": {"opus": {**TOKENS, "cost_usd": 0.5, "calls": 1, "unpriced": 0}, "gone": None},
    "tools": {"Bash": {"calls": 1, "errors": 0, "total_ms": 5}},
    "buckets": {"1789999980000": {**TOKENS, "cost_usd": 0.1}},
    "objectives": {"1": {"text": "plan", "status": "pending", "at": None}},
    "titles": {"ai": "Title"},
    "open_calls": {"c": {"tool": "Bash", "at": NOW, "ended": True}},
    "agents": {"x": {"type": None, "status": "running"}},
    "inherited": {"tokens": TOKENS, "cost_usd": 0.0},
    "subagent": {"type": None, "parent": None, "status": "done"},
    "signal": {"status": "running", "at": NOW},
    "started_at": NOW, "prompted_at": NOW, "past": NOW, "cwd": "/a", "branch": "main",
    "model": "opus", "context_tokens": None, "messages": 2,
}  # fmt: skip


def report(**more: Any) -> Report:
    """A report with nothing in it."""
    told = {"id": "r", "session": "s", "received_at": NOW, "to": 9, **more}
    return msgspec.convert({"type": "report", **told}, Report)


def event(kind: str = "prompt", source: str = "hooks", **fields: Any) -> Event:
    """An event."""
    return Event(
        id="e", session="s", received_at=NOW, kind=kind, source=source, fields=fields
    )  # fmt: skip


def complaint(delta: Delta) -> str:
    """Why it is refused."""
    with pytest.raises(InvalidDelta) as refused:
        shapes.check(delta)
    return str(refused.value)


def test_what_readers_tell_passes() -> None:
    """All of it, and names that are not known yet: the reader may be newer."""
    entry = Entry(id="e", kind="tool", at=NOW, offset=3, text="x" * 9_000)
    usage = Usage(message_id="m", model="opus", output=4)
    shapes.check(report(values={**VALUES, "news": [7]}, entries=[entry], usage=[usage]))
    shapes.check(report(source="subagents/agent-x", values={}))
    shapes.check(event(text="go", news={"a": 7}))
    shapes.check(event("a kind of its own", "a name of its own"))


def test_every_value_that_is_folded_is_looked_at() -> None:
    """No key of a report is without a type."""
    assert set(shapes.Values.__struct_fields__) == {*KEYED, *PLAIN} == set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_another_type_is_refused_by_its_place(name: str) -> None:
    """Lists are none that the fold could take anywhere."""
    assert f"$.values.{name}" in complaint(report(values={name: [7]}))


@pytest.mark.parametrize("kind", shapes.NEEDED)
def test_an_event_needs_what_it_is_about(kind: str) -> None:
    """A call's end names the call."""
    assert complaint(event(kind)).startswith("fields.")
    shapes.check(event(kind, call="c", tool="Bash", agent_id="a"))


@pytest.mark.parametrize(
    ("delta", "place"),
    [
        (event("tool_start", call="c", tool=-75_691), "$.fields.tool"),
        (event(objectives={"1": {"status": "odd"}}), "$.fields.objectives"),
        (event(source="x" * 101), "$.source"),
        (report(source="elsewhere"), "source"),
        (report(session="s" * 2_000), "$.session"),
        (report(at=-1), "$.at"),
        (report(at=2**60), "$.at"),
        (report(**{"from": -1}), "$.from"),
        (report(values={"buckets": {"noon": TOKENS}}), "$.values.buckets"),
        (report(values={"calls": {"m": {"input": -1}}}), "$.values.calls"),
        (report(values={"tools": {"x" * 2_000: {}}}), "$.values.tools"),
        (report(entries=[{"id": "e", "kind": "tool", "duration_ms": -1}]), "$.entries[0]"),
        (report(usage=[{"message_id": "", "model": "m"}]), "$.usage[0]"),
    ],
)
def test_what_would_do_harm_is_refused_by_its_place(delta: Delta, place: str) -> None:
    """So that the sender can find it."""
    assert place in complaint(delta)
