"""What a person does to a session: it changes what it says and nothing that the agent says."""

import math
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from session.aging import aged
from session.changes import Changes
from session.delta import Event
from session.fold import fold, makes_session, new_session
from session.persons import HANDLERS, PERSON
from session.state import Session
from tests.session.made import (
    NOW,
    after,
    assistant,
    hook,
    image,
    prompt,
    refold,
    reports,
    time,
)
from tests.session.strategies import hook_streams

LATER = NOW + 60_000
_ids = count(1)


def person(kind: str, at: int = LATER, **fields: Any) -> Event:
    """What the hub appends for a person."""
    return Event(
        id=f"p{next(_ids)}", session="s", kind=kind, source=PERSON, received_at=at, fields=fields
    )


def asking() -> Session:
    """A session that waits for a person, with a tool and a subagent under way."""
    return after(
        hook("UserPromptSubmit", prompt="go"),
        hook("SubagentStart", agent_id="a1", agent_type="Explore"),
        hook("PreToolUse", call="t1", tool="Bash"),
        hook("PermissionRequest", tool="Bash"),
    )


def test_an_ended_session_waits_for_nobody() -> None:
    """Its items close as ended, its tools and subagents are over, and the timeline says so."""
    session = asking()
    assert session.status == "waiting"
    changes = refold(session, [person("end")])
    assert (session.status, session.ended_at, session.status_since) == ("ended", LATER, LATER)
    assert (session.attention, session.current_tool, session.open_tools) == (0, None, {})
    assert session.subagents == {"active": 0, "total": 1}
    assert set(changes.closed.values()) == {"ended"}
    assert session.timeline.entries[-1].text == "session end: by a person"


def test_a_person_is_not_the_agent() -> None:
    """Neither a source nor the time of the last word changes, and a stale session stays stale."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    refold(session, [time("stale", session.updated_at, LATER)])
    before = (session.sources, session.updated_at, session.user, session.host)
    refold(session, [person("archive", archived=True), person("patch", title="x")])
    assert (session.sources, session.updated_at, session.user, session.host) == before
    assert session.status == "stale"


@pytest.mark.parametrize("behind_ms", [0, 5, 3_600_000])
def test_the_agents_next_word_opens_it_again(behind_ms: int) -> None:
    """Though the clock of whoever ended it be far ahead of the agent's."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    refold(session, [person("end", NOW + 3_600_000)])
    refold(session, [hook("UserPromptSubmit", NOW + 3_600_000 - behind_ms, prompt="on")])
    assert (session.status, session.ended_at) == ("running", None)


def test_what_the_transcript_said_before_does_not_open_it() -> None:
    """Another line that brings no news of the turn leaves it ended; the next prompt does not."""
    old = prompt("go") + assistant("m1", at=NOW + 10, stop_reason="end_turn")
    titled = old + b'{"type":"ai-title","aiTitle":"named"}\n'
    again = titled + prompt("more", LATER + 5)
    cuts = (len(old), len(titled))
    first, second, third = reports(again, cuts=cuts)
    session = after(first)
    refold(session, [person("end")])
    refold(session, [second])
    assert (session.title, session.status, session.ended_at) == ("named", "ended", LATER)
    refold(session, [third])
    assert (session.status, session.ended_at) == ("running", None)


def test_a_session_ends_once() -> None:
    """Ending what is over changes nothing, by a person or by the agent."""
    session = after(hook("UserPromptSubmit", prompt="go"), hook("SessionEnd", NOW + 5))
    assert not refold(session, [person("end")])
    assert session.ended_at == NOW + 5


def test_an_ended_session_becomes_past_like_any_other() -> None:
    """After a day of silence, and it was still ended when the person said so."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    refold(session, [person("end")])
    told = aged(session, NOW + 25 * 3_600_000)
    assert told is not None
    refold(session, [told])
    assert (session.past, session.ended_at) == (True, LATER)


def test_archived_is_set_and_taken_back() -> None:
    """It is a name like any other."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    assert refold(session, [person("archive", archived=True)]).names == {"archived"}
    assert session.archived
    refold(session, [person("archive", archived=False)])
    assert not session.archived


def test_a_persons_title_wins_until_it_is_cleared() -> None:
    """Over every other candidate, also over those that come later."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    refold(session, [person("patch", title="mine")])
    refold(session, reports(assistant("m1") + b'{"type":"ai-title","aiTitle":"named"}\n'))
    assert session.title == "mine"
    refold(session, [person("patch", title=None)])
    assert session.title == "named"


def test_a_patch_sets_what_it_names_and_null_clears() -> None:
    """The rest stays."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    refold(session, [person("patch", budget_usd=2, phase="review")])
    assert (session.budget_usd, session.phase, session.title) == (2.0, "review", "go")
    refold(session, [person("patch", budget_usd=None)])
    assert (session.budget_usd, session.phase) == (None, "review")


@pytest.mark.parametrize("told", [True, "2", -1, math.nan, math.inf, [], {}])
def test_what_is_no_sum_is_no_budget(told: Any) -> None:
    """Nothing but a number that is not negative."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    refold(session, [person("patch", budget_usd=told)])
    assert session.budget_usd is None


def test_a_deleted_session_is_told_and_left_as_it_is() -> None:
    """Whoever folds lets it go."""
    session = after(hook("UserPromptSubmit", prompt="go"), hook("SessionEnd"))
    before = image(session, log=False)
    changes = refold(session, [person("delete")])
    assert changes
    assert changes.deleted
    assert (changes.names, changes.keys) == (set(), {})
    assert image(session, log=False) == before


def test_what_goes_on_is_not_deleted() -> None:
    """The agent was heard between the person's look and the log."""
    session = after(hook("SessionEnd"), hook("UserPromptSubmit", NOW + 5, prompt="on"))
    assert not refold(session, [person("delete")])


def test_deletion_outlives_merging() -> None:
    """Whatever is merged before or behind it."""
    gone, other = Changes(), Changes()
    gone.deleted = True
    other.merge(gone)
    other.merge(Changes())
    assert other.deleted


def test_a_person_makes_no_session() -> None:
    """Nor does time alone; what the agent says does."""
    assert not makes_session(person("end"))
    assert not makes_session(time("past", NOW, NOW))
    assert makes_session(hook("Stop"))


def test_no_cursor_of_a_deleted_session_is_continued() -> None:
    """The log counts on, and what was removed with the first one was removed by the next."""
    first = msgspec.structs.replace(hook("Stop"), number=8)
    session = new_session(first)
    fold(session, first)
    assert session.removed_number == 8


def test_no_agents_word_is_a_persons() -> None:
    """The kinds mean something by their source alone."""
    session = after(hook("UserPromptSubmit", prompt="go"))
    for kind in HANDLERS:
        told = msgspec.structs.replace(person(kind, archived=True), source="hooks")
        refold(session, [told])
    assert (session.status, session.archived, session.attention) == ("running", False, 0)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@given(hook_streams(), st.sampled_from(sorted(HANDLERS)), st.dictionaries(
    st.sampled_from(("archived", "title", "budget_usd", "phase")), junk))  # fmt: skip
def test_any_fields_are_taken_or_left(
    events: list[Event], kind: str, fields: dict[str, Any]
) -> None:
    """Whatever stands in them, the fold goes on, and doing it again changes nothing."""
    session = after(*events)
    refold(session, [person(kind, **fields)])
    assert isinstance(session.title, str | None)
    assert isinstance(session.phase, str | None)
    assert session.budget_usd is None or session.budget_usd >= 0
    assert isinstance(session.archived, bool)
    again = refold(session, [person(kind, **fields)])
    assert again.deleted or not again
