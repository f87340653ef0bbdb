"""The worker: ready once the log is folded, and stopped by nothing that stands on it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from hub import lag, metrics
from hub import worker as worker_module
from hub.limits import Limits
from hub.live.client import Client
from hub.live.hello import parse_hello
from hub.live.switchboard import Switchboard
from hub.worker import Worker
from locustfiles.reference_client import ReferenceClient
from session.delta import Delta
from session.state import Session
from tests.hub.made import NOW, event, folded, past, permission, report, said
from tests.hub.servers import Kept, Restore, until

DEADLINE_S = 5.0
DAY_MS = 86_400_000


@contextlib.asynccontextmanager
async def running(
    *deltas: Delta, restore: Restore | None = None, begins_empty: bool = False, **limits: int
) -> AsyncIterator[Worker]:
    """A worker on a log that holds these deltas already."""
    bus = MemoryBus()
    await bus.append(deltas)
    kept = None if restore is None else Kept(restore, begins_empty=begins_empty)
    worker = Worker(bus, Switchboard(Limits(**limits), "w"), kept)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
        assert not task.done(), task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ExceptionGroup):
            await task


def held(worker: Worker, session: str) -> bool:
    """Whether the session is cached."""
    return worker.board.cache.get(("default", session)) is not None


def attach(worker: Worker, *resume: str) -> tuple[Client, ReferenceClient]:
    """A client without a socket."""
    client = Client("c", "default", worker.board.limits, lambda: None)
    told = [{"session": each, "cursor": ""} for each in resume]
    hello = parse_hello({"type": "hello", "protocol": 1, "resume": told}, worker.board.limits)
    reference = ReferenceClient()
    worker.board.attach(client, hello, worker_module.now_ms())
    worker.schedule()
    return client, reference


def read(client: Client, reference: ReferenceClient) -> None:
    """Take in whatever waits."""
    while (frame := client.outbox.pop()) is not None:
        reference.feed(frame.payload)


async def test_it_is_ready_at_once_on_an_empty_log() -> None:
    """There is nothing to fold."""
    async with running() as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)


async def test_it_is_ready_when_what_the_log_held_is_folded() -> None:
    """And not before: every session of the log is there then."""
    deltas = [event("prompt", f"s{n}") for n in range(3_000)]
    async with running(*deltas) as worker:
        assert not worker.ready.is_set()
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        assert len(worker.board.cache.held) == 3_000


async def test_what_comes_later_reaches_clients_by_itself() -> None:
    """Nobody has to ask: the worker's own timer flushes."""
    async with running() as worker:
        await worker.ready.wait()
        client, reference = attach(worker)
        await worker.bus.append([event("prompt", "a")])
        await until(lambda: read(client, reference) or "a" in reference.rows)
        for at in range(1, 5):
            await worker.bus.append([event("stop", "a", at=NOW + at)])
        await until(lambda: read(client, reference) or reference.rows["a"]["status"] == "idle")


async def test_a_delta_that_cannot_be_folded_stops_no_neighbour() -> None:
    """What comes before and after it in the same batch is folded, in every session."""
    poison = [event("tool_start", "a"), event("tool_end", "b"), report("c", buckets={"x": 1})]
    deltas = [event("prompt", "a"), *poison, event("stop", "a"), event("prompt", "d")]
    async with running(*deltas) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        session = worker.board.cache.held["default", "a"].session
        assert session.status == "idle"
        assert held(worker, "d")


async def test_a_restore_that_fails_stops_no_neighbour() -> None:
    """A file that cannot be read must not end the worker."""

    async def broken(_session: str) -> Session | None:
        raise OSError("the disk is gone")

    async with running(restore=broken) as worker:
        await worker.ready.wait()
        await worker.bus.append([report("a", from_=5, to=9), event("prompt", "b")])
        await until(lambda: held(worker, "b"))


async def test_what_was_let_go_is_restored_before_it_is_folded() -> None:
    """A new line of an old transcript finds the old lines there."""
    first = past("p", DAY_MS * 2, entries=said(3), to=3)

    async def restore(session: str) -> Session | None:
        return folded(first) if session == "p" else None

    async with running(first, event("prompt", "a"), restore=restore, board_rows_min=1) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        assert not held(worker, "p")
        signal = {"status": "running", "at": NOW}
        later = report("p", from_=3, to=4, entries=said(1, first=4), signal=signal)
        await worker.bus.append([later])
        await until(lambda: held(worker, "p"))
        session = worker.board.cache.held["default", "p"].session
        await until(lambda: len(session.timeline) == 4)
        assert not session.timeline_partial
        assert session.status == "running"


async def test_of_a_history_that_began_empty_only_what_was_let_go_is_asked() -> None:
    """A new session is on the board at once, though history may not be there yet."""
    asked: list[str] = []

    async def restore(session_id: str) -> Session | None:
        asked.append(session_id)
        return None

    async with running(restore=restore, begins_empty=True) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        await worker.bus.append([event("prompt", "a"), event("prompt", "b")])
        await worker.caught_up()
        assert held(worker, "a")
        assert not asked
        worker.board.cache.let_go([("default", "a")])
        await worker.bus.append([event("prompt", "a", at=NOW + 1)])
        await worker.caught_up()
        assert asked == ["a"]
        worker.board.cache.remembers_all = False
        await worker.bus.append([event("prompt", "c")])
        await worker.caught_up()
        assert asked == ["a", "c"]


async def test_a_long_batch_lets_others_have_their_turn() -> None:
    """While ten thousand deltas are folded, the loop is never held for long."""
    deltas = [event("prompt", f"s{n % 500}", at=NOW + n) for n in range(10_000)]
    async with running(*deltas) as worker:
        longest = 0.0
        while not worker.ready.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - began)
        assert longest < 0.25


async def test_clients_are_served_while_a_long_batch_is_folded() -> None:
    """A client sees the first sessions before the last are folded."""
    async with running() as worker:
        await worker.ready.wait()
        client, reference = attach(worker)
        await worker.bus.append([event("prompt", f"s{n}") for n in range(5_000)])
        await until(lambda: read(client, reference) or len(reference.rows) > 0)
        await until(lambda: len(worker.board.cache.held) == 5_000)
        await until(
            lambda: read(client, reference) or (reference.totals or {})["sessions"] == 5_000
        )


async def test_a_session_that_nobody_knows_is_asked_of_history_and_stays_unknown() -> None:
    """By its key and nothing else; no place is kept for it."""
    asked = []

    async def restore(session: str) -> Session | None:
        asked.append(session)
        return None

    async with running(restore=restore) as worker:
        await worker.ensure("default", "x", "../../etc/passwd")
        assert asked == ["x", "../../etc/passwd"]
        assert not worker.board.cache.held
        assert not worker.board.cache.pinned


async def test_several_sessions_are_all_there_when_they_are_opened() -> None:
    """What was restored first is not let go while the next is read."""
    kept = {name: past(name, DAY_MS * 2) for name in ("p", "q")}
    live = event("prompt", "a")

    async def restore(session: str) -> Session | None:
        if session not in kept or not held(worker, "a"):
            return None
        known = worker.board.cache.held["default", "a"].session
        before = known.number
        await worker.bus.append([event("stop", "a", id=session)])
        await until(lambda: known.number > before)
        return folded(kept[session])

    async with running(*kept.values(), live, restore=restore, board_rows_min=1) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        await worker.ensure("default", "p", "q")
        client, reference = attach(worker, "p", "q")
        read(client, reference)
        assert reference.errors == []


async def test_two_that_want_the_same_session_read_it_as_one() -> None:
    """The second does not put an older reading over what has happened since."""
    first = past("p", DAY_MS * 2, entries=said(2))
    gate = asyncio.Event()
    is_let_go = False

    async def restore(session: str) -> Session | None:
        if session != "p" or not is_let_go:
            return None
        reading = folded(first)
        await gate.wait()
        return reading

    async with running(first, event("prompt", "a"), restore=restore, board_rows_min=1) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        is_let_go = True
        waiting = [asyncio.create_task(worker.ensure("default", "p")) for _ in range(2)]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*waiting)
        assert len(worker.board.cache.held["default", "p"].session.timeline) == 2


@pytest.mark.parametrize("count", [1, 3])
async def test_gauges_tell_what_is_there(count: int) -> None:
    """Sessions by status, clients by state and how many sessions they have open."""
    async with running(*(event("prompt", f"s{n}") for n in range(count))) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        attach(worker, *(f"s{n}" for n in range(count)))
        worker.collect()
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for metric in metrics.registry.collect()
            for sample in metric.samples
        }
        assert samples["tower_hub_sessions", "running"] == count
        assert samples["tower_hub_clients", "live"] == 1
        assert samples["tower_hub_subscriptions",] == count


async def test_a_gauge_tells_what_waits_for_a_person() -> None:
    """Open items by kind, over all workspaces; a kind that nothing waits for is 0."""
    deltas = [event("permission", name, call=name, tool="Bash") for name in ("a", "b")]
    async with running(*deltas, event("stop_failure", "c", text="overloaded")) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        worker.collect()
        [family] = metrics.attention.collect()
        told = {sample.labels["kind"]: sample.value for sample in family.samples}
        assert told == {"permission": 2, "question": 0, "plan": 0, "failure": 1, "budget": 0}


# The log comes and goes.


def codes(reference: ReferenceClient) -> list[str]:
    """What was said to people."""
    return [frame["code"] for frame in reference.frames if frame["type"] == "notice"]


async def test_whoever_watches_hears_that_the_log_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, and once that it is back; rows and open items stay meanwhile."""
    monkeypatch.setattr(lag, "BUS_S", 0.005)
    async with running(event("prompt", "a"), permission("a")) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        client, reference = attach(worker)
        position, asked = worker.bus.position, 0

        async def away(_partition: int) -> str:
            nonlocal asked
            asked += 1
            raise BusUnavailable("away")

        watching = asyncio.create_task(lag.run(worker))
        monkeypatch.setattr(worker.bus, "position", away)
        await until(lambda: asked > 5)
        read(client, reference)
        assert codes(reference) == ["log_away"]
        assert (set(reference.rows), len(reference.items)) == ({"a"}, 1)
        monkeypatch.setattr(worker.bus, "position", position)
        await until(lambda: read(client, reference) or len(codes(reference)) == 2)
        assert codes(reference) == ["log_away", "log_back"]
        assert not watching.done()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_the_lag_is_what_is_not_folded_yet() -> None:
    """In entries: none once everything is folded."""
    async with running(*(event("prompt", f"s{n}") for n in range(5))) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        await until(lambda: worker.folded == {0: 5})
        assert await worker.lag() == 0
        await worker.bus.append([event("prompt", f"t{n}") for n in range(3)])
        assert await worker.lag() == 3
        await until(lambda: worker.folded == {0: 8})
        assert await worker.lag() == 0


async def test_a_log_trimmed_past_a_worker_is_read_anew() -> None:
    """What the log still holds is on the board, and nothing else; a loss is said."""
    async with running(event("prompt", "old"), permission("old")) as worker:
        await asyncio.wait_for(worker.ready.wait(), DEADLINE_S)
        client, reference = attach(worker, "old")
        read(client, reference)
        assert len(reference.items) == 1
        # All in one step of the loop, so that the worker reads none of them before they are gone.
        await worker.bus.append([event("prompt", "gone"), event("stop", "old")])
        await worker.bus.trim(0, await worker.bus.position(0))
        await worker.bus.append([event("prompt", "new")])
        await until(lambda: read(client, reference) or set(reference.rows) == {"new"})
        assert reference.items == {}
        assert codes(reference) == ["log_lost"]
        assert reference.opened == {} or reference.opened["old"].evicted
        assert reference.evictions["old"] == 1
