"""Open approvals, questions, plans and failures: what opens an item, and what closes it."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest.adapters.claude_hooks import normalize
from session.changes import Changes
from session.delta import Delta, Event, Report
from session.fold import fold, new_session
from session.state import Item, Session, item_view
from tests.session.made import (
    NOW,
    after,
    assistant,
    folded,
    hook,
    interrupt,
    prompt,
    refold,
    reports,
    result,
    tool_use,
    union,
)
from tests.session.reference import Reference

QUESTION = {"questions": [{"question": "Which?"}, {"question": "When?"}]}
START = hook("PreToolUse", tool="Bash", call="t1")
ASK = hook("PermissionRequest", tool="Bash")


def asked(*more: Delta) -> Session:
    """A session with an open request for the call t1, and what came then."""
    return after(START, ASK, *more)


def items(session: Session) -> list[tuple[str, str]]:
    """Id and kind of what is open."""
    return [(item.id, item.kind) for item in session.items.values()]


@pytest.mark.fixtures
def test_every_recorded_hook_leads_to_the_status_of_the_table(shared_fixtures: Path) -> None:
    """893 real payloads, one at a time: status and open requests as derived independently."""
    expected: dict[str, Reference] = defaultdict(Reference)
    sessions: dict[str, Session] = {}
    lines = (shared_fixtures / "hooks" / "claude_code.jsonl").read_bytes().splitlines()
    for number, raw in enumerate(lines, 1):
        payload = json.loads(raw)
        reference = expected[payload["session_id"]]
        reference.hear(payload)
        event = normalize(raw, delta_id=str(number), received_at=NOW + number, workspace="w")
        session = sessions.setdefault(event.session, new_session(event))
        fold(session, msgspec.structs.replace(event, number=number))
        where = (number, payload["hook_event_name"])
        assert (where, session.status) == (where, reference.status)
        assert (where, session.attention) == (where, len(reference.asked))
    assert len(lines) == 893
    assert len(sessions) == 15


def test_a_request_opens_an_item_that_clients_can_show() -> None:
    """Kind, tool, the command and when it was asked, but not the whole request."""
    item = asked().items["t1"]
    assert item_view(item) == {
        "id": "s:t1", "session": "s", "kind": "permission", "tool": "Bash", "summary": "make",
        "opened_at": NOW, "answerable": False,
    }  # fmt: skip
    assert item.request == {"command": "make"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("PostToolUse", {"tool": "Bash", "call": "t1"}),
        ("PostToolUseFailure", {"tool": "Bash", "call": "t1", "error": "no"}),
        ("PermissionDenied", {"tool": "Bash", "call": "t1", "reason": "no"}),
        ("Stop", {}),
        ("UserPromptSubmit", {"prompt": "never mind"}),
        ("SessionEnd", {"reason": "other"}),
        ("StopFailure", {"error": "overloaded"}),
    ],
)
def test_a_request_closes(name: str, fields: dict[str, Any]) -> None:
    """Its tool's end or denial, the turn's end, a new prompt and the session's end close it."""
    session = asked(hook(name, NOW + 1, **fields))
    assert "t1" not in session.items
    assert session.status != "waiting"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("PreToolUse", {"tool": "Read", "call": "t2"}),
        ("PostToolUse", {"tool": "Bash", "call": "t2"}),
        ("PostToolUse", {"tool": "Read", "call": "t3"}),
        ("Notification", {"notification_type": "permission_prompt"}),
        ("Notification", {"notification_type": "idle_prompt"}),
        ("SubagentStop", {"agent_id": "a1"}),
        ("SessionStart", {"source": "compact"}),
        ("MessageDisplay", {}),
    ],
)
def test_a_request_stays_open(name: str, fields: dict[str, Any]) -> None:
    """What another call, another agent or a notice says answers nothing."""
    session = asked(hook(name, NOW + 1, **fields))
    assert (items(session), session.status) == ([("t1", "permission")], "waiting")


def test_a_request_without_a_known_call_closes_at_the_next_end_of_its_tool() -> None:
    """Of the same tool in the same agent; another agent's call says nothing."""
    lone = hook("PermissionRequest", tool="Bash", tool_input={"command": "x"})
    other = hook("PostToolUse", tool="Bash", call="t8", agent_id="a1")
    assert after(lone, other).attention == 1
    assert after(lone, hook("PostToolUse", tool="Read", call="t8")).attention == 1
    assert after(lone, hook("PostToolUse", tool="Bash", call="t9")).attention == 0


def test_a_request_that_came_before_its_call_is_bound_to_it() -> None:
    """Hooks arrive in any order: only the end of that very call closes the item then."""
    session = after(ASK, START, hook("PostToolUse", tool="Bash", call="t2"))
    assert session.attention == 1
    assert refold(session, [hook("PostToolUse", tool="Bash", call="t1")]).closed
    assert session.attention == 0


def test_a_question_is_one_item_whether_one_hook_asks_or_two() -> None:
    """PreToolUse opens it, the PermissionRequest of the same call adds nothing."""
    fields: dict[str, Any] = {"tool": "AskUserQuestion", "tool_input": QUESTION}
    start, ask = hook("PreToolUse", call="q", **fields), hook("PermissionRequest", **fields)
    for stream in ([start], [start, ask], [ask, start]):
        session = folded(stream)
        assert [item.kind for item in session.items.values()] == ["question"]
        assert next(iter(session.items.values())).summary == "Which?\nWhen?"
        refold(session, [hook("PostToolUse", call="q", **fields)])
        assert session.attention == 0


def test_two_equal_calls_that_ask_are_two_items() -> None:
    """Answering one of two equal parallel calls leaves the other one open."""
    twin = hook("PreToolUse", tool="Bash", call="t2")
    session = after(START, twin, ASK, hook("PermissionRequest", tool="Bash"))
    assert session.attention == 2
    refold(session, [hook("PostToolUse", tool="Bash", call="t2")])
    assert (session.attention, session.status) == (1, "waiting")


def test_an_elicitation_waits_for_its_own_result() -> None:
    """Two servers may ask at once."""
    one = hook("Elicitation", mcp_server_name="m", message="Name?", elicitation_id="1")
    two = hook("Elicitation", mcp_server_name="m", message="Age?", elicitation_id="2")
    session = after(one, two, hook("ElicitationResult", elicitation_id="1", action="accept"))
    assert [item.summary for item in session.items.values()] == ["Age?"]


def test_a_failure_is_open_until_the_next_prompt() -> None:
    """It does not block, and only the person's next word closes it."""
    session = after(hook("StopFailure", error="rate_limit", error_details="5 h"))
    assert items(session) == [("failure", "failure")]
    assert session.items["failure"].summary == "rate_limit: 5 h"
    refold(session, [hook("Notification", notification_type="permission_prompt")])
    assert (session.status, session.attention) == ("failed", 1)
    refold(session, [hook("UserPromptSubmit", NOW + 1, prompt="again")])
    assert (session.status, session.attention) == ("running", 0)


def test_an_api_error_in_a_transcript_is_a_failure() -> None:
    """With the error's text; the next prompt closes it."""
    block = {"type": "text", "text": "API Error: 529 overloaded"}
    error = assistant("e", block, model="<synthetic>", isApiErrorMessage=True)
    session = folded(reports(error))
    assert [item.summary for item in session.items.values()] == ["API Error: 529 overloaded"]
    refold(session, reports(error + prompt("again", NOW + 1), cuts=[len(error)]))
    assert session.attention == 0


def test_an_idle_session_that_merely_waits_for_its_prompt_opens_no_item() -> None:
    """That is not attention."""
    session = after(hook("Stop"), hook("Notification", notification_type="idle_prompt"))
    assert (session.status, session.attention) == ("idle", 0)


ASKED = tool_use("q", "AskUserQuestion", **QUESTION)


def test_a_question_in_a_transcript_is_open_until_its_result() -> None:
    """Hooks are not needed for it."""
    asking = assistant("m", ASKED)
    session = folded(reports(asking))
    assert items(session) == [("q", "question")]
    changes = refold(session, reports(asking + result("q", NOW + 1), cuts=[len(asking)]))
    assert set(changes.closed) == {"q"}
    assert session.attention == 0


@pytest.mark.parametrize("ending", [prompt("never mind", NOW + 1), interrupt(NOW + 1)])
def test_a_question_in_a_transcript_closes_without_a_result(ending: bytes) -> None:
    """The person prompts anew or interrupts: nobody waits for the old answer."""
    asking = assistant("m", ASKED)
    session = folded(reports(asking + ending, cuts=[len(asking)]))
    assert session.attention == 0


def test_a_call_that_a_transcript_ends_closes_its_request() -> None:
    """A person's refusal fires no hook, but the transcript has it."""
    lines = assistant("m", tool_use("t1")) + result("t1", NOW + 9_000, error=True)
    assert folded([START, ASK, *reports(lines)]).attention == 0


def test_a_call_that_a_transcript_ends_closes_a_request_bound_later() -> None:
    """Also where the request came before the call and so has an id of its own."""
    lines = assistant("m", tool_use("t1")) + result("t1", NOW + 9_000, error=True)
    assert folded([ASK, START, *reports(lines)]).attention == 0


def test_a_call_that_a_transcript_ends_closes_a_request_without_a_known_call() -> None:
    """The next end of the same tool in the same agent is its end, whoever tells it."""
    lines = assistant("m", tool_use("t1")) + result("t1", NOW + 9_000, error=True)
    asking = hook("PermissionRequest", tool="Bash", tool_input={"command": "rewritten"})
    assert folded([asking, *reports(lines)]).attention == 0


def test_a_lagging_transcript_does_not_reopen_what_was_answered() -> None:
    """Hooks closed the question before the transcript told of it."""
    fields: dict[str, Any] = {"tool": "AskUserQuestion", "tool_input": QUESTION, "call": "q"}
    hooks = [hook("PreToolUse", NOW, **fields), hook("PostToolUse", NOW + 5_000, **fields)]
    assert folded([*hooks, *reports(assistant("m", ASKED))]).attention == 0


def test_a_subagents_request_survives_the_stop_while_it_runs_on() -> None:
    """A background subagent may still be waiting for the person."""
    start = hook("PreToolUse", tool="Bash", call="t", agent_id="a1")
    ask = hook("PermissionRequest", tool="Bash", agent_id="a1")
    session = after(start, ask, hook("Stop", background_tasks=[{"id": "1"}]))
    assert (session.status, session.attention) == ("waiting", 1)
    refold(session, [hook("SubagentStop", agent_id="a1")])
    assert (session.status, session.attention) == ("running", 0)


def test_open_items_are_bounded() -> None:
    """The oldest gives way, and says so."""
    asks: list[Event] = [
        hook("PermissionRequest", NOW + n, tool="Bash", tool_input={"n": n}) for n in range(1, 66)
    ]
    session = folded(asks[:-1])
    changes = refold(session, asks[-1:])
    assert (session.attention, list(changes.closed.values())) == (64, ["displaced"])


def test_an_item_opened_and_closed_within_one_batch_is_only_closed() -> None:
    """Conflated changes name an item once."""
    opened, closed = Changes(), Changes()
    opened.opened.add("x")
    closed.closed["x"] = "allowed"
    assert union([opened, closed]).opened == set()
    again = union([closed, opened])
    assert (again.opened, again.closed) == ({"x"}, {})


def test_asking_again_keeps_the_time_of_the_first_request() -> None:
    """A request that is repeated is still the same one."""
    session = asked(hook("PermissionRequest", NOW + 60_000, tool="Bash"))
    assert isinstance(session.items["t1"], Item)
    assert (session.attention, session.items["t1"].opened_at) == (1, NOW)


def test_a_question_that_turns_out_to_be_another_call_is_closed() -> None:
    """What a source says last of a call wins: nobody is waited for any more."""
    asked = {"tool": "AskUserQuestion", "at": NOW, "kind": "question", "summary": "which?"}
    session = folded([told(1, {"q": asked})])
    assert (session.status, session.attention) == ("waiting", 1)
    refold(session, [told(2, {"q": {"tool": "Bash", "at": NOW}})])
    assert (session.status, session.attention) == ("running", 0)


def told(to: int, open_calls: dict[str, Any]) -> Report:
    """A report of open calls in a turn that is under way."""
    values = {"open_calls": open_calls, "signal": {"status": "running", "at": NOW}}
    return Report(
        id=f"r{to}", workspace="default", session="s", agent="claude-code", source="main",
        at=NOW, received_at=NOW, generation=0, from_=to - 1, to=to, values=values,
    )  # fmt: skip


def test_words_that_nobody_knows_change_no_status_and_open_a_permission() -> None:
    """Whoever posts deltas cannot put a word on the board that no reader of it knows."""
    asks = Event(
        id="e", workspace="default", session="s", agent="x", source="native", kind="permission",
        at=NOW, received_at=NOW, fields={"asks": "whatever", "tool": "Bash"},
    )  # fmt: skip
    session = folded([asks])
    assert [item.kind for item in session.items.values()] == ["permission"]
