"""The five verbs under random interleavings: what clients hold is what the cache holds.

Agents speak, time passes, the log begins anew; clients come, open, read late, stall, vanish and
resume, some of them ahead of this worker. Some pop frames, some have a transport, with and without
deflate. Every frame goes to a reference client, which raises on any violation of the protocol.
"""

import random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from session.delta import Delta
from tests.hub.made import NOW, Desk, Viewer, bucket, event, permission, report, said, tokens

SESSIONS = [f"s{n}" for n in range(6)]
PATIENCE_MS = 20_000
CLIENTS_MAX = 5
WAYS = ["popped", "pushed", "deflated"]
NOISE = random.Random(1).randbytes(14_000).hex()  # of more than a budget, also deflated

names = st.sampled_from(SESSIONS)
rates = st.sampled_from([1, 5, 60, 1000])
views = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(["running", "waiting", "idle", "failed"]), max_size=2),
        "limit": st.integers(1, 4),
        "sort": st.sampled_from(["default", "updated", "cost", "started"]),
        "q": st.sampled_from(["", "t1", "s2"]),
        "pinned": st.lists(names, max_size=2),
    },
)


def spoken(kind: str, session: str, turn: int) -> Delta:
    """Something that an agent or its reader says, the ``turn``-th thing of all."""
    at, call = NOW + turn, f"{session}-{turn % 3}"
    if kind == "entries":
        told = {"calls": tokens(turn), "buckets": {str(turn % 9 * 60_000): bucket(turn)}}
        entries = said(3, first=turn * 10, text="x" * (turn * 37 % 900))
        return report(
            session, from_=turn * 10 - 10, to=turn * 10 + 9, at=at, entries=entries, **told
        )
    if kind == "permission":
        return permission(session, call, at, summary="x" * (turn % 200))
    if kind == "task":
        status = ("open", "completed", None)[turn % 3]
        value = {"text": "t", "status": status, "at": turn} if status else None
        return event(kind, session, at, objectives={str(turn % 4): value})
    fields: dict[str, Any] = {"id": f"{kind}{turn}"}
    if kind.startswith("tool"):
        fields |= {"call": call, "tool": f"T{turn % 4}"}
        fields |= {"status": ("ok", "error")[turn % 2]} if kind == "tool_end" else {}
    if kind == "prompt":
        fields |= {"text": f"t{turn % 4}", "hash": str(turn)}
    return event(kind, session, at, **fields)


KINDS = st.sampled_from(
    [
        "prompt", "stop", "tool_start", "tool_end", "permission", "task", "entries",
        "stop_failure", "session_end", "session_start",
    ]
)  # fmt: skip


class Machine(RuleBasedStateMachine):
    """One worker, a few agents, a few clients."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(
            in_flight_bytes_max=12_288, attention_bytes_max=6_000, queued_bytes_max=8_192,
            catch_up_ms=1_500,
        )  # fmt: skip
        self.turn = 0
        self.epochs = 1
        self.truths: dict[tuple[str, str], Any] = {}  # of a session, at a cursor
        self.heard: dict[str, int] = {}
        self.active: dict[str, str | None] = {}
        self.read_ms: dict[str, int] = {}
        self.kept: dict[str, Any] = {}

    @property
    def viewers(self) -> list[Viewer]:
        """Who is connected."""
        return self.desk.viewers

    def pick(self, number: int) -> Viewer:
        """One of them."""
        return self.viewers[number % len(self.viewers)]

    @initialize(view=views, rate=rates, way=st.sampled_from(WAYS))
    def begin(self, view: dict[str, Any], rate: int, way: str) -> None:
        self.connect(view, rate, 2, way, 0)

    def log(self, kind: str, session: str) -> None:
        """Something is said, and what is true from then on is noted."""
        self.turn += 1
        self.desk.log(spoken(kind, session, self.turn))
        self.note_truth(session)

    def note_truth(self, session: str) -> None:
        """The session as it is now, under its cursor."""
        if ("default", session) in self.desk.board.cache.held:
            detail, timeline = self.desk.truth(session)
            self.truths[session, self.desk.cursor(session)] = (detail, len(timeline))

    # Agents and time.

    @rule(kind=KINDS, session=names, flush=st.booleans())
    def speak(self, kind: str, session: str, flush: bool) -> None:
        self.log(kind, session)
        if flush:
            self.desk.board.flush(self.desk.now)

    @rule(kinds=st.lists(KINDS, min_size=5, max_size=40))
    def burst(self, kinds: list[str]) -> None:
        for number, kind in enumerate(kinds):
            self.log(kind, SESSIONS[number % len(SESSIONS)])

    @rule()
    def begin_anew(self) -> None:
        self.epochs += 1
        self.desk.begin_anew(f"m{self.epochs}")
        for session in SESSIONS:
            self.note_truth(session)

    @rule(duration_ms=st.sampled_from([1, 17, 200, 1_000, 4_000]))
    def wait(self, duration_ms: int) -> None:
        self.desk.advance(duration_ms)
        for viewer in self.viewers:
            if self.desk.now - self.read_ms[viewer.client.connection] > PATIENCE_MS:
                self.consume(viewer)

    # Clients.

    @precondition(lambda self: len(self.viewers) < CLIENTS_MAX)
    @rule(
        view=views, rate=rates, cap=st.integers(2, 4), way=st.sampled_from(WAYS),
        ahead=st.sampled_from([0, 0, 1, 5]),
    )  # fmt: skip
    def connect(self, view: dict[str, Any], rate: int, cap: int, way: str, ahead: int) -> None:
        name = f"c-{len(self.active)}"
        for session, held in self.kept.items():
            if ahead and held.cursor is not None:  # another worker had come so much farther
                epoch, _, number = self.desk.cursor(session).rpartition(":")
                held.cursor = f"{epoch}:{int(number) + ahead}"
        self.desk.connect(name, way, view=view, rate_hz=rate, subscriptions=cap, held=self.kept)
        self.kept = {}
        self.heard[name] = 0
        self.active[name] = None
        self.read_ms[name] = self.desk.now

    def consume(self, viewer: Viewer) -> None:
        viewer.read()
        self.read_ms[viewer.client.connection] = self.desk.now
        if "attention" not in viewer.client.missed:
            viewer.check_items()

    @rule(who=st.integers(0, 9))
    def read(self, who: int) -> None:
        self.consume(self.pick(who))

    @rule(who=st.integers(0, 9), count=st.integers(1, 5), ack=st.booleans())
    def trickle(self, who: int, count: int, ack: bool) -> None:
        viewer = self.pick(who)
        viewer.pop(count)
        if ack:
            viewer.ack()

    @rule(who=st.integers(0, 9))
    def use_up_its_budget(self, who: int) -> None:
        viewer = self.pick(who)
        viewer.ask("ping", id=NOISE)
        viewer.pop()

    @rule(who=st.integers(0, 9))
    def hold(self, who: int) -> None:
        self.pick(who).hold()

    @rule(who=st.integers(0, 9), count=st.sampled_from([1, 100, 5_000, 50_000]))
    def take(self, who: int, count: int) -> None:
        self.pick(who).take(count)

    @rule(who=st.integers(0, 9), session=names, activate=st.booleans())
    def subscribe(self, who: int, session: str, activate: bool) -> None:
        viewer = self.pick(who)
        if self.desk.board.cache.get(("default", session)) is None:
            return
        viewer.ask("subscribe", session=session, activate=activate)
        if activate:
            self.active[viewer.client.connection] = session

    @rule(who=st.integers(0, 9), session=names)
    def unsubscribe(self, who: int, session: str) -> None:
        viewer = self.pick(who)
        viewer.ask("unsubscribe", session=session)
        if self.active[viewer.client.connection] == session:
            self.active[viewer.client.connection] = None

    @rule(who=st.integers(0, 9), session=st.none() | names)
    def activate(self, who: int, session: str | None) -> None:
        viewer = self.pick(who)
        opened = session is None or ("default", session) in viewer.client.subscriptions
        viewer.ask("activate", session=session)
        if opened:
            self.active[viewer.client.connection] = session

    @rule(who=st.integers(0, 9), view=views)
    def view(self, who: int, view: dict[str, Any]) -> None:
        self.pick(who).ask("view", **view)

    @rule(who=st.integers(0, 9), hz=rates)
    def rate(self, who: int, hz: int) -> None:
        self.pick(who).ask("rate", hz=hz)

    @rule(who=st.integers(0, 9), scope=st.sampled_from(["overview", "attention", "session"]))
    def resync(self, who: int, scope: str) -> None:
        viewer = self.pick(who)
        opened = [key[1] for key in viewer.client.subscriptions.order]
        if scope != "session":
            viewer.ask("resync", scope=scope, reason="gap")
        elif opened:
            viewer.ask("resync", scope=scope, session=opened[self.turn % len(opened)])

    @precondition(lambda self: len(self.viewers) > 1)
    @rule(who=st.integers(0, 9))
    def vanish(self, who: int) -> None:
        viewer = self.pick(who)
        self.kept = viewer.leave()
        self.viewers.remove(viewer)

    # What always holds, and what holds once everything was read.

    @invariant()
    def nobody_has_more_open_than_the_cap(self) -> None:
        for viewer in self.viewers:
            opened = viewer.client.subscriptions
            assert len(opened) <= opened.cap
            assert opened.active is None or opened.active in opened

    @invariant()
    def the_active_session_is_evicted_by_slowness_alone(self) -> None:
        for viewer in self.viewers:
            wanted = self.active[viewer.client.connection]
            opened = viewer.client.subscriptions
            assert opened.active in {None, ("default", wanted)}
            if wanted is not None and opened.active is None:
                assert self.desk.board.tally.evictions["slow"], "evicted, but nobody was slow"
                self.active[viewer.client.connection] = None

    @invariant()
    def what_is_held_is_what_is_used(self) -> None:
        board = self.desk.board
        pins = sum(board.cache.pinned.values())
        assert pins == sum(len(viewer.client.subscriptions) for viewer in self.viewers)
        assert sum(len(group.members) for group in board.rooms.groups.values()) == len(
            board.clients
        )
        assert all(each.members for each in board.rooms.channels.values())
        assert set(board.clients.values()) == {viewer.client for viewer in self.viewers}
        assert set(board.patience.behind) <= set(board.clients.values())
        assert {each for each in board.clients.values() if each.missed} <= set(
            board.patience.behind
        )

    @invariant()
    def what_is_not_stale_is_what_was_true_at_its_cursor(self) -> None:
        for viewer in self.viewers:
            name, frames = viewer.client.connection, viewer.reference.frames
            new, self.heard[name] = frames[self.heard[name] :], len(frames)
            last = {
                frame["session"]: frame for frame in new if "detail" in frame or "maps" in frame
            }
            for session, frame in last.items():
                is_whole = frame.get("live", frame.get("from") != frame["cursor"])
                held = viewer.reference.opened.get(session)
                if held is not None and is_whole and not held.stale:
                    detail, entries = self.truths[session, held.cursor or ""]
                    assert held.detail == detail
                    assert len(held.timeline) >= entries

    @invariant()
    def queues_are_bounded(self) -> None:
        for viewer in self.viewers:
            outbox = viewer.client.outbox
            assert outbox.queued_bytes < outbox.queued_bytes_max + 500_000
            assert outbox.attention_bytes < outbox.attention_bytes_max + 50_000
            assert len(outbox.sizes) == outbox.frames_written - outbox.frames_acked

    @rule()
    def settle(self) -> None:
        for _ in range(3):
            self.desk.advance(1_100)
            for viewer in self.viewers:
                self.consume(viewer)
        for viewer in self.viewers:
            assert viewer.client.close_code is None
            viewer.check()
            assert viewer.reference.totals is not None
            expected = self.desk.board.cache.totals_of("default").view()
            assert viewer.reference.totals == expected

    def teardown(self) -> None:
        self.settle()
        for viewer in list(self.viewers):
            viewer.leave()
        board = self.desk.board
        assert (board.rooms.groups, board.rooms.channels, board.cache.pinned) == ({}, {}, {})


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=500,
    stateful_step_count=40,
    print_blob=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
