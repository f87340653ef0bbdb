"""Scenes told by hooks, by transcripts, and by both with the lag that transcripts really have.

Shares nothing with the fold: a scene says what is true after each step, and a telling delivers it.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingest.adapters.claude_transcript import ClaudeTranscript
from session import codec
from session.aging import aged
from session.delta import Delta
from session.fold import fold, new_session
from session.state import Session
from tests.session.made import NOW, as_report, hook

Hook = tuple[str, dict[str, object]]
Line = Callable[[int], bytes]
Lines = dict[str, list[Line]]
LAGS_MS = (50, 900, 2_000)


class Step(NamedTuple):
    """What happens ``at_ms`` after the scene's beginning, and what is true then.

    ``truth`` by hooks alone, by transcripts alone and by both: the status, then the kinds of what
    is open. A step in which nothing is told is silence: the timer looks.
    """

    at_ms: int
    hooks: Sequence[Hook]
    lines: Lines
    truth: tuple[str, str, str]


def step(
    at_s: float, truth: str | tuple[str, str, str], *hooks: Hook, lines: Sequence[Line] = (),
    of: str = "main",
) -> Step:  # fmt: skip
    """One step; a single ``truth`` is what every witness knows."""
    each = (truth, truth, truth) if isinstance(truth, str) else truth
    return Step(int(at_s * 1_000), hooks, {of: list(lines)} if lines else {}, each)


class Told(NamedTuple):
    """One delivery: when it arrives, what it is, and after which step the truth is known."""

    at_ms: int
    order: int
    step: int
    deltas: list[Delta]
    silence: bool = False


def by_hooks(steps: Sequence[Step]) -> list[Told]:
    """Hooks arrive at once."""
    told = []
    for place, each in enumerate(steps):
        at = NOW + each.at_ms
        events: list[Delta] = [hook(name, at, **fields) for name, fields in each.hooks]
        silent = not each.hooks and not each.lines
        told.append(Told(each.at_ms, place, place, events, silent))
    return told


def by_transcripts(steps: Sequence[Step], lag_ms: int) -> list[Told]:
    """Lines carry the time at which they were written, and are read ``lag_ms`` later."""
    files: dict[str, ClaudeTranscript] = {}
    told = []
    for place, each in enumerate(steps):
        for source, lines in each.lines.items():
            transcript = files.setdefault(source, ClaudeTranscript("s", source))
            transcript.feed(b"".join(line(NOW + each.at_ms) for line in lines))
            report = as_report(transcript.take(), source)
            told.append(Told(each.at_ms + lag_ms, place, place, [report]))
        if not each.lines:
            told.append(Told(each.at_ms + lag_ms, place, place, [], not each.hooks))
    return told


def by_both(steps: Sequence[Step], lag_ms: int) -> list[Told]:
    """Hooks first, lines later; a step without a hook is known when its lines are read."""
    hooks = [each for each in by_hooks(steps) if each.deltas or each.silence]
    lines = [each for each in by_transcripts(steps, lag_ms) if each.deltas]
    return sorted([*hooks, *lines], key=lambda told: (told.at_ms, told.order))


def seen(session: Session) -> str:
    """The status and the kinds of what is open."""
    return " ".join([session.status, *sorted(item.kind for item in session.items.values())])


def wrong_at(told: Sequence[Told], truths: Sequence[str]) -> list[str]:
    """Folds delivery after delivery; gives where what is seen is not what is true."""
    session: Session | None = None
    known, number, wrong = 0, 0, []
    for each in told:
        deltas = each.deltas
        if each.silence and session is not None:
            due = aged(session, NOW + each.at_ms)
            deltas = [due] if due is not None else []
        for delta in deltas:
            number += 1
            session = session or new_session(delta)
            fold(session, codec.numbered(delta, number))
        known = max(known, each.step)
        if session is not None and seen(session) != truths[known]:
            wrong.append(f"{each.at_ms} ms: {truths[known]!r} is true, {seen(session)!r} is shown")
    return wrong
