"""The fold: a session and a delta give the session's next state and what changed.

Mutates the session it is given and nothing else: no clock, no I/O. Folding a delta again
changes nothing. Called by the hub's switchboard, by the recorder and by offline checks.
"""

from session.budgets import fold_budget
from session.changes import Changes
from session.delta import Delta, Event, Report, Time
from session.events import fold_event
from session.persons import PERSON, fold_person
from session.record import hear, set_names
from session.report import fold_report, make_past
from session.signals import fold_settled
from session.state import Session
from session.status import settle


def makes_session(delta: Delta) -> bool:
    """Whether the delta makes a session where there is none: an agent's word alone does."""
    return not isinstance(delta, Time) and delta.source != PERSON


def new_session(delta: Delta) -> Session:
    """An empty session for the first delta of a key.

    Where the log knows of earlier ones they were another session's, which was deleted or let go:
    no cursor of that one is continued.
    """
    session = Session(id=delta.session, workspace=delta.workspace, agent=delta.agent)
    if delta.number > 1:
        session.removed_number = -1
    return session


def fold(session: Session, delta: Delta) -> Changes:
    """Apply ``delta``; gives what changed, empty if it was known already.

    A report is ordered by its version, an event by the log's number: one already applied
    changes nothing. The cursor moves only when something changed.
    """
    changes = Changes()
    if delta.number:
        if delta.number <= session.number:
            return changes
        session.number = delta.number
    if isinstance(delta, Report):
        if fold_report(session, delta, changes):
            _heard(session, delta, "transcript", changes)
    elif isinstance(delta, Event) and delta.source == PERSON:
        fold_person(session, delta, changes)
    elif isinstance(delta, Event):
        fold_event(session, delta, changes)
        _heard(session, delta, delta.source, changes)
    else:
        _fold_time(session, delta, changes)
    if session.removed_number < 0:
        session.removed_number = session.number
    if changes:
        session.cursor_number = delta.number
    return changes


def _heard(session: Session, delta: Delta, family: str, changes: Changes) -> None:
    """Whatever it said, something was heard; and items may block whatever the order was."""
    hear(session, delta, family, changes)
    if session.base == "stale":
        session.base = "running"
    settle(session, delta.heard_at, changes)


def _fold_time(session: Session, delta: Time, changes: Changes) -> None:
    """What time alone changes; void if the session was heard since the timer looked.

    Budgets are no matter of silence, and one source may be silent while others are heard.
    """
    if delta.kind == "budget":
        fold_budget(session, delta, changes)
        return
    if delta.kind == "silent":
        _fold_silent(session, delta, changes)
        return
    if session.updated_at != delta.fields.get("heard_at"):
        return
    if delta.kind == "settled":
        fold_settled(session, changes)
    elif delta.kind == "stale" and session.base == "running":
        session.base = "stale"
        settle(session, delta.heard_at, changes)
    elif delta.kind == "past" and session.updated_at is not None:
        make_past(session, session.updated_at, changes)


def _fold_silent(session: Session, delta: Time, changes: Changes) -> None:
    """One source fell silent while others are heard; void if it was heard since, or all is over."""
    source, since = delta.fields.get("source"), delta.fields.get("since")
    if not isinstance(source, str) or not isinstance(since, int) or session.base == "ended":
        return
    if session.sources.get(source) == since:
        set_names(session, changes, silent={**session.silent, source: since})
