"""Hypothesis strategies: transcripts with every trap that real ones hold, and streams of hooks."""

from typing import Any

from hypothesis import strategies as st

from session.delta import Event
from tests.session.made import (
    NOW,
    OPUS,
    assistant,
    hook,
    interrupt,
    line,
    prompt,
    result,
    tool_use,
)

MODELS = (OPUS, "claude-sonnet-4-5", "claude-opus-4-6[1m]", "made-up-model")
TOOLS = ("Bash", "Read", "AskUserQuestion")
TEXTS = ("go on", "weiter 🚀", "続けて", "a\u2028b", '"quoted" \\ text')
STATUSES = ("pending", "in_progress", "completed")
STOPS = (None, "end_turn", "tool_use")
small = st.integers(0, 3)


@st.composite
def call_lines(draw: st.DrawFn, name: str, at: int | None) -> bytes:
    """A line of an API call: one of a few message ids, its output tokens grow or shrink."""
    number = draw(small)
    model = draw(st.sampled_from(MODELS))
    tokens = {
        "input_tokens": draw(st.integers(0, 300_000)),
        "output_tokens": draw(st.integers(0, 5_000)),
        "cache_read_input_tokens": draw(st.integers(0, 50_000)),
        "cache_creation_input_tokens": draw(st.integers(0, 50_000)),
        "cache_creation": {"ephemeral_1h_input_tokens": draw(st.sampled_from((0, 500)))},
    }
    block = draw(
        st.sampled_from(
            (
                {"type": "text", "text": draw(st.sampled_from(TEXTS))},
                tool_use(f"{name}-{number}", draw(st.sampled_from(TOOLS))),
                tool_use(f"{name}-todo", "TodoWrite", todos=_todos(draw)),
            )
        )
    )
    keys: dict[str, Any] = {"forkedFrom": {"sessionId": "old"}} if draw(small) == 0 else {}
    stop = draw(st.sampled_from(STOPS))
    message_id = f"msg_{name}_{number}"
    return assistant(message_id, block, at=at, model=model, usage=tokens, stop_reason=stop, **keys)


def _todos(draw: st.DrawFn) -> list[dict[str, str]]:
    texts = draw(st.lists(st.sampled_from(("plan", "build", "test")), max_size=3))
    return [{"content": text, "status": draw(st.sampled_from(STATUSES))} for text in texts]


@st.composite
def one_line(draw: st.DrawFn, name: str, at: int | None) -> bytes:
    """A line of any kind, whole or broken, ending in LF or CRLF."""
    kind = draw(st.integers(0, 9))
    if kind <= 4:
        raw = draw(call_lines(name, at))
    elif kind == 5:
        raw = prompt(draw(st.sampled_from(TEXTS)), at)
    elif kind == 6:
        call = draw(st.sampled_from((f"{name}-0", f"{name}-1", f"{name}-todo")))
        raw = result(call, at, error=draw(st.booleans()))
    elif kind == 7:
        raw = interrupt(at)
    elif kind == 8:
        raw = line("ai-title", None, aiTitle=draw(st.sampled_from(TEXTS)))
    else:
        raw = draw(st.sampled_from((b'{"type":"assist\n', b"\n", b"[]\n", b"\xff\xfe\n")))
    return raw[:-1] + b"\r\n" if draw(small) == 0 else raw


@st.composite
def transcripts(draw: st.DrawFn, name: str = "main", lines_max: int = 14) -> list[bytes]:
    """The lines of one file; some have no time, times mostly grow."""
    at = NOW
    lines = []
    for _ in range(draw(st.integers(1, lines_max))):
        at += draw(st.sampled_from((0, 500, 3_000, 60_000, -1_000)))
        lines.append(draw(one_line(name, at if draw(st.integers(0, 5)) else None)))
    return lines


def boundaries(lines: list[bytes]) -> list[int]:
    """Every offset at which a line ends."""
    ends, offset = [], 0
    for each in lines:
        offset += len(each)
        ends.append(offset)
    return ends


def cuts_of(lines: list[bytes]) -> st.SearchStrategy[set[int]]:
    """Some of the places where a reader may stop."""
    return st.sets(st.sampled_from(boundaries(lines)))


HOOKS = st.sampled_from(
    (
        "SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure",
        "PermissionRequest", "PermissionDenied", "Stop", "StopFailure", "SubagentStart",
        "SubagentStop", "Elicitation", "ElicitationResult", "Notification", "SessionEnd",
        "TaskCreated", "TaskCompleted", "MessageDisplay",
    )
)  # fmt: skip


@st.composite
def one_hook(draw: st.DrawFn, at: int) -> Event:
    """Any hook about one of a few calls of one of two agents."""
    call = draw(small)
    fields: dict[str, Any] = {
        "tool": TOOLS[call % 3],
        "tool_input": {"n": draw(st.sampled_from((call, 9)))},
        "call": f"t{call}",
        "task_id": str(call),
        "task_subject": "build",
        "prompt": draw(st.sampled_from(TEXTS)),
        "notification_type": "idle_prompt",
    }
    name = draw(HOOKS)
    if name == "PermissionRequest":
        del fields["call"]
    if name.startswith("Subagent") or draw(small) == 0:
        fields |= {"agent_id": draw(st.sampled_from(("a1", "a2"))), "agent_type": "Explore"}
    if name == "Stop" and draw(st.booleans()):
        fields["background_tasks"] = [{"id": "1"}]
    return hook(name, at, **fields)


@st.composite
def hook_streams(draw: st.DrawFn, steps: tuple[int, ...] = (0, 10, 3_000)) -> list[Event]:
    """A session's hooks, arriving in steps of so many ms."""
    at = NOW
    events = []
    for _ in range(draw(st.integers(1, 16))):
        at += draw(st.sampled_from(steps))
        events.append(draw(one_hook(at)))
    return events
