"""What time alone changes: when a silent session is stale, and when it is past."""

import pytest

from session.aging import aged, by_time, silences
from session.delta import Event, Time
from session.state import Session
from tests.session.made import NOW, folded, hook, log, refold, reports
from tests.session.made import assistant as said

MINUTE, HOUR = 60_000, 3_600_000
PROMPT = hook("UserPromptSubmit", prompt="go")
TOOL = hook("PreToolUse", tool="Bash", call="t1")
ASK = hook("PermissionRequest", tool="Bash")
STOP = hook("Stop")


@pytest.mark.parametrize(
    ("stream", "silent_ms", "kind"),
    [
        ([PROMPT], 10 * MINUTE, None),
        ([PROMPT], 10 * MINUTE + 1, "stale"),
        ([PROMPT, TOOL], 11 * MINUTE, None),
        ([PROMPT, TOOL], 61 * MINUTE, "stale"),
        ([PROMPT, STOP], 11 * HOUR, None),
        ([PROMPT, STOP], 24 * HOUR, None),
        ([PROMPT, STOP], 24 * HOUR + 1, "past"),
        ([PROMPT], 25 * HOUR, "past"),
        ([PROMPT, TOOL, ASK], 61 * MINUTE, None),
        ([PROMPT, TOOL, ASK], 25 * HOUR, None),
        ([hook("StopFailure", error="overloaded")], 25 * HOUR, "past"),
    ],
)
def test_silence_becomes_a_delta(stream: list[Event], silent_ms: int, kind: str | None) -> None:
    """Ten minutes, an hour while a tool is open, a day; never while a person is asked."""
    delta = aged(folded(stream), NOW + silent_ms)
    assert (delta and delta.kind) == kind


def test_a_session_is_told_once() -> None:
    """After its delta there is nothing more to say."""
    for silent_ms, status in ((11 * MINUTE, "stale"), (25 * HOUR, "ended")):
        session = folded([PROMPT])
        delta = aged(session, NOW + silent_ms)
        assert delta is not None
        refold(session, [delta])
        assert session.status == status
        assert aged(session, NOW + silent_ms) is None


def test_two_leaders_say_the_same() -> None:
    """The id names what was seen, so that the log takes it once."""
    one, two = aged(folded([PROMPT]), NOW + HOUR), aged(folded([PROMPT]), NOW + HOUR + 1)
    assert one is not None
    assert two is not None
    assert one.id == two.id


ERROR = "claude_code.api_error"
SAID = reports(said("m", at=NOW + MINUTE))


def silent(session: Session, now: int = NOW + HOUR) -> dict[str, int]:
    """What the timer says of single sources, folded."""
    refold(session, silences(session, now))
    return session.silent


def test_a_source_that_falls_behind_another_one_is_silent() -> None:
    """Five minutes behind the newest one, not behind the clock; it is told once."""
    session = folded([PROMPT, *SAID, hook("PreToolUse", NOW + 6 * MINUTE, tool="Bash", call="t1")])
    assert silent(session) == {}
    refold(session, [hook("PostToolUse", NOW + 6 * MINUTE + 1, tool="Bash", call="t1")])
    assert silent(session) == {"transcript": NOW + MINUTE}
    assert silences(session, NOW + 2 * HOUR) == []


def test_a_source_alone_is_not_said_to_be_silent() -> None:
    """There is nothing that it could be behind of; such a session goes stale."""
    assert silences(folded([PROMPT]), NOW + HOUR) == []


def test_a_source_that_is_heard_again_is_silent_no_more() -> None:
    """Whichever it is, and the others stay."""
    late = hook("Notification", NOW + 20 * MINUTE)
    session = folded([PROMPT, *SAID, log(ERROR, NOW + 2 * MINUTE, error="x"), late])
    refold(session, [hook("UserPromptSubmit", NOW + 21 * MINUTE, prompt="on")])
    assert silent(session) == {"transcript": NOW + MINUTE, "otlp": NOW + 2 * MINUTE}
    refold(session, [log(ERROR, NOW + 22 * MINUTE, error="x")])
    assert session.silent == {"transcript": NOW + MINUTE}


@pytest.mark.parametrize("end", ["SessionEnd", "past"])
def test_of_a_session_that_is_over_no_source_is_silent(end: str) -> None:
    """Nobody waits for its news."""
    session = folded([PROMPT, *SAID, hook("UserPromptSubmit", NOW + 9 * MINUTE, prompt="on")])
    assert silent(session)
    late = silences(folded([PROMPT, *SAID, hook("Setup", NOW + 9 * MINUTE)]), NOW)
    if end == "SessionEnd":
        refold(session, [hook("SessionEnd", NOW + 10 * MINUTE)])
    else:
        refold(session, [aged(session, NOW + 25 * HOUR) or PROMPT])
    assert (session.status, session.silent) == ("ended", {})
    refold(session, late)
    assert session.silent == {}


def test_only_of_a_session_at_work_silence_means_something() -> None:
    """An idle one has nothing to tell."""
    session = folded([PROMPT, *SAID, hook("Stop", NOW + 9 * MINUTE)])
    assert silences(session, NOW + HOUR) == []


def test_what_the_source_said_meanwhile_makes_its_silence_void() -> None:
    """The timer looked before the line came."""
    session = folded([PROMPT, *SAID, hook("UserPromptSubmit", NOW + 9 * MINUTE, prompt="on")])
    told = silences(session, NOW + HOUR)
    refold(session, reports(said("m", at=NOW + 10 * MINUTE), "subagents/agent-a"))
    assert not refold(session, told)
    assert session.silent == {}


@pytest.mark.parametrize("fields", [{}, {"source": "x"}, {"source": None, "since": None}])
def test_a_silence_that_names_no_source_changes_nothing(fields: dict[str, object]) -> None:
    """It came from another release."""
    odd = Time(id="odd", session="s", received_at=NOW, kind="silent", fields=fields)
    assert not refold(folded([PROMPT]), [odd])


def test_by_time_tells_all_of_it() -> None:
    """A session may be stale and one of its sources silent."""
    session = folded([PROMPT, *SAID, hook("UserPromptSubmit", NOW + 9 * MINUTE, prompt="on")])
    assert [delta.kind for delta in by_time(session, NOW + HOUR)] == ["stale", "silent"]
