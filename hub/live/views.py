"""A view: which rows of the overview a client wants, and in which order.

Clients with equal views share a group. Pure data; parsed from the client's own words.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from hub.errors import BadRequest
from session.state import STATUSES, Session

_RANK = {status: rank for rank, status in enumerate(STATUSES)}
_TEXTS_MAX = 32
_TEXT_MAX = 200
SORTS = ("default", "updated", "cost", "started")


class View(Struct, frozen=True, kw_only=True):
    """Absent filters let everything through. ``pinned`` is the client's own, not the group's."""

    status: tuple[str, ...] = ()
    project: str | None = None
    agent: str | None = None
    user: str | None = None
    q: str | None = None
    archived: bool = False
    sort: str = "default"
    limit: int = 200

    @property
    def moving_names(self) -> frozenset[str]:
        """Names whose change can change this view's rows."""
        names = {"status", "attention", "started_at", "archived"}
        told = {"project": self.project, "agent": self.agent, "user": self.user}
        names |= {name for name, value in told.items() if value is not None}
        if self.q:
            names |= {"title", "project", "branch"}
        names |= {"updated": {"updated_at"}, "cost": {"cost_usd"}}.get(self.sort, set())
        return frozenset(names)

    def matches(self, session: Session) -> bool:
        """Whether the row belongs to the view, its limit left aside."""
        if session.archived and not self.archived:
            return False
        if self.status and session.status not in self.status:
            return False
        for name in ("project", "agent", "user"):
            wanted = getattr(self, name)
            if wanted is not None and getattr(session, name) != wanted:
                return False
        return not self.q or self._found(session)

    def _found(self, session: Session) -> bool:
        words = (self.q or "").casefold().split()
        texts = (session.title, session.project, session.branch, session.id)
        text = " ".join(filter(None, texts)).casefold()
        return all(word in text for word in words)

    @property
    def key(self) -> Callable[[Session], Any]:
        """The sort key; ties are broken by id, so that every worker agrees."""
        return _KEYS[self.sort]


def _default(session: Session) -> Any:
    rank = _RANK[session.status]
    return (session.attention == 0, rank, -(session.started_at or 0), session.id)


_KEYS: dict[str, Callable[[Session], Any]] = {
    "default": _default,
    "updated": lambda session: (-(session.updated_at or 0), session.id),
    "cost": lambda session: (-(session.cost_usd or 0), session.id),
    "started": lambda session: (-(session.started_at or 0), session.id),
}


def parse_view(told: Any, rows_max: int) -> tuple[View, tuple[str, ...]]:
    """A view and the pinned ids out of what a client sent; raises BadRequest."""
    if told is None:
        return View(), ()
    if not isinstance(told, dict):
        raise BadRequest("bad_frame", "view: expected an object")
    status = _texts(told, "status")
    unknown = [each for each in status if each not in _RANK]
    if unknown:
        raise BadRequest("bad_frame", f"view.status: unknown {unknown[0]!r}")
    sort = told.get("sort") or "default"
    if sort not in SORTS:
        raise BadRequest("bad_frame", f"view.sort: expected one of {', '.join(SORTS)}")
    limit = told.get("limit", 200)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise BadRequest("bad_frame", "view.limit: expected a whole number from 1")
    view = View(
        status=tuple(sorted(set(status))),
        project=_text(told, "project"),
        agent=_text(told, "agent"),
        user=_text(told, "user"),
        q=_text(told, "q"),
        archived=told.get("archived") is True,
        sort=sort,
        limit=min(limit, rows_max),
    )
    return view, tuple(dict.fromkeys(_texts(told, "pinned")))


def _text(told: dict[str, Any], name: str) -> str | None:
    value = told.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _TEXT_MAX:
        raise BadRequest("bad_frame", f"view.{name}: expected a text of at most {_TEXT_MAX}")
    return value


def _texts(told: dict[str, Any], name: str) -> list[str]:
    value = told.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > _TEXTS_MAX:
        raise BadRequest("bad_frame", f"view.{name}: expected a list of at most {_TEXTS_MAX}")
    if not all(isinstance(each, str) for each in value):
        raise BadRequest("bad_frame", f"view.{name}: expected texts")
    return value
