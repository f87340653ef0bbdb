"""Many clients in one process, each held to the protocol all the time: quick, slow and stalled.

One in ten of the quick folds everything it is told by the reference client (a *judge*); the others
follow the cursors (``chains``). They open other sessions now and then, lose their line, come back
to the next hub and resume. Used by the benchmarks of endurance and of reconnect storms.
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
from chains import Chains
from line import Line, handshake
from roles import TOKEN

from locustfiles import reference_client
from locustfiles.reference_client import ReferenceClient, Violation

ACK_S = 0.5
ACK_BYTES = 64 * 1024
BACK_S, BACK_S_MAX = 2.0, 30.0  # full jitter up to this, doubled with each try that fails
OPEN_S = 30.0
OPENED = 3
SWITCH_S = 30.0
CUT_S = 120.0
TRICKLE_BYTES = 3_000  # in each half second
STALLED_S = 75.0  # by then the hub has let go, and so soon it is heard here
GONE_S = 20.0
SLOW_BUFFER_BYTES = 8_192
VIOLATIONS_MAX = 50
NO_HELLO = 4502  # a load that is late itself says hello too late
FINAL_CODES = range(4500, 5000)

# The same values, several times as fast.
reference_client.json = SimpleNamespace(loads=msgspec.json.decode)  # type: ignore[assignment]


class Spec(NamedTuple):
    """What one client is: ``judge``, ``chains``, ``trickling`` or ``stalled``, and its hello."""

    kind: str
    rate_hz: int
    view: dict[str, Any]
    deflated: bool

    @property
    def is_slow(self) -> bool:
        """Whether it is passed over where all others must be up to date."""
        return self.kind in ("trickling", "stalled")


class Whole(ReferenceClient):
    """The reference client as a judge of a long run: it keeps no frames."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = deque(maxlen=2)  # type: ignore[assignment]
        self.heartbeats = deque(maxlen=2)  # type: ignore[assignment]
        self.errors = deque(maxlen=2)  # type: ignore[assignment]

    def failed(self, session: str) -> None:
        """An opening was answered by an error."""
        self.asked.pop(session, None)
        self.closing(session)


class Member:
    """One client, over all its connections."""

    def __init__(self, name: str, spec: Spec, crowd: "Crowd", seed: int) -> None:
        self.name, self.spec = name, spec
        self.seen: Any = self._new_judge()
        self.is_whole = False  # board and attention have come since the last connect
        self.whole_at = 0.0
        self.connects = 0
        self.line: Line | None = None
        self._crowd = crowd
        self._chance = random.Random(seed)  # noqa: S311 - a load, not a secret
        self._hubs = list(crowd.ports)
        self._chance.shuffle(self._hubs)
        self._order: list[str] = []
        self._counted = self._acked = self._unacked_bytes = self._room = self._tries = 0

    @property
    def port(self) -> int:
        """The hub it is at, or will try next."""
        return self._hubs[0]

    @property
    def is_behind(self) -> bool:
        """Whether it has been sent what it has not read."""
        return self.line is not None and self.line.unread_bytes > 0

    def _new_judge(self) -> Any:
        return Whole() if self.spec.kind == "judge" else Chains()

    async def run(self) -> None:
        """Until it is cancelled; a violation is noted, and the client begins anew."""
        while True:
            try:
                await self._connected()
            except Violation as error:
                self._crowd.complain(self.name, str(error))
                self._order = []
            except (OSError, TimeoutError) as error:
                self._crowd.refused[type(error).__name__] += 1
                self._tries += 1
            self.is_whole, self.line = False, None
            self._hubs.append(self._hubs.pop(0))
            await asyncio.sleep(self._chance.uniform(0, min(BACK_S_MAX, BACK_S * 2**self._tries)))

    async def _connected(self) -> None:
        request = handshake(self._hubs[0], TOKEN, deflated=self.spec.deflated)
        loop = asyncio.get_running_loop()
        line = Line(request, self._take)
        self._resume()
        try:
            async with asyncio.timeout(OPEN_S):
                await loop.create_connection(lambda: line, "127.0.0.1", self._hubs[0])
                await line.opened
            self.line = line
            self.connects += 1
            self._tries = 0
            self._greet(line)
            await (self._stall(line) if self.spec.kind == "stalled" else self._live(line))
        finally:
            line.cut()
            self._crowd.received_bytes += line.received_bytes
            self._crowd.frames += self._counted

    def _resume(self) -> None:
        """A new connection knows of the last one what it had opened, and nothing else."""
        held = {name: each for name, each in self.seen.opened.items() if name in self._order}
        self._order = [name for name in self._order if self._cursor_of(held.get(name))]
        self.seen = self._new_judge()
        self._counted = self._acked = self._unacked_bytes = 0
        for name in self._order:
            if isinstance(self.seen, Whole):
                self.seen.resuming(name, held[name])
            else:
                self.seen.resuming(name, held[name].cursor)

    @staticmethod
    def _cursor_of(opened: Any) -> str | None:
        return None if opened is None or opened.stale or opened.evicted else opened.cursor

    def _greet(self, line: Line) -> None:
        resume = [{"session": n, "cursor": self.seen.opened[n].cursor} for n in self._order]
        active = {"active": self._order[-1]} if self._order else {}
        line.send(
            type="hello", protocol=1, client=self.spec.kind, rate_hz=self.spec.rate_hz,
            view=self.spec.view, resume=resume, **active,
        )  # fmt: skip

    # What comes in.

    def _take(self, data: bytes) -> None:
        if self.spec.kind == "stalled":
            return
        frame = self.seen.feed(data)
        kind, told = (frame["type"], frame.get) if isinstance(frame, dict) else (frame.type, None)
        self._counted += 1
        self._unacked_bytes += len(data)
        if kind == "heartbeat" and self.line is not None:
            self.line.send(type="pong", id=told("id") if told else frame.id)
        elif kind in ("error", "bye"):
            code = told("code") if told else frame.code
            self._crowd.answers[f"{kind} {code}"] += 1
            self._failed((told("session") if told else frame.session) or "")
        elif kind == "session.evicted":
            self._crowd.answers[f"{kind} {told('reason') if told else frame.reason}"] += 1
        if not self.is_whole and None not in (self.seen.overview, self.seen.attention):
            self.is_whole, self.whole_at = True, time.monotonic()
        if self._unacked_bytes > ACK_BYTES:
            self._acknowledge()
        if self.spec.kind == "trickling" and self.line is not None:
            self._room -= len(data)
            if self._room < 0:
                self.line.transport.pause_reading()

    def _failed(self, session: str) -> None:
        """Not there yet, or nobody could read it: it may be tried again later."""
        if session in self._order:
            self._order.remove(session)
            self.seen.failed(session)

    def _acknowledge(self) -> None:
        if self._counted != self._acked and self.line is not None:
            self._acked, self._unacked_bytes = self._counted, 0
            self.line.send(type="ack", frames=self._counted)

    # What it does by itself.

    async def _live(self, line: Line) -> None:
        """Acknowledge, open other sessions, lose the line; until it is lost."""
        loop_s = asyncio.get_running_loop().time
        cut_at = loop_s() + self._chance.expovariate(1 / self._crowd.cut_s)
        switch_at = loop_s() + self._chance.uniform(0, 2)
        await asyncio.sleep(self._chance.uniform(0, ACK_S))
        while not line.lost.done():
            self._acknowledge()
            if loop_s() > switch_at and not self._crowd.is_settled:
                self._open(line, self._chance.choice(self._crowd.sessions))
                few = len(self._order) < OPENED
                switch_at = loop_s() + self._chance.uniform(0.5, 1.5) * (2 if few else SWITCH_S)
            if loop_s() > cut_at and not self._crowd.is_settled:
                line.cut()
            if self.spec.kind == "trickling":
                self._room = TRICKLE_BYTES
                line.transport.resume_reading()
            await asyncio.wait([line.lost], timeout=ACK_S)
        self._end(line.lost.result())

    async def _stall(self, line: Line) -> None:
        """Open something, and read nothing: the hub has to let go in time."""
        for session in self._chance.sample(self._crowd.sessions, 2):
            line.send(type="subscribe", session=session, activate=True)
        line.transport.pause_reading()
        await asyncio.sleep(STALLED_S)
        line.transport.resume_reading()
        await asyncio.wait([line.lost], timeout=GONE_S)
        if not line.lost.done():
            raise Violation(f"a client that read nothing for {STALLED_S:.0f} s is still there")
        self._end(line.lost.result())

    def _end(self, code: int) -> None:
        self._crowd.codes[code] += 1
        if code in FINAL_CODES and code != NO_HELLO:
            raise Violation(f"closed by {code}")

    def _open(self, line: Line, session: str) -> None:
        self._order = [name for name in self._order if name != session] + [session]
        self._order = self._order[-OPENED:]
        self.seen.opening(session)
        line.send(type="subscribe", session=session, activate=True)


class Crowd:
    """All clients; ``ports`` are those of the hubs, ``sessions`` what they may open."""

    def __init__(self, ports: Sequence[int], sessions: list[str], cut_s: float = CUT_S) -> None:
        self.ports = list(ports)
        self.sessions = sessions
        self.cut_s = cut_s
        self.is_settled = False
        self.members: list[Member] = []
        self.violations: list[str] = []
        self.violation_count = 0
        self.codes: Counter[int] = Counter()
        self.answers: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.frames = self.received_bytes = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def add(self, specs: Sequence[Spec], seed: int, per_second: float) -> None:
        """Let these come, so many a second."""
        for spec in specs:
            number = len(self.members)
            member = Member(f"c{number:04} ({spec.kind})", spec, self, seed * 100_000 + number)
            self.members.append(member)
            self._tasks.append(asyncio.create_task(member.run()))
            await asyncio.sleep(1 / per_second)

    def complain(self, who: str, what: str) -> None:
        """A violation: counted, and the first ones kept."""
        self.violation_count += 1
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(f"{who}: {what}"[:600])

    @property
    def quick(self) -> list[Member]:
        """Those who have to be up to date."""
        return [each for each in self.members if not each.spec.is_slow]

    def raise_failures(self) -> None:
        """Whatever ended a client that should have gone on."""
        for each in self._tasks:
            if each.done() and not each.cancelled():
                each.result()

    async def end(self) -> None:
        """Everybody goes."""
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
