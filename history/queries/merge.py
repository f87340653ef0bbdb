"""One list of what is live and what is recorded: the live value of a session goes before its row.

Pure, and without SQL, so that a hub without a database lists what it holds by the same rules.
Called by the facade and by the hub.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from history.queries.filters import Filter, rank
from history.queries.snippets import Hit, finder
from history.queries.terms import Term, terms
from session.state import Session, summary


class Found(Struct):
    """One page. ``total``: sessions on all pages; ``hits``: session id → where it was found."""

    sessions: list[dict[str, Any]]
    next: str | None
    total: int
    hits: dict[str, Hit] = {}


class Recorded(NamedTuple):
    """What SQL adds: rows of the page that are not live, how many there are, whom texts name."""

    rows: Sequence[dict[str, Any]] = ()
    total: int = 0
    named: Container[str] = frozenset()


class _Name:
    """What a session may be called by: its title, its project or branch, or its id's begin."""

    def __init__(self, term: Term) -> None:
        self._raw, self._name = term.raw, term.name
        self._stands_in = finder(term)

    def is_of(self, session: Session) -> bool:
        """Whether the session is called so."""
        if session.title and self._stands_in(session.title):
            return True
        name = self._name
        if name is None:
            return False
        called = (session.project, session.branch)
        return session.id.startswith(self._raw) or any(
            name in each.lower() for each in called if each
        )


def merged(wanted: Filter, live: Mapping[str, Session], recorded: Recorded) -> Found:
    """The page; ``recorded.rows`` are in order, and one more than the page if there are more."""
    looked_for = [_Name(term) for term in terms(wanted.q)]
    matching = [
        session
        for session in live.values()
        if wanted.matches(session) and _is_found(session, looked_for, recorded.named)
    ]
    column = wanted.column
    here = (each for each in matching if wanted.is_behind(getattr(each, column), each.id))
    told = [(rank(getattr(each, column), each.id), each) for each in here]
    told.sort(key=lambda pair: pair[0], reverse=True)
    rows = [(rank(row[column], row["id"]), row) for row in recorded.rows]
    both: Iterable[tuple[Any, Any]] = [*told[: wanted.limit + 1], *rows]
    page = [each for _, each in sorted(both, key=lambda pair: pair[0], reverse=True)]
    shown = [summary(each) if isinstance(each, Session) else each for each in page[: wanted.limit]]
    last = shown[-1] if len(page) > wanted.limit else None
    cursor = None if last is None else wanted.behind(last[column], last["id"])
    return Found(shown, cursor, len(matching) + recorded.total)


def _is_found(session: Session, looked_for: Sequence[_Name], named: Container[str]) -> bool:
    """By its texts, or by what it is called at this moment."""
    if not looked_for or session.id in named:
        return True
    return all(name.is_of(session) for name in looked_for)
