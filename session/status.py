"""A session's status: the agent's own state, with waiting over everything else.

A waiting session must never read as running. Called by the fold only.
"""

from session.changes import Changes
from session.record import set_names
from session.state import BLOCKING_KINDS, Session, Status

TRANSCRIPT_LAG_MS = 2_000


def signal(session: Session, base: Status, at: int, changes: Changes) -> bool:
    """Take the agent's state as of ``at``; one older than the last taken changes nothing."""
    if session.base_at is not None and at < session.base_at:
        return False
    session.base_at = at
    session.base = base
    session.past = False
    if base != "ended" and session.ended_at is not None:
        session.ended_at = None
        changes.name("ended_at")
    settle(session, at, changes)
    return True


def transcript_signal(session: Session, base: Status, at: int, changes: Changes) -> bool:
    """The transcripts' witness, derived anew from all of them: the order of reading is nothing.

    Where hooks are heard it decides only when clearly newer than they are. Of tasks that run on
    in the background only hooks tell, so there the end of a turn is no news.
    """
    if session.in_background and base == "idle":
        return False
    heard_at = session.hooks_heard_at
    if heard_at is not None and at <= heard_at + TRANSCRIPT_LAG_MS:
        return False
    settled = session.past or session.base in ("stale", "ended")
    if settled and at <= (session.base_at or 0):
        return False
    session.base_at = at
    return signal(session, base, at, changes)


def is_blocked(session: Session) -> bool:
    """Whether a permission, a question or a plan is open."""
    items = session.items  # of most there is none
    return bool(items) and any(item.kind in BLOCKING_KINDS for item in items.values())


def settle(session: Session, at: int, changes: Changes) -> None:
    """Derive the visible status after the state or the open items changed."""
    status: Status = "waiting" if is_blocked(session) else session.base
    if session.status != status or session.status_since is None:
        session.status = status
        session.status_since = at
        changes.name("status", "status_since")


def end(session: Session, at: int, changes: Changes) -> None:
    """The session is over as of ``at``."""
    if signal(session, "ended", at, changes):
        set_names(session, changes, ended_at=at, silent={})
