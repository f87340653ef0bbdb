"""An opened session: one channel for each (session, rate), with in-step subscribers.

A session's cursor moves only with a patch or snapshot of that session. Pure; called by the
switchboard.
"""

from hub.limits import Limits
from hub.live.cache import Cache, Held
from hub.live.client import Client
from hub.live.frames import Member, encode, frame, gather, pack_members, patch_frames, split
from hub.live.outbox import Mark, space_of
from hub.live.pace import Pace
from hub.live.rows import Rows, detail_members, everything, patch_sections
from session.changes import Changes


class Channel:
    """Subscribers of one session at one rate; ``cursor`` is that of the last patch made."""

    def __init__(self, held: Held, rate_hz: int, limits: Limits) -> None:
        self.held = held
        self.limits = limits
        self.members: dict[str, Client] = {}
        self.pace = Pace(rate_hz, limits.tick_max_ms)
        self.cursor = held.cursor
        self.waiting_since_ms: int | None = None
        self._dirty = Changes()

    @property
    def space(self) -> str:
        """The name of the session's cursor space."""
        return space_of(self.held.session.id)

    def note(self, changes: Changes, received_ms: int) -> None:
        """The session changed by something that was received then."""
        self.waiting_since_ms = min(self.waiting_since_ms or received_ms, received_ms)
        self._dirty.merge(changes)

    def due_ms(self) -> int | None:
        """When it wants to be flushed, or None if nothing is dirty."""
        return self.pace.due_ms if self._dirty else None

    def flush(self, now_ms: int, _cache: Cache, _rows: Rows) -> int:
        """Send what changed since the last time; gives how many frames were made."""
        session = self.held.session
        head = b'"type":"session.patch","session":' + encode(session.id)
        sections = patch_sections(session, self._dirty)
        before, self.cursor = self.cursor, self.held.cursor
        frames = patch_frames(head, before, self.cursor, sections, self.limits.frame_bytes_max)
        self._dirty = Changes()
        self.pace.flushed(now_ms)
        self._ship(frames)
        return len(frames)

    def _ship(self, frames: list[bytes]) -> None:
        mark = Mark(self.space, self.cursor)
        for client in self.members.values():
            if self.space in client.missed or not client.outbox.is_open:
                self._miss(client)
                continue
            for data in frames[:-1]:
                client.outbox.put(data)
            client.outbox.put(frames[-1], mark)
            client.on_ready()

    def _miss(self, client: Client) -> None:
        """The client is behind: it hears that its view is stale, a snapshot follows."""
        if client.fall_behind(self.space):
            client.outbox.put(frame("session.stale", session=self.held.session.id, reason="slow"))
            client.on_ready()

    def send_snapshot(self, client: Client) -> None:
        """State and cursor in one step, in parts; the last says ``live``.

        A client that has no room for it is behind: it gets it when it has.
        """
        if not client.outbox.is_open:
            self._miss(client)
            return
        session = self.held.session
        room = self.limits.frame_bytes_max - 1024
        told = detail_members(session, is_partial=not self.held.has_ring)
        details = pack_members(told, room)
        entries = split((encode(entry) for entry in session.timeline), room)
        bodies = _bodies(details, entries, room)
        head = b'{"type":"session.snapshot","session":%b,"cursor":%b' % (
            encode(session.id), encode(self.cursor),
        )  # fmt: skip
        client.missed.discard(self.space)
        for part, body in enumerate(bodies, 1):
            last = part == len(bodies)
            data = b'%b,"part":%d,"parts":%d,%b,"live":%b}' % (
                head, part, len(bodies), body, b"true" if last else b"false",
            )  # fmt: skip
            client.outbox.put(data, *((Mark(self.space, self.cursor),) if last else ()))
        client.on_ready()

    def resume(self, client: Client, number: int) -> bool:
        """Answer a held cursor by values; False if the ring no longer covers the gap."""
        session = self.held.session
        entries = session.timeline.since(number)
        if entries is None or number < session.removed_number or number > session.cursor_number:
            return False
        changes = Changes()
        if number < session.cursor_number:
            changes = everything(session)
            changes.keys["timeline"] = {entry.seq for entry in entries}
        head = b'"type":"session.patch","session":' + encode(session.id)
        before = f"{self.held.epoch}:{number}"
        limit = self.limits.frame_bytes_max
        frames = patch_frames(head, before, self.cursor, patch_sections(session, changes), limit)
        for data in frames[:-1]:
            client.outbox.put(data)
        client.outbox.put(frames[-1], Mark(self.space, self.cursor))
        client.on_ready()
        return True


def _bodies(details: list[list[Member]], entries: list[list[bytes]], room: int) -> list[bytes]:
    """The parts of a snapshot: one where everything fits, else details first."""
    told = [gather(chunk) for chunk in details]
    lines = [b",".join(chunk) for chunk in entries]
    if len(told) == len(lines) == 1 and len(told[0]) + len(lines[0]) <= room:
        return [b'"detail":{%b},"timeline":[%b]' % (told[0], lines[0])]
    bodies = [b'"detail":{%b},"timeline":[]' % part for part in told]
    return bodies + [b'"detail":{},"timeline":[%b]' % part for part in lines if part]
