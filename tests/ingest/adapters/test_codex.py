"""What a rollout says: prompts, messages, tools, plans, titles, signals and subagents."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters.codex import CodexRollout
from session import codec
from tests.ingest.adapters.rollouts import (
    NOW,
    OWN,
    Read,
    call,
    context,
    event,
    item,
    line,
    meta,
    output,
    said,
    tokens,
)
from tests.session.made import as_report

STARTED, COMPLETE = event("task_started"), event("task_complete", NOW + 900)
PROMPT = event("user_message", message="fix it", images=[])


# What a session is.


def test_a_session_is_where_its_first_line_says() -> None:
    """Folder, branch and model; it was there before its first line was written."""
    first = meta(timestamp="2020-01-01T00:00:00Z", git={"branch": "main"})
    read = Read(first, context(NOW + 5, cwd="/code/other"))
    assert read.values["started_at"] == 1_577_836_800_000
    assert (read.values["cwd"], read.values["branch"]) == ("/code/other", "main")
    assert read.values["model"] == "gpt-5-codex"
    assert read.texts("session") == ["session start"]


def test_the_title_is_the_threads_name_or_the_first_prompt() -> None:
    """The name may change, the first prompt does not."""
    named = event("thread_name_updated", thread_name="A name")
    again = event("user_message", NOW + 9, message="more")
    read = Read(meta(), PROMPT, said("assistant", "well"), again, named)
    assert read.values["titles"] == {"prompt": "fix it", "ai": "A name"}


def test_the_context_is_the_last_calls() -> None:
    """It is unknown after a compaction until the agent tells it."""
    start = [meta(), context(), tokens((500, 0, 20), (100, 0, 7))]
    assert Read(*start).values["context_tokens"] == 107
    packed = Read(*start, line("compacted", {"message": ""}), event("context_compacted"))
    assert packed.values["context_tokens"] is None
    assert packed.texts("compaction") == ["compacted at 107 tokens"]
    told = {"total_token_usage": None, "last_token_usage": {"total_tokens": 9}}
    assert Read(*start, event("token_count", info=told)).values["context_tokens"] == 9


# Prompts and messages.


def test_a_prompt_that_is_written_twice_counts_once() -> None:
    """As the model got it and as the person typed it, in either order, alike or not."""
    for pair in (
        [said("user", "fix it"), PROMPT],
        [PROMPT, said("user", "fix it")],
        [said("user", "fix it\n<image>"), PROMPT],
    ):
        read = Read(meta(), STARTED, *pair, said("assistant", "done"), *pair, COMPLETE)
        assert len(read.entries("prompt")) == 2
        assert read.values["messages"] == 3


def test_a_prompt_has_the_id_that_every_source_gives_it() -> None:
    """The hash of its text with its ordinal."""
    read = Read(meta(), PROMPT, said("assistant", "done"), PROMPT)
    first, second = (entry.id for entry in read.entries("prompt"))
    assert first.startswith("prompt:")
    assert (first[-2:], second[-2:]) == (":1", ":2")
    assert first[:-2] == second[:-2]


def test_a_rollout_that_tells_no_events_has_its_prompts_all_the_same() -> None:
    """Some versions write only what the model got."""
    read = Read(meta(), said("user", "one"), said("assistant", "well"), said("user", "two"))
    assert read.texts("prompt") == ["one", "two"]
    assert read.status == "running"


@pytest.mark.parametrize(
    "text",
    [
        "# AGENTS.md instructions for /code/app\n\n<INSTRUCTIONS>", "<turn_aborted>\nThe user",
        "<environment_context>\n  <cwd>/code", "<user_instructions>be kind", "  ", "",
    ],
)  # fmt: skip
def test_what_nobody_typed_is_no_prompt(text: str) -> None:
    """Instructions and notices go to the model as if a person had said them."""
    read = Read(meta(), said("user", text), said("developer", "be kind"))
    assert read.entries("prompt") == []
    assert "messages" not in read.values


def test_an_editors_context_is_not_the_prompt() -> None:
    """What the person asked stands behind it."""
    whole = (
        "# Context from my IDE setup:\n\n## Open tabs:\n- a.py\n\n## My request for Codex:\nfix it"
    )
    read = Read(meta(), event("user_message", message=whole))
    assert read.texts("prompt") == ["fix it"]
    assert read.values["titles"] == {"prompt": "fix it"}


def test_a_prompt_of_an_image_alone_is_one() -> None:
    """It has no words."""
    read = Read(meta(), event("user_message", message="", images=["data:"]))
    assert read.texts("prompt") == ["[image]"]


def test_an_answer_counts_once() -> None:
    """The event that repeats it for the screen is passed over."""
    told = [said("assistant", "done", phase="final_answer"), event("agent_message", message="done")]
    read = Read(meta(), PROMPT, *told)
    assert read.texts("message") == ["done"]
    assert read.values["messages"] == 2


# Turns.


def test_a_turn_runs_from_its_start_to_its_end() -> None:
    """What comes late does not set it going again."""
    turn = [meta(), STARTED, context(), PROMPT, tokens((100, 0, 70))]
    assert Read(*turn).status == "running"
    over = Read(*turn, said("assistant", "done"), COMPLETE, said("assistant", "late", NOW + 950))
    assert over.status == "idle"
    assert over.texts("tokens") == ["70 output tokens"]
    assert Read(*turn, COMPLETE, STARTED).status == "running"


def test_a_turn_that_failed_says_why() -> None:
    """Told by the turn's end, or by an event of its own before it."""
    ends: list[list[bytes]] = [
        [event("task_complete", error={"message": "out of credit"})],
        [event("task_complete", error="out of credit")],
        [event("error", message="out of credit"), COMPLETE],
    ]
    for end in ends:
        read = Read(meta(), STARTED, PROMPT, *end)
        assert read.values["signal"]["text"] == "out of credit"
        assert read.status == "failed"
        assert read.texts("error") == ["out of credit"]


@pytest.mark.parametrize(("reason", "told"), [("interrupted", 1), ("replaced", 0)])
def test_an_aborted_turn_is_over(reason: str, told: int) -> None:
    """Its open calls are not waited for; whether a person did it is told."""
    end = event("turn_aborted", NOW + 50, reason=reason)
    read = Read(meta(), STARTED, PROMPT, call("c1"), end, output("c1", at=NOW + 60))
    assert read.status == "idle"
    assert read.values["open_calls"] == {}
    assert read.texts("session").count("interrupted by the person") == told


def test_an_answer_ends_a_turn_where_turns_are_not_told() -> None:
    """Unless it is a remark, or a call is still open."""
    assert Read(meta(), said("user", "go"), said("assistant", "done")).status == "idle"
    remark = said("assistant", "looking", phase="commentary")
    assert Read(meta(), said("user", "go"), remark).status == "running"
    assert (
        Read(meta(), said("user", "go"), call("c1"), said("assistant", "wait")).status == "running"
    )


# Tools.


def test_a_call_ends_once_and_tells_how_long_it_took() -> None:
    """By its own event where there is one, else by what the model was given."""
    ended = event("exec_command_end", NOW + 30, call_id="c1", exit_code=0,
                  duration={"secs": 2, "nanos": 5_000_000}, aggregated_output="hi")  # fmt: skip
    read = Read(meta(), STARTED, call("c1", cmd="ls"), ended, output("c1", "x", NOW + 40))
    start, end = read.entries("tool")
    assert (start.id, start.text, start.tool) == ("c1", "ls", "exec_command")
    assert (end.id, end.ref, end.status, end.duration_ms, end.text) == (
        "c1:end", "c1", "ok", 2005, "hi",
    )  # fmt: skip
    assert read.values["tools"] == {"exec_command": {"calls": 1, "errors": 0, "total_ms": 2005}}
    plain = Read(meta(), STARTED, call("c1", cmd="ls"), output("c1", "x", NOW + 40))
    assert plain.entries("tool")[1].duration_ms == 40
    assert Read(meta(), call("c1", cmd="ls")).values["open_calls"].keys() == {"c1"}


@pytest.mark.parametrize(
    ("end", "failed"),
    [
        (event("exec_command_end", call_id="c1", exit_code=1, status="failed"), True),
        (event("patch_apply_end", call_id="c1", success=False, stderr="no"), True),
        (event("patch_apply_end", call_id="c1", success=True), False),
        (event("mcp_tool_call_end", call_id="c1", result={"Err": "no"}), True),
        (event("mcp_tool_call_end", call_id="c1", result={"Ok": {"isError": True}}), True),
        (event("mcp_tool_call_end", call_id="c1", result={"Ok": {"isError": False}}), False),
        (output("c1", "Chunk ID: 1\nProcess exited with code 2\nOutput:\n"), True),
        (output("c1", "Chunk ID: 1\nProcess exited with code 0\nOutput:\n"), False),
        (output("c1", '{"output": "no", "metadata": {"exit_code": 1}}'), True),
        (output("c1", {"content": "no", "success": False}), True),
        (output("c1", [{"type": "input_text", "text": "fine"}]), False),
        (item("custom_tool_call_output", call_id="c1", output="fine"), False),
    ],
)
def test_a_call_that_failed_is_an_error(end: bytes, failed: bool) -> None:
    """However its end is told."""
    read = Read(meta(), call("c1"), end)
    assert read.entries("tool")[1].status == ("error" if failed else "ok")
    assert read.values["tools"]["exec_command"]["errors"] == int(failed)


def test_a_patch_names_its_files() -> None:
    """And not its lines, whichever tool takes it."""
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n*** Add File: b.py\n+y\n*** End Patch"
    calls = [
        item("custom_tool_call", name="apply_patch", call_id="c1", input=patch),
        call("c2", "apply_patch", input=patch),
    ]
    assert Read(meta(), *calls).texts("tool") == ["a.py, b.py"] * 2


def test_a_shells_command_is_told_as_one_line() -> None:
    """Older versions give its words."""
    words = ["bash", "-lc", "ls"]
    calls = [
        call("c1", "shell", command=words),
        item("local_shell_call", call_id="c2", action={"type": "exec", "command": words}),
    ]
    read = Read(meta(), *calls)
    assert read.texts("tool") == ["bash -lc ls"] * 2
    assert read.values["tools"]["shell"]["calls"] == 2


def test_a_search_of_the_web_is_a_call() -> None:
    """It is written when it is over."""
    searches = [
        item("web_search_call", status="completed", action={"type": "search", "query": "rain"}),
        item("web_search_call", status="completed", action={"type": "open_page", "url": "a.b"}),
    ]
    read = Read(meta(), *searches, event("web_search_end", call_id="w1", query="rain"))
    assert read.values["tools"]["web_search"]["calls"] == 2
    assert [entry.text for entry in read.entries("tool") if entry.ref is None] == ["rain", "a.b"]


def test_a_question_waits_for_the_person() -> None:
    """Its call is open until it is answered."""
    asked = call("c1", "request_user_input", questions=[{"id": "q", "question": "Which one?"}])
    waiting = Read(meta(), STARTED, asked).values["open_calls"]["c1"]
    assert (waiting["kind"], waiting["summary"]) == ("question", "Which one?")
    assert Read(meta(), STARTED, asked, output("c1", "{}")).values["open_calls"] == {}


# Plans and subagents.


def plan(*steps: tuple[str, str]) -> str:
    """The arguments of a plan."""
    return json.dumps({"plan": [{"step": text, "status": status} for text, status in steps]})


def test_a_plan_is_the_whole_list_each_time() -> None:
    """Steps that it does not name are gone; one that failed changes nothing."""
    first = item("function_call", name="update_plan", call_id="p1",
                 arguments=plan(("read", "in_progress"), ("write", "pending")))  # fmt: skip
    second = item("function_call", name="update_plan", call_id="p2",
                  arguments=plan(("read", "completed"), ("test", "in_progress")))  # fmt: skip
    read = Read(meta(), first, output("p1", "Plan updated"), second, output("p2", "Plan updated"))
    listed = read.values["objectives"].values()
    assert [(each["text"], each["status"]) for each in listed] == [
        ("read", "completed"), ("test", "in_progress"),
    ]  # fmt: skip
    assert read.texts("objective") == ["read", "write", "read", "test"]
    refused = Read(meta(), first, output("p1", {"content": "no", "success": False}))
    assert "objectives" not in refused.values


def test_subagents_are_told_by_the_calls_that_start_and_await_them() -> None:
    """Each is a session of its own; here stands that it runs."""
    spawn = call("c1", "spawn_agent", agent_type="explorer", message="Look around.")
    started = output("c1", '{"agent_id": "a1", "nickname": "Sartre"}')
    running = Read(meta(), spawn, started)
    assert running.values["agents"] == {"a1": {"type": "explorer", "status": "running"}}
    assert running.texts("subagent") == ["explorer: Look around."]
    told = '{"status": {"a1": {"completed": "done"}, "a2": "running"}}'
    done = Read(meta(), spawn, started, call("c2", "wait_agent"), output("c2", told))
    assert done.values["agents"] == {"a1": {"type": "explorer", "status": "done"}}
    closed = Read(meta(), spawn, started, call("c3", "close_agent", target="a1"), output("c3"))
    assert closed.values["agents"]["a1"]["status"] == "done"


# Hostile lines.

KINDS = [
    "session_meta",
    "turn_context",
    "response_item",
    "event_msg",
    "compacted",
    "world_state",
    7,
]
TYPES = [
    "message", "function_call", "custom_tool_call", "local_shell_call", "function_call_output",
    "web_search_call", "user_message", "task_started", "task_complete", "turn_aborted", "error",
    "token_count", "thread_name_updated", "exec_command_end", "mcp_tool_call_end", None, 7,
    "thread_settings_applied",
]  # fmt: skip
NAMES = [
    "id", "timestamp", "cwd", "git", "forked_from_id", "source", "turn_id", "model", "content",
    "thread_settings", "thread_name", "role", "phase", "message", "images", "kind", "name",
    "call_id", "arguments", "input", "action", "info", "reason", "error", "exit_code", "success",
    "status", "duration", "stdout", "aggregated_output", "output", "result",
]  # fmt: skip
INNER = [
    "message", "text", "plan", "status", "command", "secs", "nanos", "Ok", "metadata",
    "exit_code", "total_token_usage", "last_token_usage", "input_tokens", "output_tokens",
    "total_tokens", "subagent", "agent_id",
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    | st.sampled_from(["", "user", "assistant", "c1", "update_plan", "spawn_agent", "\ud800", OWN])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(INNER), inner, max_size=4),
    max_leaves=6,
)  # fmt: skip


@given(
    told=st.lists(
        st.tuples(
            st.sampled_from(KINDS), st.sampled_from(TYPES),
            st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_no_shape_of_a_line_is_a_failure(told: list[tuple[Any, Any, dict[str, Any]]]) -> None:
    """Whatever stands where something else is expected, reports come out that the log takes."""
    lines = [line(kind, {**more, "type": name}) for kind, name, more in told]
    read = Read(*lines, said("user", "still here"))
    assert all(codec.pack(as_report(part, "main", 0)) for part in read.parts)
    assert min(read.total) >= 0


@pytest.mark.parametrize(
    "raw",
    [
        b"{oh", b"[]", b"7", b'{"type":"event_msg","payload":[]}', b"\xff\xfe",
        b'{"type":"response_item","payload":"x"}', b'{"type":"event_msg"}',
        b'{"type":"event_msg","payload":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
    ],
)  # fmt: skip
def test_a_broken_line_harms_no_neighbour(raw: bytes) -> None:
    """It is counted and passed over."""
    read = Read(meta(), raw + b"\n", PROMPT)
    assert read.texts("prompt") == ["fix it"]
    assert read.transcript.broken == 1


@given(cuts=st.lists(st.integers(0, 12), max_size=4))
def test_it_says_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """A rollout that is read line by line ends with the values of one that is read at once."""
    lines = [
        meta(), STARTED, context(), said("user", "fix it"), PROMPT, call("c1", cmd="ls"),
        tokens((100, 40, 7)), output("c1"), said("assistant", "done"),
        tokens((150, 40, 9), (50, 0, 2)), COMPLETE, STARTED,
    ]  # fmt: skip
    whole, cut = Read(*lines), CodexRollout(OWN)
    entries, at = [], 0
    for place in sorted({*cuts, len(lines)}):
        cut.feed(b"".join(lines[at:place]))
        at = max(at, place)
        if cut.pending():
            entries += cut.take().entries
    assert cut.rollout.values == whole.values
    assert [each.id for each in entries] == [
        each.id for part in whole.parts for each in part.entries
    ]
