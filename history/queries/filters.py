"""Which sessions are wanted, in which order, and from where on. Pure, and without SQL.

The order is total: the larger value of the sort first, unknown ones last, and of equals the
larger id. So a page goes on exactly behind the last, whatever came in between. Parsed from the
words of a request; read by the listing and, for live sessions, by the merge.
"""

import base64
import math
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from history.errors import BadQuery
from history.queries.times import moment
from history.rows import WHOLE_MAX, clean
from session.state import STATUSES, Session

LIMIT_DEFAULT = 50
LIMIT_MAX = 1_000
TEXT_CHARS_MAX = 1_000
CURSOR_CHARS_MAX = 4_096
SORTS = {"updated": "updated_at", "started": "started_at", "cost": "cost_usd"}
_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}

Value = int | float | None


class Cursor(Struct, frozen=True, array_like=True):
    """The last session of a page: its value of the sort, and its id."""

    sort: str
    value: Value
    id: str


class Filter(Struct, frozen=True, kw_only=True):
    """Absent filters let everything through. Times in ms; ``limit`` of one page."""

    status: tuple[str, ...] = ()
    agent: str | None = None
    project: str | None = None
    user: str | None = None
    q: str | None = None
    since: int | None = None
    until: int | None = None
    archived: bool = False
    sort: str = "updated"
    limit: int = LIMIT_DEFAULT
    cursor: Cursor | None = None

    @property
    def column(self) -> str:
        """The name that is sorted by."""
        return SORTS[self.sort]

    def matches(self, session: Session) -> bool:
        """Whether a session is wanted, its texts and the page left aside."""
        if session.archived and not self.archived:
            return False
        if self.status and session.status not in self.status:
            return False
        for name in ("agent", "project", "user"):
            wanted = getattr(self, name)
            if wanted is not None and getattr(session, name) != wanted:
                return False
        return self._overlaps(session.started_at, session.updated_at)

    def _overlaps(self, started_at: int | None, updated_at: int | None) -> bool:
        if self.since is not None and (updated_at is None or updated_at < self.since):
            return False
        return self.until is None or (started_at is not None and started_at <= self.until)

    def is_behind(self, value: Value, session_id: str) -> bool:
        """Whether a session comes behind the last page."""
        if self.cursor is None:
            return True
        last = rank(self.cursor.value, self.cursor.id)
        return rank(value, session_id) < last

    def behind(self, value: Value, session_id: str) -> str:
        """The cursor of a page that ends with this session."""
        told = msgspec.json.encode(Cursor(self.sort, value, session_id))
        return base64.urlsafe_b64encode(told).decode().rstrip("=")


def asked(text: str) -> str:
    """A text of the caller as it may stand in a column: no NUL, no half of a character."""
    return str(clean(text)).encode("utf-8", "replace").decode()


def rank(value: Value, session_id: str) -> tuple[bool, int | float, str]:
    """A key that grows the earlier a session comes."""
    return value is not None, value or 0, session_id


def parse_filter(told: Iterable[tuple[str, str]]) -> Filter:
    """The filter of a request's parameters; raises BadQuery, which names the wrong one.

    ``status`` may be told several times, or with commas in between. Unknown names are let be.
    """
    pairs = [(name, asked(value)) for name, value in told]
    one = dict(pairs)
    sort = one.get("sort") or "updated"
    if sort not in SORTS:
        raise BadQuery(f"sort: expected one of {', '.join(SORTS)}")
    return Filter(
        status=_statuses([value for name, value in pairs if name == "status"]),
        agent=_text(one, "agent"),
        project=_text(one, "project"),
        user=_text(one, "user"),
        q=_text(one, "q"),
        since=moment("since", one["since"]) if one.get("since") else None,
        until=moment("until", one["until"], is_end=True) if one.get("until") else None,
        archived=_flag(one, "archived"),
        sort=sort,
        limit=parse_limit(one.get("limit")),
        cursor=_cursor(one.get("cursor"), sort),
    )


def parse_limit(told: str | None) -> int:
    """How long a page is; raises BadQuery."""
    try:
        limit = LIMIT_DEFAULT if told is None else int(told)
    except ValueError:
        limit = 0
    if not 1 <= limit <= LIMIT_MAX:
        raise BadQuery(f"limit: expected a whole number from 1 to {LIMIT_MAX}")
    return limit


def parse_before(told: str | None) -> int | None:
    """A place in a timeline; raises BadQuery."""
    if told is None:
        return None
    try:
        before = int(told)
    except ValueError:
        before = 0
    if not 1 <= before <= WHOLE_MAX:
        raise BadQuery("before: expected the `seq` of an entry")
    return before


def _statuses(told: list[str]) -> tuple[str, ...]:
    wanted = {each for value in told for each in value.split(",") if each}
    if unknown := sorted(wanted.difference(STATUSES)):
        raise BadQuery(f"status: expected some of {', '.join(STATUSES)}, not {unknown[0][:40]!r}")
    return tuple(sorted(wanted))


def _text(told: dict[str, str], name: str) -> str | None:
    value = told.get(name) or None
    if value is not None and len(value) > TEXT_CHARS_MAX:
        raise BadQuery(f"{name}: expected at most {TEXT_CHARS_MAX} characters")
    return value


def _flag(told: dict[str, str], name: str) -> bool:
    value = _FLAGS.get(told.get(name, "").lower())
    if value is None:
        raise BadQuery(f"{name}: expected true or false")
    return value


def _cursor(told: str | None, sort: str) -> Cursor | None:
    if not told:
        return None
    cursor = _decoded(told) if len(told) <= CURSOR_CHARS_MAX else None
    if cursor is None:
        raise BadQuery("cursor: expected the `next` of another answer")
    if cursor.sort != sort:
        raise BadQuery(f"cursor: it is of the sort {cursor.sort!r}; begin with the first page")
    return cursor


def _decoded(told: str) -> Cursor | None:
    try:
        data = base64.urlsafe_b64decode(told + "=" * (-len(told) % 4))
        cursor = msgspec.json.decode(data, type=Cursor)
    except (ValueError, RecursionError):
        return None
    return cursor if cursor.sort in SORTS and _is_value(cursor) else None


def _is_value(cursor: Cursor) -> bool:
    """Whether a column can be compared with it."""
    value: Any = cursor.value
    if value is None or cursor.sort == "cost":
        return value is None or math.isfinite(value)
    return isinstance(value, int) and -WHOLE_MAX <= value <= WHOLE_MAX


def parse_page(limit: str | None, cursor: str | None) -> tuple[int, int | None]:
    """How many of the acts that are kept, and behind which; raises BadQuery."""
    try:
        wanted = 100 if limit is None else int(limit)
        place = None if cursor is None else int(cursor)
    except ValueError:
        raise BadQuery("limit and cursor: expected whole numbers") from None
    if not 1 <= wanted <= LIMIT_MAX:
        raise BadQuery(f"limit: expected 1 to {LIMIT_MAX}")
    if place is not None and not 1 <= place < 2**63:
        raise BadQuery("cursor: expected the next of another answer")
    return wanted, place
