"""What every kind of delta does to a session: set names, add entries, keep errors and the title.

Marks exactly what changed. Called by the folds of reports and events.
"""

from collections.abc import Iterable
from typing import Any

from session.changes import Changes
from session.delta import MAIN_SOURCE, Delta, Entry
from session.state import Session
from session.timeline import TimelineEntry

ERRORS_MAX = 50
ERROR_TEXT_MAX = 512
TITLE_ORDER = ("patch", "custom", "hook", "agent", "ai", "summary", "prompt")


def set_names(session: Session, changes: Changes, **values: Any) -> None:
    """Set scalars and small objects, marking those that really changed."""
    for name, value in values.items():
        if getattr(session, name) != value:
            setattr(session, name, value)
            changes.name(name)


def refresh_title(session: Session, changes: Changes) -> None:
    """Choose the title by the order of its candidates."""
    chosen = next((session.titles[kind] for kind in TITLE_ORDER if session.titles.get(kind)), None)
    set_names(session, changes, title=" ".join(chosen.split()) if chosen else None)


def add_entries(session: Session, entries: Iterable[Entry], number: int, changes: Changes) -> None:
    """Append entries to the timeline; one that is already there is passed over."""
    for entry in entries:
        seq = session.timeline.add(entry, number)
        if seq is None:
            continue
        changes.key("timeline", seq)
        if entry.kind == "error" or entry.status == "error":
            _add_error(session, session.timeline.entries[-1], changes)


def _add_error(session: Session, entry: TimelineEntry, changes: Changes) -> None:
    text = entry.text[:ERROR_TEXT_MAX]
    error = {"seq": entry.seq, "at": entry.at, "tool": entry.tool, "text": text}
    session.errors = [*session.errors, error][-ERRORS_MAX:]
    changes.key("errors_list", entry.seq)


def hear(session: Session, delta: Delta, family: str, changes: Changes) -> None:
    """Note that the source was heard, and the times that follow from it."""
    at = delta.heard_at
    if session.sources.get(family, -1) < at:
        set_names(session, changes, sources={**session.sources, family: at})
    if session.updated_at is None or at > session.updated_at:
        set_names(session, changes, updated_at=at)
    if session.started_at is None:
        set_names(session, changes, started_at=at)
    set_names(
        session,
        changes,
        agent=delta.agent,
        host=delta.host or session.host,
        user=delta.user or session.user,
    )


def has_transcript(session: Session) -> bool:
    """Whether the session's own transcript is known: it is the ledger then."""
    return MAIN_SOURCE in session.transcripts
