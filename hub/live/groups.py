"""The overview: one group for each (workspace, view, rate), with one chain of frames.

Members in step get the same bytes; one that fell behind gets the rows that changed since, when
it has room. Pure; called by the switchboard's rooms.
"""

from hub.limits import Limits
from hub.live.cache import Cache
from hub.live.client import Client
from hub.live.frames import Member, Section, encode, patch_frames, rows_frames
from hub.live.outbox import Missed
from hub.live.pace import Pace
from hub.live.rows import Rows
from hub.live.shipping import hand, ship
from hub.live.trace import Trace
from hub.live.views import View
from hub.live.wire import Frame
from session.state import Session

OVERVIEW = "overview"
PATCH, SNAPSHOT = "overview.patch", "overview.snapshot"
GroupKey = tuple[str, View, int]


class Group:
    """Clients that see the same rows at the same rate. ``cursor`` moves with each frame sent."""

    def __init__(self, name: str, key: GroupKey, limits: Limits) -> None:
        self.name = name
        self.workspace, self.view, self.rate_hz = key
        self.limits = limits
        self.members: dict[str, Client] = {}
        self.pace = Pace(self.rate_hz, limits.tick_max_ms)
        self.waiting_since_ms: int | None = None
        self.conflated = 0  # changes that were not sent one by one
        self._moving = self.view.moving_names
        self._visible: dict[str, None] = {}  # replaced, not changed: those behind keep theirs
        self._dirty: dict[str, set[str]] = {}
        self._renewed: set[str] = set()  # another session than before under its id
        self._stirred = True
        self._totals_dirty = False
        self._totals_due_ms = 0
        self._totals_told = b""
        self._pinning: dict[str, Client] = {}  # members with rows of their own
        self._number = 0
        self._is_passing = False  # somebody was passed over in the last frame
        self._trace: Trace[str] = Trace()
        self._snapshot: list[Frame] | None = None  # the same for all, until something changes

    @property
    def cursor(self) -> str:
        """The chain's present position; opaque to clients."""
        return f"{self.name}.{self._number}"

    # What changes mark.

    def note(self, session_id: str, names: set[str], is_new: bool, received_ms: int) -> None:
        """A session's row changed by something that was received then."""
        self.waiting_since_ms = min(self.waiting_since_ms or received_ms, received_ms)
        if is_new:
            self._renewed.add(session_id)
        if is_new or names & self._moving:
            self._stirred = True
        self.conflated += session_id in self._dirty
        self._dirty.setdefault(session_id, set()).update(names)
        self._totals_dirty = True
        self._snapshot = None

    def note_gone(self, session_id: str) -> None:
        """A session left the cache."""
        self._dirty.setdefault(session_id, set())
        self._stirred = self._totals_dirty = True
        self._snapshot = None

    def note_totals(self) -> None:
        """Something that only the totals show changed."""
        self._totals_dirty = True
        self._snapshot = None

    def due_ms(self) -> int | None:
        """When it wants to be flushed, or None if nothing is dirty."""
        if self._dirty:
            return self.pace.due_ms
        return max(self._totals_due_ms, self.pace.due_ms) if self._totals_dirty else None

    # Snapshots.

    def join(self, client: Client, cache: Cache, rows: Rows) -> None:
        """Give a client everything it shows and put it in step.

        The caller has flushed what was pending, so the snapshot is at the chain's cursor.
        """
        if not self.members:
            self._settle(cache)
        self.members[client.connection] = client
        if client.pinned:
            self._pinning[client.connection] = client
        self.present(client, cache, rows)

    def leave(self, client: Client) -> None:
        """Take a client out."""
        self.members.pop(client.connection, None)
        self._pinning.pop(client.connection, None)

    def present(self, client: Client, cache: Cache, rows: Rows) -> None:
        """The rows in full, with the client's own pinned ones besides.

        A client that has no room for them is behind: it gets them when it has.
        """
        client.missed.pop(OVERVIEW, None)
        if not client.outbox.is_open:
            client.fall_behind(OVERVIEW, Missed())
            return
        pinned = self._pinned(client, cache)
        if self._snapshot is None or pinned:
            frames = self._snapshot_frames(pinned, cache, rows)
            self._snapshot = self._snapshot if pinned else frames
        else:
            frames = self._snapshot
        client.outbox.put_rows(frames, OVERVIEW, self.cursor)
        client.stir()

    def _snapshot_frames(self, pinned: list[Session], cache: Cache, rows: Rows) -> list[Frame]:
        shown = [cache.by_workspace[self.workspace][each].session for each in self._visible]
        head = b'"cursor":' + encode(self.cursor)
        tail = self._own_totals(cache)
        encoded = [rows.full(session) for session in shown + pinned]
        limit = self.limits.snapshot_bytes_max
        told = rows_frames(SNAPSHOT, head, encoded, tail, limit)
        return [Frame(SNAPSHOT, data, shared=not pinned) for data in told]

    def _pinned(self, client: Client, cache: Cache) -> list[Session]:
        held = (cache.get((self.workspace, each)) for each in client.pinned)
        return [each.session for each in held if each and each.session.id not in self._visible]

    def catch_up(self, client: Client, cache: Cache, rows: Rows) -> None:
        """The rows that the client missed, or a snapshot. The caller has flushed the pending."""
        if not client.outbox.is_open:
            return
        missed = client.missed.pop(OVERVIEW)
        if missed.number is None or missed.rows is None:
            self.present(client, cache, rows)
            return
        held = cache.by_workspace.get(self.workspace, {})
        changed = {each for each in self._trace.since(missed.number) if each in self._visible}
        changed |= {each for each in self._visible if each not in missed.rows}
        told = [rows.full(held[each].session) for each in self._visible if each in changed]
        told += [rows.full(session) for session in self._pinned(client, cache)]
        gone = [encode(each) for each in missed.rows if not self._shows(client, each, cache)]
        frames = self._frames(
            missed.cursor, _sections(told, gone), self._own_totals(cache), shared=False
        )
        client.outbox.put_overview(frames, OVERVIEW, self.cursor)
        client.stir()

    def _shows(self, client: Client, session_id: str, cache: Cache) -> bool:
        if session_id in self._visible:
            return True
        return session_id in client.pinned and cache.get((self.workspace, session_id)) is not None

    def _settle(self, cache: Cache) -> None:
        """Nobody watches yet: what is visible now is where the chain begins."""
        self._visible = dict.fromkeys(self._select(cache))
        self._dirty.clear()
        self._renewed.clear()
        self._stirred = self._totals_dirty = False
        self._snapshot = None

    def _select(self, cache: Cache) -> list[str]:
        matching = [each for each in cache.sessions(self.workspace) if self.view.matches(each)]
        matching.sort(key=self.view.key)
        return [session.id for session in matching[: self.view.limit]]

    # Flushing.

    def flush(self, now_ms: int, cache: Cache, rows: Rows) -> int:
        """Send what changed since the last time; gives how many frames were made."""
        shown, before, number = self._visible, self.cursor, self._number
        told, gone = self._collect(cache, rows)
        tail = self._totals_tail(now_ms, cache)
        frames: list[Frame] = []
        if told or gone or tail:
            self._number += 1
            sections = _sections(told, [encode(each) for each in gone])
            frames = self._frames(before, sections, tail, shared=True)
            self._is_passing = self._ship(frames, Missed(number, before, shown), cache)
        if self._is_passing:
            self._trace.note(self._number, [*self._dirty, *self._renewed])
        else:
            self._trace.clear()
        self.pace.flushed(now_ms)
        self._ship_pinned(gone, cache, rows)
        self._dirty.clear()
        self._renewed.clear()
        self._snapshot = None
        return len(frames)

    def _collect(self, cache: Cache, rows: Rows) -> tuple[list[bytes], list[str]]:
        """Encoded rows to set, and ids that left the view."""
        held = cache.by_workspace.get(self.workspace, {})
        before = self._visible
        if self._stirred:
            self._visible = dict.fromkeys(self._select(cache))
            self._stirred = False
        whole = [each for each in self._visible if each not in before or each in self._renewed]
        told = [rows.full(held[each].session) for each in whole]
        told += [
            rows.part(held[each].session, frozenset(names))
            for each, names in self._dirty.items()
            if names and each in self._visible and each in before and each not in self._renewed
        ]
        return told, [each for each in before if each not in self._visible]

    def _totals_tail(self, now_ms: int, cache: Cache) -> bytes:
        """The totals where they are due and others than the last ones."""
        if not self._totals_dirty or now_ms < self._totals_due_ms:
            return b""
        self._totals_due_ms = now_ms + self.limits.totals_interval_ms
        self._totals_dirty = False
        before, self._totals_told = self._totals_told, self._totals(cache)
        return self._totals_told if self._totals_told != before else b""

    def _totals(self, cache: Cache) -> bytes:
        return b',"totals":' + encode(cache.totals_of(self.workspace).view())

    def _own_totals(self, cache: Cache) -> bytes:
        """For one client: what it is told may be newer than what all were told last."""
        totals = self._totals(cache)
        if totals != self._totals_told:
            self._totals_told = b""
        return totals

    def _frames(
        self, before: str, sections: list[Section], tail: bytes, *, shared: bool
    ) -> list[Frame]:
        head, limit = b'"type":"overview.patch"', self.limits.frame_bytes_max
        told = patch_frames(head, before, self.cursor, sections, limit, tail)
        return [Frame(PATCH, data, shared=shared) for data in told]

    def _ship(self, frames: list[Frame], missed: Missed, cache: Cache) -> bool:
        """To everybody in step, who stood at ``missed``; whether anybody was passed over."""
        passed: list[Client] = []

        def put(client: Client) -> None:
            client.outbox.put_overview(frames, OVERVIEW, self.cursor)

        def queue(client: Client) -> None:
            if not hand(client, OVERVIEW, put, self._with_pinned(client, missed, cache)):
                passed.append(client)

        ship(self.members.values(), frames, OVERVIEW, self.cursor, queue)
        return bool(passed)

    def _with_pinned(self, client: Client, missed: Missed, cache: Cache) -> Missed:
        """The client's own rows count among those that it shows; one may have left just now."""
        if not client.pinned:
            return missed
        held = cache.by_workspace.get(self.workspace, {})
        own = [each for each in client.pinned if each in held or each in self._dirty]
        return missed._replace(rows={**(missed.rows or {}), **dict.fromkeys(own)})

    def _ship_pinned(self, gone: list[str], cache: Cache, rows: Rows) -> None:
        """Rows that only one client wants: its own frame, which moves no cursor."""
        left = set(gone)
        for client in self._pinning.values():
            if OVERVIEW in client.missed:
                continue
            mine = [
                rows.full(session)
                for session in self._pinned(client, cache)
                if session.id in self._dirty or session.id in left
            ]
            lost = [
                encode(each)
                for each in client.pinned
                if each in self._dirty
                and each not in left  # else it is told to all
                and cache.get((self.workspace, each)) is None
            ]
            if not (mine or lost):
                continue
            if not client.outbox.is_open:
                here = Missed(self._number, self.cursor, self._visible)
                client.fall_behind(OVERVIEW, self._with_pinned(client, here, cache))
                self._is_passing = True
            else:
                frames = self._frames(self.cursor, _sections(mine, lost), b"", shared=False)
                client.outbox.put_overview(frames, OVERVIEW, self.cursor)
                client.stir()


def _sections(told: list[bytes], gone: list[bytes]) -> list[Section]:
    return [
        Section("set", b"[]", [Member(row) for row in told]),
        Section("gone", b"[]", [Member(each) for each in gone]),
    ]
