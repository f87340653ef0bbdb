"""Latest-wins session state of this worker: what the fold has made of the log so far.

Never keeps more sessions than its limit, nor past ones that no board shows. Pure.
Called by the switchboard; restored sessions come from the shell.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from msgspec import Struct

from hub.limits import Limits
from session.changes import Changes
from session.delta import Delta, Report, Time
from session.fold import fold, new_session
from session.state import TOKEN_NAMES, Session
from session.timeline import Timeline

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
        }


class Cache:
    """Sessions by key, and totals by workspace."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.held: dict[Key, Held] = {}
        self.by_workspace: dict[str, dict[str, Held]] = {}
        self.totals: dict[str, Totals] = {}
        self.pinned: dict[Key, int] = {}  # how many clients have it open
        self._past: dict[Key, int] = {}
        self._stubs: dict[Key, None] = {}

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

    # Applying.

    def lacks(self, delta: Delta) -> bool:
        """Whether the delta builds on a session that was let go and must be restored first."""
        if delta.key in self.held or self.is_too_old(delta):
            return False
        return delta.key in self._stubs or (isinstance(delta, Report) and delta.from_ > 0)

    def is_too_old(self, delta: Delta) -> bool:
        """Whether the delta only says that a session is past which no board would show."""
        if delta.key in self.held or not isinstance(delta, Report):
            return False
        past_at = delta.values.get("past")
        if not isinstance(past_at, int):
            return False
        return self._is_full() and past_at < min(self._past.values(), default=past_at + 1)

    def apply(self, delta: Delta, epoch: str, now_ms: int) -> Changes:
        """Fold one delta; a new session counts every name as changed."""
        if self.is_too_old(delta):
            self._note_stub(delta.key)
            return Changes()
        held = self.held.get(delta.key)
        if held is None and isinstance(delta, Time):
            return Changes()  # time alone makes no session
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
            self.drop(key)
            self._note_stub(key)

    def _note_stub(self, key: Key) -> None:
        self._stubs[key] = None
        if len(self._stubs) > _STUBS_MAX:
            del self._stubs[next(iter(self._stubs))]

    def knows(self, key: Key) -> bool:
        """Whether the session is cached or was, and can be restored."""
        return key in self.held or key in self._stubs

    def trim_rings(self, now_ms: int, is_kept: Callable[[str, str], bool]) -> None:
        """Free the timelines of sessions that nobody has open and nothing changed lately.

        Only those that can be read again: ``is_kept`` of workspace and id.
        """
        for key, held in self.held.items():
            idle = held.session.past or now_ms - held.changed_ms > RING_IDLE_MS
            if held.has_ring and idle and key not in self.pinned and is_kept(*key):
                held.has_ring = False
                _empty_ring(held.session)


def _empty_ring(session: Session) -> None:
    ring = session.timeline
    session.timeline = Timeline.emptied(ring.seq, ring.newest_ids(), session.cursor_number)


def refill(held: Held, restored: Session) -> None:
    """Give a session its timeline back, read again; what came since is kept behind it."""
    since = list(held.session.timeline)
    ring = restored.timeline
    for entry in since:
        ring.adopt(entry, held.session.number)
    ring.seq = max(ring.seq, held.session.timeline.seq)
    # The file may hold more than the log has told: no cursor of before can be continued.
    held.session.removed_number = -1
    ring.dropped_number = held.session.cursor_number
    held.session.timeline = ring
    held.session.errors = restored.errors or held.session.errors
    held.has_ring = True
