"""The load of one scenario: sessions that post hooks over HTTP, and clients that watch.

Plain asyncio in one process, for what is measured in it adds nothing but its own loop: an event's
time is taken just before its request is written, a frame's when it is read. Clients of ours are
judged by the reference client, which raises on a gap. Used by ``scenarios.py``.
"""

import asyncio
import contextlib
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import NamedTuple

from generator import drive
from towers import spent_s
from websockets.asyncio.client import ClientConnection, connect

from locustfiles.payloads import Payload, Script
from locustfiles.reference_client import ReferenceClient
from locustfiles.stamps import first_shown, stamps_in

ASKS_EVERY = 5
ACK_S = 0.5
WARM_S = 2.0  # what is imported with the first request is no part of the load
SETTLE_S = 2.0  # the slowest tick is a second
HOOKS = "/v1/hooks/claude-code"
LANES = ("overview", "attention")


class Target(NamedTuple):
    """A server that listens; ``rate_hz`` is None where it does not speak hub.v1."""

    pid: int
    port: int
    rate_hz: int | None
    token: str = ""


class Run(NamedTuple):
    """What was seen of one server in one round."""

    delays_ms: dict[str, list[float]]
    frames: float  # a second to each client, attention not among them
    lost: int
    posted: int
    cpu_percent: float
    late_ms: float  # how late this process was itself, p99


class Sender:
    """One session and its connection; its events leave one after another."""

    def __init__(self, seed: int) -> None:
        self.script = Script(seed, ASKS_EVERY)
        self.due: asyncio.Queue[None] = asyncio.Queue()
        self.last_ns = 0

    async def connect(self, port: int) -> None:
        """To the server's door for hooks."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._head = (
            f"POST {HOOKS} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )

    async def post(self) -> Payload:
        """What happens next in this session. Raises RuntimeError for any answer but 200."""
        self.last_ns = time.time_ns()
        payload = self.script.next(self.last_ns)
        body = json.dumps(payload).encode()
        self._writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a hook was answered by {answer[:60]!r}")
        return payload

    def close(self) -> None:
        """No more events."""
        self._writer.close()


class Watcher:
    """One client, of ours or of a naive server, and how old what it was shown was."""

    def __init__(self, target: Target) -> None:
        self.delays_ms: dict[str, list[float]] = defaultdict(list)
        self.seen: dict[str, set[int]] = defaultdict(set)
        self.frames = 0
        self.reference = ReferenceClient()
        self._target = target
        self._read = 0
        self._speaks_hub = target.rate_hz is not None

    async def watch(self, is_ready: asyncio.Event) -> None:
        """Until it is cancelled. Raises Violation if the server breaks the protocol."""
        headers = {"Authorization": f"Bearer {self._target.token}"} if self._target.token else {}
        connecting = connect(
            f"ws://127.0.0.1:{self._target.port}/ws", proxy=None, compression=None,
            ping_interval=None, max_size=None, additional_headers=headers,
        )  # fmt: skip
        async with connecting as opened, asyncio.TaskGroup() as tasks:
            if self._speaks_hub:
                told = {"type": "hello", "protocol": 1, "rate_hz": self._target.rate_hz}
                await opened.send(json.dumps(told))
                tasks.create_task(self._acknowledge(opened))
            else:
                is_ready.set()
            async for text in opened:
                self._take(text, time.time_ns())
                if self.reference.overview is not None:
                    is_ready.set()
            raise RuntimeError("the server closed the connection")

    async def _acknowledge(self, opened: ClientConnection) -> None:
        while True:
            await asyncio.sleep(ACK_S)
            await opened.send(json.dumps({"type": "ack", "frames": self._read}))

    def _take(self, text: str | bytes, now_ns: int) -> None:
        data = text.encode() if isinstance(text, str) else text
        self._read += 1
        if self._speaks_hub:
            frame = self.reference.feed(data)
            self.frames += frame["type"] == "overview.patch"
            shown = first_shown(frame)
        else:
            payload = json.loads(data)
            self.frames += 1
            asks = payload["hook_event_name"] == "PermissionRequest"
            lanes = LANES if asks else LANES[:1]
            shown = [(lane, stamps_in(payload["session_title"])[0]) for lane in lanes]
        for lane, stamp_ns in shown:
            if stamp_ns not in self.seen[lane]:
                self.seen[lane].add(stamp_ns)
                self.delays_ms[lane].append((now_ns - stamp_ns) / 1e6)

    def lost(self, posted: dict[str, list[int]], last: dict[str, int]) -> int:
        """What this client never showed: of ours last values and requests, of others any event."""
        lost = len(set(posted["attention"]) - self.seen["attention"])
        if not self._speaks_hub:
            return lost + len(set(posted["overview"]) - self.seen["overview"])
        rows = self.reference.rows
        shown = {name: stamps_in(rows[name]["title"])[:1] for name in last if name in rows}
        return lost + sum(shown.get(name) != [stamp_ns] for name, stamp_ns in last.items())


class Load:
    """All sessions and clients of one scenario, against one server."""

    def __init__(self, target: Target, sessions: int, clients: int) -> None:
        self._target = target
        self._senders = [Sender(each) for each in range(sessions)]
        self._watchers = [Watcher(target) for _ in range(clients)]
        self._posted: dict[str, list[int]] = defaultdict(list)
        self._chance = random.Random(7)  # noqa: S311 - a load, not a secret
        self._late_ms: list[float] = []

    async def measure(self, rate: float, seconds: float) -> Run:
        """So many events a second in all, for so long."""
        async with self._begun() as tasks:
            driving = tasks.create_task(drive(rate, self._let_happen))
            await asyncio.sleep(WARM_S)
            for each in self._watchers:
                each.delays_ms.clear()
                each.frames = 0
            before_s, began = spent_s(self._target.pid), time.monotonic()
            lag = tasks.create_task(self._watch_lag())
            await asyncio.sleep(seconds)
            took_s, cpu_s = time.monotonic() - began, spent_s(self._target.pid) - before_s
            frames = [max(0, each.frames - 1) / took_s for each in self._watchers]
            driving.cancel()
            lag.cancel()
            await asyncio.gather(*(each.due.join() for each in self._senders))
            await asyncio.sleep(SETTLE_S)
        last = {each.script.session: each.last_ns for each in self._senders}
        delays: dict[str, list[float]] = {lane: [] for lane in LANES}
        for each in self._watchers:
            for lane in LANES:
                delays[lane] += each.delays_ms[lane]
        return Run(
            delays_ms=delays,
            frames=sum(frames) / len(frames),
            lost=sum(each.lost(self._posted, last) for each in self._watchers),
            posted=len(self._posted["overview"]),
            cpu_percent=100 * cpu_s / took_s,
            late_ms=sorted(self._late_ms)[int(len(self._late_ms) * 0.99)],
        )

    @contextlib.asynccontextmanager
    async def _begun(self) -> AsyncIterator[asyncio.TaskGroup]:
        """Every session has begun a turn and every client is shown the board."""
        for each in self._senders:
            await each.connect(self._target.port)
            await each.post()
            await each.post()
        async with asyncio.TaskGroup() as tasks:
            ready = [asyncio.Event() for _ in self._watchers]
            running = [
                tasks.create_task(each.watch(is_ready))
                for each, is_ready in zip(self._watchers, ready, strict=True)
            ]
            for is_ready in ready:
                await is_ready.wait()
            running += [tasks.create_task(self._send(each)) for each in self._senders]
            await asyncio.sleep(SETTLE_S / 4)
            yield tasks
            for task in running:
                task.cancel()
        for each in self._senders:
            each.close()

    async def _let_happen(self, count: int) -> None:
        for _ in range(count):
            self._chance.choice(self._senders).due.put_nowait(None)

    async def _send(self, sender: Sender) -> None:
        while True:
            await sender.due.get()
            payload = await sender.post()
            self._posted["overview"].append(sender.last_ns)
            if payload["hook_event_name"] == "PermissionRequest":
                self._posted["attention"].append(sender.last_ns)
            sender.due.task_done()

    async def _watch_lag(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.01)
            self._late_ms.append((time.perf_counter() - began - 0.01) * 1000)
