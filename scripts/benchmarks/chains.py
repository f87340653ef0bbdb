"""A judge that reads of each frame only what the rules of hub.v1 are about: cheap enough for all.

Follows the three cursor spaces, parts, evictions, stale marks, the set of open items and
heartbeats; holds no rows and no details. Raises Violation, as the reference client does. Pure.
"""

import msgspec

from locustfiles.reference_client import FRAME_BYTES_MAX, Violation, demand


class Named(msgspec.Struct):
    """Of a row or an item only its id."""

    id: str


class Head(msgspec.Struct):
    """Of a frame what rules are about; everything else is passed over unread."""

    type: str
    id: str = ""
    session: str = ""
    from_: str = msgspec.field(default="", name="from")
    cursor: str = ""
    part: int = 1
    parts: int = 1
    live: bool = False
    full: bool = False
    reason: str = ""
    code: str | int = ""
    open: list[Named] = []
    closed: list[Named] = []
    overview: str | None = None
    attention: str | None = None
    sessions: dict[str, str | None] | list[Named] | None = None


_heads = msgspec.json.Decoder(Head)


class Opened:
    """What is known of an opened session: where it is, and whether that may be trusted."""

    __slots__ = ("cursor", "evicted", "stale")

    def __init__(self, cursor: str | None = None, *, stale: bool = True) -> None:
        self.cursor = cursor
        self.stale = stale
        self.evicted = False


class Chains:
    """Everything that one connection may be held to. A new connection has new ones."""

    def __init__(self) -> None:
        self.frames = 0
        self.overview: str | None = None
        self.attention: str | None = None
        self.items: set[str] = set()
        self.opened: dict[str, Opened] = {}
        self.said: dict[str, int] = {}  # how many frames of each type
        self._asked: dict[str, int] = {}  # openings, less the evictions that ended one
        self._awaited: tuple[str, str, str, int] | None = None
        self._coming: set[str] = set()

    def opening(self, session: str) -> None:
        """A subscribe was sent."""
        self._asked[session] = self._asked.get(session, 0) + 1
        self.opened.setdefault(session, Opened())

    def failed(self, session: str) -> None:
        """An opening was answered by an error."""
        self._asked.pop(session, None)
        self.opened.pop(session, None)

    def resuming(self, session: str, cursor: str | None) -> None:
        """A hello names what an earlier connection held."""
        self._asked[session] = 1
        self.opened[session] = Opened(cursor, stale=cursor is None)

    def feed(self, data: bytes) -> Head:
        """One frame as it came from the wire. Raises Violation."""
        demand(len(data) <= FRAME_BYTES_MAX, f"a frame of {len(data)} bytes")
        head = _heads.decode(data)
        self.frames += 1
        self.said[head.type] = self.said.get(head.type, 0) + 1
        if head.type != "bye":  # whoever is turned away is told nothing else
            demand((self.frames == 1) is (head.type == "welcome"), f"{head.type} before welcome")
        if self._awaited is not None and head.type not in ("attention", self._awaited[0]):
            raise Violation(f"{head.type} between the parts of {self._awaited}")
        take = _TAKES.get(head.type)
        if take is not None:
            take(self, head)
        return head

    def _is_last(self, head: Head) -> bool:
        place = (head.type, head.session, head.cursor, head.part)
        demand(
            place == self._awaited or (self._awaited is None and head.part == 1),
            f"part {place} of {head.parts}, and {self._awaited} is awaited",
        )
        is_last = head.part == head.parts
        self._awaited = None if is_last else (*place[:3], head.part + 1)
        return is_last

    def _overview_snapshot(self, head: Head) -> None:
        if self._is_last(head):
            self.overview = head.cursor

    def _overview_patch(self, head: Head) -> None:
        demand(head.from_ == self.overview, f"overview: from {head.from_}, held {self.overview}")
        self.overview = head.cursor

    def _attention(self, head: Head) -> None:
        if head.part == 1:
            self._coming = set() if head.full else set(self.items)
        self._coming |= {each.id for each in head.open}
        self._coming -= {each.id for each in head.closed}
        if head.part == head.parts:
            self.items, self.attention = self._coming, head.cursor

    def _session_snapshot(self, head: Head) -> None:
        is_last = self._is_last(head)
        demand(head.live is is_last, "live is true on the last part alone")
        held = self.opened.get(head.session)
        if held is not None:
            demand(self._asked.get(head.session, 0) > 0, f"{head.session} was evicted")
            if is_last:
                held.cursor, held.stale, held.evicted = head.cursor, False, False

    def _session_patch(self, head: Head) -> None:
        held = self.opened.get(head.session)
        if held is None:
            return
        demand(not held.evicted, f"a patch of {head.session}, which was evicted")
        if held.cursor is None:
            return  # of an earlier opening, written before the snapshot that is awaited
        demand(head.from_ == held.cursor, f"{head.session}: from {head.from_}, held {held.cursor}")
        demand(not held.stale, f"{head.session} is stale, and only a snapshot cures it")
        held.cursor = head.cursor

    def _session_evicted(self, head: Head) -> None:
        self._asked[head.session] = self._asked.get(head.session, 0) - 1
        held = self.opened.get(head.session)
        if held is not None:
            held.cursor, held.stale, held.evicted = None, True, True

    def _session_stale(self, head: Head) -> None:
        held = self.opened.get(head.session)
        if held is not None:
            held.stale = True

    def _heartbeat(self, head: Head) -> None:
        demand(head.overview == self.overview, f"heartbeat: {head.overview}, held {self.overview}")
        demand(head.attention == self.attention, f"attention: {head.attention}, {self.attention}")
        demand(isinstance(head.sessions, dict), "a heartbeat names the cursors")
        for session, cursor in dict(head.sessions or {}).items():
            held = self.opened.get(session)
            cursors = (cursor, None if held is None else held.cursor)
            demand(cursors[0] == cursors[1], f"heartbeat: {session} is at {cursors}")


_TAKES = {
    "overview.snapshot": Chains._overview_snapshot,  # noqa: SLF001 - its own methods
    "overview.patch": Chains._overview_patch,  # noqa: SLF001 - the same
    "attention": Chains._attention,  # noqa: SLF001 - the same
    "session.snapshot": Chains._session_snapshot,  # noqa: SLF001 - the same
    "session.patch": Chains._session_patch,  # noqa: SLF001 - the same
    "session.evicted": Chains._session_evicted,  # noqa: SLF001 - the same
    "session.stale": Chains._session_stale,  # noqa: SLF001 - the same
    "heartbeat": Chains._heartbeat,  # noqa: SLF001 - the same
}
