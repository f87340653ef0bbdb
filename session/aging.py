"""What time alone changes: a running session that fell silent, one that is past.

Pure: the time is told. Called by the leader's timer, nobody else, so that all workers agree.
"""

from session.delta import Time
from session.state import Session
from session.status import is_blocked

STALE_MS = 10 * 60_000
STALE_TOOL_OPEN_MS = 60 * 60_000
PAST_MS = 24 * 3_600_000


def aged(session: Session, now_ms: int) -> Time | None:
    """The delta that the session's silence asks for by now, or None."""
    heard_at = session.updated_at
    if heard_at is None or session.past:
        return None
    silent_ms = now_ms - heard_at
    if silent_ms > PAST_MS and not is_blocked(session):
        return _time(session, "past", heard_at, now_ms)
    patience_ms = STALE_TOOL_OPEN_MS if has_open_tool(session) else STALE_MS
    if session.base == "running" and not is_blocked(session) and silent_ms > patience_ms:
        return _time(session, "stale", heard_at, now_ms)
    return None


def has_open_tool(session: Session) -> bool:
    """Whether a tool call is under way, as hooks or the transcript tell."""
    if session.open_tools:
        return True
    return any(source.values.get("open_calls") for source in session.transcripts.values())


def _time(session: Session, kind: str, heard_at: int, now_ms: int) -> Time:
    return Time(
        id=f"{kind}:{session.workspace}:{session.id}:{heard_at}",
        session=session.id,
        workspace=session.workspace,
        agent=session.agent,
        kind=kind,
        source="time",
        received_at=now_ms,
        fields={"heard_at": heard_at},
    )
