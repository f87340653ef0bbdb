"""However much stands in one line or one name, what is made of it fits the log and a frame."""

from typing import Any

import pytest

from ingest.adapters.claude_transcript import ClaudeTranscript
from session import codec, shapes
from session.delta import Delta
from tests.session.made import as_report, assistant, hook, line, prompt, result, tool_use

DELTA_BYTES_MAX = 256 * 1024
LONG = "x" * 100_000
ASKED = {"questions": [{"question": "y" * 1_000}]}


def read(*lines: bytes) -> list[Delta]:
    """The reports of these lines."""
    transcript = ClaudeTranscript("s")
    parts = transcript.feed(b"".join(lines))
    parts += [transcript.take()] if transcript.pending() else []
    return [as_report(part, "main") for part in parts]


@pytest.mark.parametrize(
    "blocks",
    [
        [tool_use(f"t{n}", command="x" * 1_000) for n in range(3_000)],
        [tool_use(f"t{n}", "AskUserQuestion", **ASKED) for n in range(1_000)],
        [{"type": "text", "text": "🚀" * 500}] * 1_000,
        [{"type": "text", "text": LONG}] * 9,
    ],
    ids=["calls", "questions", "texts", "long texts"],
)
def test_a_line_with_blocks_without_end_is_one_delta(blocks: list[dict[str, Any]]) -> None:
    """It tells what there is room for; the lines behind it are read as ever."""
    deltas = read(prompt("before"), assistant("m1", *blocks), prompt("behind"))
    assert max(len(codec.pack(delta)) for delta in deltas) <= DELTA_BYTES_MAX
    told = [entry for delta in deltas for entry in delta.entries]  # type: ignore[union-attr]
    assert [each.text for each in told if each.kind == "prompt"] == ["before", "behind"]
    assert len(told) > 4


def test_a_thousand_results_in_a_line_are_one_delta() -> None:
    """Calls that it does not come to are open until the next prompt."""
    calls = [assistant(f"m{n}", tool_use(f"t{n}", command="x")) for n in range(1_000)]
    ends = [
        {"type": "tool_result", "tool_use_id": f"t{n}", "content": "y" * 500} for n in range(1_000)
    ]
    told = line("user", message={"role": "user", "content": ends})
    assert max(len(codec.pack(each)) for each in read(*calls, told)) <= DELTA_BYTES_MAX


TASK = tool_use("t", "TaskUpdate", taskId=LONG, status="completed")
MADE = {"task": {"id": LONG}}


@pytest.mark.parametrize(
    "deltas",
    [
        read(assistant(LONG)),
        read(assistant("m", TASK), result("t")),
        read(assistant("m", tool_use("t", "TaskCreate", subject="a")),
             result("t", toolUseResult=MADE)),
        read(assistant("m", tool_use("t", "TaskList")), result("t", toolUseResult={
            "tasks": [MADE["task"]]})),
        [hook("PostToolUse", tool="TaskUpdate", call="c", tool_input=TASK["input"])],
        [hook("TaskCreated", task_id=LONG, task_subject="a")],
    ],
    ids=["message", "task", "new task", "tasks", "hook", "task hook"],
)  # fmt: skip
def test_a_name_without_end_is_told_by_its_digest(deltas: list[Delta]) -> None:
    """The same for hooks and transcripts; whole, it would fit no frame."""
    for delta in deltas:
        shapes.check(delta)
        assert len(codec.pack(delta)) < 5_000


def test_hooks_and_transcripts_call_a_task_alike() -> None:
    """Also one whose name is too long."""
    [by_hook] = [hook("PostToolUse", tool="TaskUpdate", call="c", tool_input=TASK["input"])]
    [by_reader] = read(assistant("m", TASK), result("t"))
    told = by_reader.values["objectives"]  # type: ignore[union-attr]
    assert list(told) == list(by_hook.fields["objectives"])
