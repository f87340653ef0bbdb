"""Hook events of a made-up fleet of sessions, as the ingest would put them on the log.

Seeded: every server of a round is given the same events. Every text that is stamped begins with
``ts=<ns>``, the time of the event, which the load client reads. Used by both kinds of servers.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from ids import session_id

from session.delta import Event

TOOLS = ("Bash", "Read", "Edit", "Grep", "Write")
CALLS_PER_TURN = 20
RESULT_BYTES = 300
GRAIN_S = 0.005  # at high rates events come in small batches, as they do from a socket
WIDE_NAMES = ("title", "model", "host", "user", "cwd", "project")
WIDE_VALUE_BYTES = 980
WIDE_ROW_BYTES = 110
FRAME_BYTES = 90


class Agent:
    """Where one session is: in a call or between two, asked or not, so many calls into a turn."""

    def __init__(self, index: int) -> None:
        self.id = session_id(index)
        self.name = f"Fix the flaky login test {index}"
        self.cwd = f"/home/made-up/project-{index % 17}"
        self.calls = 0
        self.tool = ""
        self.is_in_call = False
        self.is_asked = False
        self.is_idle = False


class Fleet:
    """So many agents. ``turns`` lets them stop and be prompted anew; else they only call tools."""

    def __init__(
        self, sessions: int, *, turns: bool = True, stamped: bool = True, asks_every: int = 0
    ) -> None:
        self.agents = [Agent(index) for index in range(sessions)]
        self.turns = turns
        self.stamped = stamped
        self.asks_every = asks_every
        self._made = 0
        self._random = random.Random(7)  # noqa: S311 - a load, not a secret

    def begin(self) -> list[Event]:
        """Every session is started and prompted."""
        started = [self._event(each, "session_start", trigger="startup") for each in self.agents]
        return started + [self._prompt(each) for each in self.agents]

    def next(self) -> Event:
        """What happens next, somewhere."""
        agent = self._random.choice(self.agents)
        if self.asks_every and self._made % self.asks_every == 0 and not agent.is_asked:
            return self._ask(agent)
        if agent.is_in_call:
            return self._end(agent)
        if agent.is_idle:
            return self._prompt(agent)
        if self.turns and agent.calls and agent.calls % CALLS_PER_TURN == 0:
            return self._stop(agent)
        return self._start(agent)

    def _event(self, agent: Agent, kind: str, **fields: object) -> Event:
        self._made += 1
        now_ns = time.time_ns()
        told = {"cwd": agent.cwd, **fields}
        if self.stamped:
            told["title"] = f"ts={now_ns} {agent.name}"
        return Event(
            id=f"e{self._made}", session=agent.id, source="hooks", kind=kind,
            received_at=now_ns // 1_000_000, host="made-up", user="someone", fields=told,
        )  # fmt: skip

    def _prompt(self, agent: Agent) -> Event:
        agent.is_idle = False
        agent.calls += 1
        text = f"Please look at the test that fails now and then, number {agent.calls}."
        return self._event(agent, "prompt", text=text, prompt_id=f"{agent.id}-{agent.calls}")

    def _start(self, agent: Agent) -> Event:
        agent.calls += 1
        agent.is_in_call = True
        agent.tool = self._random.choice(TOOLS)
        return self._event(
            agent, "tool_start", tool=agent.tool, call=self._call(agent),
            summary=f"src/module_{agent.calls % 40}/thing.py", input_hash=f"{agent.calls:016x}",
        )  # fmt: skip

    def _ask(self, agent: Agent) -> Event:
        """A permission; it closes when its call ends."""
        agent.is_asked = True
        agent.is_idle = False
        if not agent.is_in_call:
            agent.calls += 1
        agent.is_in_call = True
        agent.tool = "Bash"
        command = f"ts={time.time_ns()} git push origin main"
        return self._event(
            agent, "permission", tool="Bash", call=self._call(agent), summary=command,
            request={"command": command}, input_hash=f"{agent.calls:016x}",
        )  # fmt: skip

    def _end(self, agent: Agent) -> Event:
        agent.is_in_call = agent.is_asked = False
        return self._event(
            agent, "tool_end", tool=agent.tool, call=self._call(agent), status="ok",
            text="x" * RESULT_BYTES, duration_ms=self._random.randrange(2_000),
        )  # fmt: skip

    def _stop(self, agent: Agent) -> Event:
        agent.is_idle = True
        agent.calls += 1
        return self._event(agent, "stop", background_tasks=0)

    @staticmethod
    def _call(agent: Agent) -> str:
        return f"toolu_{agent.id[:8]}_{agent.calls}"

    def wide(self, frame_bytes: int) -> list[Event]:
        """Events after which one patch of the board is about so large: many long changed values."""
        room = frame_bytes - FRAME_BYTES
        rows = -(-room // (WIDE_ROW_BYTES + len(WIDE_NAMES) * WIDE_VALUE_BYTES))
        values = -(-(room // rows - WIDE_ROW_BYTES) // WIDE_VALUE_BYTES)
        size = (room // rows - WIDE_ROW_BYTES) // values - 12
        return [self._wide_event(agent, values, size) for agent in self.agents[:rows]]

    def _wide_event(self, agent: Agent, values: int, size: int) -> Event:
        stamp = f"ts={time.time_ns()} "
        text = stamp + "x" * (size - len(stamp))
        event = self._event(agent, "cwd", cwd=agent.cwd)
        told: dict[str, object] = {"title": text}
        if values > 1:
            told["model"] = text
        if values > 4:
            told["cwd"] = "/" + text  # the project, its last part, changes with it
        return Event(
            id=event.id, session=event.session, source="hooks", kind="cwd",
            received_at=event.received_at, fields=told,
            host=text if values > 2 else event.host, user=text if values > 3 else event.user,
        )  # fmt: skip


async def drive(rate: float, send: Callable[[int], Awaitable[None]]) -> None:
    """Call ``send`` with the number of events that are due, ``rate`` a second, for ever.

    The gaps between events are random: agents do not keep time.
    """
    gaps = random.Random(11)  # noqa: S311 - a load, not a secret
    due = time.monotonic() + gaps.expovariate(rate)
    while True:
        grain_s = GRAIN_S if rate > 1 / GRAIN_S else 0.0
        await asyncio.sleep(max(grain_s, due - time.monotonic()))
        count = 0
        while due <= time.monotonic() and count < 1_000:
            due += gaps.expovariate(rate)
            count += 1
        if count:
            await send(count)
