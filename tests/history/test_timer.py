"""The leader's timer through the real log and worker, with a clock that the test sets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from history import timer
from hub.limits import Limits
from hub.live.switchboard import Switchboard
from hub.worker import Worker
from session.delta import DEFAULT_WORKSPACE, Delta, Time
from session.state import Session
from tests.ingest.reading import until
from tests.session.made import NOW, hook, prompt, reports, tool_use
from tests.session.made import assistant as spoken

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


class Clockwork:
    """Log, worker and timer over one clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        self.rounds = 0
        monkeypatch.setattr(timer, "now_ms", self.tell)
        self.bus = MemoryBus()
        self.worker = Worker(self.bus, Switchboard(Limits(), "w"))
        self.cache = self.worker.board.cache

    def tell(self) -> int:
        """The time, counting how often it was asked for."""
        self.rounds += 1
        return self.now

    async def hear(self, *deltas: Delta) -> None:
        """Append, and return when the worker has folded them."""
        await self.bus.append(deltas)
        await self.settled()

    async def settled(self) -> None:
        """The worker has folded everything that is on the log."""
        end = await self.bus.position(0)
        async for batch in self.bus.tail(0, None):
            if batch.position == end:
                break
        await until(lambda: all(self._is_folded(key) for key in self.bus._numbers))

    def _is_folded(self, key: tuple[str, str]) -> bool:
        held = self.cache.get(key)
        return held is not None and held.session.number == self.bus._numbers[key]

    async def pass_to(self, now: int) -> None:
        """Set the clock, and return when the timer has looked and the worker has folded."""
        self.now = now
        for _ in range(2):  # a round that began before, and a whole one
            rounds = self.rounds
            await until(lambda rounds=rounds: self.rounds > rounds)
            await self.settled()

    def session(self, name: str = "s") -> Session:
        """A session as the worker has it."""
        return self.cache.held[DEFAULT_WORKSPACE, name].session

    async def times(self) -> list[str]:
        """The kinds of time deltas on the log."""
        end, told = await self.bus.position(0), []
        async for batch in self.bus.tail(0, None):
            told += [delta.kind for delta in batch.deltas if isinstance(delta, Time)]
            if batch.position == end:
                break
        return told


class NoBudgets:
    """Accounts of workspaces that have no budget."""

    async def budgets(self) -> dict[str, timer.Limits]:
        """None at all."""
        return {}

    async def spent(self, workspace: str, day_prefix: str) -> float:
        """Nobody asks where there is no budget."""
        raise AssertionError(workspace, day_prefix)


@pytest.fixture
async def clockwork(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clockwork]:
    """All of it at work."""
    made = Clockwork(monkeypatch)
    tasks = [
        asyncio.create_task(made.worker.run()),
        asyncio.create_task(
            timer.run(made.bus, made.cache.all_sessions, NoBudgets(), interval_s=0.002)
        ),
    ]
    yield made
    assert not any(task.done() for task in tasks), tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


GO = hook("UserPromptSubmit", prompt="go")
CALL = hook("PreToolUse", tool="Bash", call="t1")
ASK = hook("PermissionRequest", tool="Bash")


async def test_a_running_session_is_stale_after_ten_minutes(clockwork: Clockwork) -> None:
    """Not at ten minutes, but beyond."""
    await clockwork.hear(GO)
    await clockwork.pass_to(NOW + 10 * MINUTE_MS)
    assert clockwork.session().status == "running"
    await clockwork.pass_to(NOW + 10 * MINUTE_MS + 1)
    assert clockwork.session().status == "stale"
    assert await clockwork.times() == ["stale"]


async def test_with_an_open_tool_it_takes_an_hour(clockwork: Clockwork) -> None:
    """Builds are long; hooks and transcripts both tell of open calls."""
    await clockwork.hear(GO, CALL)
    line = prompt("go") + spoken("m1", tool_use("t1"))
    await clockwork.hear(*(renamed(each) for each in reports(line)))
    await clockwork.pass_to(NOW + 60 * MINUTE_MS)
    assert clockwork.session("s").status == "running"
    assert clockwork.session("r").status == "running"
    await clockwork.pass_to(NOW + 60 * MINUTE_MS + 1)
    assert clockwork.session("s").status == "stale"
    assert clockwork.session("r").status == "stale"


def renamed(delta: Delta) -> Delta:
    """The same of the session ``r``."""
    import msgspec

    return msgspec.structs.replace(delta, session="r", id=f"r-{delta.id}")


async def test_a_stale_session_that_speaks_again_is_running(clockwork: Clockwork) -> None:
    """And may fall silent once more."""
    await clockwork.hear(GO)
    await clockwork.pass_to(NOW + 11 * MINUTE_MS)
    later = NOW + 12 * MINUTE_MS
    await clockwork.hear(hook("PostToolUse", at=later, tool="Bash", call="t1", tool_response={}))
    assert clockwork.session().status == "running"
    await clockwork.pass_to(later + 11 * MINUTE_MS)
    assert clockwork.session().status == "stale"
    assert await clockwork.times() == ["stale", "stale"]


@pytest.mark.parametrize(
    "told", [[GO], [GO, hook("Stop")], [GO, hook("StopFailure", error="rate_limit")]]
)
async def test_a_session_silent_for_a_day_is_past(clockwork: Clockwork, told: list[Delta]) -> None:
    """It ended with its last event, whatever it was doing."""
    await clockwork.hear(*told)
    await clockwork.pass_to(NOW + DAY_MS)
    assert not clockwork.session().past
    await clockwork.pass_to(NOW + DAY_MS + 1)
    session = clockwork.session()
    assert (session.past, session.status, session.ended_at) == (True, "ended", NOW)


@pytest.mark.parametrize(
    "asking",
    [
        [CALL, ASK],
        [ASK],
        [hook("PreToolUse", tool="AskUserQuestion", call="q", tool_input={"questions": []})],
        [hook("PreToolUse", tool="ExitPlanMode", call="p", tool_input={"plan": "x"})],
        [hook("Elicitation", mcp_server_name="m", message="Name?")],
    ],
)
async def test_a_blocked_session_never_ages(clockwork: Clockwork, asking: list[Delta]) -> None:
    """A question that is a week old is still a question."""
    await clockwork.hear(GO, *asking)
    for days in (1, 7):
        await clockwork.pass_to(NOW + days * DAY_MS + 1)
        assert clockwork.session().status == "waiting"
        assert clockwork.session().attention == 1
    assert await clockwork.times() == []


async def test_an_idle_or_ended_session_is_never_stale(clockwork: Clockwork) -> None:
    """Nothing was expected of it."""
    await clockwork.hear(GO, hook("Stop"))
    await clockwork.hear(hook("SessionEnd", session="e", reason="other"))
    await clockwork.pass_to(NOW + 2 * 60 * MINUTE_MS)
    assert clockwork.session("s").status == "idle"
    assert clockwork.session("e").status == "ended"
    assert await clockwork.times() == []


async def test_time_is_told_once(clockwork: Clockwork) -> None:
    """However often the timer looks."""
    await clockwork.hear(GO)
    await clockwork.pass_to(NOW + 11 * MINUTE_MS)
    rounds = clockwork.rounds
    await until(lambda: clockwork.rounds > rounds + 5)
    assert await clockwork.times() == ["stale"]
    await clockwork.pass_to(NOW + 2 * DAY_MS)
    rounds = clockwork.rounds
    await until(lambda: clockwork.rounds > rounds + 5)
    assert await clockwork.times() == ["stale", "past"]


async def test_a_log_that_is_away_is_tried_again(
    clockwork: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timer outlives it, and says later what it could not say."""
    await clockwork.hear(GO)
    append, refusals = clockwork.bus.append, []

    async def refuse(_: object) -> None:
        refusals.append(1)
        raise BusUnavailable("away")

    monkeypatch.setattr(clockwork.bus, "append", refuse)
    clockwork.now = NOW + 11 * MINUTE_MS
    await until(lambda: len(refusals) > 2)
    monkeypatch.setattr(clockwork.bus, "append", append)
    await until(lambda: clockwork.session().status == "stale")


async def test_an_old_time_is_void_once_something_was_heard(clockwork: Clockwork) -> None:
    """The timer saw a session that is not that session any more."""
    await clockwork.hear(GO)
    await clockwork.hear(hook("PostToolUse", at=NOW + 5, tool="B", call="t", tool_response={}))
    await clockwork.hear(
        Time(id="x", session="s", received_at=NOW, kind="stale", fields={"heard_at": NOW})
    )
    assert clockwork.session().status == "running"


async def test_a_source_that_falls_silent_is_said_so_on_the_log(clockwork: Clockwork) -> None:
    """Once, and every worker shows it."""
    await clockwork.hear(GO, *reports(prompt("go")), hook("Setup", NOW + 6 * MINUTE_MS))
    await clockwork.pass_to(NOW + 6 * MINUTE_MS)
    assert clockwork.session().silent == {"transcript": NOW}
    assert await clockwork.times() == ["silent"]
