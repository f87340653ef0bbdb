"""A whole world on one seed: a log, agents, workers and tabs, and a clock that only it moves.

Each step does one thing; then whoever reads at once reads, and the invariants are looked at.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from bus.position import ordinal_of
from hub.limits import Limits
from tests.hub.made import NOW
from tests.simulation import agents, faults, invariants
from tests.simulation.agents import Agent
from tests.simulation.clients import Link, Tab
from tests.simulation.log import Log
from tests.simulation.workers import Worker

STEPS = 300
SPINS_MAX = 500
QUIET_STEP_MS = 1_100
QUIET_MS = 33_000  # three heartbeats, and what they lead to
TRAIL = 25
STATUSES = ("running", "waiting", "idle", "failed", "ended")
RATES_HZ = (1, 5, 20, 60, 1000)


class World:
    """Everything of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.seed, self.step, self.now = seed, 0, NOW
        self.trail: deque[str] = deque(maxlen=TRAIL)
        self.limits = Limits(
            in_flight_bytes_max=random.choice((6_000, 16_384, 262_144)),
            queued_bytes_max=random.choice((4_096, 16_384, 65_536)),
            attention_bytes_max=random.choice((2_000, 8_192, 65_536)),
            frame_bytes_max=random.choice((4_096, 65_536, 65_536)),
        )
        self.log = Log()
        names = [f"s{n}" for n in range(random.randint(2, 8))]
        self.agents = [Agent(each, "default", random) for each in names]
        self.agents.append(Agent("s0", "other", random))
        self.log.append(agents.old("old", "default"))
        self._generations = 0
        self.workers = [self._worker() for _ in range(random.randint(2, 3))]
        workspaces = ["default"] * random.randint(3, 5) + ["other"]
        self.tabs = [Tab(f"t{n}", each, random) for n, each in enumerate(workspaces)]

    # One step.

    def run(self) -> None:
        """All steps, then rest."""
        for self.step in range(STEPS):
            self._act()
            self._settle()
            self._check()
        self._rest()

    def _act(self) -> None:
        acts: dict[Callable[[], None], int] = {
            self._speak: 30, self._read_log: 20, self._use: 40, self._wait: 14, self._befall: 3,
        }  # fmt: skip
        self.random.choices(list(acts), list(acts.values()))[0]()

    def note(self, *told: Any) -> None:
        """For whoever reads of a failure."""
        self.trail.append(f"{self.step:4} {self.now - NOW:6} ms  " + " ".join(map(str, told)))

    def _speak(self) -> None:
        is_flood = self.random.random() < 0.05
        count = self.random.choice((1, 1, 2, 3, 8, 30))
        for _ in range(count):
            agent = self.random.choice(self.agents)
            known = self.log.truth.sessions.get(agent.key)
            told = agent.speak(self.now, known.updated_at if known else None)
            if is_flood:
                told = agent.flood(self.now)
            self.log.append(told)
            self.note("log", self.log.last, *agent.key, told.kind)
            if is_flood:
                return

    def _read_log(self) -> None:
        worker = self.random.choice(self.workers)
        count = self.random.randint(1, 40)
        self.note(worker.name, "reads", count, "from", worker.position)
        worker.read(count, self.now)

    def _wait(self) -> None:
        lengths = (1, 5, 17, 40, 120, 400, 1_100, 3_000, 11_000)
        duration_ms = self.random.choices(lengths, (8, 8, 8, 6, 6, 4, 3, 2, 1))[0]
        self.note("waits", duration_ms)
        self.advance(duration_ms)

    def advance(self, duration_ms: int) -> None:
        """Let time pass, flushing at every moment that a worker asks for."""
        until, spins = self.now + duration_ms, 0
        while True:
            dues = [(due, w.name, w) for w in self.workers if (due := w.board.next_due_ms())]
            due, _, worker = min(dues, default=(until + 1, "", None))
            if worker is None or due > until:
                break
            spins = spins + 1 if due <= self.now else 0
            invariants.demand(spins < SPINS_MAX, "flushed for ever", worker.name)
            self.now = max(self.now, due)
            worker.board.flush(self.now)
            worker.board.charge(self.random.choice((0, 0, 1, 10)))
            self._settle()
        self.now = until

    # Workers and faults.

    def _worker(self) -> Worker:
        self._generations += 1
        first = self.log.first - 1
        fit = [each for each in self.log.stored if ordinal_of(each.position) >= first]
        stored = self.random.choice(fit if first else [None, *fit])
        worker = Worker(f"w{self._generations}", self.log, self.limits, stored)
        worker.lags = self.random.random() < 0.5
        return worker

    def _befall(self) -> None:
        kind = self.random.choices(list(faults.KINDS), list(faults.KINDS.values()))[0]
        self.note("fault", kind)
        if kind == "store":
            self.log.store()
        elif kind == "trim":
            self.log.trim()
        elif kind == "rename":
            self.log.rename()
        elif kind == "lose":
            self.log.lose(self.random.randrange(1, self.random.choice(faults.LOST_MAX)))
            if self.random.random() < 0.5:
                self._storm()
        elif kind == "storm":
            self._storm()
        elif kind == "restart":
            self._restart(self.random.randrange(len(self.workers)))
        else:
            worker = self.random.choice(self.workers)
            worker.lags = not worker.lags

    def _storm(self) -> None:
        """Every connection breaks at once."""
        for tab in self.tabs:
            self._leave(tab)

    def _restart(self, index: int) -> None:
        gone = self.workers[index]
        for tab in self.tabs:
            if tab.link is not None and tab.link.worker is gone:
                self._leave(tab)
        invariants.check_uses(gone.board)
        self.workers[index] = self._worker()

    # Tabs.

    def _use(self) -> None:
        tab = self.random.choice(self.tabs)
        if tab.link is None:
            self._connect(tab)
            return
        acts: dict[Callable[[Tab, Link], None], int] = {
            self._open: 10, self._close: 2, self._look: 4, self._view: 3, self._rate: 2,
            self._resync: 2, self._ping: 1, self._trickle: 8, self._consume: 8, self._vanish: 2,
            self._change: 2,
        }  # fmt: skip
        act = self.random.choices(list(acts), list(acts.values()))[0]
        self.note(tab.link.name, "at", tab.link.worker.name, act.__name__)
        act(tab, tab.link)

    def _connect(self, tab: Tab) -> None:
        ready = [each for each in self.workers if each.is_ready]
        if not ready:
            return
        worker = self.random.choice(ready)
        hello: dict[str, Any] = {"rate_hz": self.random.choice(RATES_HZ)}
        if self.random.random() < 0.5:
            hello["view"] = self._some_view()
        known = [each for each in tab.kept if (tab.workspace, each) in worker.board.cache.held]
        if known and self.random.random() < 0.5:
            hello["active"] = self.random.choice(known)
        held = {name: each.cursor for name, each in tab.kept.items()}
        self.note(tab.name, "connects to", worker.name, hello, held)
        link = tab.connect(worker, self.now, **hello)
        if link.active not in link.opened:
            link.active = None

    def _session(self) -> str:
        return self.random.choice([agent.session for agent in self.agents] + ["old"])

    def _open(self, tab: Tab, link: Link) -> None:
        session, activate = self._session(), self.random.random() < 0.3
        is_known = (tab.workspace, session) in link.worker.board.cache.held
        before = link.client.subscriptions.active
        link.ask("subscribe", self.now, session=session, activate=activate)
        if is_known and activate:
            link.active = session
        elif before is not None:
            invariants.demand(before[1] in link.opened, "I6 the active one was evicted", before)

    def _close(self, _tab: Tab, link: Link) -> None:
        if link.opened:
            session = self.random.choice(link.opened)
            link.ask("unsubscribe", self.now, session=session)
            link.active = None if link.active == session else link.active

    def _look(self, _tab: Tab, link: Link) -> None:
        session = self.random.choice([None, *link.opened])
        link.active = session
        link.ask("activate", self.now, session=session)

    def _some_view(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "status": self.random.sample(STATUSES, 2),
            "limit": self.random.randint(1, 4),
            "sort": self.random.choice(("default", "updated", "cost", "started")),
            "q": self.random.choice(("title", "s1")),
            "pinned": [self._session()],
        }
        chosen = self.random.sample(sorted(told), self.random.randrange(4))
        return {name: told[name] for name in chosen}

    def _view(self, _tab: Tab, link: Link) -> None:
        link.ask("view", self.now, **self._some_view())

    def _rate(self, _tab: Tab, link: Link) -> None:
        link.ask("rate", self.now, hz=self.random.choice(RATES_HZ))

    def _resync(self, _tab: Tab, link: Link) -> None:
        scope = self.random.choice(("overview", "attention", "session"))
        if scope != "session":
            link.ask("resync", self.now, scope=scope)
        elif link.opened:
            link.ask("resync", self.now, scope=scope, session=self.random.choice(link.opened))

    def _ping(self, _tab: Tab, link: Link) -> None:
        link.ask("ping", self.now, id="x" * self.random.choice((1, 4_000)))

    def _vanish(self, tab: Tab, _link: Link) -> None:
        self._leave(tab)
        if self.random.random() < 0.7:
            self._connect(tab)

    def _change(self, tab: Tab, _link: Link) -> None:
        """Another way to read: at once, now and then, never, or without a word of thanks."""
        tab.is_prompt = self.random.random() < 0.5
        tab.is_stalled = not tab.is_prompt and self.random.random() < 0.4
        tab.acks = tab.is_prompt or self.random.random() < 0.7

    def _leave(self, tab: Tab) -> None:
        if tab.link is not None:
            if not tab.loss:
                invariants.check_isolation(tab.link)
            tab.leave()

    # Reading.

    def _trickle(self, tab: Tab, link: Link) -> None:
        if not tab.is_stalled:
            self._read(link, self.random.randint(1, 3), self.random.choice((None, 700)))
            if tab.acks and self.random.random() < 0.5:
                link.ack(self.now)

    def _consume(self, tab: Tab, link: Link) -> None:
        """Everything there is, and what comes because it was acknowledged."""
        while not tab.is_stalled and self._read(link) and tab.acks:
            link.ack(self.now)
            link.wish(self.now)

    def _read(self, link: Link, count: int = 1_000, bytes_max: int | None = None) -> int:
        """Take frames in; gives how many."""
        for taken in range(count):
            payload = link.next_frame(self.now, bytes_max)
            if payload is None:
                return taken
            for frame in link.take(payload):
                invariants.check_frame(link, frame, self.log, self.now)
        return count

    # After each step.

    def _settle(self) -> None:
        """Whoever does everything at once does it now."""
        for worker in self.workers:
            if not worker.lags:
                worker.finish(self.now)
        for tab in self.tabs:
            if tab.link is not None and tab.link.is_refused:
                self.note(tab.link.name, "is let go", tab.link.client.close_code)
                self._leave(tab)
            elif tab.link is not None and tab.is_prompt:
                self._consume(tab, tab.link)

    def _check(self) -> None:
        for tab in self.tabs:
            if tab.link is not None:
                invariants.check_bounds(tab.link)
                invariants.check_subscriptions(tab.link)
                if tab.is_prompt and not tab.loss:
                    invariants.check_attention(tab.link, self.now)
                    invariants.check_doubted(tab.link)
        if self.step % 15 == 0:
            for worker in self.workers:
                invariants.check_board(worker, self.log)
                invariants.check_uses(worker.board)

    # The end.

    def _rest(self) -> None:
        """Nothing happens any more: all that was lost is found, and everybody agrees."""
        self.step += 1
        for worker in self.workers:
            worker.lags = False
        for tab in self.tabs:
            tab.is_prompt, tab.is_stalled, tab.acks = True, False, True
            if tab.loss:
                tab.loss.is_on = False
        self._settle()
        for _ in range(QUIET_MS // QUIET_STEP_MS):
            self._rest_on()
        for worker in self.workers:
            invariants.check_board(worker, self.log)
        for tab in self.tabs:
            assert tab.link is not None
            invariants.check_rest(tab.link, self.log)
            self._leave(tab)
        for worker in self.workers:
            invariants.check_uses(worker.board)

    def _rest_on(self) -> None:
        """Whoever is not there comes back, and asks for what it found to be lost."""
        for tab in self.tabs:
            if tab.link is None:
                self._connect(tab)
        self._settle()
        self.advance(QUIET_STEP_MS)
        for tab in self.tabs:
            if tab.link is not None:
                tab.link.wish(self.now)
                tab.link.ask_again(self.now)
        self._settle()

    def told(self) -> str:
        """What happened last, for whoever looks for the reason of a failure."""
        lines = [f"seed {self.seed}, step {self.step}", *self.trail]
        for tab in self.tabs:
            if tab.link is not None:
                lines.append(f"{tab.link.name} ({tab.way}) at {tab.link.worker.name}:")
                lines += [f"    {each}" for each in list(tab.link.last)[-6:]]
        return "\n".join(lines)
