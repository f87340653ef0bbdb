"""Hostile input: any JSON in any field neither stops a reader nor makes what cannot be sent."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.adapters.claude_hooks import normalize
from ingest.adapters.claude_lines import Block, Line, Message, UsageLine
from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.errors import InvalidPayload
from session import codec
from session.delta import Delta
from session.fold import fold, new_session
from session.state import detail
from tests.ingest.adapters.test_claude_hooks import EVENTS, FULL
from tests.session.made import NOW, as_report, assistant, clock, prompt, result, tool_use

ODD = (
    None, True, 0, -1, 2**53, 2**64, 10**30, 1.5, -0.0, 1e300, "", "\ud800", "x\udfff", "\x00",
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00Z", "2.1.²",
    "<command-name>", "[Request interrupted by user]", "TodoWrite", "AskUserQuestion", [], {},
    [None], [[]], {"a": 1}, {"questions": [{"question": []}], "todos": [{"status": []}]},
    [{"type": "text", "text": []}, {"type": "tool_result", "tool_use_id": "t"}],
    {"todos": [{"content": [], "status": {}}, 3], "taskId": [], "status": []},
    {"task": {"id": []}, "tasks": [{"id": {}}], "agentId": "a", "agentType": []},
)  # fmt: skip
values = st.sampled_from(ODD) | st.recursive(
    st.sampled_from(ODD) | st.text(st.characters(codec=None), max_size=6) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("id", "type", "text", "status", "x")), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = sorted({*FULL, "permission_mode", "mode", "stop_hook_active", "requested_schema"})


def can_be_shown(*deltas: Delta) -> None:
    """They go through the log and the fold, and what comes out is text for a client."""
    session = new_session(deltas[0])
    for delta in deltas:
        fold(session, codec.unpack(codec.pack(delta)))
    json.dumps(detail(session), ensure_ascii=False).encode()


@given(st.sampled_from(EVENTS), st.dictionaries(st.sampled_from(KEYS), values, max_size=4))
@example("PreToolUse", {"tool_input": 10**30})
@example("PermissionRequest", {"tool_input": {"a": 10**30}})
@example("PostToolUse", {"tool_name": "TodoWrite", "tool_input": {"todos": [{"status": []}]}})
@example("PostToolUse", {"tool_name": "TaskUpdate", "tool_input": {"taskId": "1", "status": {}}})
@example("TaskCreated", {"task_id": 10**30})
def test_a_hook_payload_is_read_or_refused(name: str, odd: dict[str, Any]) -> None:
    """Any value in any field: an event that can be sent and folded, or InvalidPayload."""
    body = json.dumps({**FULL, "hook_event_name": name, **odd}).encode()
    try:
        event = normalize(body, delta_id="d", received_at=NOW, workspace="w")
    except InvalidPayload:
        return
    can_be_shown(event)


@given(st.binary(max_size=80))
def test_no_bytes_stop_the_hooks(body: bytes) -> None:
    """InvalidPayload, nothing else."""
    with pytest.raises(InvalidPayload):
        normalize(body, delta_id="d", received_at=NOW, workspace="w")


LINE_KEYS = Line.__struct_fields__
BLOCK = tool_use("t", "TodoWrite", todos=[])


@st.composite
def odd_lines(draw: st.DrawFn) -> bytes:
    """A line of a known type in which some known keys hold anything."""
    block = {**BLOCK, **draw(st.dictionaries(st.sampled_from(Block.__struct_fields__), values))}
    usage = {"input_tokens": 1, "output_tokens": 2, "cache_creation": {}}
    usage |= draw(st.dictionaries(st.sampled_from(UsageLine.__struct_fields__), values))
    message = {"id": "m", "model": "claude-opus-4-6", "content": [block], "usage": usage}
    message |= draw(st.dictionaries(st.sampled_from(Message.__struct_fields__), values, max_size=2))
    kinds = ("assistant", "user", "system", "ai-title", "summary", "custom-title", "agent-name")
    line = {"type": draw(st.sampled_from(kinds)), "timestamp": clock(NOW), "message": message}
    line["subtype"] = draw(st.sampled_from(("compact_boundary", "api_error", "turn_duration")))
    line |= draw(st.dictionaries(st.sampled_from(LINE_KEYS), values, max_size=3))
    return json.dumps(line).encode() + b"\n"


def shown(*lines: bytes) -> None:
    """What the lines say, read in one go, can be sent, folded and shown."""
    for source in ("main", "subagents/agent-a"):
        transcript = ClaudeTranscript("s", source)
        parts = [*transcript.feed(b"".join(lines)), transcript.take(NOW * 2)]
        can_be_shown(*(as_report(part, source) for part in parts))


@given(st.lists(odd_lines(), min_size=1, max_size=3))
def test_a_transcript_line_never_stops_the_reader(lines: list[bytes]) -> None:
    """Any value in any field: what is made of it can be sent and folded."""
    shown(assistant("m1", tool_use("t", "TodoWrite", todos=[])), *lines, result("t"))


TODO = tool_use("t", "TodoWrite", todos=[{"content": "x", "status": []}])
TASK = tool_use("t", "TaskUpdate", taskId="1", status={"a": 1})
HUGE_USAGE = {"input_tokens": 10**30, "output_tokens": 1}
TIMES = ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59")


@pytest.mark.parametrize(
    "lines",
    [
        assistant("m", TODO) + result("t"),
        assistant("m", TASK) + result("t"),
        assistant("m", usage=HUGE_USAGE),
        assistant("m", usage={"input_tokens": 2**63, "output_tokens": 2**63}) * 3,
        assistant("m", usage={"input_tokens": 2**62, "output_tokens": 1}),
        prompt("go", promptId="p", version="2.1.²"),
        prompt("go", promptId="p", version="9" * 5_000),
        *(assistant("m").replace(clock(NOW).encode(), time.encode()) for time in TIMES),
        assistant("m", tool_use("t", "AskUserQuestion", questions=[10**30], x=10**30)),
        assistant("m", model="\ud800", cwd="\ud800", x=10**30),
    ],
    ids=["todo", "task", "huge", "sums", "limit", "digits", "endless", "late", "early", "ask",
         "mended"],
)  # fmt: skip
def test_a_known_trap_never_stops_the_reader(lines: bytes) -> None:
    """Each was found once."""
    shown(lines)


@pytest.mark.parametrize(
    "line",
    [b'{"type":"user","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n",
     b'{"type":"assistant","message":{"content":' + b"[" * 20_000 + b"]" * 20_000 + b"}}\n",
     b"[" * 20_000 + b"\n", b'{"a":NaN}\n', b"\x00" * 100 + b"\n", b"\xff" * 100 + b"\n"],
    ids=["deep", "deep message", "open", "nan", "zeros", "no text"],
)  # fmt: skip
def test_what_cannot_be_read_is_counted(line: bytes) -> None:
    """The calls before and behind it stand."""
    transcript = ClaudeTranscript("s")
    transcript.feed(prompt("before") + line + prompt("behind"))
    assert transcript.broken == 1
    assert transcript.take().values["messages"] == 2


def test_ten_megabytes_in_one_line_are_read() -> None:
    """A pasted image, a whole file."""
    transcript = ClaudeTranscript("s")
    block = {"type": "image", "source": {"data": "x" * 10_000_000}}
    [part] = transcript.feed(assistant("m", block) + prompt("x" * 10_000_000))
    assert part.values["messages"] == 2
    assert len(codec.pack(as_report(part, "main"))) < 10_000


@pytest.mark.parametrize("depth", range(940, 1_000, 7))
def test_depth_near_the_limit_is_read_or_refused(depth: int) -> None:
    """What can be decoded can also be digested and sent."""
    deep = b"[" * depth + b"]" * depth
    body = b'{"session_id":"s","hook_event_name":"PermissionRequest","tool_name":"Bash",'
    try:
        event = normalize(
            body + b'"tool_input":{"a":' + deep + b"}}",
            delta_id="d", received_at=NOW, workspace="w",
        )  # fmt: skip
    except InvalidPayload:
        return
    codec.pack(event)
