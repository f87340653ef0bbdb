"""What time alone changes: a doubted end of a turn, silence of a session or of one of its sources.

Pure: the time is told. Called by the leader's timer, nobody else, so that all workers agree.
"""

from session.delta import Time
from session.signals import held_back
from session.state import Session
from session.status import is_blocked

SETTLE_MS = 10_000
STALE_MS = 10 * 60_000
STALE_TOOL_OPEN_MS = 60 * 60_000
PAST_MS = 24 * 3_600_000
SILENT_MS = 5 * 60_000


def by_time(session: Session, now_ms: int) -> list[Time]:
    """All that time alone asks for by now."""
    delta = aged(session, now_ms)
    return [*([delta] if delta is not None else []), *silences(session, now_ms)]


def silences(session: Session, now_ms: int) -> list[Time]:
    """The sources that fell silent while another one tells that the session is at work."""
    if session.base != "running" or len(session.sources) < 2:
        return []
    newest_at = max(session.sources.values())
    return [
        _time(session, "silent", now_ms, f"{source}:{since}", source=source, since=since)
        for source, since in session.sources.items()
        if newest_at - since > SILENT_MS and source not in session.silent
    ]


def aged(session: Session, now_ms: int) -> Time | None:
    """The delta that the session's silence asks for by now, or None."""
    heard_at = session.updated_at
    if heard_at is None or session.past:
        return None
    silent_ms = now_ms - heard_at
    if silent_ms > SETTLE_MS and held_back(session) is not None:
        return _silence(session, "settled", heard_at, now_ms)
    if silent_ms > PAST_MS and not is_blocked(session):
        return _silence(session, "past", heard_at, now_ms)
    patience_ms = STALE_TOOL_OPEN_MS if has_open_tool(session) else STALE_MS
    if session.base == "running" and not is_blocked(session) and silent_ms > patience_ms:
        return _silence(session, "stale", heard_at, now_ms)
    return None


def has_open_tool(session: Session) -> bool:
    """Whether a tool call is under way, as hooks or the transcript tell."""
    if session.open_tools:
        return True
    return any(source.values.get("open_calls") for source in session.transcripts.values())


def _silence(session: Session, kind: str, heard_at: int, now_ms: int) -> Time:
    return _time(session, kind, now_ms, str(heard_at), heard_at=heard_at)


def _time(session: Session, kind: str, now_ms: int, seen: str, **fields: str | int) -> Time:
    """A delta whose id names what was seen, so that the log takes it once."""
    return Time(
        id=f"{kind}:{session.workspace}:{session.id}:{seen}",
        session=session.id,
        workspace=session.workspace,
        agent=session.agent,
        kind=kind,
        source="time",
        received_at=now_ms,
        fields=fields,
    )
