"""Deltas made by hand, a switchboard with a clock of its own, and viewers attached to it."""

from collections import Counter
from typing import Any

import msgspec

from hub.limits import Limits
from hub.live import handover
from hub.live.client import Client
from hub.live.hello import parse_hello
from hub.live.requests import focus
from hub.live.switchboard import Switchboard
from hub.live.views import View
from locustfiles.reference_client import ReferenceClient
from session.delta import Delta, Entry, Event, Report, Time
from session.fold import fold, new_session
from session.state import Session, detail, item_view, summary
from tests.hub.transport import Transport

NOW = 1_790_000_000_000
EPOCH = "m1"
SPINS_MAX = 1_000


def event(kind: str, session: str = "a", at: int | None = NOW, **fields: Any) -> Event:
    """A hook's event; ``workspace`` and ``id`` are the delta's own."""
    more = {name: fields.pop(name) for name in ("workspace", "id") if name in fields}
    told = {"id": f"{session}:{kind}:{at}:{sorted(fields.items())!r}", **more}
    return Event(
        session=session, kind=kind, source="hooks", at=at, received_at=at or NOW, fields=fields,
        **told,
    )  # fmt: skip


def permission(session: str = "a", call: str = "", at: int = NOW, **fields: Any) -> Event:
    """A person is asked."""
    told = {"tool": "Bash", "input_hash": "h", "summary": "make", "call": call or f"{session}-1"}
    return event("permission", session, at, **{**told, **fields})


def tool_end(session: str = "a", call: str = "", at: int = NOW, **fields: Any) -> Event:
    """The tool ended: what it waited for is answered."""
    return event("tool_end", session, at, tool="Bash", call=call or f"{session}-1", **fields)


def said(count: int, first: int = 1, text: str = "text", prefix: str = "e") -> list[Entry]:
    """Timeline entries at the offsets ``first``, ``first + 1``, …"""
    return [
        Entry(id=f"{prefix}{at}", kind="message", at=NOW, offset=at, text=text)
        for at in range(first, first + count)
    ]


def report(
    session: str = "a", to: int = 1, from_: int = 0, at: int | None = NOW, generation: int = 0,
    entries: list[Entry] | None = None, source: str = "main", **values: Any,
) -> Report:  # fmt: skip
    """What a reader knows of one transcript."""
    return Report(
        id=f"{session}:{source}:{generation}:{to}", session=session, source=source, at=at,
        received_at=NOW, from_=from_, to=to, generation=generation, values=values,
        entries=entries or [],
    )  # fmt: skip


def past(session: str, ago_ms: int, **values: Any) -> Report:
    """A reader finished a file whose last line is old."""
    at = NOW - ago_ms
    return report(session, at=at, past=at, started_at=at, **values)


def silence(kind: str, session: str, heard_at: int) -> Time:
    """What the leader's timer appends."""
    told = {"heard_at": heard_at}
    return Time(id=kind + session, session=session, kind=kind, received_at=NOW, fields=told)


def tokens(output: int, cost_usd: float = 0.5) -> dict[str, Any]:
    """One model's calls."""
    calls = {"input": 1, "output": output, "cache_read": 0, "cache_write": 0}
    return {"opus": {**calls, "cost_usd": cost_usd, "calls": 1, "unpriced": 0}}


def bucket(output: int) -> dict[str, Any]:
    """One minute of tokens."""
    return {"input": 1, "output": output, "cache_read": 0, "cache_write": 0, "cost_usd": 0.1}


def folded(*deltas: Delta) -> Session:
    """A session as a restore gives it: its reports folded, unknown to the log."""
    session = new_session(deltas[0])
    for delta in deltas:
        fold(session, delta)
    return session


def plain(value: Any) -> Any:
    """A value as JSON would carry it."""
    return msgspec.json.decode(msgspec.json.encode(value))


class Desk:
    """A switchboard, the log's numbers and a clock that only ``advance`` moves.

    ``way`` is how frames leave outboxes unless a client is told otherwise: ``popped``, or
    ``pushed`` to a transport, or pushed ``deflated``.
    """

    way = "popped"

    def __init__(self, **limits: Any) -> None:
        self.board = Switchboard(Limits(**limits), "w")
        self.now = NOW
        self.epoch = EPOCH
        self.numbers: Counter[tuple[str, str]] = Counter()
        self.viewers: list[Viewer] = []

    def log(self, *deltas: Delta) -> None:
        """Number deltas as the log does, and apply them; nothing is flushed."""
        for delta in deltas:
            self.numbers[delta.key] += 1
            numbered = msgspec.structs.replace(delta, number=self.numbers[delta.key])
            self.board.apply((numbered,), self.epoch, self.now)

    def say(self, *deltas: Delta) -> None:
        """Log deltas and flush what is due at once."""
        self.log(*deltas)
        self.board.flush(self.now)

    def begin_anew(self, epoch: str) -> None:
        """The log goes on under another name."""
        self.epoch = epoch
        handover.change_epoch(self.board, lambda _key: True, epoch)

    def restore(self, session: Session, epoch: str = EPOCH) -> None:
        """A session comes back from history."""
        handover.restore(self.board, session, epoch, self.now)

    def advance(self, duration_ms: int) -> None:
        """Let time pass, flushing at every moment the switchboard asks for."""
        until, spins = self.now + duration_ms, 0
        while (due := self.board.next_due_ms()) is not None and due <= until:
            spins = spins + 1 if due <= self.now else 0
            assert spins < SPINS_MAX, "the switchboard wants to be flushed for ever"
            self.now = max(self.now, due)
            self.board.flush(self.now)
        self.now = until

    def connect(self, name: str = "", way: str | None = None, **hello: Any) -> "Viewer":
        """A client that says hello; it reads when it is told to."""
        viewer = Viewer(self, name or f"c{len(self.viewers)}", way or self.way, hello)
        self.viewers.append(viewer)
        return viewer

    def rows(self, view: View, workspace: str = "default") -> list[dict[str, Any]]:
        """The rows of a view, computed afresh."""
        sessions = [each for each in self.board.cache.sessions(workspace) if view.matches(each)]
        sessions.sort(key=view.key)
        return [plain(summary(session)) for session in sessions[: view.limit]]

    def items(self, workspace: str = "default") -> dict[str, Any]:
        """The open items, computed afresh."""
        sessions = self.board.cache.sessions(workspace)
        items = [item for session in sessions for item in session.items.values()]
        views = [plain(item_view(item)) for item in items]
        return {view["id"]: view for view in views}

    def truth(self, session: str, workspace: str = "default") -> tuple[Any, list[Any]]:
        """A session's detail and timeline, computed afresh."""
        held = self.board.cache.held[workspace, session].session
        return plain(detail(held)), plain(list(held.timeline))

    def cursor(self, session: str = "a", workspace: str = "default") -> str:
        """The session's present cursor."""
        return self.board.cache.held[workspace, session].cursor


class Viewer:
    """A client of a desk, its reference client, and the raw frames it was written."""

    def __init__(self, desk: Desk, name: str, way: str, hello: dict[str, Any]) -> None:
        self.desk = desk
        self.raw: list[bytes] = []
        self.handed: list[Any] = []  # the very frames or bytes that the outbox gave out
        self.wakes = 0
        workspace = hello.pop("workspace", "default")
        resumes: dict[str, Any] = hello.pop("held", {})
        self.client = Client(name, workspace, desk.board.limits, self._wake)
        self.transport: Transport | None = None
        if way != "popped":
            self.transport = Transport(self.client.outbox.hold)
            self.handed = self.transport.writes
            self.client.outbox.connect(self.transport.write, deflates=way == "deflated")
        self.reference = ReferenceClient()
        self.resumed = {session: opened.cursor for session, opened in resumes.items()}
        for session, opened in resumes.items():
            self.reference.resuming(session, opened)
        told = {"type": "hello", "protocol": 1, **hello}
        if resumes and "resume" not in told:
            told["resume"] = [
                {"session": session, "cursor": opened.cursor} for session, opened in resumes.items()
            ]
        self.hello = parse_hello(told, desk.board.limits)
        desk.board.attach(self.client, self.hello, desk.now)

    def _wake(self) -> None:
        self.wakes += 1

    def ask(self, kind: str, **fields: Any) -> None:
        """Send one request."""
        if kind == "subscribe":
            self.reference.opening(fields["session"])
        elif kind == "unsubscribe":
            self.reference.closing(fields["session"])
        focus(self.desk.board, self.client, {"type": kind, **fields}, self.desk.now)

    def open(self, *sessions: str, activate: bool = False) -> "Viewer":
        """Open sessions one after the other, and read what comes."""
        for session in sessions:
            self.ask("subscribe", session=session, activate=activate)
        self.read()
        return self

    def hold(self) -> None:
        """Until this client reads again, its transport takes nothing; one that pops never does."""
        if self.transport is not None:
            self.transport.pause()

    def take(self, count: int | None = None) -> None:
        """Let so many bytes arrive, or all that were written, without looking at them."""
        if self.transport is not None and self.transport.take(count):
            self.desk.board.release(self.client, self.desk.now)

    def _next_payload(self) -> bytes | None:
        transport = self.transport
        if transport is None:
            frame = self.client.outbox.pop()
            if frame is None:
                return None
            self.handed.append(frame)
            return frame.payload
        payload = transport.next_payload()
        while payload is None and (transport.waiting_bytes or transport.is_paused):
            self.take(transport.missing_bytes)
            payload = transport.next_payload()
        return payload

    def pop(self, count: int | None = None) -> list[dict[str, Any]]:
        """Read frames without acknowledging them."""
        read = []
        while (count is None or len(read) < count) and (payload := self._next_payload()):
            self.raw.append(payload)
            read.append(self.reference.feed(payload))
        return read

    def ack(self) -> None:
        """Acknowledge everything that was read."""
        self.ask("ack", frames=len(self.raw))

    def read(self) -> list[dict[str, Any]]:
        """Read and acknowledge until nothing waits."""
        read = self.pop()
        while self.client.outbox.frames_acked < len(self.raw):
            self.ack()
            read += self.pop()
        return read

    def types(self) -> list[str]:
        """Read everything, and tell what it was."""
        return [frame["type"] for frame in self.read()]

    def leave(self) -> dict[str, Any]:
        """Go away; gives what a later connection may resume, the stale without a cursor."""
        self.desk.board.detach(self.client)
        held = {name: each for name, each in self.reference.opened.items() if not each.evicted}
        for each in held.values():
            each.cursor = None if each.stale else each.cursor
        return held

    # What must hold when everything is read.

    def check_rows(self) -> None:
        """The rows equal the view, computed afresh."""
        expected = {row["id"]: row for row in self.desk.rows(self.client.view, self.workspace)}
        pinned = [(self.workspace, each) for each in self.client.pinned]
        for held in filter(None, map(self.desk.board.cache.get, pinned)):
            expected.setdefault(held.session.id, plain(summary(held.session)))
        assert self.reference.rows == expected

    def check_items(self) -> None:
        """The open items equal the cache's."""
        assert self.reference.items == self.desk.items(self.workspace)

    def check_opened(self) -> None:
        """Every opened session that is not stale is what the cache holds."""
        keys = [key[1] for key in self.client.subscriptions.order]
        held = [name for name, each in self.reference.opened.items() if not each.evicted]
        assert sorted(held) == sorted(keys)
        for session in keys:
            opened = self.reference.opened[session]
            assert not opened.stale, session
            detail_now, timeline = self.desk.truth(session, self.workspace)
            assert opened.detail == detail_now
            newest = [opened.timeline[seq] for seq in sorted(opened.timeline)]
            assert newest[-len(timeline) :] == timeline if timeline else True
            assert opened.cursor == self.desk.cursor(session, self.workspace)

    def check_isolation(self) -> None:
        """Without any global frame all session cursors would be the same."""
        cursors = dict(self.resumed)
        for frame in self.reference.frames:
            session = frame.get("session", "")
            kind, held = frame["type"], cursors.get(session)
            if kind == "session.evicted":
                cursors[session] = None
            elif (kind == "session.snapshot" and frame["live"]) or (
                kind == "session.patch" and held == frame["from"]
            ):
                cursors[session] = frame["cursor"]
        for session, cursor in self.reference.cursors.items():
            assert cursors.get(session) == cursor, session

    def check(self) -> None:
        """Read everything, then all of the above."""
        self.read()
        self.check_rows()
        self.check_items()
        self.check_opened()
        self.check_isolation()

    @property
    def workspace(self) -> str:
        """The workspace of the credential."""
        return self.client.workspace


def of_type(frames: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The frames of that type."""
    return [frame for frame in frames if frame["type"] == kind]
