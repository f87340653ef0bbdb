"""Hubs on a real Redis inside the test's own loop, a client of one, a log that can be halted."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from bus.base import Batch, Checkpoint
from bus.position import ordinal_of
from bus.redis import RedisBus
from hub.kept import Kept
from hub.limits import Limits
from hub.live.client import Client
from hub.live.hello import parse_hello
from hub.live.requests import focus
from hub.live.switchboard import Switchboard
from hub.worker import Worker, now_ms
from locustfiles.reference_client import ReferenceClient
from session import checkpoint
from session.checkpoint import Saved
from session.fold import fold, new_session
from session.state import SERIES_NAMES, detail, item_view
from tests.bus.conftest import Server
from tests.hub.made import plain
from tests.hub.servers import until

PARTITIONS = 2
DEADLINE_S = 20.0
EVERY = 50_000  # as the hub's role has it: a past session stays, for it could not be restored


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
async def hub(url: str, name: str = "w1", kept: Kept | None = None) -> AsyncIterator[Worker]:
    """A worker, which need not be ready."""
    bus = Halting(url)
    worker = Worker(bus, Switchboard(Limits(board_rows_min=EVERY), name), kept)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


@contextlib.asynccontextmanager
async def ready_hub(url: str, name: str = "w1", kept: Kept | None = None) -> AsyncIterator[Worker]:
    """A worker that is ready."""
    async with hub(url, name, kept) as worker:
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
        stored = await log.load_checkpoint(partition)
        saved = [] if stored is None else checkpoint.unpack(stored.data)
        sessions = {session.key: session for session, _ in saved}
        position = None if stored is None else stored.position
        while end and ordinal_of(position or "") < end:
            batch = await anext(log.tail(partition, position))
            for delta in batch.deltas:
                fold(sessions.setdefault(delta.key, new_session(delta)), delta)
            position = batch.position
            data = checkpoint.pack(Saved(each, batch.epoch) for each in sessions.values())
            await log.save_checkpoint(partition, Checkpoint(batch.epoch, position, data))


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
