"""An opened session: one channel for each (session, rate), with in-step subscribers.

A session's cursor moves only with a patch or snapshot of that session. One that fell behind gets
present values of what changed since. Pure; called by the switchboard's rooms.
"""

from collections.abc import Iterable

from hub.limits import Limits
from hub.live.cache import Cache, Held
from hub.live.client import Client
from hub.live.details import detail_members, everything, patch_sections
from hub.live.frames import Member, encode, frame, gather, pack_members, patch_frames, split
from hub.live.outbox import Missed, space_of
from hub.live.pace import Pace
from hub.live.rows import Rows
from hub.live.shipping import hand, ship
from hub.live.trace import Trace
from hub.live.wire import Frame
from session.changes import Changes

PATCH, SNAPSHOT = "session.patch", "session.snapshot"
_NAME = ""  # the collection under which the trace keeps scalars


class Channel:
    """Subscribers of one session at one rate; ``cursor`` is that of the last patch made."""

    def __init__(self, held: Held, rate_hz: int, limits: Limits) -> None:
        self.held = held
        self.limits = limits
        self.members: dict[str, Client] = {}
        self.pace = Pace(rate_hz, limits.tick_max_ms)
        self.cursor = held.cursor
        self.waiting_since_ms: int | None = None
        self.conflated = 0  # changes that were not sent one by one
        self._number = held.session.cursor_number
        self._dirty = Changes()
        self._trace: Trace[tuple[str, str | int]] = Trace()
        self._snapshot: list[Frame] | None = None  # the same for all, until something changes

    @property
    def space(self) -> str:
        """The name of the session's cursor space."""
        return space_of(self.held.session.id)

    def note(self, changes: Changes, received_ms: int) -> None:
        """The session changed by something that was received then."""
        self.waiting_since_ms = min(self.waiting_since_ms or received_ms, received_ms)
        self.conflated += bool(self._dirty)
        self._dirty.merge(changes)
        self._snapshot = None

    def due_ms(self) -> int | None:
        """When it wants to be flushed, or None if nothing is dirty."""
        return self.pace.due_ms if self._dirty else None

    # Patches.

    def flush(self, now_ms: int, _cache: Cache, _rows: Rows) -> int:
        """Send what changed since the last time; gives how many frames were made."""
        space, before, held_number = self.space, self.cursor, self._number
        self.pace.flushed(now_ms)
        if self.held.session.timeline.dropped_number > held_number:
            self.renew(self.held, "gap")  # more came at once than the ring holds
            return 0
        self.cursor, self._number = self.held.cursor, self.held.session.cursor_number
        frames = self._patch(before, self._dirty, shared=True)
        missed, passed = Missed(held_number, before), []

        def put(client: Client) -> None:
            client.outbox.put_session(space, frames, self.cursor)

        def queue(client: Client) -> None:
            if not hand(client, space, put, missed):
                passed.append(client)

        ship(self.members.values(), frames, space, self.cursor, queue)
        if passed:
            self._trace.note(self._number, _things(self._dirty))
        else:
            self._trace.clear()
        self._dirty = Changes()
        return len(frames)

    def _patch(self, before: str, changes: Changes, *, shared: bool) -> list[Frame]:
        session, limit = self.held.session, self.limits.frame_bytes_max
        head = b'"type":"session.patch","session":' + encode(session.id)
        sections = patch_sections(session, changes)
        told = patch_frames(head, before, self.cursor, sections, limit)
        return [Frame(PATCH, data, shared=shared) for data in told]

    def _mark_stale(self, client: Client, missed: Missed, reason: str) -> None:
        """What the client holds is no longer to be built upon: only a snapshot cures that."""
        client.missed.pop(self.space, None)
        client.fall_behind(self.space, missed._replace(reason=reason))
        data = frame("session.stale", session=self.held.session.id, reason=reason)
        client.outbox.put_session(self.space, [Frame("session.stale", data)], None)
        client.stir()

    # Joining and catching up.

    def present(self, client: Client, reason: str) -> None:
        """State and cursor in one step; later, if the client has no room for it now.

        The caller has flushed what was pending, so that everybody is at the same cursor.
        ``reason`` is for the metrics alone.
        """
        client.missed.pop(self.space, None)
        if self.held.is_lost:
            self._mark_stale(client, Missed(), "trimmed")
            return
        if not client.outbox.is_open:
            client.fall_behind(self.space, Missed(reason=reason))
            return
        if self._snapshot is None:
            self._snapshot = list(self._snapshot_frames())
        client.outbox.put_session(self.space, self._snapshot, self.cursor)
        client.outbox.tally.snapshots[reason] += 1
        client.stir()

    def renew(self, held: Held, reason: str) -> None:
        """The session became another than its subscribers were told: all of them hear it."""
        was_lost = self.held.is_lost
        self.held, self._snapshot = held, None
        self._dirty = Changes()
        self.cursor, self._number = held.cursor, held.session.cursor_number
        for client in self.members.values():
            known = client.missed.get(self.space)
            if known is None or not was_lost:  # else it has heard it
                # What a client has seen is not taken back by this either.
                kept = known or Missed()
                missed = Missed(wanted=kept.wanted, until_ms=kept.until_ms)
                self._mark_stale(client, missed, reason)

    def resume(self, client: Client, number: int, cursor: str) -> bool:
        """Answer a held cursor by values; False if the ring no longer covers the gap."""
        session = self.held.session
        if number < session.removed_number or number > session.cursor_number:
            return False
        if not client.outbox.is_open:
            missed = Missed(number, cursor, is_unknown=True, reason="resume")
            client.fall_behind(self.space, missed)
            return True
        return self._tell_since(client, number, cursor, self._all_since(number))

    def _all_since(self, number: int) -> Changes:
        """What a client may have missed while this worker did not know it: everything."""
        session = self.held.session
        if number >= session.cursor_number:
            return Changes()
        changes = everything(session)
        if not session.timeline_partial:
            # Whether the client's own timeline is whole, this worker does not know.
            changes.names.discard("timeline_partial")
        return changes

    def wait(self, client: Client, epoch: str, number: int, now_ms: int) -> None:
        """The client has seen more than this worker: nothing is taken back while it catches up."""
        missed = Missed(wanted=(epoch, number), until_ms=now_ms + self.limits.catch_up_ms)
        self._mark_stale(client, missed, "worker")

    def catch_up(self, client: Client, now_ms: int) -> None:
        """Values of what the client missed, or a snapshot; nothing while it has to wait.

        The caller has flushed what was pending.
        """
        missed = client.missed[self.space]
        if self.held.is_lost or self._waits(missed, now_ms) or not client.outbox.is_open:
            return
        del client.missed[self.space]
        number = missed.number
        if number is None:
            self.present(client, missed.reason)
            return
        if missed.is_unknown:
            done = self.resume(client, number, missed.cursor)
        else:
            done = self._tell_since(client, number, missed.cursor, self._traced_since(number))
        if not done:
            self._mark_stale(client, Missed(), "slow")
            self.present(client, "slow")

    def _waits(self, missed: Missed, now_ms: int) -> bool:
        """Whether this worker will soon have come as far as the client has."""
        epoch, number = missed.wanted
        is_ahead = epoch == self.held.epoch and number > self.held.session.cursor_number
        return is_ahead and now_ms < missed.until_ms

    def _traced_since(self, number: int) -> Changes:
        return _changes(self._trace.since(number))

    def _tell_since(self, client: Client, number: int, cursor: str, changes: Changes) -> bool:
        entries = self.held.session.timeline.since(number)
        if entries is None:
            return False
        changes.keys["timeline"] = {entry.seq for entry in entries}
        frames = self._patch(cursor, changes, shared=False)
        client.outbox.put_session(self.space, frames, self.cursor)
        client.stir()
        return True

    # Snapshots.

    def _snapshot_frames(self) -> Iterable[Frame]:
        """In parts; the last says ``live``."""
        session = self.held.session
        room = self.limits.snapshot_bytes_max - 1024
        told = detail_members(session, is_partial=not self.held.has_ring)
        details = pack_members(told, room)
        entries = split((encode(entry) for entry in session.timeline), room)
        bodies = _bodies(details, entries, room)
        head = b'{"type":"session.snapshot","session":%b,"cursor":%b' % (
            encode(session.id), encode(self.cursor),
        )  # fmt: skip
        for part, body in enumerate(bodies, 1):
            live = b"true" if part == len(bodies) else b"false"
            data = b'%b,"part":%d,"parts":%d,%b,"live":%b}' % (head, part, len(bodies), body, live)
            yield Frame(SNAPSHOT, data, shared=True)


def _things(changes: Changes) -> Iterable[tuple[str, str | int]]:
    """Changed names and keys one by one; of the timeline the ring itself knows what is new."""
    yield from ((_NAME, name) for name in changes.names)
    for collection, keys in changes.keys.items():
        if collection != "timeline":
            yield from ((collection, key) for key in keys)


def _changes(things: Iterable[tuple[str, str | int]]) -> Changes:
    changes = Changes()
    for collection, key in things:
        if collection == _NAME:
            changes.name(str(key))
        else:
            changes.key(collection, key)
    return changes


def _bodies(details: list[list[Member]], entries: list[list[bytes]], room: int) -> list[bytes]:
    """The parts of a snapshot: one where everything fits, else details first."""
    told = [gather(chunk) for chunk in details]
    lines = [b",".join(chunk) for chunk in entries]
    if len(told) == len(lines) == 1 and len(told[0]) + len(lines[0]) <= room:
        return [b'"detail":{%b},"timeline":[%b]' % (told[0], lines[0])]
    bodies = [b'"detail":{%b},"timeline":[]' % part for part in told]
    return bodies + [b'"detail":{},"timeline":[%b]' % part for part in lines if part]
