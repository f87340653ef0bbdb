"""Tool calls and messages by family: a family is never added to another, the best one counts.

Transcripts before OTLP before native events before hooks. Called by the folds of reports and of
events.
"""

from typing import Literal

from session.changes import Changes
from session.delta import Event
from session.record import set_name, set_names
from session.state import Session

Family = Literal["otlp", "native", "hooks"]
FAMILIES: tuple[Family, ...] = ("otlp", "native", "hooks")  # what events may be, the best first


def family_of(event: Event) -> Family:
    """The family of an event: whoever is neither hooks nor OTLP speaks for an agent of its own."""
    if event.source == "hooks":
        return "hooks"
    return "otlp" if event.source == "otlp" else "native"


def count_call(
    session: Session, event: Event, calls: int, errors: int, changes: Changes
) -> None:  # fmt: skip
    """Count a call of a tool, or its end, in the event's family.

    It shows where no transcript is known and no better family counts calls.
    """
    if session.transcripts:
        return
    family, tool = family_of(event), event.fields["tool"]
    if family not in session.tools_by_family:
        session.tools_by_family[family] = {}
        if _counting_family(session) == family:
            _take_over(session, changes)
    counts = session.tools_by_family[family]
    known = counts.get(tool) or {"calls": 0, "errors": 0, "total_ms": 0}
    took_ms = event.fields.get("duration_ms") or 0 if event.kind != "tool_start" else 0
    counts[tool] = told = {
        "calls": known["calls"] + calls,
        "errors": known["errors"] + errors,
        "total_ms": known["total_ms"] + took_ms,
    }
    if _counting_family(session) == family:
        session.tools[tool] = told
        changes.key("tools", tool)
        count_tools(session, changes)


def _counting_family(session: Session) -> Family | None:
    for family in FAMILIES:
        if family in session.tools_by_family:
            return family
    return None


def _take_over(session: Session, changes: Changes) -> None:
    """A better family counts from here on, and nothing of the one before remains."""
    if session.tools:
        changes.key("tools", *session.tools)
        session.tools, session.removed_number = {}, -1


def count_tools(session: Session, changes: Changes) -> None:
    """Roll the tools up into the summary."""
    counted = session.tools.values()
    set_name(session, changes, "tool_calls", sum([tool["calls"] for tool in counted]))
    set_name(session, changes, "tool_errors", sum([tool["errors"] for tool in counted]))


def count_message(
    session: Session, event: Event, kind: Literal["prompts", "messages"], changes: Changes
) -> None:
    """Count a prompt or a message in the event's family; hooks hear too few to count."""
    family = family_of(event)
    if family == "hooks":
        return
    known = session.messages_by_family.get(family) or {"prompts": 0, "messages": 0}
    session.messages_by_family[family] = {**known, kind: known[kind] + 1}
    settle_messages(session, changes)


def settle_messages(session: Session, changes: Changes) -> None:
    """Messages and prompts, by the transcripts or by the best family that tells of messages.

    An agent that tells its prompts alone leaves the number unknown.
    """
    told = [source.values.get("messages") for source in session.transcripts.values()]
    counts = [count for count in told if count is not None]
    if not counts:
        families = (session.messages_by_family.get(family) for family in FAMILIES)
        best = next((each for each in families if each and each["messages"]), None)
        counts = list(best.values()) if best else []
    set_names(session, changes, messages=sum(counts) if counts else None)
