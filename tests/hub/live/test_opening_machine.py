"""Opening, activating, closing and evicting in every order, against a model written on its own.

Small and fast, so that ten thousand examples are a matter of a minute: one client that pops what
the board has for it whenever it likes, and a list that says what must be open.
"""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.hub.made import NOW, Desk, Viewer, event

SESSIONS = ["a", "b", "c", "d", "e", "f", "g"]
EXAMPLES_MANY = 10_000

names = st.sampled_from(SESSIONS)


class Model:
    """What must be open, least recently opened first; written from the protocol's words alone."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.opened: list[str] = []
        self.active: str | None = None

    def subscribe(self, session: str, activate: bool) -> list[str]:
        """Gives those that must be evicted: one at most, for there is room for one more."""
        self.opened = [each for each in self.opened if each != session] + [session]
        self.active = session if activate else self.active
        candidates = [each for each in self.opened[:-1] if each != self.active]
        evicted = candidates[: max(0, len(self.opened) - self.cap)]
        self.opened = [each for each in self.opened if each not in evicted]
        return evicted

    def activate(self, session: str | None) -> None:
        """The person looks at it, if it is open at all."""
        if session is None:
            self.active = None
        elif session in self.opened:
            self.subscribe(session, activate=True)

    def unsubscribe(self, session: str) -> None:
        """Closed, and no more active."""
        self.opened = [each for each in self.opened if each != session]
        self.active = None if self.active == session else self.active


class Story:
    """What the client hears of its sessions, held against the order of what it did.

    Every opening has a cursor of its own, so that each snapshot tells which opening it answers.
    """

    def __init__(self) -> None:
        self.did = 0
        self.openings: dict[tuple[str, str], tuple[int, list[tuple[str, int]]]] = {}
        self.evicted_at: dict[str, list[int]] = {each: [] for each in SESSIONS}
        self.closed_at = dict.fromkeys(SESSIONS, 0)
        self.heard = dict.fromkeys(SESSIONS, 0)
        self.live: set[str] = set()

    def opened(self, session: str, cursor: str, evicted: list[str]) -> None:
        """A subscribe was sent; it costs these others their places."""
        self.did += 1
        for each in evicted:
            self.evicted_at[each].append(self.did)
        owed = [(each, len(self.evicted_at[each])) for each in evicted]
        self.openings[session, cursor] = (self.did, owed)

    def closed(self, session: str) -> None:
        """An unsubscribe was sent: what is on its way of an earlier opening means nothing."""
        self.did += 1
        self.closed_at[session] = self.did
        self.live.discard(session)

    def hear(self, frame: dict[str, Any]) -> None:
        """One frame, in the order in which they came."""
        kind, session = frame["type"], frame.get("session", "")
        if kind == "session.evicted":
            self.heard[session] += 1
            assert self.heard[session] <= len(self.evicted_at[session]), "nobody displaced it"
            self.live.discard(session)
        elif kind == "session.snapshot":
            at, owed = self.openings[session, frame["cursor"]]
            assert all(self.heard[each] >= count for each, count in owed), "told too late"
            told = self.evicted_at[session][: self.heard[session]]
            assert at > max(told, default=0), "a snapshot from before the eviction"
            if at > self.closed_at[session]:
                self.live.add(session)
        elif kind == "session.patch":
            is_late = self.closed_at[session] > 0
            assert session in self.live or is_late, "a patch before the snapshot"


class Machine(RuleBasedStateMachine):
    """One client of a board whose sessions speak now and then."""

    @initialize(cap=st.integers(2, 5), way=st.sampled_from(["popped", "pushed"]))
    def begin(self, cap: int, way: str) -> None:
        self.desk = Desk()
        self.desk.log(*(event("session_start", each) for each in SESSIONS))
        self.viewer: Viewer = self.desk.connect(way=way, subscriptions=cap)
        self.viewer.read()
        self.model = Model(cap)
        self.story = Story()
        self.turn = 0
        self.heard = 0

    def say(self, session: str) -> None:
        """The session's cursor moves."""
        self.turn += 1
        self.desk.log(event(("prompt", "stop")[self.turn % 2], session, at=NOW + self.turn))

    @rule(session=names, activate=st.booleans())
    def subscribe(self, session: str, activate: bool) -> None:
        self.say(session)
        self.story.opened(
            session, self.desk.cursor(session), self.model.subscribe(session, activate)
        )
        self.viewer.ask("subscribe", session=session, activate=activate)

    @rule(session=st.none() | names)
    def activate(self, session: str | None) -> None:
        self.model.activate(session)
        self.viewer.ask("activate", session=session)

    @rule(session=names)
    def unsubscribe(self, session: str) -> None:
        self.model.unsubscribe(session)
        self.story.closed(session)
        self.viewer.ask("unsubscribe", session=session)

    @rule(session=names)
    def speak(self, session: str) -> None:
        self.say(session)
        self.desk.now += 20
        self.desk.board.flush(self.desk.now)

    @rule()
    def hold(self) -> None:
        self.viewer.hold()

    @rule(count=st.integers(1, 4))
    def pop(self, count: int) -> None:
        self.viewer.pop(count)

    @invariant()
    def what_is_open_is_what_must_be(self) -> None:
        subscriptions = self.viewer.client.subscriptions
        assert [key[1] for key in subscriptions.order] == self.model.opened
        active = subscriptions.active
        assert (active[1] if active else None) == self.model.active
        assert len(subscriptions) <= self.model.cap

    @invariant()
    def what_is_heard_is_in_order(self) -> None:
        frames = self.viewer.reference.frames
        for frame in frames[self.heard :]:
            self.story.hear(frame)
        self.heard = len(frames)

    @rule()
    def read(self) -> None:
        self.desk.now += 1_000
        self.desk.board.flush(self.desk.now)
        self.viewer.check()
        self.what_is_heard_is_in_order()
        assert self.story.live == set(self.model.opened)
        assert all(self.story.heard[each] == len(self.story.evicted_at[each]) for each in SESSIONS)

    def teardown(self) -> None:
        self.read()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=EXAMPLES_MANY if os.environ.get("CI") else 500,
    stateful_step_count=8,
    print_blob=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
