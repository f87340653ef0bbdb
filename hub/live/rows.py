"""Rows of the overview as encoded JSON, each change encoded once.

A flush makes one Rows and lets it go: what several groups show is encoded for all of them.
"""

from hub.live.frames import encode
from session.changes import Changes
from session.state import SUMMARY_NAMES, Session, summary

_SUMMARY = frozenset(SUMMARY_NAMES)


class Rows:
    """Encoded rows of one flush."""

    def __init__(self) -> None:
        self._full: dict[tuple[str, str], bytes] = {}
        self._part: dict[tuple[tuple[str, str], frozenset[str]], bytes] = {}

    def full(self, session: Session) -> bytes:
        """The whole row."""
        row = self._full.get(session.key)
        if row is None:
            row = self._full[session.key] = encode(summary(session))
        return row

    def part(self, session: Session, names: frozenset[str]) -> bytes:
        """The row's id and the present values of ``names``."""
        at = (session.key, names)
        row = self._part.get(at)
        if row is None:
            told = {"id": session.id, **{name: getattr(session, name) for name in sorted(names)}}
            row = self._part[at] = encode(told)
        return row


def row_names(changes: Changes) -> set[str]:
    """The changed names that a row shows."""
    return changes.names & _SUMMARY
