"""Hubs on one real Redis: from a checkpoint and a tail, and through whatever the log may lose.

What they show is compared with a fold of the log that this test does itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from bus import keys
from bus.base import Batch, Checkpoint
from bus.position import ordinal_of
from bus.redis import RedisBus
from history.ledger import Ledger
from hub import metrics
from hub.limits import Limits
from hub.live.client import Client
from hub.live.hello import parse_hello
from hub.live.requests import focus
from hub.live.switchboard import Switchboard
from hub.worker import Worker, now_ms
from session.delta import Delta
from session.state import SERIES_NAMES, detail, item_view
from tests.bus.conftest import Server, running
from tests.history.test_recorder import wait_for
from tests.hub.made import event, permission, plain, report, said, tokens, tool_end
from tests.hub.reference_client import ReferenceClient
from tests.hub.servers import until

pytestmark = pytest.mark.redis_server

PARTITIONS = 2
DEADLINE_S = 20.0
EVERY = 50_000  # as the hub's role has it: a past session stays, for it could not be restored


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps nothing when it is killed."""
    yield from running(Server(tmp_path))


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps what it has answered."""
    yield from running(Server(tmp_path, "--appendonly", "yes", "--appendfsync", "always"))


@pytest.fixture(autouse=True)
def heedful(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is cancelled is so, as in Python 3.12."""
    monkeypatch.setattr(asyncio, "wait_for", wait_for)


class Halting(RedisBus):
    """A log whose tails can be halted: what comes meanwhile is not read."""

    def __init__(self, url: str) -> None:
        super().__init__(url, partitions=PARTITIONS)
        self.going = asyncio.Event()
        self.going.set()
        self.halted: set[int] = set()

    async def tail(self, partition: int, position: str | None) -> AsyncGenerator[Batch, None]:
        """Batches, one of which may have to wait for long before it is handed out."""
        async for batch in super().tail(partition, position):
            if not self.going.is_set():
                self.halted.add(partition)
            await self.going.wait()
            yield batch


class Watcher:
    """A client of a hub without a socket."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.reference = ReferenceClient()
        self.client = Client("c", "default", worker.board.limits, lambda: None)
        hello = parse_hello({"type": "hello", "protocol": 1}, worker.board.limits)
        worker.board.attach(self.client, hello, now_ms())
        worker.schedule()
        self.read()

    def ask(self, kind: str, **fields: Any) -> None:
        """One request."""
        if kind == "subscribe":
            self.reference.opening(fields["session"])
        focus(self.worker.board, self.client, {"type": kind, **fields}, now_ms())
        self.worker.board.deliver()
        self.worker.schedule()
        self.read()

    def read(self) -> "Watcher":
        """Take in and acknowledge whatever waits."""
        before = len(self.reference.frames)
        while (frame := self.client.outbox.pop()) is not None:
            self.reference.feed(frame.payload)
        if len(self.reference.frames) > before:
            self.ask("ack", frames=len(self.reference.frames))
        return self

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The frames of that type."""
        return [frame for frame in self.read().reference.frames if frame["type"] == kind]

    def reasons(self, session: str) -> list[str]:
        """Why the session was stale, each time."""
        stale = self.told("session.stale")
        return [frame["reason"] for frame in stale if frame["session"] == session]

    def notices(self) -> list[str]:
        """What was said to people."""
        return [frame["code"] for frame in self.told("notice")]

    def is_fresh(self, session: str) -> bool:
        """Whether the opened session is what the worker holds, with its cursor."""
        opened, held = self.read().reference.opened[session], self.worker.board.cache.held
        key = ("default", session)
        return not opened.stale and key in held and opened.cursor == held[key].cursor


@contextlib.asynccontextmanager
async def hub(url: str, name: str = "w1") -> AsyncIterator[Worker]:
    """A worker, which need not be ready."""
    bus = Halting(url)
    worker = Worker(bus, Switchboard(Limits(board_rows_min=EVERY), name))
    task = asyncio.create_task(worker.run())
    try:
        yield worker
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@contextlib.asynccontextmanager
async def ready_hub(url: str, name: str = "w1") -> AsyncIterator[Worker]:
    """A worker that is ready."""
    async with hub(url, name) as worker:
        async with asyncio.timeout(DEADLINE_S):
            await worker.ready.wait()
        yield worker


@contextlib.asynccontextmanager
async def log_at(server: Server) -> AsyncIterator[RedisBus]:
    """The log, as an ingest has it."""
    bus = RedisBus(server.url, partitions=PARTITIONS)
    yield bus
    await bus.close()


async def ends(log: RedisBus) -> dict[int, int]:
    """Where each partition ends now."""
    return {each: ordinal_of(await log.position(each)) for each in range(PARTITIONS)}


async def settled(worker: Worker, log: RedisBus) -> None:
    """Return when the worker has folded everything that the log holds now."""
    told = await ends(log)
    await until(lambda: worker.folded == told)


async def store(log: RedisBus) -> None:
    """Store a checkpoint of every partition, as the leading recorder does."""
    for partition, end in (await ends(log)).items():
        ledger = Ledger(partition)
        await ledger.load(log)
        while end and ordinal_of(ledger.position or "") < end:
            batch = await anext(log.tail(partition, ledger.position))
            ledger.take_in(batch, is_first=True)
        await ledger.store(log)


async def trim(log: RedisBus) -> None:
    """Drop everything from the log that it holds now."""
    for partition in range(PARTITIONS):
        await log.trim(partition, await log.position(partition))


def states(worker: Worker, *, series: bool = False) -> dict[str, Any]:
    """Every session as it is shown, with its cursor; a checkpoint has no series."""
    told = {}
    for (_, name), held in worker.board.cache.held.items():
        whole = plain(detail(held.session)) | {"timeline": plain(list(held.session.timeline))}
        kept = {key: each for key, each in whole.items() if series or key not in SERIES_NAMES}
        items = sorted(plain(item_view(each))["id"] for each in held.session.items.values())
        told[name] = (kept, held.cursor, items)
    return told


def beginning(count: int = 12) -> list[Delta]:
    """Sessions of every kind, in all partitions."""
    told: list[Delta] = []
    for n in range(count):
        told += [event("prompt", f"s{n}"), report(f"s{n}", calls=tokens(n), entries=said(3), to=3)]
        told += [permission(f"s{n}")] if n % 3 == 0 else []
        told += [event("stop", f"s{n}")] if n % 3 == 1 else []
    return told


def more(count: int = 12) -> list[Delta]:
    """What happens later to some of them, and new ones."""
    told: list[Delta] = []
    for n in range(0, count, 2):
        entries = said(2, first=4)
        told += [report(f"s{n}", from_=3, to=5, calls=tokens(100 + n), entries=entries)]
        told += [tool_end(f"s{n}")] if n % 3 == 0 else []
    return [*told, *(event("prompt", f"new{n}") for n in range(4))]


def value(metric: object) -> float:
    """What a counter has come to."""
    return float(metric._value.get())  # type: ignore[attr-defined]


# Starting.


async def test_a_hub_from_a_checkpoint_equals_one_that_folded_everything(server: Server) -> None:
    """In all but the series, and with the same cursors; it is ready then and not before."""
    async with log_at(server) as log, ready_hub(server.url) as whole:
        await log.append(beginning())
        await store(log)
        await trim(log)
        await log.append(more())
        await settled(whole, log)
        async with hub(server.url, "w2") as late:
            assert not late.ready.is_set()
            async with asyncio.timeout(DEADLINE_S):
                await late.ready.wait()
            assert late.folded == whole.folded
            assert states(late) == states(whole)
            assert len(states(late)) == 16
            await log.append([event("stop", "new1"), tool_end("s6", call="other")])
            await settled(late, log)
            await settled(whole, log)
            assert states(late) == states(whole)


async def test_a_hub_without_a_checkpoint_folds_the_log(server: Server) -> None:
    """Then it has the series too, and equals one that was there from the beginning."""
    async with log_at(server) as log, ready_hub(server.url) as whole:
        await log.append([*beginning(), *more()])
        async with ready_hub(server.url, "w2") as late:
            await settled(whole, log)
            assert states(late, series=True) == states(whole, series=True)


async def test_a_checkpoint_of_garbage_is_left_aside(server: Server) -> None:
    """The log tells everything that it tells without one."""
    async with log_at(server) as log, ready_hub(server.url) as whole:
        await log.append(beginning())
        for partition in range(PARTITIONS):
            place = await log.lineage(partition), await log.position(partition)
            await log.save_checkpoint(partition, Checkpoint(*place, b"\x00\x01 garbage"))
        async with ready_hub(server.url, "w2") as late:
            await settled(whole, log)
            assert states(late, series=True) == states(whole, series=True)


async def test_a_log_of_which_nothing_is_left_makes_nobody_wait(server: Server) -> None:
    """Trimmed whole, and no checkpoint: the board is empty, and what comes is on it."""
    async with log_at(server) as log:
        await log.append(beginning())
        await trim(log)
        async with ready_hub(server.url) as late:
            assert states(late) == {}
            await log.append([event("prompt", "x"), event("prompt", "s3", at=None)])
            await settled(late, log)
            assert set(states(late)) == {"x", "s3"}


async def test_hubs_agree_at_equal_cursors(server: Server) -> None:
    """Three that began at different times, each after something else: they tell the same."""
    async with log_at(server) as log, ready_hub(server.url, "w1") as first:
        await log.append(beginning())
        async with ready_hub(server.url, "w2") as second:
            await store(log)
            await log.append(more())
            async with ready_hub(server.url, "w3") as third:
                await log.append([event("stop", "s2"), event("prompt", "s4", prompt_id="x")])
                for each in (first, second, third):
                    await settled(each, log)
                assert states(first, series=True) == states(second, series=True)
                assert states(third) == states(first)


# Losing.


async def test_a_stream_trimmed_past_a_hub_is_no_silent_gap(server: Server) -> None:
    """It is counted, said, and cured by a snapshot of the state that the checkpoint holds."""
    async with log_at(server) as log, ready_hub(server.url) as worker:
        await log.append(beginning())
        await settled(worker, log)
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        gaps = value(metrics.gaps_total)
        bus: Any = worker.bus
        bus.going.clear()
        await log.append([event("prompt", f"hold{n}") for n in range(8)])
        await until(lambda: len(bus.halted) == PARTITIONS)
        await log.append(more())
        await store(log)
        await trim(log)
        await log.append([event("prompt", "behind")])
        bus.going.set()
        await settled(worker, log)
        await until(lambda: watcher.is_fresh("s0"))
        assert value(metrics.gaps_total) == gaps + PARTITIONS
        assert watcher.reasons("s0") == ["trimmed"]
        assert "log_lost" in watcher.notices()
        async with ready_hub(server.url, "w2") as other:
            assert states(worker) == states(other)
        assert watcher.reference.opened["s0"].detail["tokens"]["output"] == 100
        assert set(watcher.read().reference.rows) == set(states(worker))


async def test_a_server_that_comes_back_as_another_keeps_the_board(durable: Server) -> None:
    """Nothing was lost: the epoch is new, whoever has a session open gets a snapshot of it."""
    async with log_at(durable) as log, ready_hub(durable.url) as worker:
        await log.append(beginning())
        await settled(worker, log)
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        before = states(worker, series=True)
        cursor = watcher.reference.opened["s0"].cursor
        changes, gaps = value(metrics.epoch_changes_total), value(metrics.gaps_total)
        durable.kill()
        durable.start()
        await until(lambda: value(metrics.epoch_changes_total) == changes + PARTITIONS)
        await until(lambda: watcher.is_fresh("s0"))
        assert watcher.reasons("s0") == ["epoch"]
        assert watcher.reference.opened["s0"].cursor != cursor
        after = states(worker, series=True)
        assert {name: each[0] for name, each in after.items()} == {
            name: each[0] for name, each in before.items()
        }
        assert value(metrics.gaps_total) == gaps
        assert watcher.told("session.evicted") == []
        async with asyncio.timeout(DEADLINE_S):
            await log.append(more())
        await settled(worker, log)
        await until(lambda: watcher.is_fresh("s0"))
        assert watcher.told("session.patch")
        async with ready_hub(durable.url, "w2") as other:
            assert states(other) == states(worker)


@pytest.mark.parametrize("way", ["flushed", "restarted", "deleted"])
async def test_an_emptied_log_empties_the_board(server: Server, way: str) -> None:
    """Said to everybody, with nothing left that no log holds; and what comes then is shown."""
    async with log_at(server) as log, ready_hub(server.url) as worker:
        await log.append(beginning())
        await settled(worker, log)
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        assert len(watcher.reference.items) == 4
        if way == "restarted":
            server.kill()
            server.start()
        elif way == "flushed":
            server.ask("FLUSHALL")
        else:
            server.ask("DEL", *(keys.deltas(each) for each in range(PARTITIONS)))
        await until(lambda: states(worker) == {})
        await until(lambda: watcher.read().reference.rows == {})
        assert watcher.reference.items == {}
        assert [each["reason"] for each in watcher.told("session.evicted")] == ["deleted"]
        assert "log_lost" in watcher.notices()
        async with asyncio.timeout(DEADLINE_S):
            await log.append([event("prompt", "s0", prompt_id="again"), permission("x")])
        await until(lambda: set(watcher.read().reference.rows) == {"s0", "x"})
        await until(lambda: watcher.read().reference.items)
        watcher.ask("subscribe", session="s0", activate=True)
        assert watcher.is_fresh("s0")
        assert watcher.reference.opened["s0"].detail["tokens"] is None


async def test_a_deleted_stream_costs_nothing_that_was_stored(server: Server) -> None:
    """The board goes on from the checkpoint, and new events are folded upon it."""
    async with log_at(server) as log, ready_hub(server.url) as worker:
        await log.append(beginning())
        await store(log)
        await settled(worker, log)
        before = {name: each[0] for name, each in states(worker).items()}
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        server.ask("DEL", *(keys.deltas(each) for each in range(PARTITIONS)))
        await until(lambda: watcher.reasons("s0"))
        await until(lambda: watcher.is_fresh("s0"))
        assert {name: each[0] for name, each in states(worker).items()} == before
        await log.append([tool_end("s0"), *more()])
        await settled(worker, log)
        await until(lambda: watcher.is_fresh("s0"))
        assert watcher.reference.items.keys() == {"s9:s9-1", "s3:s3-1"} - {"s0:s0-1"}
        assert watcher.told("session.evicted") == []
        async with ready_hub(server.url, "w2") as other:
            assert states(other) == states(worker)


async def test_a_log_emptied_while_a_hub_begins_holds_nobody_up(server: Server) -> None:
    """It is ready with what there is then, and shows nothing of what was."""
    async with log_at(server) as log:
        await log.append([event("prompt", f"s{n}") for n in range(4_000)])
        async with hub(server.url) as worker:
            bus: Any = worker.bus
            bus.going.clear()
            await until(lambda: len(bus.halted) == PARTITIONS)
            server.ask("FLUSHALL")
            await log.append([event("prompt", "x")])
            bus.going.set()
            async with asyncio.timeout(DEADLINE_S):
                await worker.ready.wait()
            await until(lambda: set(states(worker)) == {"x"})
