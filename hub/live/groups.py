"""The overview: one group for each (workspace, view, rate), with one chain of frames.

Members in step get the same bytes; one that fell behind gets a snapshot when it has room.
Pure; called by the switchboard.
"""

from hub.limits import Limits
from hub.live.cache import Cache
from hub.live.client import Client
from hub.live.frames import Member, Section, encode, patch_frames, rows_frames
from hub.live.outbox import Mark
from hub.live.pace import Pace
from hub.live.rows import Rows
from hub.live.views import View
from session.state import Session

OVERVIEW = "overview"
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
        self._moving = self.view.moving_names
        self._visible: dict[str, None] = {}
        self._dirty: dict[str, set[str]] = {}
        self._renewed: set[str] = set()  # another session than before under its id
        self._stirred = True
        self._totals_dirty = False
        self._totals_due_ms = 0
        self._number = 0

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
        self._dirty.setdefault(session_id, set()).update(names)
        self._totals_dirty = True

    def note_gone(self, session_id: str) -> None:
        """A session left the cache."""
        self._dirty.setdefault(session_id, set())
        self._stirred = self._totals_dirty = True

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
        self.send_snapshot(client, cache, rows)

    def send_snapshot(self, client: Client, cache: Cache, rows: Rows) -> None:
        """The rows in full, with the client's own pinned ones besides.

        A client that has no room for them is behind: it gets them when it has.
        """
        if not client.outbox.is_open:
            client.fall_behind(OVERVIEW)
            return
        shown = [cache.by_workspace[self.workspace][each].session for each in self._visible]
        shown += self._pinned(client, cache)
        head = b'"cursor":' + encode(self.cursor)
        tail = b',"totals":' + encode(cache.totals_of(self.workspace).view())
        encoded = [rows.full(session) for session in shown]
        limit = self.limits.frame_bytes_max
        frames = rows_frames("overview.snapshot", head, encoded, tail, limit)
        client.missed.discard(OVERVIEW)
        for number, data in enumerate(frames, 1):
            last = (Mark(OVERVIEW, self.cursor),) if number == len(frames) else ()
            client.outbox.put(data, *last)
        client.on_ready()

    def _pinned(self, client: Client, cache: Cache) -> list[Session]:
        held = (cache.get((self.workspace, each)) for each in client.pinned)
        return [each.session for each in held if each and each.session.id not in self._visible]

    def _settle(self, cache: Cache) -> None:
        """Nobody watches yet: what is visible now is where the chain begins."""
        self._visible = dict.fromkeys(self._select(cache))
        self._dirty.clear()
        self._renewed.clear()
        self._stirred = self._totals_dirty = False

    def _select(self, cache: Cache) -> list[str]:
        matching = [each for each in cache.sessions(self.workspace) if self.view.matches(each)]
        matching.sort(key=self.view.key)
        return [session.id for session in matching[: self.view.limit]]

    # Flushing.

    def flush(self, now_ms: int, cache: Cache, rows: Rows) -> int:
        """Send what changed since the last time; gives how many frames were made."""
        told, gone = self._collect(cache, rows)
        with_totals = self._totals_dirty and now_ms >= self._totals_due_ms
        frames: list[bytes] = []
        if told or gone or with_totals:
            frames = self._patch(told, gone, with_totals, now_ms, cache)
        self.pace.flushed(now_ms)
        if frames:
            self._ship(frames)
        self._ship_pinned(gone, cache, rows)
        self._dirty.clear()
        self._renewed.clear()
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

    def _patch(
        self, told: list[bytes], gone: list[str], with_totals: bool, now_ms: int, cache: Cache
    ) -> list[bytes]:
        tail = b""
        if with_totals:
            tail = b',"totals":' + encode(cache.totals_of(self.workspace).view())
            self._totals_due_ms = now_ms + self.limits.totals_interval_ms
            self._totals_dirty = False
        before = self.cursor
        self._number += 1
        sections = _sections(told, [encode(each) for each in gone])
        head = b'"type":"overview.patch"'
        limit = self.limits.frame_bytes_max
        return patch_frames(head, before, self.cursor, sections, limit, tail)

    def _ship(self, frames: list[bytes]) -> None:
        mark = Mark(OVERVIEW, self.cursor)
        for client in self.members.values():
            if OVERVIEW in client.missed or not client.outbox.is_open:
                client.fall_behind(OVERVIEW)
                continue
            for data in frames[:-1]:
                client.outbox.put(data)
            client.outbox.put(frames[-1], mark)
            client.on_ready()

    def _ship_pinned(self, gone: list[str], cache: Cache, rows: Rows) -> None:
        """Rows that only one client wants: its own frame, which moves no cursor."""
        left = set(gone)
        for client in self.members.values():
            if not client.pinned or OVERVIEW in client.missed:
                continue
            mine = [
                rows.full(session)
                for session in self._pinned(client, cache)
                if session.id in self._dirty or session.id in left
            ]
            lost = [
                encode(each)
                for each in client.pinned
                if each in self._dirty and cache.get((self.workspace, each)) is None
            ]
            if mine or lost:
                head, sections = b'"type":"overview.patch"', _sections(mine, lost)
                limit = self.limits.frame_bytes_max
                for data in patch_frames(head, self.cursor, self.cursor, sections, limit):
                    client.outbox.put(data)
                client.on_ready()


def _sections(told: list[bytes], gone: list[bytes]) -> list[Section]:
    return [
        Section("set", b"[]", [Member(row) for row in told]),
        Section("gone", b"[]", [Member(each) for each in gone]),
    ]
