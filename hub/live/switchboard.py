"""The five verbs of a hub worker: attach, detach, focus, apply, flush. All state is below here.

Every verb runs to its end: no await, no clock, no lock; time is told. Frames land in the
clients' outboxes and leave at the end of the verb. Called by the worker and the WebSocket shell.
"""

from collections.abc import Iterable

from hub.limits import Limits
from hub.live.attention import ATTENTION, AttentionLane
from hub.live.cache import Cache, Held, Key
from hub.live.client import Client
from hub.live.details import everything
from hub.live.frames import frame
from hub.live.groups import OVERVIEW
from hub.live.heartbeats import Heartbeats
from hub.live.hello import Hello
from hub.live.outbox import space_of
from hub.live.patience import Patience
from hub.live.rooms import Rooms
from hub.live.rows import row_names
from hub.live.views import View
from hub.live.wire import Frame, Tally
from session.delta import Delta

NUMBER_DIGITS_MAX = 18
RESYNCS_MAX = 40
RETRY_MS = 1_000


class Switchboard:
    """Groups, channels and attention lanes over one cache."""

    def __init__(self, limits: Limits, worker: str) -> None:
        self.limits = limits
        self.worker = worker
        self.cache = Cache(limits)
        self.clients: dict[str, Client] = {}
        self.tally = Tally()
        self.rooms = Rooms(limits, worker, self.cache, self.tally)
        self.lanes: dict[str, AttentionLane] = {}
        self.patience = Patience(limits, self.rooms, self._send_attention, self._degrade)
        self._heartbeats = Heartbeats(limits)
        self.standing: dict[str, Frame] = {}  # notices that hold on, by code
        self.restored = 0  # sessions taken in otherwise than by a delta
        self._stirred: dict[Client, None] = {}

    # Attach and detach.

    def attach(self, client: Client, hello: Hello, now_ms: int) -> None:
        """Answer ``hello``: welcome, attention, overview, then each resumed session."""
        self.tally.now_ms = now_ms
        self.clients[client.connection] = client
        client.attached, client.attached_ms = True, now_ms
        client.stirred, client.behind = self._stirred, self.patience.behind
        client.outbox.tally = self.tally
        hello.configure(client)
        # On the attention lane, which nothing overtakes: welcome comes first.
        client.outbox.put_attention([self._welcome(client, now_ms)], None, None)
        self.lane(client.workspace).members[client.connection] = client
        self._send_attention(client)
        self.rooms.join_group(client, now_ms)
        self.deliver()
        self.resume(client, hello, now_ms)
        for told in self.standing.values():
            self._put_notice(client, told)
        self._heartbeats.add(client, now_ms)
        self.deliver()

    def _welcome(self, client: Client, now_ms: int) -> Frame:
        limits = {
            "subscriptions": client.subscriptions.cap,
            "rate_hz": client.rate_hz,
            "message_bytes": self.limits.message_bytes_max,
            "frame_bytes": self.limits.frame_bytes_max,
        }
        data = frame(
            "welcome", protocol=1, connection=client.connection, worker=self.worker, now=now_ms,
            heartbeat_ms=self.limits.heartbeat_ms, limits=limits,
        )  # fmt: skip
        return Frame("welcome", data)

    def resume(self, client: Client, hello: Hello, now_ms: int) -> None:
        """Open what the client held before; the caller delivers."""
        known: list[tuple[Held, str]] = []
        for session_id, cursor in hello.resume:
            held = self.cache.get((client.workspace, session_id))
            if held is None:
                self._say_unknown(client, session_id)
            else:
                known.append((held, cursor))
        overflow = len(known) - client.subscriptions.cap
        for held, cursor in known:
            if overflow > 0 and held.session.id != hello.active:
                overflow -= 1
                self._say_evicted(client, held.session.id, "cap")
            else:
                self._resume_one(client, held, cursor, hello.active, now_ms)

    def _resume_one(
        self, client: Client, held: Held, cursor: str, active: str | None, now_ms: int
    ) -> None:
        key = held.session.key
        self._open(client, key, held.session.id == active)
        channel = self.rooms.join_channel(client, key, held, now_ms)
        epoch, _, digits = cursor.rpartition(":")
        is_number = digits.isdecimal() and len(digits) <= NUMBER_DIGITS_MAX
        number = int(digits) if is_number else -1
        if held.is_lost or (epoch == held.epoch and number > held.session.cursor_number):
            channel.wait(client, epoch, number, now_ms)
        elif number < 0 or epoch != held.epoch or not channel.resume(client, number, cursor):
            channel.present(client, "resume")

    def detach(self, client: Client) -> None:
        """The connection is gone: forget the client."""
        if self.clients.pop(client.connection, None) is None:
            return
        client.attached = False
        client.outbox.empty()
        self._stirred.pop(client, None)
        self.patience.forget(client)
        self.lane(client.workspace).members.pop(client.connection, None)
        self.rooms.leave_group(client)
        for key in client.subscriptions.order:
            self.rooms.leave_channel(client, key)

    # Focus: what a client asks for. Each method answers one request.

    def subscribe(self, client: Client, session_id: str, activate: bool, now_ms: int) -> None:
        """Open a session: always answered by a snapshot, or by an error."""
        key = (client.workspace, session_id)
        held = self.cache.get(key)
        if held is None:
            self._say_unknown(client, session_id)
            return
        self._open(client, key, activate)
        self.rooms.join_channel(client, key, held, now_ms).present(client, "subscribe")

    def _open(self, client: Client, key: Key, activate: bool) -> None:
        for evicted in client.open(key, activate):
            self.evict(client, evicted, "cap")

    def evict(self, client: Client, key: Key, reason: str) -> None:
        """The client has lost a session: nothing of it comes behind ``session.evicted``."""
        self.rooms.leave_channel(client, key)
        client.missed.pop(space_of(key[1]), None)
        client.outbox.drop(space_of(key[1]))
        self._say_evicted(client, key[1], reason)

    def unsubscribe(self, client: Client, session_id: str) -> None:
        """Close a session."""
        key = (client.workspace, session_id)
        if client.close(key):
            self.rooms.leave_channel(client, key)
            client.outbox.forget(space_of(session_id))

    def activate(self, client: Client, session_id: str | None) -> bool:
        """Make a session the one the person looks at; False if it is not open."""
        key = None if session_id is None else (client.workspace, session_id)
        return client.activate(key)

    def change_view(self, client: Client, view: View, pinned: tuple[str, ...], now_ms: int) -> None:
        """Another view: answered by its snapshot."""
        self.rooms.leave_group(client)
        client.view, client.pinned = view, pinned
        self.rooms.join_group(client, now_ms)

    def change_rate(self, client: Client, hz: int, now_ms: int) -> None:
        """Another rate, for the overview and for every opened session."""
        self.rooms.leave_group(client)
        held = [(key, self.cache.get(key)) for key in client.subscriptions.order]
        for key, _ in held:
            self.rooms.flush_channel(key, client.rate_hz, now_ms)
            self.rooms.leave_channel(client, key)
        client.rate_hz = hz
        self.rooms.join_group(client, now_ms)
        for key, each in held:
            if each is not None:
                self._rejoin(client, key, each, now_ms)

    def _rejoin(self, client: Client, key: Key, held: Held, now_ms: int) -> None:
        """Join the channel of the new rate; values again if the client is not at its cursor."""
        channel = self.rooms.join_channel(client, key, held, now_ms)
        space = space_of(key[1])
        if space in client.missed:
            client.missed[space] = client.missed[space]._replace(number=None)
        elif client.outbox.last_cursor(space) != channel.cursor:
            channel.present(client, "rate")

    def resync(self, client: Client, scope: str, session_id: str | None, now_ms: int) -> bool:
        """The client found a gap: the snapshot of that scope; False if asked too often."""
        name = scope if session_id is None else space_of(session_id)
        if len(client.resynced_ms) >= RESYNCS_MAX:
            client.resynced_ms.clear()
        last = client.resynced_ms.get(name)
        if last is not None and now_ms - last < self.limits.resync_interval_ms:
            return False
        client.resynced_ms[name] = now_ms
        if scope == OVERVIEW:
            self.rooms.join_group(client, now_ms)
        elif scope == ATTENTION:
            self._send_attention(client)
        elif session_id is not None:
            key = (client.workspace, session_id)
            held = self.cache.get(key)
            if held is None or key not in client.subscriptions:
                self._say_unknown(client, session_id)
            else:
                self.rooms.join_channel(client, key, held, now_ms).present(client, "resync")
        return True

    def ack(self, client: Client, frames: int, now_ms: int) -> None:
        """The client has processed that many frames; it may have room again."""
        self.tally.now_ms = now_ms
        before = client.outbox.frames_acked
        client.outbox.ack(frames)
        if client.outbox.frames_acked > before and client in self.patience.behind:
            client.outbox.drain()
            self.patience.acked(client, now_ms)
        client.stir()

    def release(self, client: Client, now_ms: int) -> None:
        """The client's transport has room again."""
        self.tally.now_ms = now_ms
        client.outbox.release()
        client.outbox.drain()
        if client.missed:
            self.patience.recover(client, now_ms)
        self.deliver()

    # Apply.

    def apply(self, deltas: Iterable[Delta], epoch: str, now_ms: int) -> None:
        """Fold deltas; attention leaves at once, everything else is marked for its tick."""
        self.tally.now_ms = now_ms
        for delta in deltas:
            is_new = delta.key not in self.cache.held
            try:
                changes = self.cache.apply(delta, epoch, now_ms)
            except Exception:
                self._note_all(delta)
                raise
            held = self.cache.get(delta.key)
            if not changes or held is None:
                continue
            if changes.deleted:
                self.remove(delta.key)
                self.cache.note_deleted(delta.key, delta.number)
                self.deliver()
                continue
            if changes.opened or changes.closed:
                self.lane(delta.workspace).note(held.session, changes)
                self.deliver()
                self.rooms.waited.append((ATTENTION, delta.received_at))
            names = row_names(changes)
            if names or is_new:
                self.rooms.note_row(delta.key, names, is_new, delta.received_at)
            self.rooms.note_session(delta.key, changes, delta.received_at)
        self.let_go()

    def _note_all(self, delta: Delta) -> None:
        """A delta failed half-way: whatever it changed must reach the clients all the same."""
        held = self.cache.get(delta.key)
        if held is not None:
            changes = everything(held.session)
            self.rooms.note_row(delta.key, row_names(changes), True, delta.received_at)
            self.rooms.note_session(delta.key, changes, delta.received_at)

    def remove(self, key: Key) -> None:
        """A session is no more: it is gone from every board, and whoever has it open hears it."""
        held = self.cache.drop(key)
        if held is None:
            return
        self.lane(key[0]).forget(held.session)
        for client in self.rooms.watchers(key):
            client.close(key)
            self.evict(client, key, "deleted")
        self.rooms.note_gone(key)

    def let_go(self) -> None:
        """Drop what the cache has no room for."""
        surplus = self.cache.surplus()
        if not surplus:
            return
        for key in surplus:
            held = self.cache.get(key)
            if held is not None:
                self.lane(key[0]).forget(held.session)
        self.cache.let_go(surplus)
        for key in surplus:
            self.rooms.note_gone(key)

    def note_watching(self, workspace: str, count: int) -> None:
        """So many watch this board, over all workers."""
        totals = self.cache.totals_of(workspace)
        if totals.watching != count:
            totals.watching = count
            self.rooms.note_totals(workspace)

    # Flush.

    def flush(self, now_ms: int) -> int:
        """Send what is due: opened sessions, then overviews, then heartbeats.

        Gives the number of frames made (not sent: one frame may go to many).
        """
        self.tally.now_ms = now_ms
        made = self.rooms.flush(now_ms)
        self._heartbeats.beat(now_ms)
        self.deliver()
        self.patience.judge(now_ms)
        self.deliver()
        return made

    def deliver(self) -> None:
        """Everything that was put into outboxes leaves, in each client's own order.

        Every verb ends with it; behind ``focus`` the shell calls it.
        """
        for client in list(self._stirred):
            client.outbox.drain()
            if client.outbox.write is None:
                client.on_ready()
            if client.outbox.is_stuck:
                self.patience.watch(client)
        self._stirred.clear()

    def next_due_ms(self) -> int | None:
        """When ``flush`` has something to do again, heartbeats and judgements included."""
        dues = (*self.rooms.dues_ms(), self._heartbeats.due_ms, self.patience.due_ms())
        return min((due for due in dues if due is not None), default=None)

    def charge(self, cost_ms: float) -> None:
        """Tell what the last flush cost, so that the ticks follow."""
        self.rooms.charge(cost_ms)

    def lane(self, workspace: str) -> AttentionLane:
        """The workspace's attention lane."""
        lane = self.lanes.get(workspace)
        if lane is None:
            lane = self.lanes[workspace] = AttentionLane(workspace, self.limits)
        return lane

    def _send_attention(self, client: Client) -> None:
        self.lane(client.workspace).send_full(client, self.cache)

    def _degrade(self, client: Client) -> None:
        """Attention and overview only, for a client that does not keep up."""
        for key in client.subscriptions.order:
            client.close(key)
            self.evict(client, key, "slow")

    # Small answers.

    def _say_evicted(self, client: Client, session_id: str, reason: str) -> None:
        self.tally.evictions[reason] += 1
        data = frame("session.evicted", session=session_id, reason=reason)
        client.outbox.put_answer(Frame("session.evicted", data), space_of(session_id))
        client.stir()

    def _say_unknown(self, client: Client, session_id: str) -> None:
        if self.cache.knows((client.workspace, session_id)):
            text = "the session cannot be read now"
            self.say_error(client, "snapshot_failed", text, session_id, RETRY_MS)
        else:
            self.say_error(client, "unknown_session", "no such session", session_id)

    def say_error(
        self,
        client: Client,
        code: str,
        message: str,
        session_id: str | None = None,
        retry_ms: int | None = None,
    ) -> None:
        """The request failed, the connection lives."""
        told = {"session": session_id, "retry_ms": retry_ms}
        present = {name: value for name, value in told.items() if value is not None}
        client.tell("error", code=code, message=message, **present)

    def notify(self, level: str, code: str, message: str, *, lasts: bool = False) -> None:
        """A word to everybody who watches; whoever does not keep up misses it.

        One that ``lasts`` is told to those who come later as well, until it is withdrawn.
        """
        data = frame("notice", level=level, code=code, message=message)
        told = Frame("notice", data, shared=True)
        if lasts:
            self.standing[code] = told
        for client in self.clients.values():
            self._put_notice(client, told)
        self.deliver()

    def _put_notice(self, client: Client, told: Frame) -> None:
        if client.outbox.is_open:
            client.outbox.put_notice(told)
            client.stir()
