"""What time alone changes: when a silent session is stale, and when it is past."""

import pytest

from session.aging import aged
from session.delta import Event
from tests.session.made import NOW, folded, hook, refold

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
