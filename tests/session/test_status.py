"""The status table, row by row: hooks alone, transcripts alone, and the two as witnesses."""

from itertools import permutations

import pytest

from session.delta import Delta
from session.state import Session
from tests.session.made import (
    NOW,
    after,
    assistant,
    folded,
    hook,
    interrupt,
    line,
    prompt,
    refold,
    reports,
    result,
    time,
    tool_use,
)

ASK = {"tool": "AskUserQuestion", "tool_input": {"questions": [{"question": "Which?"}]}}
PLAN = {"tool": "ExitPlanMode", "tool_input": {"plan": "1. build"}}
START = ("SessionStart", {"source": "startup"})
PROMPT = ("UserPromptSubmit", {"prompt": "go"})
PRE = ("PreToolUse", {"tool": "Bash", "call": "t1"})
POST = ("PostToolUse", {"tool": "Bash", "call": "t1", "tool_response": {}})
PERMIT = ("PermissionRequest", {"tool": "Bash"})
IDLE = ("Notification", {"notification_type": "idle_prompt"})
TASKS = ("Stop", {"background_tasks": [{"id": "b1", "type": "shell"}]})

HOOKS_ALONE = (
    ("idle", [START]),
    ("running", [START, PROMPT]),
    ("running", [PROMPT, START]),
    ("waiting", [PROMPT, PERMIT, START]),
    ("idle", [PROMPT, ("Stop", {}), START]),
    ("running", [START, PROMPT, ("SessionStart", {"source": "compact"})]),
    ("idle", [START, PROMPT, ("SessionStart", {"source": "clear"})]),
    ("running", [PRE]),
    ("running", [POST]),
    ("running", [("PostToolUseFailure", {"tool": "Bash", "call": "t1", "error": "no"})]),
    ("running", [("SubagentStart", {"agent_id": "a1", "agent_type": "Explore"})]),
    ("waiting", [PROMPT, PRE, PERMIT]),
    ("waiting", [PROMPT, PERMIT]),
    ("waiting", [PROMPT, ("PreToolUse", {**ASK, "call": "q"})]),
    ("waiting", [PROMPT, ("PreToolUse", {**PLAN, "call": "p"})]),
    ("waiting", [PROMPT, ("Elicitation", {"mcp_server_name": "m", "message": "Name?"})]),
    ("running", [("Elicitation", {"message": "Name?"}), ("ElicitationResult", {"action": "no"})]),
    ("running", [PROMPT, PRE, PERMIT, POST]),
    ("running", [PROMPT, PRE, PERMIT, ("PermissionDenied", {"tool": "Bash", "call": "t1"})]),
    ("running", [PROMPT, PRE, PERMIT, PROMPT]),
    ("idle", [PROMPT, PRE, PERMIT, ("Stop", {})]),
    ("waiting", [PROMPT, PRE, PERMIT, ("PreToolUse", {"tool": "Read", "call": "t2"})]),
    ("idle", [PROMPT, ("Stop", {})]),
    ("running", [PROMPT, TASKS]),
    ("failed", [PROMPT, ("StopFailure", {"error": "rate_limit"})]),
    ("running", [PROMPT, ("StopFailure", {"error": "rate_limit"}), PROMPT]),
    ("ended", [PROMPT, ("SessionEnd", {"reason": "other"})]),
    ("ended", [PROMPT, PRE, PERMIT, ("SessionEnd", {"reason": "other"})]),
    ("running", [("SessionEnd", {"reason": "other"}), PROMPT]),
    ("idle", [("SessionEnd", {"reason": "other"}), START]),
    ("idle", [PROMPT, ("Stop", {}), ("SubagentStop", {"agent_id": "a1"})]),
    ("running", [("Stop", {}), ("SubagentStart", {"agent_id": "a1"})]),
    ("running", [("Stop", {}), ("PreToolUse", {"tool": "Bash", "call": "t", "agent_id": "a1"})]),
    ("idle", [PROMPT, IDLE]),
    ("waiting", [PROMPT, PERMIT, IDLE]),
    ("running", [PROMPT, ("Notification", {"notification_type": "permission_prompt"})]),
    ("running", [PROMPT, ("PreCompact", {"trigger": "auto"})]),
    ("running", [PROMPT, ("SomethingNew", {})]),
)


def hooks(*told: tuple[str, dict[str, object]], start: int = NOW) -> Session:
    """A session that heard these hooks, one a second."""
    events = [hook(name, start + n * 1_000, n + 1, **keys) for n, (name, keys) in enumerate(told)]
    return folded(events)


@pytest.mark.parametrize(("status", "told"), HOOKS_ALONE)
def test_status_follows_from_hooks(status: str, told: list[tuple[str, dict[str, object]]]) -> None:
    """Each row of the table where only hooks are heard."""
    assert hooks(*told).status == status


def test_a_first_start_long_after_a_prompt_begins_anew() -> None:
    """Only one that was overtaken on its way says nothing of the present."""
    late = hook("SessionStart", NOW + 11_000, 2, source="startup")
    assert folded([hook("UserPromptSubmit", NOW, 1, prompt="go"), late]).status == "idle"


ASKED = tool_use("q", "AskUserQuestion", questions=[{"question": "Which?"}])
PLANNED = tool_use("q", "ExitPlanMode", plan="1. build")
ERROR = {"isApiErrorMessage": True, "model": "<synthetic>"}
END = {"stop_reason": "end_turn"}

TRANSCRIPTS_ALONE = (
    ("running", [prompt("go")]),
    ("running", [assistant("m1")]),
    ("running", [assistant("m1", tool_use("t1"))]),
    ("running", [assistant("m1", tool_use("t1"), **END)]),
    ("running", [assistant("m1", tool_use("t1")), result("t1", NOW + 1)]),
    ("idle", [prompt("go"), assistant("m1", at=NOW + 1, **END)]),
    ("idle", [prompt("go"), assistant("m1", at=NOW + 1, stop_reason="stop_sequence")]),
    ("running", [prompt("go"), assistant("m1", at=NOW + 1, stop_reason="tool_use")]),
    ("idle", [prompt("go"), interrupt(NOW + 1)]),
    ("failed", [prompt("go"), assistant("e", at=NOW + 1, **ERROR)]),
    ("running", [prompt("go"), assistant("e", at=NOW + 1, **ERROR), prompt("again", NOW + 2)]),
    ("waiting", [assistant("m1", ASKED)]),
    ("waiting", [assistant("m1", PLANNED)]),
    ("running", [assistant("m1", ASKED), result("q", NOW + 1)]),
    ("waiting", [assistant("m1", ASKED, tool_use("t1")), result("t1", NOW + 1)]),
    ("running", [assistant("m1", ASKED), prompt("never mind", NOW + 1)]),
    ("idle", [assistant("m1", ASKED), interrupt(NOW + 1)]),
    ("idle", [line("ai-title", None, aiTitle="Title")]),
    ("idle", [prompt("/clear", isMeta=True)]),
    ("failed", [assistant("e", **ERROR), line("system", NOW + 1, subtype="turn_duration")]),
)


@pytest.mark.parametrize(("status", "lines"), TRANSCRIPTS_ALONE)
def test_status_follows_from_a_transcript(status: str, lines: list[bytes]) -> None:
    """Each row of the table where only the transcript is read."""
    assert folded(reports(b"".join(lines))).status == status


@pytest.mark.parametrize(("status", "lines"), TRANSCRIPTS_ALONE)
def test_status_follows_line_by_line(status: str, lines: list[bytes]) -> None:
    """The same rows, each line in a report of its own."""
    cuts = [len(b"".join(lines[:n])) for n in range(1, len(lines))]
    assert folded(reports(b"".join(lines), cuts=cuts)).status == status


@pytest.mark.parametrize(
    ("after_ms", "status"), [(-5_000, "running"), (0, "running"), (2_000, "running"),
                             (2_001, "idle"), (60_000, "idle")]
)  # fmt: skip
def test_a_transcript_overrules_hooks_only_when_clearly_newer(after_ms: int, status: str) -> None:
    """Esc fires no Stop: the transcript decides when its line is over 2 s after the last hook."""
    session = hooks(PROMPT)
    refold(session, reports(interrupt(NOW + after_ms)))
    assert session.status == status


def test_a_hook_after_the_transcript_decides_again() -> None:
    """Hooks lead: the next one is taken whatever the transcript said before."""
    session = hooks(PROMPT)
    refold(session, reports(interrupt(NOW + 10_000)))
    refold(session, [hook("UserPromptSubmit", NOW + 20_000, prompt="on")])
    assert session.status == "running"


def test_a_signal_older_than_the_status_changes_nothing() -> None:
    """A prompt from before the end of the turn does not bring it back."""
    session = folded(reports(b"".join([prompt("go"), assistant("m", at=NOW + 9_000, **END)])))
    refold(session, reports(assistant("x", at=NOW + 5_000), "subagents/agent-a"))
    assert session.status == "idle"
    assert session.status_since == NOW + 9_000


def test_status_since_moves_only_with_the_status() -> None:
    """Ten signals of one turn are one status."""
    session = hooks(PROMPT, PRE, POST)
    assert session.status_since == NOW


def test_an_older_permission_request_still_shows() -> None:
    """A waiting session never reads as running, even where the clocks disagree."""
    session = folded(reports(prompt("go", NOW + 5_000)))
    refold(session, [hook("PermissionRequest", NOW, tool="Bash")])
    assert (session.status, session.attention) == ("waiting", 1)


def test_an_older_end_of_the_call_still_answers() -> None:
    """A session whose only request is answered does not read as waiting."""
    session = hooks(PROMPT, PRE, PERMIT)
    refold(session, [hook("PostToolUse", NOW - 5_000, tool="Bash", call="t1")])
    assert (session.status, session.attention) == ("running", 0)


def test_the_status_of_a_session_does_not_depend_on_which_file_was_read_first() -> None:
    """Main idle at 5 s, its background subagent at work until 10 s: idle in every order."""
    main = reports(b"".join([prompt("go"), assistant("m", at=NOW + 5_000, **END)]))
    lines = [assistant("s1", at=NOW + 6_000), assistant("s2", at=NOW + 10_000, **END)]
    for cuts in ((), (len(lines[0]),)):
        subagent = reports(b"".join(lines), "subagents/agent-a", cuts)
        assert [folded([*main, *subagent]).status, folded([*subagent, *main]).status] == [
            "idle", "idle",
        ]  # fmt: skip


def test_a_subagent_that_was_read_first_does_not_decide_for_the_main_agent() -> None:
    """The main agent works on its own while the subagent's file already ended."""
    main = reports(b"".join([prompt("go"), assistant("m", tool_use("t", "Agent"))]))
    told = b"".join([assistant("s", at=NOW + 9_000, **END)])
    streams = (main, reports(told, "subagents/agent-a"))
    assert {folded([*one, *two]).status for one, two in permutations(streams)} == {"running"}


def test_a_failure_inside_a_subagent_is_the_same_in_every_order() -> None:
    """An API error of a subagent is not the session's, whichever file came first."""
    main = reports(b"".join([prompt("go"), assistant("m", tool_use("t", "Agent"))]))
    error = reports(assistant("e", at=NOW + 9_000, **ERROR), "subagents/agent-a")
    both = [folded([*main, *error]), folded([*error, *main])]
    assert both[0].status == both[1].status == "running"
    assert both[0].attention == both[1].attention == 0


def test_a_finished_subagent_is_finished_in_every_order() -> None:
    """What the parent says of an ended subagent counts, whichever file came first."""
    used = assistant("m", tool_use("t", "Agent", description="look", subagent_type="Explore"))
    told = {"agentId": "a", "agentType": "Explore", "status": "completed"}
    main = reports(used + result("t", NOW + 9_000, toolUseResult=told))
    subagent = reports(assistant("s", at=NOW + 1_000), "subagents/agent-a")
    for stream in ([*main, *subagent], [*subagent, *main]):
        assert folded(stream).subagents == {"active": 0, "total": 1}


def test_the_current_tool_is_the_latest_open_one() -> None:
    """It comes with the call's start and goes with its end."""
    other = ("PreToolUse", {"tool": "Read", "call": "t2"})
    assert hooks(PROMPT, PRE).current_tool == "Bash"
    assert hooks(PROMPT, PRE, other).current_tool == "Read"
    assert hooks(PROMPT, PRE, other, POST).current_tool == "Read"
    assert hooks(PROMPT, PRE, POST).current_tool is None
    assert hooks(PROMPT, PRE, ("Stop", {})).current_tool is None
    assert hooks(PROMPT, TASKS).current_tool == "background"


def test_the_current_tool_of_a_subagent_shows_after_the_stop() -> None:
    """A subagent at work in the background shows its tool."""
    used = ("PreToolUse", {"tool": "Grep", "call": "t9", "agent_id": "a1"})
    assert hooks(PROMPT, TASKS, used).current_tool == "Grep"


def test_an_interrupted_session_shows_no_tool() -> None:
    """Esc fires no hook: the transcript ends the call, and nothing is at work any more."""
    lines = [prompt("go"), assistant("m", tool_use("t1"))]
    session = hooks(PROMPT, PRE)
    done = [result("t1", NOW + 9_000, error=True), interrupt(NOW + 9_000)]
    refold(session, reports(b"".join([*lines, *done])))
    assert (session.status, session.current_tool) == ("idle", None)


def test_an_ended_session_reopens_without_its_end() -> None:
    """A later signal takes ``ended_at`` back."""
    session = hooks(PROMPT, ("SessionEnd", {"reason": "other"}))
    assert session.ended_at == NOW + 1_000
    refold(session, [hook("UserPromptSubmit", NOW + 9_000, prompt="on")])
    assert (session.status, session.ended_at) == ("running", None)


def test_one_lost_tool_result_does_not_keep_a_session_running_for_ever() -> None:
    """A turn that began with a new prompt ends, whatever an earlier turn left open."""
    lines = [assistant("m1", tool_use("lost")), prompt("on", NOW + 1)]
    lines.append(assistant("m2", at=NOW + 2, **END))
    assert folded(reports(b"".join(lines))).status == "idle"


def past(session: Session) -> None:
    """A day later."""
    refold(session, [time("past", session.updated_at, NOW + 2 * 86_400_000)])


def test_a_running_session_that_is_silent_is_stale() -> None:
    """Ten minutes without a word; the next word brings it back."""
    session = hooks(PROMPT)
    refold(session, [time("stale", session.updated_at, NOW + 600_000)])
    assert session.status == "stale"
    refold(session, [hook("PreToolUse", NOW + 700_000, tool="Bash", call="t")])
    assert session.status == "running"


def test_what_was_heard_meanwhile_makes_a_time_delta_void() -> None:
    """The timer looked before the last event, so its word changes nothing."""
    for kind in ("stale", "past"):
        session = hooks(PROMPT, PRE)
        assert not refold(session, [time(kind, NOW, NOW + 600_000)])
        assert session.status == "running"


@pytest.mark.parametrize("told", [[START], [PROMPT, ("Stop", {})], [PROMPT, PERMIT]])
def test_only_a_running_session_goes_stale(told: list[tuple[str, dict[str, object]]]) -> None:
    """Who waits for the person is not silent."""
    session = hooks(*told)
    before = session.status
    refold(session, [time("stale", session.updated_at, NOW + 600_000)])
    assert session.status == before


def test_a_session_silent_for_a_day_is_past() -> None:
    """It ended when it was last heard, and nothing of it is open."""
    session = hooks(PROMPT, PRE, ("SubagentStart", {"agent_id": "a1"}))
    heard_at = session.updated_at
    past(session)
    assert (session.status, session.ended_at, session.past) == ("ended", heard_at, True)
    assert (session.current_tool, session.subagents) == (None, {"active": 0, "total": 1})


@pytest.mark.parametrize("name", ["PermissionRequest", "PreToolUse"])
def test_a_session_never_becomes_past_while_a_person_is_asked(name: str) -> None:
    """An open permission or question outlives the day."""
    session = hooks(PROMPT, (name, {**ASK, "call": "q"}))
    past(session)
    assert (session.status, session.past, session.attention) == ("waiting", False, 1)


def test_a_reader_says_that_an_old_file_is_past() -> None:
    """The same report that brings the values; a newer line reopens the session."""
    lines = [prompt("go"), assistant("m", at=NOW + 9)]
    session = folded(reports(b"".join(lines), now=NOW + 90_000_000))
    assert (session.status, session.ended_at, session.past) == ("ended", NOW + 9, True)
    whole = b"".join([*lines, prompt("on", NOW + 95_000_000)])
    refold(session, reports(whole, cuts=[len(b"".join(lines))]))
    assert (session.status, session.ended_at, session.past) == ("running", None, False)


def test_an_old_file_is_past_also_when_its_first_lines_have_no_time() -> None:
    """The time of reading is no news of the session."""
    lines = [line("ai-title", None, aiTitle="Old"), prompt("go", NOW - 100 * 86_400_000)]
    told: list[Delta] = list(reports(b"".join(lines), cuts=[len(lines[0])], now=NOW))
    assert after(*told).status == "ended"
