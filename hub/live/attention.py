"""The attention lane: every open item of a workspace, to every client of it, at once.

Needs no subscription and knows no tick. A keyed set: frames are idempotent upserts.
Pure; called by the switchboard.
"""

from collections.abc import Iterable
from typing import Any

from hub.limits import Limits
from hub.live.cache import Cache
from hub.live.client import Client
from hub.live.frames import encode, split
from hub.live.outbox import Missed
from hub.live.shipping import ship
from hub.live.wire import Frame
from session.changes import Changes
from session.state import Item, Session, item_view, public_id

ATTENTION = "attention"


class AttentionLane:
    """The open items of one workspace on this worker, at a revision."""

    def __init__(self, workspace: str, limits: Limits) -> None:
        self.workspace = workspace
        self.limits = limits
        self.members: dict[str, Client] = {}
        self.revision = 0
        self._full: tuple[int, list[Frame]] | None = None
        self._where: dict[str, tuple[str, str]] = {}  # public id → session and its item

    @property
    def cursor(self) -> str:
        """The lane's present position; opaque to clients."""
        return f"a{self.revision}"

    def items(self, cache: Cache) -> list[Item]:
        """Every open item, oldest first."""
        held = cache.by_workspace.get(self.workspace, {})
        waiting = {session_id for session_id, _ in self._where.values()}
        sessions = (held[each] for each in waiting if each in held)
        items = [item for each in sessions for item in each.session.items.values()]
        return sorted(items, key=lambda item: (item.opened_at, item.id))

    def find(self, cache: Cache, item_id: str) -> Item | None:
        """One open item by its public id."""
        session_id, own_id = self._where.get(item_id, ("", ""))
        held = cache.by_workspace.get(self.workspace, {}).get(session_id)
        return held.session.items.get(own_id) if held else None

    def note(self, session: Session, changes: Changes) -> None:
        """Items opened or closed: tell everybody now."""
        opened = [session.items[each] for each in sorted(changes.opened) if each in session.items]
        for item in opened:
            self._where[public_id(session.id, item.id)] = (session.id, item.id)
        gone = {public_id(session.id, each): why for each, why in sorted(changes.closed.items())}
        for item_id in gone:
            self._where.pop(item_id, None)
        self._tell(opened, [{"id": each, "outcome": why} for each, why in gone.items()])

    def adopt(self, session: Session) -> None:
        """A session came into the cache with items open already."""
        if session.items:
            for item_id in session.items:
                self._where[public_id(session.id, item_id)] = (session.id, item_id)
            self._tell(list(session.items.values()), [])

    def swap(self, before: Session | None, session: Session) -> None:
        """A session was read anew; the caller tells everybody the whole set."""
        for item_id in before.items if before is not None else ():
            self._where.pop(public_id(session.id, item_id), None)
        for item_id in session.items:
            self._where[public_id(session.id, item_id)] = (session.id, item_id)

    def send_all(self, cache: Cache) -> None:
        """The whole set to everybody."""
        self.revision += 1
        for client in self.members.values():
            self.send_full(client, cache)

    def forget(self, session: Session) -> None:
        """A session left the cache for good."""
        if session.items:
            gone = [public_id(session.id, each) for each in session.items]
            for item_id in gone:
                self._where.pop(item_id, None)
            self._tell([], [{"id": each, "outcome": "deleted"} for each in gone])

    def _tell(self, opened: list[Item], closed: list[dict[str, Any]]) -> None:
        self.revision += 1
        frames = self._frames(False, opened, closed)

        def queue(client: Client) -> None:
            if ATTENTION in client.missed or not client.outbox.attention_is_open:
                client.fall_behind(ATTENTION, Missed())
            else:
                self._put(client, frames)

        ship(self.members.values(), frames, ATTENTION, self.cursor, queue)

    def send_full(self, client: Client, cache: Cache) -> None:
        """The whole set, replacing what the client holds; later, if its lane is full."""
        if not client.outbox.attention_is_open:
            client.fall_behind(ATTENTION, Missed())
            return
        client.missed.pop(ATTENTION, None)
        self._put(client, self._full_frames(cache))

    def _full_frames(self, cache: Cache) -> list[Frame]:
        """The set at this revision: the same for everybody who comes while it lasts."""
        if self._full is None or self._full[0] != self.revision:
            self._full = (self.revision, self._frames(True, self.items(cache), []))
        return self._full[1]

    def _put(self, client: Client, frames: list[Frame]) -> None:
        client.outbox.put_attention(frames, ATTENTION, self.cursor)
        client.stir()

    def _frames(
        self, full: bool, opened: Iterable[Item], closed: list[dict[str, Any]]
    ) -> list[Frame]:
        room = self.limits.frame_bytes_max - len(encode(closed)) - 256
        chunks = split((encode(item_view(item)) for item in opened), max(room, 4096))
        told = [
            b'{"type":"attention","cursor":%b,"full":%b,"part":%d,"parts":%d,"open":[%b],"closed":%b}'
            % (
                encode(self.cursor),
                b"true" if full else b"false",
                part,
                len(chunks),
                b",".join(chunk),
                encode(closed if part == len(chunks) else []),
            )
            for part, chunk in enumerate(chunks, 1)
        ]
        return [Frame(ATTENTION, data, shared=True) for data in told]
