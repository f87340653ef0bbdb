"""A transcript becomes reports: what each kind of line says, in parts of bounded size."""

from pathlib import Path
from typing import Any

import pytest

from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.adapters.transcript import DAY_MS, Part
from session import codec
from session.delta import Entry
from tests.session.made import (
    NOW,
    OPUS,
    as_report,
    assistant,
    interrupt,
    line,
    prompt,
    result,
    tool_use,
    usage,
)


def read(*lines: bytes, source: str = "main", now: int | None = None) -> Part:
    """Everything that these lines say."""
    transcript = ClaudeTranscript("s", source)
    assert transcript.feed(b"".join(lines)) == []
    return transcript.take(now)


def entries(kind: str, *lines: bytes) -> list[Entry]:
    """The timeline entries of one kind."""
    return [entry for entry in read(*lines).entries if entry.kind == kind]


def test_a_part_says_where_it_begins_and_ends() -> None:
    """In bytes; the next part begins there and says only what is new."""
    transcript, first = ClaudeTranscript("s"), prompt("one")
    assert not transcript.pending()
    transcript.feed(first)
    assert transcript.pending()
    part = transcript.take()
    assert (part.start, part.end, part.at) == (0, len(first), NOW)
    transcript.feed(line("mode", NOW + 5, mode="x"))
    assert transcript.take().values == {}
    assert not transcript.pending()


def test_a_part_never_changes_after_it_was_taken() -> None:
    """Recorder and hubs share it on the memory bus."""
    transcript = ClaudeTranscript("s")
    keys = {"forkedFrom": {"sessionId": "x"}}
    transcript.feed(assistant("f1", **keys) + assistant("m1", tool_use("t1")) + prompt("go"))
    part = transcript.take()
    before = as_report(part, "main")
    transcript.feed(assistant("f2", **keys) + assistant("m2", tool_use("t2")) + result("t1"))
    transcript.take()
    assert as_report(part, "main") == before


def test_what_is_inherited_grows_with_every_part() -> None:
    """Each report holds the whole of it."""
    transcript, told = ClaudeTranscript("s"), []
    for name in ("f1", "f2"):
        transcript.feed(assistant(name, forkedFrom={"sessionId": "x"}))
        told.append(as_report(transcript.take(), "main").values.get("inherited", {}))
    assert [each.get("tokens", {}).get("output") for each in told] == [10, 20]


def test_a_long_file_comes_in_parts() -> None:
    """Each far below the limit of a delta."""
    transcript = ClaudeTranscript("s")
    block = {"type": "text", "text": "x" * 4_000}
    lines = [assistant(f"m{n}", block, uuid=f"u{n}") for n in range(300)]
    parts = [*transcript.feed(b"".join(lines)), transcript.take()]
    assert len(parts) > 4
    assert sum(len(part.entries) for part in parts) == 301
    ends = [part.end for part in parts]
    assert [part.start for part in parts] == [0, *ends[:-1]]


@pytest.mark.parametrize("kind", ["thinking", "minutes", "questions"])
def test_no_report_is_larger_than_a_delta_may_be(kind: str) -> None:
    """256 KiB, also where the lines make few entries but many rows, minutes or requests."""
    big = {"questions": [{"question": "x" * 60_000}]}
    lines = {
        "thinking": [assistant(f"msg_{n:020}", {"type": "thinking"}) for n in range(5_000)],
        "minutes": [
            assistant(f"m{n}", {"type": "thinking"}, at=NOW + n * 60_000) for n in range(3_000)
        ],
        "questions": [assistant(f"m{n}", tool_use(f"t{n}", "AskUserQuestion", **big))
                      for n in range(8)],
    }[kind]  # fmt: skip
    transcript = ClaudeTranscript("s")
    parts = [*transcript.feed(b"".join(lines)), transcript.take()]
    sizes = [len(codec.pack(as_report(part, "main"))) for part in parts]
    assert max(sizes) <= 256 * 1024


def test_blank_lines_and_carriage_returns_are_no_fault() -> None:
    """The offset counts every byte of them."""
    transcript = ClaudeTranscript("s")
    data = prompt("a").replace(b"\n", b"\r\n") + b"\n\r\n" + prompt("b\u2028c")
    transcript.feed(data)
    assert (transcript.broken, transcript.offset) == (0, len(data))
    assert transcript.take().values["messages"] == 2


def test_a_broken_line_is_counted_and_passed_over() -> None:
    """Its neighbours are read."""
    transcript = ClaudeTranscript("s")
    transcript.feed(prompt("a") + b'{"type":"user","mess\n' + b"[]\n" + prompt("b"))
    assert transcript.broken == 2
    assert transcript.take().values["messages"] == 2


def test_the_last_line_may_lack_its_newline() -> None:
    """If it is whole, it counts."""
    assert read(prompt("a"), prompt("b")[:-1]).values["messages"] == 2


def test_unknown_lines_say_nothing() -> None:
    """New types come with every version."""
    part = read(line("brand-new", x=1), line("progress", data={"type": "agent_progress"}))
    assert (part.values, part.entries, part.usage) == ({}, [], [])


def test_a_lone_surrogate_costs_no_call() -> None:
    """In a tool's input, in a text, in a key."""
    block = tool_use("t1", command="echo \ud83d")
    part = read(assistant("m", block, {"type": "text", "text": "end \ud83d"}), prompt("\udc00 x"))
    assert part.values["tools"]["Bash"]["calls"] == 1
    assert [e.text for e in part.entries if e.kind == "message"] == ["end \ufffd"]
    assert [e.text for e in part.entries if e.kind == "prompt"] == ["\ufffd x"]


def test_messages_are_distinct_answers_and_typed_prompts() -> None:
    """Lines of one answer are one message; results, notices and forked lines are none."""
    part = read(
        prompt("go"), assistant("m1"), assistant("m1", tool_use("t")), result("t"),
        prompt("meta", isMeta=True), assistant("f", forkedFrom={"sessionId": "x"}),
        assistant("m2"),
    )  # fmt: skip
    assert part.values["messages"] == 3


def test_tools_are_counted_with_their_errors_and_time() -> None:
    """A result ends the call, and only once."""
    part = read(
        assistant("m", tool_use("t1"), tool_use("t2")), result("t1", NOW + 70),
        result("t1", NOW + 99), result("t2", NOW + 30, error=True), result("t9", error=True),
    )  # fmt: skip
    assert part.values["tools"] == {"Bash": {"calls": 2, "errors": 1, "total_ms": 100}}
    told = [(e.id, e.ref, e.status, e.duration_ms) for e in part.entries if e.kind == "tool"]
    assert told == [
        ("t1", None, None, None), ("t2", None, None, None),
        ("t1:end", "t1", "ok", 70), ("t2:end", "t2", "error", 30),
    ]  # fmt: skip


def test_the_context_is_that_of_the_last_main_call() -> None:
    """All it read and wrote; a compaction makes it unknown until the next call."""
    told = usage(5, cache_read_input_tokens=20, cache_creation_input_tokens=3)
    side = assistant("s", usage=usage(9), isSidechain=True)
    assert read(assistant("m", usage=told), side).values["context_tokens"] == 128
    boundary = line("system", subtype="compact_boundary", compactMetadata={"preTokens": 9_000})
    part = read(assistant("m", usage=told), boundary)
    assert part.values["context_tokens"] is None
    assert entries("compaction", boundary)[0].text == "compacted at 9,000 tokens"


def test_objectives_become_values_and_entries() -> None:
    """One entry for each new status."""
    lines = []
    for n, status in enumerate(("pending", "in_progress", "in_progress", "completed")):
        todos = [{"content": "build", "status": status}]
        lines += [assistant(f"m{n}", tool_use(f"t{n}", "TodoWrite", todos=todos)), result(f"t{n}")]
    part = read(*lines)
    assert [each["status"] for each in part.values["objectives"].values()] == ["completed"]
    told = [entry.status for entry in part.entries if entry.kind == "objective"]
    assert told == ["pending", "in_progress", "completed"]


def test_tasks_are_read_from_results() -> None:
    """TaskCreate's id stands there alone; a failed call changes nothing."""
    task = {"task": {"id": "1", "subject": "build"}}
    part = read(
        assistant("m1", tool_use("t1", "TaskCreate", subject="build")),
        result("t1", toolUseResult=task),
        assistant("m2", tool_use("t2", "TaskUpdate", taskId="1", status="completed")),
        result("t2", error=True, toolUseResult="Error: no"),
    )
    assert part.values["objectives"]["1"]["status"] == "pending"


def test_a_turn_ends_with_its_tokens() -> None:
    """All output since the prompt, once."""
    lines = (prompt("go"), assistant("m1", tool_use("t")), result("t"))
    end: dict[str, Any] = {"stop_reason": "end_turn", "usage": usage(30)}
    told = entries("tokens", *lines, assistant("m2", **end), assistant("m2", **end))
    assert [entry.tokens for entry in told] == [40]


def test_a_subagent_is_told_by_its_own_file_and_by_its_parent() -> None:
    """Status and type; its prompts are nobody's words."""
    part = read(
        prompt("look", isSidechain=True), assistant("s", stop_reason="end_turn"),
        source="subagents/agent-abc",
    )  # fmt: skip
    assert part.values["subagent"]["status"] == "done"
    assert part.values["messages"] == 1
    assert {entry.agent_id for entry in part.entries} == {"abc"}
    told = {"agentId": "abc", "agentType": "Explore", "status": "async_launched"}
    parent = read(assistant("m", tool_use("t", "Agent")), result("t", toolUseResult=told))
    assert parent.values["agents"] == {"abc": {"type": "Explore", "status": "running"}}


def test_an_old_file_is_told_to_be_past() -> None:
    """By its last line's own time, when a day has gone by."""
    assert read(prompt("go"), now=NOW + DAY_MS + 1).values["past"] == NOW
    assert "past" not in read(prompt("go"), now=NOW + DAY_MS).values


def test_errors_and_interrupts_are_entries() -> None:
    """Retries, failures and Esc."""
    retry = line("system", subtype="api_error", retryAttempt=2, maxRetries=10, uuid="u")
    assert entries("error", retry)[0].text == "API error, attempt 2 of 10"
    assert [e.text for e in entries("session", prompt("go"), interrupt())][1:] == [
        "interrupted by the person"
    ]


LONG = "x" * 100_000
HUGE = (
    assistant("m", {"type": "text", "text": LONG}), prompt(LONG), interrupt(),
    assistant("m", {"type": "text", "text": LONG}, isApiErrorMessage=True),
    line("system", subtype="api_error", retryAttempt=LONG, maxRetries=1),
    assistant("m", tool_use("t", command=LONG)), line("custom-title", customTitle=LONG),
    assistant("m", tool_use("t", "Agent", description=LONG))
    + result("t", toolUseResult={"agentId": "a", "agentType": LONG}),
    assistant("m", tool_use("t", "TodoWrite", todos=[{"content": LONG}])) + result("t"),
)  # fmt: skip


@pytest.mark.parametrize("lines", HUGE, ids=range(len(HUGE)))
def test_no_entry_has_more_than_2_kib_of_text(lines: bytes) -> None:
    """Whatever the line holds."""
    transcript = ClaudeTranscript("s")
    for part in [*transcript.feed(lines), transcript.take()]:
        assert {len(entry.text.encode()) <= 2_048 for entry in part.entries} <= {True}


@pytest.mark.fixtures
def test_recorded_files_have_few_broken_lines(shared_fixtures: Path) -> None:
    """Every real transcript is read to its end."""
    for path in sorted((shared_fixtures / "claude_home").rglob("*.jsonl")):
        transcript, data = ClaudeTranscript(path.stem), path.read_bytes()
        transcript.feed(data)
        assert transcript.offset == len(data)
        assert transcript.broken <= 2


def test_the_model_is_the_last_that_answered() -> None:
    """A synthetic answer is none."""
    told = read(assistant("m"), assistant("e", model="<synthetic>", usage=usage(0)))
    assert told.values["model"] == OPUS


@pytest.mark.parametrize("count", [-1, 2**60, "9", 1.5, True, [9], float("nan")])
def test_a_count_that_is_none_is_not_counted(count: Any) -> None:
    """A line that tells one is no call that could be summed; its neighbour is."""
    odd = assistant("m1", usage={"input_tokens": 100, "output_tokens": count})
    values = read(odd, assistant("m2"), prompt("go")).values
    assert values["calls"][OPUS]["output"] == 10
