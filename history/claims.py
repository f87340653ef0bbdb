"""Whose an API call is that several sessions tell of: forks and copies carry their parent's lines.

The owner is the session whose line is not marked as forked, then the one that started first, then
the smaller id; so the order in which files are read is nothing. Pure; called by the store.
"""

from collections.abc import Iterable
from typing import Any

Claim = dict[str, Any]
"""A row of ``usage`` with its session's ``started_at`` and ``id``."""

_NEVER = 2**63


def settle(claims: Iterable[Claim]) -> tuple[Claim, list[Claim]]:
    """The owner's claim and the others, of one call. Of one session the better line stands.

    ``claims`` in the order in which they were told; at least one.
    """
    by_session: dict[int, Claim] = {}
    for claim in claims:
        known = by_session.get(claim["session_pk"])
        if known is None or _is_better(claim, known):
            by_session[claim["session_pk"]] = claim
    first, *others = sorted(by_session.values(), key=_rank)
    return first, others


def _is_better(claim: Claim, known: Claim) -> bool:
    """A line with more output tokens is the whole response; of equal ones the later."""
    return bool(claim["output"] >= known["output"])


def _rank(claim: Claim) -> tuple[bool, int, str]:
    started_at = claim["started_at"]
    return claim["forked"], _NEVER if started_at is None else started_at, claim["id"]
