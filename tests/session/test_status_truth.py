"""Every way in which a status goes wrong in this field, as it really happens.

Each scene is told three times: by hooks alone, by transcripts alone, and by both.
"""

import pytest

from tests.session.made import assistant, interrupt, line, prompt, result, tool_use
from tests.session.witnesses import (
    LAGS_MS,
    Hook,
    Line,
    Step,
    by_both,
    by_hooks,
    by_transcripts,
    step,
    wrong_at,
)

HOUR = 3_600
RUN, IDLE, WAIT, FAILED = "running", "idle", "waiting permission", "failed failure"


def used(call: str = "t1", tool: str = "Bash", **more: object) -> Hook:
    """A tool begins."""
    return ("PreToolUse", {"tool": tool, "call": call, **more})


def done(call: str = "t1", tool: str = "Bash", **more: object) -> Hook:
    """A tool ended well."""
    return ("PostToolUse", {"tool": tool, "call": call, "tool_response": {}, **more})


def said(message: str = "m", *blocks: dict[str, object], **more: object) -> Line:
    """The agent says something or uses a tool."""
    return lambda at: assistant(message, *blocks, at=at, **more)


def ends(call: str = "t1", **more: object) -> Line:
    """A tool's result."""
    return lambda at: result(call, at, **more)  # type: ignore[arg-type]


def typed(text: str = "go") -> Line:
    """A person's prompt."""
    return lambda at: prompt(text, at)


def system(subtype: str) -> Line:
    """A line of the program itself."""
    return lambda at: line("system", at, subtype=subtype)


PROMPT: Hook = ("UserPromptSubmit", {"prompt": "go"})
PERMIT: Hook = ("PermissionRequest", {"tool": "Bash"})
REWRITTEN: Hook = ("PermissionRequest", {"tool": "Bash", "tool_input": {"command": "other"}})
STOP: Hook = ("Stop", {})
TASKS: Hook = ("Stop", {"background_tasks": [{"id": "b1", "type": "agent"}]})
END: Hook = ("SessionEnd", {"reason": "other"})
RESUME: Hook = ("SessionStart", {"source": "resume"})
COMPACT: Hook = ("SessionStart", {"source": "compact"})
QUIET: Hook = ("Notification", {"notification_type": "idle_prompt"})
INTERRUPTED: Hook = ("PostToolUseFailure", {
    "tool": "Bash", "call": "t1", "error": "interrupted", "is_interrupt": True,
})  # fmt: skip
ASK = {"tool": "AskUserQuestion", "tool_input": {"questions": [{"question": "Which?"}]}}
PLAN = {"tool": "ExitPlanMode", "tool_input": {"plan": "1. build"}}
asked = said("q", tool_use("q", "AskUserQuestion", questions=[{"question": "Which?"}]))
planned = said("q", tool_use("q", "ExitPlanMode", plan="1. build"))
uses = said("m", tool_use("t1"))
over = said("end", stop_reason="end_turn")
errs = said("err", isApiErrorMessage=True, model="<synthetic>")

GO = step(0, RUN, PROMPT, lines=[typed()])
TOOL = step(4, RUN, used(), lines=[uses])

SCENES: dict[str, list[Step]] = {
    "Esc while the agent writes: no hook tells": [
        GO,
        step(5, (RUN, IDLE, IDLE), lines=[interrupt]),
        step(65, IDLE, QUIET),
    ],
    "Esc within two seconds of the last hook: silence settles it": [
        GO,
        TOOL,
        step(5.5, (RUN, IDLE, RUN), lines=[ends(error=True), interrupt]),
        step(20, (RUN, IDLE, IDLE)),
        step(30, RUN, PROMPT, lines=[typed("on")]),
    ],
    "Esc during a tool, which fails with it": [
        GO,
        TOOL,
        step(30, RUN, INTERRUPTED, lines=[ends(error=True)]),
        step(30.001, (RUN, IDLE, IDLE), lines=[interrupt]),
        step(90, IDLE, QUIET),
    ],
    "Esc, and at once another prompt": [
        GO,
        TOOL,
        step(5, (RUN, IDLE, RUN), lines=[ends(error=True), interrupt]),
        step(5.5, RUN, PROMPT, lines=[typed("rather this")]),
        step(40, RUN),
    ],
    "killed while it writes: nothing more comes": [
        GO,
        step(590, RUN),
        step(605, "stale"),
        step(25 * HOUR, "ended"),
    ],
    "killed in a tool: an hour's patience": [
        GO,
        TOOL,
        step(3_000, RUN),
        step(3_700, "stale"),
        step(3_900, RUN, PROMPT, lines=[typed("on")]),
    ],
    "killed while a person is asked: it still waits, as far as anybody knows": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(25 * HOUR, (WAIT, "ended", WAIT)),
    ],
    "killed while a person is asked, then resumed: nobody can answer any more": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(300, (IDLE, RUN, IDLE), RESUME),
        step(310, RUN, PROMPT, lines=[typed("on")]),
    ],
    "an API error after retries": [
        GO,
        step(3, RUN, lines=[system("api_error")]),
        step(9, RUN, lines=[system("api_error")]),
        step(20, FAILED, ("StopFailure", {"error": "overloaded"}), lines=[errs]),
        step(23, FAILED, lines=[system("turn_duration")]),
        step(60, RUN, PROMPT, lines=[typed("again")]),
    ],
    "an API error whose hook is lost": [
        GO,
        step(20, (RUN, FAILED, FAILED), lines=[errs]),
        step(80, (IDLE, FAILED, FAILED), QUIET),
        step(90, RUN, PROMPT, lines=[typed("again")]),
    ],
    "the end of the session is lost: it is past after a day": [
        GO,
        step(8, IDLE, STOP, lines=[over]),
        step(8 + 23 * HOUR, IDLE),
        step(9 + 24 * HOUR, "ended"),
    ],
    "an end, a line that lags behind it, and a new life": [
        GO,
        step(8, IDLE, STOP, lines=[over]),
        step(8.5, ("ended", IDLE, "ended"), END),
        step(9.5, ("ended", IDLE, "ended"), lines=[system("turn_duration")]),
        step(100, IDLE, RESUME),
        step(110, RUN, PROMPT, lines=[typed("on")]),
    ],
    "a lost Stop: the transcript tells": [
        GO,
        step(8, (RUN, IDLE, IDLE), lines=[over]),
        step(68, IDLE, QUIET),
    ],
    "a lost Stop soon after a hook: silence settles it": [
        GO,
        TOOL,
        step(6, RUN, done(), lines=[ends()]),
        step(7.5, (RUN, IDLE, RUN), lines=[over]),
        step(20, (RUN, IDLE, IDLE)),
    ],
    "tasks in the background outlive the turn's last lines": [
        GO,
        step(8, (RUN, IDLE, RUN), TASKS, lines=[over]),
        step(12, (RUN, IDLE, RUN), lines=[system("turn_duration")]),
        step(30, (RUN, IDLE, RUN)),
        step(60, RUN, lines=[said("woken")]),
        step(70, IDLE, STOP, lines=[over]),
    ],
    "the turn that the background woke loses its Stop": [
        GO,
        step(8, (RUN, IDLE, RUN), TASKS, lines=[over]),
        step(60, RUN, lines=[said("woken")]),
        step(66, (RUN, IDLE, IDLE), lines=[over]),
    ],
    "a permission, allowed in the terminal": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(10, (WAIT, RUN, WAIT), ("Notification", {"notification_type": "permission_prompt"})),
        step(30, RUN, done(), lines=[ends()]),
        step(40, IDLE, STOP, lines=[over]),
    ],
    "a permission, refused in the terminal: no hook tells": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(30, (WAIT, IDLE, IDLE), lines=[ends(error=True), interrupt]),
        step(50, RUN, PROMPT, lines=[typed("rather this")]),
    ],
    "a permission, refused within two seconds": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(5.3, (WAIT, IDLE, RUN), lines=[ends(error=True), interrupt]),
        step(20, (WAIT, IDLE, IDLE)),
    ],
    "a permission, refused with a word to go on with": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(30, (WAIT, RUN, RUN), lines=[ends(error=True)]),
        step(33, (WAIT, RUN, RUN), lines=[said("m2")]),
        step(40, IDLE, STOP, lines=[over]),
    ],
    "a permission, refused by a machine": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(5, RUN, ("PermissionDenied", {"tool": "Bash", "call": "t1"}),
             lines=[ends(error=True)]),
    ],
    "a permission, left for another prompt": [
        GO,
        TOOL,
        step(4.1, (WAIT, RUN, WAIT), PERMIT),
        step(30, RUN, PROMPT, lines=[interrupt, typed("rather this")]),
    ],
    "a request that matches no call, and a prompt whose hook is lost": [
        GO,
        step(4, (WAIT, RUN, WAIT), REWRITTEN, lines=[uses]),
        step(30, (WAIT, RUN, RUN), lines=[typed("rather this")]),
    ],
    "a request that matches no call, refused: no hook tells": [
        GO,
        step(4, (WAIT, RUN, WAIT), used(), REWRITTEN, lines=[uses]),
        step(30, (WAIT, IDLE, IDLE), lines=[ends(error=True), interrupt]),
    ],
    "a request that matches no call, while the end of the call before it is still being read": [
        GO,
        TOOL,
        step(6, RUN, done(), lines=[ends()]),
        step(6.02, (WAIT, RUN, WAIT), REWRITTEN),
        step(30, RUN, done("t2"), lines=[said("m2", tool_use("t2")), ends("t2")]),
    ],
    "a question, answered": [
        GO,
        step(4, "waiting question", used("q", **ASK), ("PermissionRequest", ASK), lines=[asked]),
        step(64, "waiting question", QUIET),
        step(90, RUN, done("q", **ASK), lines=[ends("q")]),
    ],
    "a question, declined with Esc: no hook tells": [
        GO,
        step(4, "waiting question", used("q", **ASK), lines=[asked]),
        step(30, ("waiting question", IDLE, IDLE), lines=[ends("q", error=True), interrupt]),
    ],
    "a question, answered before its line is read": [
        GO,
        step(4, "waiting question", used("q", **ASK), lines=[asked]),
        step(4.6, RUN, done("q", **ASK), lines=[ends("q")]),
    ],
    "a question, given up before its line is read": [
        GO,
        step(4, "waiting question", used("q", **ASK), lines=[asked]),
        step(4.6, RUN, PROMPT, lines=[typed("never mind")]),
    ],
    "a plan, refused with a word, then approved": [
        GO,
        step(4, "waiting plan", used("q", **PLAN), lines=[planned]),
        step(40, ("waiting plan", RUN, RUN), lines=[ends("q", error=True)]),
        step(50, IDLE, STOP, lines=[over]),
    ],
    "a form of a server, left with Esc: no hook tells": [
        GO,
        step(4, ("waiting question", RUN, "waiting question"),
             ("Elicitation", {"mcp_server_name": "m", "message": "Name?"})),
        step(30, ("waiting question", IDLE, IDLE), lines=[interrupt]),
    ],
    "a subagent runs on behind the turn, and asks": [
        GO,
        step(4, RUN, used("t1", "Agent"), lines=[said("m", tool_use("t1", "Agent"))]),
        step(5, RUN, ("SubagentStart", {"agent_id": "a1", "agent_type": "Explore"})),
        step(6, RUN, done("t1", "Agent"), lines=[ends()]),
        step(9, (RUN, IDLE, RUN), TASKS, lines=[over]),
        step(12, RUN, used("s1", agent_id="a1"), lines=[said("s", tool_use("s1"))],
             of="subagents/agent-a1"),
        step(12.1, (WAIT, RUN, WAIT), ("PermissionRequest", {"tool": "Bash", "agent_id": "a1"})),
        step(14, (WAIT, RUN, WAIT), lines=[system("turn_duration")]),
        step(30, RUN, done("s1", agent_id="a1"), lines=[ends("s1")], of="subagents/agent-a1"),
        step(33, (RUN, IDLE, RUN), ("SubagentStop", {"agent_id": "a1"}), lines=[over],
             of="subagents/agent-a1"),
        step(34, RUN, lines=[said("woken")]),
        step(40, IDLE, STOP, lines=[over]),
    ],
    "a request overtakes its call": [
        GO,
        step(4, (WAIT, RUN, WAIT), PERMIT),
        step(4.02, (WAIT, RUN, WAIT), used(), lines=[uses]),
        step(30, RUN, done(), lines=[ends()]),
    ],
    "an end overtakes its beginning": [
        GO,
        step(4, RUN, done(), used(), lines=[uses, ends()]),
        step(9, IDLE, STOP, lines=[over]),
    ],
    "compaction in the middle of a turn": [
        GO,
        TOOL,
        step(6, RUN, done(), ("PreCompact", {"trigger": "auto"}), lines=[ends()]),
        step(60, RUN, lines=[said("c")], of="subagents/agent-acompact-1"),
        step(61, RUN, COMPACT, ("PostCompact", {"trigger": "auto"}),
             lines=[system("compact_boundary")]),
        step(70, IDLE, STOP, lines=[over]),
    ],
    "compaction between two turns": [
        GO,
        step(8, IDLE, STOP, lines=[over]),
        step(20, IDLE, ("PreCompact", {"trigger": "manual"})),
        step(60, IDLE, lines=[said("c")], of="subagents/agent-acompact-1"),
        step(61, IDLE, COMPACT, ("PostCompact", {"trigger": "manual"}),
             lines=[system("compact_boundary")]),
        step(90, RUN, PROMPT, lines=[typed("on")]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_hooks_alone_show_what_hooks_can_know(scene: str) -> None:
    """After each hook, and after each silence that the timer notices."""
    steps = SCENES[scene]
    assert wrong_at(by_hooks(steps), [each.truth[0] for each in steps]) == []


@pytest.mark.parametrize("scene", SCENES)
def test_a_transcript_alone_shows_what_transcripts_can_know(scene: str) -> None:
    """A permission stands in no transcript; everything else is seen when its line is read."""
    steps = SCENES[scene]
    assert wrong_at(by_transcripts(steps, 50), [each.truth[1] for each in steps]) == []


@pytest.mark.parametrize("lag_ms", LAGS_MS)
@pytest.mark.parametrize("scene", SCENES)
def test_two_witnesses_show_the_truth(scene: str, lag_ms: int) -> None:
    """Hooks first, lines 50 ms to 2 s later: right after every single delivery between."""
    steps = SCENES[scene]
    assert wrong_at(by_both(steps, lag_ms), [each.truth[2] for each in steps]) == []
