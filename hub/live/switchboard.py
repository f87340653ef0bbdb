"""The five verbs of a hub worker: attach, detach, focus, apply, flush. All state is below here.

Every verb runs to its end: no await, no clock, no lock; time is told. Frames land in the
clients' outboxes. Called by the worker and the WebSocket shell; driven by simulations.
"""

from collections.abc import Iterable, Sequence

from hub.limits import Limits
from hub.live.attention import ATTENTION, AttentionLane
from hub.live.cache import Cache, Held, Key, refill
from hub.live.client import Client
from hub.live.frames import frame
from hub.live.groups import OVERVIEW
from hub.live.heartbeats import Heartbeats
from hub.live.hello import Hello
from hub.live.outbox import Mark, space_of
from hub.live.rooms import Rooms
from hub.live.rows import everything, row_names
from hub.live.views import View
from session.delta import Delta
from session.state import Session

NUMBER_DIGITS_MAX = 18
RESYNCS_MAX = 40
ATTENTION_RETRY_MS = 250


class Switchboard:
    """Groups, channels and attention lanes over one cache."""

    def __init__(self, limits: Limits, worker: str) -> None:
        self.limits = limits
        self.worker = worker
        self.cache = Cache(limits)
        self.clients: dict[str, Client] = {}
        self.rooms = Rooms(limits, worker, self.cache)
        self.lanes: dict[str, AttentionLane] = {}
        self.evictions: dict[str, int] = {}
        self.behind: dict[str, Client] = {}
        self._heartbeats = Heartbeats(limits)
        self._restored = 0

    # Attach and detach.

    def attach(self, client: Client, hello: Hello, now_ms: int) -> None:
        """Answer ``hello``: welcome, attention, overview, then each resumed session."""
        self.clients[client.connection] = client
        client.attached = True
        client.on_behind = self._fell_behind
        hello.configure(client)
        # On the attention lane, which nothing overtakes: welcome comes first.
        client.outbox.put_attention(self._welcome(client, now_ms))
        self.lane(client.workspace).members[client.connection] = client
        self.lane(client.workspace).send_full(client, self.cache)
        self.rooms.join_group(client, now_ms)
        self._resume(client, hello, now_ms)
        self._heartbeats.add(client, now_ms)

    def _welcome(self, client: Client, now_ms: int) -> bytes:
        return frame(
            "welcome",
            protocol=1,
            connection=client.connection,
            worker=self.worker,
            now=now_ms,
            heartbeat_ms=self.limits.heartbeat_ms,
            limits={
                "subscriptions": client.subscriptions.cap,
                "rate_hz": client.rate_hz,
                "message_bytes": self.limits.message_bytes_max,
                "frame_bytes": self.limits.frame_bytes_max,
            },
        )

    def _resume(self, client: Client, hello: Hello, now_ms: int) -> None:
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
        epoch, _, number = cursor.rpartition(":")
        is_number = number.isdecimal() and len(number) <= NUMBER_DIGITS_MAX
        same = epoch == held.epoch and is_number and held.has_ring
        if not (same and channel.resume(client, int(number))):
            channel.send_snapshot(client)

    def detach(self, client: Client) -> None:
        """The connection is gone: forget the client."""
        if self.clients.pop(client.connection, None) is None:
            return
        client.attached = False
        self.behind.pop(client.connection, None)
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
        self.rooms.join_channel(client, key, held, now_ms).send_snapshot(client)

    def _open(self, client: Client, key: Key, activate: bool) -> None:
        for evicted in client.subscriptions.open(key, activate):
            self.rooms.leave_channel(client, evicted)
            self._say_evicted(client, evicted[1], "cap")

    def unsubscribe(self, client: Client, session_id: str) -> None:
        """Close a session."""
        key = (client.workspace, session_id)
        if client.subscriptions.close(key):
            self.rooms.leave_channel(client, key)
            client.outbox.forget(space_of(session_id))

    def activate(self, client: Client, session_id: str | None) -> bool:
        """Make a session the one the person looks at; False if it is not open."""
        key = None if session_id is None else (client.workspace, session_id)
        return client.subscriptions.activate(key)

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
            self.rooms.leave_channel(client, key, keep=True)
        client.rate_hz = hz
        self.rooms.join_group(client, now_ms)
        for key, each in held:
            if each is not None:
                self._rejoin(client, key, each, now_ms)

    def _rejoin(self, client: Client, key: Key, held: Held, now_ms: int) -> None:
        """Join the channel of the new rate; values again if the client is not at its cursor."""
        channel = self.rooms.join_channel(client, key, held, now_ms)
        if client.outbox.last_cursor(space_of(key[1])) != channel.cursor:
            channel.send_snapshot(client)

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
            self._send_overview(client, now_ms)
        elif scope == ATTENTION:
            self.lane(client.workspace).send_full(client, self.cache)
        elif session_id is not None:
            key = (client.workspace, session_id)
            held = self.cache.get(key)
            if held is None or key not in client.subscriptions:
                self._say_unknown(client, session_id)
            else:
                self.rooms.join_channel(client, key, held, now_ms).send_snapshot(client)
        return True

    def ack(self, client: Client, frames: int, now_ms: int) -> None:
        """The client has processed that many frames; it may have room again."""
        before = client.outbox.frames_acked
        client.outbox.ack(frames)
        if client.behind_since_ms is not None and client.outbox.frames_acked > before:
            client.behind_since_ms = now_ms  # it moves: patience begins anew
        if client.connection in self.behind:
            self._recover(client, now_ms)

    # Apply.

    def apply(self, deltas: Iterable[Delta], epoch: str, now_ms: int) -> None:
        """Fold deltas; attention leaves at once, everything else is marked for its tick."""
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
            if changes.opened or changes.closed:
                self.lane(delta.workspace).note(held.session, changes)
                latency_ms = max(0, now_ms - delta.received_at)
                self.rooms.latencies_ms.append(("attention", latency_ms))
            names = row_names(changes)
            if names or is_new:
                self.rooms.note_row(delta.key, names, is_new, delta.received_at)
            self.rooms.note_session(delta.key, changes, delta.received_at)
        self._let_go()

    def _note_all(self, delta: Delta) -> None:
        """A delta failed half-way: whatever it changed must reach the clients all the same."""
        held = self.cache.get(delta.key)
        if held is not None:
            changes = everything(held.session)
            self.rooms.note_row(delta.key, row_names(changes), True, delta.received_at)
            self.rooms.note_session(delta.key, changes, delta.received_at)

    def _let_go(self) -> None:
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

    def restore(self, session: Session, epoch: str, now_ms: int) -> None:
        """Take in a session that was let go, or give a held one its timeline back."""
        held = self.cache.get(session.key)
        if held is not None:
            if not held.has_ring:
                refill(held, session)
                self.rooms.send_snapshots(session.key)
            return
        # Its state is this worker's own until the log goes on: no other may be taken for it.
        self._restored += 1
        session.removed_number = -1
        self.cache.put(Held(session, f"{epoch}.{self.worker}.{self._restored}", now_ms))
        self.lane(session.workspace).adopt(session)
        self.rooms.note_row(session.key, set(), is_new=True, received_ms=now_ms)

    # Flush.

    def flush(self, now_ms: int) -> int:
        """Send what is due: opened sessions, then overviews, then heartbeats.

        Gives the number of frames made (not sent: one frame may go to many).
        """
        made = self.rooms.flush(now_ms)
        self._heartbeats.beat(now_ms)
        for client in list(self.behind.values()):
            self._judge(client, now_ms)
        return made

    def next_due_ms(self) -> int | None:
        """When ``flush`` has something to do again, heartbeats and judgements included."""
        times = self.rooms.dues_ms()
        if self._heartbeats.due_ms is not None:
            times.append(self._heartbeats.due_ms)
        times += [self._judge_due_ms(client) for client in self.behind.values()]
        return min(times, default=None)

    def charge(self, cost_ms: float) -> None:
        """Tell what the last flush cost, so that the ticks follow."""
        self.rooms.charge(cost_ms)

    # Clients that fell behind.

    def _fell_behind(self, client: Client) -> None:
        self.behind.setdefault(client.connection, client)

    def _judge_due_ms(self, client: Client) -> int:
        """When the next patience with a client that is behind runs out."""
        since = client.behind_since_ms
        if since is None:
            return 0
        if ATTENTION in client.missed:
            return client.attention_due_ms
        degraded = len(client.subscriptions) == 0
        limits = self.limits
        return since + (limits.behind_abort_ms if degraded else limits.behind_degrade_ms)

    def _recover(self, client: Client, now_ms: int) -> None:
        """Present values for everything that was missed, as soon as there is room."""
        outbox = client.outbox
        if ATTENTION in client.missed:
            client.attention_due_ms = now_ms + ATTENTION_RETRY_MS
            if outbox.attention_is_open:
                self.lane(client.workspace).send_full(client, self.cache)
        if not outbox.is_open or outbox.main:
            return
        client.behind_since_ms = None
        del self.behind[client.connection]
        newest_first = client.subscriptions.order[::-1]
        active = client.subscriptions.active
        for key in sorted(newest_first, key=lambda each: each != active):
            held = self.cache.get(key)
            if space_of(key[1]) in client.missed and held is not None:
                self.rooms.join_channel(client, key, held, now_ms).send_snapshot(client)
        if OVERVIEW in client.missed:
            self._send_overview(client, now_ms)
        if client.missed:  # what did not fit waits for the next acknowledgement
            self.behind[client.connection] = client

    def _judge(self, client: Client, now_ms: int) -> None:
        """Progress is judged only while the client is over its budget."""
        self._recover(client, now_ms)
        if client.connection not in self.behind:
            return
        if client.behind_since_ms is None:
            client.behind_since_ms = now_ms
        behind_ms = now_ms - client.behind_since_ms
        if behind_ms >= self.limits.behind_abort_ms:
            client.close_code = 4001
            del self.behind[client.connection]
            client.on_ready()
        elif behind_ms >= self.limits.behind_degrade_ms:
            for key in client.subscriptions.order:
                client.subscriptions.close(key)
                self.rooms.leave_channel(client, key)
                self._say_evicted(client, key[1], "slow")

    def lane(self, workspace: str) -> AttentionLane:
        """The workspace's attention lane."""
        lane = self.lanes.get(workspace)
        if lane is None:
            lane = self.lanes[workspace] = AttentionLane(workspace, self.limits)
        return lane

    def _send_overview(self, client: Client, now_ms: int) -> None:
        self.rooms.join_group(client, now_ms)

    # Small answers.

    def _say_evicted(self, client: Client, session_id: str, reason: str) -> None:
        self.evictions[reason] = self.evictions.get(reason, 0) + 1
        client.missed.discard(space_of(session_id))
        data = frame("session.evicted", session=session_id, reason=reason)
        client.outbox.put(data, Mark(space_of(session_id), None))
        client.on_ready()

    def _say_unknown(self, client: Client, session_id: str) -> None:
        self.say_error(client, "unknown_session", "no such session", session_id)

    def say_error(
        self, client: Client, code: str, message: str, session_id: str | None = None
    ) -> None:
        """The request failed, the connection lives."""
        told = {} if session_id is None else {"session": session_id}
        client.tell(frame("error", code=code, message=message, **told))


def wanted(switchboard: Switchboard, workspace: str, ids: Sequence[str]) -> list[str]:
    """Sessions among ``ids`` whose state or timeline must be restored before they are opened."""
    missing = []
    for session_id in ids:
        held = switchboard.cache.get((workspace, session_id))
        if held is None or not held.has_ring:
            missing.append(session_id)
    return missing
