"""Several sessions side by side: what each one cost, how long it took and what it did.

Pure: it picks out of sessions that are at hand. Called by the facade and by the hub, which has
live ones.
"""

from collections.abc import Sequence
from typing import Any

from history.errors import BadQuery
from history.queries.filters import asked
from session.state import Session, summary, token_series

SESSIONS_MIN = 2
SESSIONS_MAX = 8
PARTS = ("models", "tools", "objectives_list", "subagents_tree", "inherited")


def parse_ids(told: str | None) -> list[str]:
    """The sessions of a request's ``ids``, each once; raises BadQuery."""
    ids = list(dict.fromkeys(asked(each) for each in (told or "").split(",") if each))
    if not SESSIONS_MIN <= len(ids) <= SESSIONS_MAX:
        raise BadQuery(
            f"ids: expected {SESSIONS_MIN} to {SESSIONS_MAX} sessions, with commas in between"
        )
    return ids


def compared(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """Of each session its summary, its maps, its tokens by minute, and ``duration_ms``."""
    return [
        {
            **summary(session),
            **{name: getattr(session, name) for name in PARTS},
            "token_series": token_series(session),
            "errors": len(session.errors),
            "duration_ms": _duration_ms(session),
        }
        for session in sessions
    ]


def _duration_ms(session: Session) -> int | None:
    """From the first to the last that was heard, pauses included."""
    if session.started_at is None or session.updated_at is None:
        return None
    return max(0, session.updated_at - session.started_at)
