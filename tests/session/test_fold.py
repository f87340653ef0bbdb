"""The fold, case by case: numbers and versions, families, titles, tools, objectives, subagents."""

from typing import Any

import pytest

from session import codec
from session.delta import Delta, Event, Report
from session.fold import fold, new_session
from session.record import SOURCES_MAX
from session.state import summary
from tests.session.made import (
    NOW,
    OPUS,
    after,
    assistant,
    folded,
    hook,
    image,
    line,
    prompt,
    refold,
    reports,
    result,
    tool_use,
    usage,
)

MAIN = assistant("m1", tool_use("t1"), usage=usage(7)) + result("t1", NOW + 40)
SUB = assistant("s1", tool_use("t2", "Read"), usage=usage(5))


def todo(*texts: str, at: int = NOW, call: str = "w") -> bytes:
    """A TodoWrite with these texts, and its result."""
    todos = [{"content": text, "status": "pending"} for text in texts]
    return assistant(f"m{call}", tool_use(call, "TodoWrite", todos=todos), at=at) + result(call, at)


def test_a_number_already_applied_changes_nothing() -> None:
    """Deltas of a session are applied in the log's order, each once."""
    session = folded([hook("UserPromptSubmit", prompt="go", number=2)])
    assert not fold(session, hook("Stop", number=1))
    assert not fold(session, hook("Stop", number=2))
    assert (session.status, session.number) == ("running", 2)


def test_the_cursor_moves_only_when_something_changed() -> None:
    """A delta that changes nothing leaves the cursor where it was."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    fold(session, hook("MessageDisplay", number=2))
    assert (session.number, session.cursor_number) == (2, 1)


def test_an_unknown_event_is_heard_and_means_nothing() -> None:
    """The session exists and is idle; the board knows when it was heard."""
    session = after(hook("BrandNewEvent", NOW))
    assert (session.status, session.updated_at) == ("idle", NOW)
    assert session.sources == {"hooks": NOW}


def test_a_session_that_only_hooks_know_has_no_tokens() -> None:
    """Unknown is null, never 0."""
    row = summary(after(hook("PreToolUse", tool="Bash", call="t1")))
    assert {row[name] for name in ("tokens", "cost_usd", "context_tokens", "messages")} == {None}
    assert (row["cost_state"], row["tool_calls"]) == ("unknown", 1)


def test_totals_are_sums_over_the_sources() -> None:
    """The parent's transcript and its subagents' add up."""
    session = folded([*reports(MAIN), *reports(SUB, "subagents/agent-a")])
    assert session.tokens == {"input": 200, "output": 12, "cache_read": 0, "cache_write": 0}
    assert (session.tool_calls, session.tool_errors, session.messages) == (2, 0, 2)
    assert session.tools["Bash"] == {"calls": 1, "errors": 0, "total_ms": 40}
    assert session.models[OPUS]["calls"] == 2
    assert session.subagents_tree["a"]["tokens"]["output"] == 5
    assert session.subagents == {"active": 1, "total": 1}


def test_families_are_never_added() -> None:
    """Hooks count tools until a transcript does, in whichever order they are heard."""
    hooks: list[Delta] = [
        hook("PreToolUse", tool="Bash", call="t1"),
        hook("PostToolUse", tool="Bash", call="t1", duration_ms=40),
    ]
    for stream in ([*hooks, *reports(MAIN)], [*reports(MAIN), *hooks]):
        session = folded(stream)
        assert session.tools == {"Bash": {"calls": 1, "errors": 0, "total_ms": 40}}
        assert [e.id for e in session.timeline if e.kind == "tool"] == ["t1", "t1:end"]


def test_hooks_never_count_beside_a_subagents_transcript() -> None:
    """What a subagent's file counted is not overwritten while the parent's is not yet read."""
    calls = (tool_use("t2", "Read"), tool_use("t3", "Read"))
    session = folded(reports(assistant("s1", *calls), "subagents/agent-a"))
    refold(session, [hook("PreToolUse", tool="Read", call="t3", agent_id="a")])
    assert session.tools["Read"]["calls"] == 2


@pytest.mark.parametrize(
    ("names", "calls"),
    [("start end", 1), ("end start", 1), ("end", 1), ("end end", 1), ("start start end", 1),
     ("start stop end", 1), ("start prompt end", 1)],
)  # fmt: skip
def test_a_call_counts_once(names: str, calls: int) -> None:
    """At its start, or at its end if no start is known, in whatever order they arrive."""
    events = {
        "start": {"name": "PreToolUse", "tool": "Bash", "call": "t1"},
        "end": {"name": "PostToolUse", "tool": "Bash", "call": "t1"},
        "stop": {"name": "Stop"},
        "prompt": {"name": "UserPromptSubmit", "prompt": "on"},
    }
    session = folded([hook(**events[name]) for name in names.split()])
    assert session.tool_calls == calls


def test_errors_of_calls_are_counted_and_listed() -> None:
    """By hooks and by transcripts alike."""
    failed = hook("PostToolUseFailure", tool="Bash", call="t1", error="exit code 1")
    session = after(failed)
    assert session.tool_errors == 1
    assert session.errors == [{"seq": 1, "at": NOW, "tool": "Bash", "text": "exit code 1"}]
    told = folded(reports(assistant("m", tool_use("t1")) + result("t1", error=True)))
    assert (told.tool_errors, [each["tool"] for each in told.errors]) == (1, ["Bash"])


def test_a_gap_before_a_report_is_told() -> None:
    """What lies between the applied offset and a report's start is missing from the timeline."""
    first, second = prompt("one"), prompt("two", NOW + 1)
    told = reports(first + second, cuts=[len(first)])
    assert after(*told).timeline_partial is False
    session = after(told[1])
    assert session.timeline_partial is True
    assert session.messages == 2


def test_entries_below_the_applied_offset_are_dropped() -> None:
    """A report that overlaps adds only what is new."""
    first, second = prompt("one"), prompt("two", NOW + 1)
    session = folded(reports(first))
    refold(session, reports(first + second))
    assert [e.text for e in session.timeline] == ["session start", "one", "two"]
    assert [e.seq for e in session.timeline] == [1, 2, 3]


FORKED = {"forkedFrom": {"sessionId": "x"}}
OLD = b"".join([
    line("custom-title", None, customTitle="Old title"), prompt("old prompt"), MAIN, todo("old"),
    assistant("q", tool_use("ask", "AskUserQuestion", questions=[{"question": "Old?"}])),
    assistant("f", **FORKED),
])  # fmt: skip
EMPTY_NEW = line("queue-operation", NOW + 1, operation="enqueue")


@pytest.mark.parametrize(
    "new",
    [EMPTY_NEW, prompt("new"), assistant("n", model="claude-haiku-4-5"), todo("new")],
    ids=["empty", "prompt", "call", "todo"],
)
def test_another_generation_leaves_nothing_of_the_one_before(new: bytes) -> None:
    """Models, tools, minutes, objectives, open questions, titles: all of the old file is gone."""
    session = folded(reports(OLD))
    assert session.attention == 1
    again = reports(new, generation=5)
    refold(session, again)
    one, fresh = image(session, log=False), image(folded(again), log=False)
    names = (
        "tokens", "cost_usd", "models", "tools", "tool_calls", "minutes", "messages",
        "objectives_list", "inherited", "attention", "title", "context_tokens",
    )  # fmt: skip
    unknown = (None, 0, {}, {"input": 0, "output": 0, "cache_read": 0, "cache_write": 0})
    for name in names:
        assert (name, one[name]) == (name, fresh[name]) or (
            one[name] in unknown and fresh[name] in unknown
        )


def test_another_generation_replaces_a_map_of_the_same_name() -> None:
    """The old file's model does not stay beside the new file's."""
    session = folded(reports(assistant("m1", usage=usage(1_000))))
    refold(session, reports(assistant("m2", model="claude-haiku-4-5"), generation=5))
    assert session.tokens == {"input": 100, "output": 10, "cache_read": 0, "cache_write": 0}
    assert list(session.models) == ["claude-haiku-4-5"]


def test_a_report_already_applied_says_nothing_of_its_reader() -> None:
    """The same file seen by a second reader on another host, later: nothing changes."""
    timed = prompt("hello")
    session = folded(reports(timed, host="laptop"))
    heard_at = session.updated_at
    again = reports(timed, host="server", received_at=NOW + 60_000)
    assert not refold(session, again)
    assert (session.host, session.updated_at) == ("laptop", heard_at)


def test_a_file_that_tells_no_time_is_a_stub_and_not_reported() -> None:
    """Nobody could say when its session was, and a stub must not look alive."""
    assert reports(line("ai-title", None, aiTitle="Title")) == []


@pytest.mark.parametrize("kinds", ["custom hook agent ai summary prompt"])
def test_titles_have_an_order(kinds: str) -> None:
    """custom > hook > agent-name > ai > summary > first prompt, whichever came last."""
    lines = {
        "custom": line("custom-title", None, customTitle="custom"),
        "agent": line("agent-name", None, agentName="agent"),
        "ai": line("ai-title", None, aiTitle="ai"),
        "summary": line("summary", None, summary="summary"),
        "prompt": prompt("prompt"),
    }
    order = kinds.split()
    for first, best in enumerate(order):
        told = order[first:]
        session = folded(reports(b"".join(lines[kind] for kind in told if kind in lines)))
        if "hook" in told:
            refold(session, [hook("SessionStart", session_title="hook")])
        assert session.title == best


def test_a_title_is_one_line() -> None:
    """Whatever the agent wrote."""
    assert folded(reports(prompt("first\n  line\tof it"))).title == "first line of it"


def test_objectives_of_a_transcript_replace_and_are_counted() -> None:
    """A second TodoWrite takes away what it does not list."""
    first, second = todo("plan", "build"), todo("build", at=NOW + 1, call="x")
    session = folded(reports(first))
    assert session.objectives == {"done": 0, "total": 2}
    refold(session, reports(first + second, cuts=[len(first)]))
    assert session.objectives == {"done": 0, "total": 1}
    assert [each["text"] for each in session.objectives_list.values()] == ["build"]


def used(tool: str, **fields: Any) -> Event:
    """A task tool's end as a hook."""
    return hook("PostToolUse", tool=tool, call=f"t{fields}", **fields)


def test_objectives_of_hooks_replace_too() -> None:
    """Without a transcript, TodoWrite is the full list all the same."""
    one = [{"content": text, "status": "pending"} for text in ("plan", "build")]
    two = [{"content": "build", "status": "completed"}]
    told = {"oldTodos": one, "newTodos": two}
    session = after(
        used("TodoWrite", tool_input={"todos": one}, tool_response={"newTodos": one}),
        used("TodoWrite", tool_input={"todos": two}, tool_response=told),
    )
    assert session.objectives == {"done": 1, "total": 1}


def test_an_update_by_hook_keeps_what_it_does_not_name() -> None:
    """TaskUpdate carries a status or a subject, seldom both."""
    created = hook("TaskCreated", task_id="1", task_subject="build")
    begun = used("TaskUpdate", tool_input={"taskId": "1", "status": "in_progress"})
    session = after(created, begun)
    assert session.objectives_list["1"] | {"at": 0} == {
        "text": "build", "status": "in_progress", "at": 0,
    }  # fmt: skip
    refold(session, [used("TaskUpdate", tool_input={"taskId": "1", "addBlockedBy": ["2"]})])
    assert session.objectives_list["1"]["status"] == "in_progress"
    refold(session, [used("TaskUpdate", tool_input={"taskId": "1", "status": "deleted"})])
    assert session.objectives_list == {}


def test_a_subagent_is_known_from_its_hooks() -> None:
    """Started, it is active; stopped, it is done; one never announced is none."""
    start = hook("SubagentStart", agent_id="a1", agent_type="Explore")
    session = after(start, hook("SubagentStop", agent_id="a2", agent_type="x"))
    assert session.subagents == {"active": 1, "total": 1}
    assert session.subagents_tree["a1"]["type"] == "Explore"
    refold(session, [hook("SubagentStop", agent_id="a1", agent_type="Explore")])
    assert session.subagents == {"active": 0, "total": 1}


def test_the_same_prompt_of_hook_and_transcript_is_one_entry() -> None:
    """By its own id where both know it, else by the hash of its text with its ordinal."""
    typed = prompt("go") + prompt("go", NOW + 1)
    hooks: list[Delta] = [hook("UserPromptSubmit", prompt="go") for _ in range(2)]
    session = folded([*hooks, *reports(typed)])
    assert [e.text for e in session.timeline if e.kind == "prompt"] == ["go", "go"]
    known = {"promptId": "p1", "version": "2.1.200"}
    named = hook("UserPromptSubmit", prompt="go", prompt_id="p1")
    session = folded([named, *reports(prompt("go", **known))])
    assert [e.id for e in session.timeline if e.kind == "prompt"] == ["p1"]


def test_the_directory_gives_the_project() -> None:
    """The last part of ``cwd``, on every system."""
    for cwd in ("/home/dev/app", "C:\\dev\\app", "/home/dev/app/"):
        assert after(hook("SessionStart", cwd=cwd)).project == "app"
        assert folded(reports(prompt("go", cwd=cwd))).project == "app"


def test_host_and_user_come_from_the_delta() -> None:
    """They name whose session it is."""
    told = reports(prompt("go"), host="laptop", user="ann")
    assert (folded(told).host, folded(told).user) == ("laptop", "ann")


def test_a_delta_without_a_number_is_applied() -> None:
    """Offline checks fold without a log."""
    report = reports(MAIN)[0]
    session = new_session(report)
    assert fold(session, report)
    assert not fold(session, report)
    assert isinstance(codec.numbered(report, 3), Report)


def test_a_session_keeps_the_sources_that_spoke_last() -> None:
    """Their names are the senders' own: of very many the row would not fit its frame."""
    events = [
        Event(id=f"e{n}", session="s", received_at=NOW + n, kind="note", source=f"mine-{n}")
        for n in range(SOURCES_MAX + 9)
    ]
    session = folded(events)
    assert list(session.sources) == [f"mine-{n}" for n in range(9, SOURCES_MAX + 9)]
