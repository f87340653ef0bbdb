"""What clients know: the strict one of a lossless link, and one whose frames get lost or doubled.

The second believes nothing that does not fit: it marks what it doubts stale and wishes for a
resync, as PROTOCOL.md says. Both keep what they did and heard, in its order.
"""

from typing import Any

from locustfiles.reference_client import Frame, Opened, Parts, ReferenceClient

GLOBAL = ("overview.snapshot", "overview.patch", "attention", "notice", "heartbeat")
NOT_OPEN = ("unknown_session", "snapshot_failed")
Wish = tuple[str, str | None]


class Model(ReferenceClient):
    """A reference client that remembers what it did between its frames."""

    def __init__(self) -> None:
        super().__init__()
        self.story: list[tuple[str, Any]] = []
        self.wishes: dict[Wish, int] = {}  # what is to be asked for anew, and when it was
        self._coming: Opened | None = None  # whose snapshot has begun

    def opening(self, session: str) -> None:
        """A subscribe was sent."""
        self.story.append(("opening", session))
        super().opening(session)

    def closing(self, session: str) -> None:
        """An unsubscribe was sent."""
        self.story.append(("closing", session))
        super().closing(session)

    def resuming(self, session: str, held: Opened) -> None:
        """A hello names it."""
        self.story.append(("resuming", (session, held.cursor)))
        super().resuming(session, held)

    def feed(self, data: bytes) -> Frame:
        """One frame."""
        frame = super().feed(data)
        self.story.append(("frame", frame))
        return frame

    def _session_snapshot(self, frame: Frame) -> None:
        held = self.opened.get(frame["session"])
        if frame["part"] == 1:
            self._coming = held
        if held is self._coming:
            super()._session_snapshot(frame)
        else:
            self._parts.take(frame)  # the rest of one that an earlier opening was sent

    def _heartbeat(self, frame: Frame) -> None:
        """It may have been written before this client closed a session, or opened it anew."""
        known = [name for name, cursor in self.cursors.items() if cursor is not None]
        told = {name: each for name, each in frame["sessions"].items() if name in known}
        super()._heartbeat({**frame, "sessions": told})

    def _error(self, frame: Frame) -> None:
        super()._error(frame)
        if frame["code"] in NOT_OPEN:
            self.evictions[frame["session"]] += 1
            held = self.opened.get(frame["session"])
            if held is not None:
                held.cursor, held.stale, held.evicted = None, True, True
            self.wishes.pop(("session", frame["session"]), None)

    def told_again(self) -> dict[str, str | None]:
        """The session cursors of one that is told the same story without any global frame."""
        fresh = type(self)()
        for kind, told in self.story:
            if kind == "frame":
                fresh.take_session_frame(told)
            elif kind == "resuming":
                held = Opened()
                held.cursor, held.stale = told[1], False
                fresh.resuming(told[0], held)
            else:
                getattr(fresh, kind)(told)
        return fresh.cursors

    def take_session_frame(self, frame: Frame) -> None:
        """As ``feed``, unless it is a global one. Of contents only the cursors are looked at."""
        held = self.opened.get(frame.get("session") or "")
        kind = frame["type"]
        if kind in GLOBAL or held is None:
            return
        if kind == "session.evicted" or (kind == "error" and frame["code"] in NOT_OPEN):
            held.cursor = None
        elif kind == "session.snapshot":
            held.cursor = frame["cursor"] if frame["live"] else held.cursor
        elif kind == "session.patch" and frame["from"] == held.cursor:
            held.cursor = frame["cursor"]


class Doubting(Model):
    """On a link that loses and doubles frames."""

    def feed(self, data: bytes) -> Frame:
        """One frame; a snapshot that another one breaks into has lost its rest."""
        self._forget_torn(data)
        return super().feed(data)

    def _forget_torn(self, data: bytes) -> None:
        awaited = self._parts.awaited
        if awaited is None or b'"type":"attention"' in data[:32]:
            return
        if b'"type":"%b"' % awaited[0].encode() not in data[:64]:
            self._wish(*_scope(awaited[0], awaited[1]))
            self._parts = Parts()

    def _wish(self, scope: str, session: str | None = None) -> None:
        self.wishes.setdefault((scope, session), 0)

    def _fits(self, parts: Parts, frame: Frame) -> bool:
        who = (frame["type"], frame.get("session"), frame["cursor"])
        place = (*who, frame["part"], frame["parts"])
        return place == parts.awaited or (parts.awaited is None and frame["part"] == 1)

    def _overview_snapshot(self, frame: Frame) -> None:
        if not self._fits(self._parts, frame):
            self._parts = Parts()
            self._wish("overview")
            if frame["part"] > 1:
                return
        super()._overview_snapshot(frame)
        if frame["part"] == frame["parts"]:
            self.wishes.pop(("overview", None), None)

    def _overview_patch(self, frame: Frame) -> None:
        if frame["from"] == self.overview is not None:
            super()._overview_patch(frame)
        else:
            self._wish("overview")

    def _attention(self, frame: Frame) -> None:
        if not self._fits(self._attention_parts, frame):
            self._attention_parts = Parts()
            self._wish("attention")
            if frame["part"] > 1:
                return
        super()._attention(frame)
        if frame["full"] and frame["part"] == frame["parts"]:
            self.wishes.pop(("attention", None), None)

    def _session_snapshot(self, frame: Frame) -> None:
        session = frame["session"]
        if not self._fits(self._parts, frame):
            self._parts = Parts()
            self._doubt(session)
            if frame["part"] > 1:
                return
        if session in self.opened:
            self.opened[session].evicted = False
        super()._session_snapshot(frame)
        if frame["live"]:
            self.wishes.pop(("session", session), None)

    def _session_patch(self, frame: Frame) -> None:
        held = self.opened.get(frame["session"])
        if held is None:
            return
        if frame["from"] == held.cursor and not held.stale and not held.evicted:
            held.patch(frame)
        elif held.cursor is not None or held.evicted:
            self._doubt(frame["session"])

    def _doubt(self, session: str) -> None:
        held = self.opened.get(session)
        if held is not None:
            held.stale = True
            self._wish("session", session)

    def _session_evicted(self, frame: Frame) -> None:
        super()._session_evicted(frame)
        self.wishes.pop(("session", frame["session"]), None)

    def _heartbeat(self, frame: Frame) -> None:
        self.heartbeats.append(frame)
        if frame["overview"] != self.overview:
            self._wish("overview")
        if frame["attention"] != self.attention:
            self._wish("attention")
        for session, held in self.opened.items():
            written = frame["sessions"].get(session)
            if not held.evicted and (held.stale or held.cursor != written):
                self._doubt(session)


def _scope(kind: str, session: str | None) -> Wish:
    return ("session", session) if kind == "session.snapshot" else ("overview", None)
