"""What is exported: sessions page by page, so that very many are never held at once.

A session that is live is told as it is live, everything else as history has it. Called by the
route, which has a board, and by ``tower export``, which has none.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Struct

from history.errors import BadQuery
from history.queries.filters import LIMIT_MAX, Filter, parse_filter
from history.queries.merge import Found
from session.state import Session, summary

if TYPE_CHECKING:  # a hub imports no SQL
    from history.queries.usage import Usage

FORMATS = ("csv", "json", "html")
IDS_MAX = 1_000
_TIME_ALONE = Filter(limit=LIMIT_MAX)

Row = dict[str, Any]


class Archive(Protocol):
    """As much of History as an export asks for."""

    async def sessions(
        self, workspace: str, wanted: Filter, live: Mapping[str, Session] | None = None
    ) -> Found:
        """One page."""
        ...

    async def session(self, workspace: str, session_id: str) -> Session | None:
        """One session with the end of its timeline."""
        ...

    async def outline(self, workspace: str, session_id: str) -> Session | None:
        """One session without it."""
        ...

    async def usage(
        self, workspace: str, by: str | None, since: str | None = None, until: str | None = None
    ) -> "Usage":
        """Sums by day, model or project."""
        ...


class Asked(Struct, frozen=True):
    """What is to be exported, and as what; ``ids`` are sessions by name, else the filter counts."""

    format: str
    wanted: Filter
    ids: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether every session of a span of time is meant: then sums of the whole are told."""
        times = {"since": self.wanted.since, "until": self.wanted.until, "sort": self.wanted.sort}
        return not self.ids and self.wanted == msgspec.structs.replace(_TIME_ALONE, **times)


def parse(told: Sequence[tuple[str, str]]) -> Asked:
    """What a request's parameters ask for; raises BadQuery, which names the wrong one."""
    one = dict(told)
    if one.get("format") not in FORMATS:
        raise BadQuery(f"format: expected one of {', '.join(FORMATS)}")
    ids = tuple(dict.fromkeys(each for each in one.get("ids", "").split(",") if each))
    if len(ids) > IDS_MAX:
        raise BadQuery(f"ids: expected at most {IDS_MAX} sessions")
    filters = parse_filter((name, value) for name, value in told if name not in ("limit", "cursor"))
    wanted = msgspec.structs.replace(filters, limit=LIMIT_MAX, cursor=None)
    return Asked(one["format"], wanted, ids)


class Gathering:
    """One export under way, of one workspace."""

    def __init__(
        self, archive: Archive, workspace: str, asked: Asked, live: Mapping[str, Session]
    ) -> None:
        self.archive = archive
        self.workspace = workspace
        self.asked = asked
        self.live = live

    async def pages(self) -> AsyncIterator[list[Row]]:
        """Summaries, many at a time; raises BadQuery for an id that is not there."""
        if self.asked.ids:
            yield [summary(await self.outline(each)) for each in self.asked.ids]
            return
        wanted = self.asked.wanted
        while True:
            found = await self.archive.sessions(self.workspace, wanted, self.live)
            yield found.sessions
            if found.next is None:
                return
            told = [("cursor", found.next), ("sort", wanted.sort)]
            wanted = msgspec.structs.replace(wanted, cursor=parse_filter(told).cursor)

    async def find(self, session_id: str) -> Session | None:
        """A session without its timeline; None for one that was deleted meanwhile."""
        live = self.live.get(session_id)
        return live or await self.archive.outline(self.workspace, session_id)

    async def outline(self, session_id: str) -> Session:
        """The same; raises BadQuery."""
        return _there(await self.find(session_id), session_id)

    async def whole(self, session_id: str) -> Session:
        """A session with the end of its timeline; raises BadQuery."""
        live = self.live.get(session_id)
        if live is not None and live.timeline.entries:
            return live
        return _there(await self.archive.session(self.workspace, session_id), session_id)

    async def usage(self, by: str) -> "Usage":
        """Sums over the span of time that is asked for."""
        since, until = self.asked.wanted.since, self.asked.wanted.until
        return await self.archive.usage(
            self.workspace, by, None if since is None else str(since),
            None if until is None else str(until),
        )  # fmt: skip


def _there(session: Session | None, session_id: str) -> Session:
    if session is None:
        raise BadQuery(f"ids: no such session as {session_id[:200]!r}")
    return session
