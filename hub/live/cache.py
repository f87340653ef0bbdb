"""Latest-wins session state of this worker: what the fold has made of the log so far.

Never keeps more sessions than its limit, nor past ones that no board shows. Pure.
Called by the switchboard; restored sessions come from the shell.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hub.limits import Limits
from session.changes import Changes
from session.delta import Delta, Report
from session.fold import fold, makes_session, new_session
from session.record import ERRORS_MAX
from session.state import TOKEN_NAMES, Session
from session.timeline import TimelineEntry

Key = tuple[str, str]
RING_IDLE_MS = 600_000
_STUBS_MAX = 50_000


class Held(Struct):
    """A session in the cache. ``has_ring`` is false where its older timeline was let go.

    ``is_lost``: the log lost entries, and until it is read anew nobody knows what of this is true.
    """

    session: Session
    epoch: str
    changed_ms: int = 0
    has_ring: bool = True
    is_lost: bool = False

    @property
    def cursor(self) -> str:
        """``epoch:number`` of the last delta that changed something: equal on every worker."""
        return f"{self.epoch}:{self.session.cursor_number}"


class Totals:
    """Sums over all sessions of one workspace, kept up row by row."""

    def __init__(self) -> None:
        self.status: dict[str, int] = {}
        self.tokens = dict.fromkeys(TOKEN_NAMES, 0)
        self.attention = 0
        self.cost_usd = 0.0
        self.sessions = 0
        self.watching = 0  # clients of all workers
        self.sources: list[dict[str, Any]] = []  # machines that are silent or behind
        self._parts: dict[str, tuple[str, int, dict[str, int], float]] = {}

    def put(self, session: Session) -> None:
        """Count a session as it is now."""
        self.drop(session.id)
        tokens = session.tokens or {}
        part = (session.status, session.attention, tokens, session.cost_usd or 0.0)
        self._parts[session.id] = part
        self._add(part, 1)

    def drop(self, session_id: str) -> None:
        """Count a session no more."""
        part = self._parts.pop(session_id, None)
        if part is not None:
            self._add(part, -1)

    def _add(self, part: tuple[str, int, dict[str, int], float], sign: int) -> None:
        status, attention, tokens, cost_usd = part
        self.status[status] = self.status.get(status, 0) + sign
        self.attention += sign * attention
        self.cost_usd += sign * cost_usd
        self.sessions += sign
        for name, value in tokens.items():
            self.tokens[name] += sign * value

    def view(self) -> dict[str, Any]:
        """The ``totals`` of the protocol."""
        return {
            "sessions": self.sessions,
            "status": {name: count for name, count in sorted(self.status.items()) if count},
            "attention": self.attention,
            "tokens": self.tokens,
            "cost_usd": round(self.cost_usd, 6),
            "watching": self.watching,
            **({"sources": self.sources} if self.sources else {}),
        }


class Cache:
    """Sessions by key, and totals by workspace."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held: dict[Key, Held] = {}
        self.by_workspace: dict[str, dict[str, Held]] = {}
        self.totals: dict[str, Totals] = {}
        self.pinned: dict[Key, int] = {}  # how many clients have it open
        self.deleted: dict[Key, int] = {}  # at which of the log's numbers, of the latest
        self._past: dict[Key, int] = {}
        self._stubs: dict[Key, int] = {}  # let go, at which of the log's numbers
        self.remembers_all = True  # each that it let go

    def get(self, key: Key) -> Held | None:
        """The session, if it is cached."""
        return self.held.get(key)

    def all_sessions(self) -> Iterator[Session]:
        """Every cached session."""
        return (held.session for held in self.held.values())

    def sessions(self, workspace: str) -> Iterator[Session]:
        """Every cached session of a workspace."""
        return (held.session for held in self.by_workspace.get(workspace, {}).values())

    def totals_of(self, workspace: str) -> Totals:
        """The workspace's totals."""
        return self.totals.setdefault(workspace, Totals())

    @contextlib.contextmanager
    def keeping(self, key: Key) -> Iterator[None]:
        """A session is not let go meanwhile, as if somebody had it open."""
        self.pinned[key] = self.pinned.get(key, 0) + 1
        try:
            yield
        finally:
            self.pinned[key] -= 1
            if not self.pinned[key]:
                del self.pinned[key]

    def wanted(self, workspace: str, ids: Sequence[str]) -> list[str]:
        """Sessions among ``ids`` which, or whose timelines, must be restored to be opened."""
        held = ((session_id, self.held.get((workspace, session_id))) for session_id in ids)
        return [session_id for session_id, each in held if each is None or not each.has_ring]

    # Applying.

    def lacks(self, delta: Delta) -> bool:
        """Whether the delta may build on a session that is kept elsewhere, which comes first."""
        if delta.key in self.held or self.is_too_old(delta):
            return False
        tells_all = isinstance(delta, Report) and delta.from_ == 0 and delta.number <= 1
        return not tells_all or delta.key in self._stubs

    def is_too_old(self, delta: Delta) -> bool:
        """Whether the delta only says that a session is past which no board would show."""
        if delta.key in self.held or not isinstance(delta, Report):
            return False
        past_at = delta.values.get("past")
        if not isinstance(past_at, int):
            return False
        return self._is_full() and past_at <= min(self._past.values(), default=past_at)

    def apply(self, delta: Delta, epoch: str, now_ms: int) -> Changes:
        """Fold one delta; a new session counts every name as changed.

        One that is ``deleted`` by it is the caller's to drop.
        """
        if self.is_too_old(delta):
            self._note_stub(delta.key, delta.number)
            return Changes()
        held = self.held.get(delta.key)
        if held is None and not makes_session(delta):
            return Changes()
        if held is None:
            held = Held(new_session(delta), epoch)
            self.put(held)
        changes = fold(held.session, delta)
        if changes:
            held.changed_ms = now_ms
            held.epoch = epoch
            self._count(held)
        return changes

    def put(self, held: Held) -> None:
        """Take a session in, replacing what was held under its key."""
        key = held.session.key
        self.held[key] = held
        self.by_workspace.setdefault(key[0], {})[key[1]] = held
        self._stubs.pop(key, None)
        self._count(held)

    def drop(self, key: Key) -> Held | None:
        """Let a session go."""
        held = self.held.pop(key, None)
        if held is not None:
            del self.by_workspace[key[0]][key[1]]
            self.totals_of(key[0]).drop(key[1])
            self._past.pop(key, None)
        return held

    def _count(self, held: Held) -> None:
        session = held.session
        self.totals_of(session.workspace).put(session)
        if session.past:
            self._past[session.key] = session.updated_at or 0
        else:
            self._past.pop(session.key, None)

    # Letting go.

    def _is_full(self) -> bool:
        return len(self.held) >= self.limits.board_rows_min

    def surplus(self) -> list[Key]:
        """Past sessions that the board has no room for, the longest silent first."""
        excess = len(self.held) - self.limits.board_rows_min
        if excess <= 0:
            return []
        loose = sorted((at, key) for key, at in self._past.items() if key not in self.pinned)
        gone = [key for _, key in loose[:excess]]
        return gone + self._overflow(len(self.held) - len(gone) - self.limits.sessions_max)

    def _overflow(self, excess: int) -> list[Key]:
        """Live sessions beyond the worker's limit: those that changed longest ago.

        Some more than needed, so that not every delta looks for them again.
        """
        if excess <= 0:
            return []
        loose = sorted(
            (held.changed_ms, key)
            for key, held in self.held.items()
            if key not in self.pinned and key not in self._past and not held.session.attention
        )
        return [key for _, key in loose[: excess + self.limits.sessions_max // 100]]

    def let_go(self, keys: Iterable[Key]) -> None:
        """Drop sessions, remembering that they exist."""
        for key in keys:
            held = self.drop(key)
            self._note_stub(key, 0 if held is None else kept_at(held.session))

    def _note_stub(self, key: Key, number: int) -> None:
        self._stubs[key] = number
        if len(self._stubs) > _STUBS_MAX:
            del self._stubs[next(iter(self._stubs))]
            self.remembers_all = False

    def note_unread(self, key: Key) -> None:
        """The session may be kept, and nobody can tell now."""
        if key not in self.held:
            self._note_stub(key, self._stubs.get(key, 0))

    def note_deleted(self, key: Key, number: int) -> None:
        """A session was deleted at that number: it may still be kept elsewhere, for a moment."""
        self.deleted.pop(key, None)
        self.deleted[key] = number
        if len(self.deleted) > _STUBS_MAX:
            del self.deleted[next(iter(self.deleted))]

    def is_deleted(self, session: Session) -> bool:
        """Whether what is kept of a session is from before it was deleted."""
        return 0 < session.number <= self.deleted.get(session.key, 0)

    def knows(self, key: Key) -> bool:
        """Whether the session is cached or was, and may be restored."""
        return key in self.held or key in self._stubs

    def is_whole(self, session: Session) -> bool:
        """Whether a session was kept no earlier than it was let go here.

        The number 0 is of another count of the log, where it says nothing.
        """
        return not 0 < session.number < self._stubs.get(session.key, 0)

    def idle(self, now_ms: int) -> list[Key]:
        """Sessions that have a timeline, and that nobody has open and nothing changed lately."""
        return [
            key
            for key, held in self.held.items()
            if held.has_ring
            and key not in self.pinned
            and (held.session.past or now_ms - held.changed_ms > RING_IDLE_MS)
        ]

    def trim_rings(self, now_ms: int, numbers: Mapping[Key, int]) -> None:
        """Free the timelines of idle sessions, of those that are kept up to their number."""
        for key in self.idle(now_ms):
            held = self.held[key]
            if numbers.get(key, -1) >= kept_at(held.session):
                held.has_ring = False
                held.session.timeline.empty(held.session.cursor_number)
                held.session.timeline.pack()


def kept_at(session: Session) -> int:
    """The log's number from which on history has all of a session; 0 in another count of the log.

    It is that of the last delta which changed something: history writes none that did not.
    """
    return min(session.number, session.cursor_number)


def refill(held: Held, older: Sequence[TimelineEntry], errors: list[dict[str, Any]]) -> None:
    """Give a session its timeline and errors back; what came since stands behind them."""
    session = held.session
    # Nobody knows at which number the older ones were added: no cursor of before is continued.
    session.timeline.refill(older, session.cursor_number)
    first = session.errors[0]["seq"] if session.errors else session.timeline.seq + 1
    before = [error for error in errors if error["seq"] < first]
    session.errors = [*before, *session.errors][-ERRORS_MAX:]
    session.removed_number = -1
    held.has_ring = True
