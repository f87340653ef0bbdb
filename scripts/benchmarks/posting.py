"""Agents that post to a real ingest: some of them hooks one by one, others deltas as readers do.

A session ends now and then, and another one begins. What the ingest took is counted by session, so
that it can be looked for on the log. Used by the benchmarks that start the roles.
"""

import asyncio
import json
import random
import time
from collections import Counter

from generator import drive

from locustfiles.payloads import Script
from session import codec
from session.delta import Delta
from tests.end_to_end.cluster_story import Agent

HOOKS, DELTAS = "/v1/hooks/claude-code", "/v1/deltas"
CONNECTIONS = 8
WAITING_MAX = 250  # of one connection
HOOKS_SHARE = 0.2
PIECE = 50  # deltas of one post, at most


class Post:
    """One connection that is kept; its requests follow each other."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def connect(self) -> None:
        """To the ingest."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def send(self, path: str, body: bytes) -> None:
        """Post it. Raises RuntimeError for any answer but 200."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{path} was answered by {answer[:60]!r}")
        fields = answer.lower().partition(b"content-length: ")[2]
        await self._reader.readexactly(int(fields.partition(b"\r\n")[0] or 0))

    def close(self) -> None:
        """Let go of the connection."""
        self._writer.close()


class Hooked:
    """A session that posts hooks, always over the same connection: they arrive in their order."""

    def __init__(self, seed: int, place: int) -> None:
        self.script = Script(seed)
        self.place = place

    @property
    def name(self) -> str:
        """Its id."""
        return self.script.session


class Agents:
    """A fleet: ``sessions`` in all, of which one in five posts hooks."""

    def __init__(self, port: int, sessions: int, seed: int) -> None:
        self.acknowledged: Counter[str] = Counter()
        self.passed_over = 0  # events that were due when too many waited
        self.born = sessions
        self._chance = random.Random(seed)  # noqa: S311 - a load, not a secret
        self._seed = seed
        hooked = int(sessions * HOOKS_SHARE)
        self._hooked = [self._new_hooked(n, n % CONNECTIONS) for n in range(hooked)]
        self._shipped = [self._new_agent(n) for n in range(hooked, sessions)]
        self._goes = asyncio.Event()
        self._goes.set()
        self._posts = [Post(port) for _ in range(CONNECTIONS + 1)]
        self._due: list[asyncio.Queue[tuple[Hooked, bool]]] = [
            asyncio.Queue() for _ in range(CONNECTIONS)
        ]

    def _new_hooked(self, number: int, place: int) -> Hooked:
        return Hooked(self._seed * 10_000 + number, place)

    def _new_agent(self, number: int) -> Agent:
        name = f"s{self._seed}-{number:05}"
        return Agent(name, random.Random(f"{self._seed} {number}"))  # noqa: S311 - a load

    @property
    def names(self) -> list[str]:
        """The sessions that are under way."""
        return [each.name for each in [*self._hooked, *self._shipped]]

    @property
    def taken(self) -> int:
        """What the ingest has taken so far."""
        return self.acknowledged.total()

    async def begin(self) -> None:
        """Every session says something, so that all are on the board."""
        for post in self._posts:
            await post.connect()
        for each in self._hooked:
            await self._hook(self._posts[each.place], each, is_last=False)
        shipped = [each.step() for each in self._shipped]
        for at in range(0, len(shipped), PIECE):
            await self._ship(shipped[at : at + PIECE])

    async def run(self, rate: float, born_every_s: float) -> None:
        """So many events a second, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for place in range(CONNECTIONS):
                tasks.create_task(self._post_hooks(place))
            tasks.create_task(self._replace(born_every_s))
            await drive(rate, self._let_happen)

    async def rest(self) -> None:
        """Nothing happens any more, once what is under way is posted."""
        self._goes.clear()
        for each in self._due:
            await each.join()

    def go_on(self) -> None:
        """As before."""
        self._goes.set()

    async def _let_happen(self, count: int) -> None:
        if not self._goes.is_set():
            return  # what is due while all rest never happens
        shipped = []
        for _ in range(count):
            if self._chance.random() >= HOOKS_SHARE:
                shipped.append(self._chance.choice(self._shipped).step())
                continue
            hooked = self._chance.choice(self._hooked)
            if self._due[hooked.place].qsize() < WAITING_MAX:
                self._due[hooked.place].put_nowait((hooked, False))
            else:
                self.passed_over += 1
        for at in range(0, len(shipped), PIECE):
            await self._ship(shipped[at : at + PIECE])

    async def _ship(self, deltas: list[Delta]) -> None:
        await self._posts[-1].send(DELTAS, codec.to_ndjson(deltas))
        self.acknowledged.update(delta.session for delta in deltas)

    async def _post_hooks(self, place: int) -> None:
        while True:
            hooked, is_last = await self._due[place].get()
            await self._hook(self._posts[place], hooked, is_last=is_last)
            self._due[place].task_done()

    async def _hook(self, post: Post, hooked: Hooked, *, is_last: bool) -> None:
        now_ns = time.time_ns()
        payload = hooked.script.end(now_ns) if is_last else hooked.script.next(now_ns)
        await post.send(HOOKS, json.dumps(payload).encode())
        self.acknowledged[hooked.name] += 1

    async def _replace(self, every_s: float) -> None:
        """A session ends, another one begins."""
        while True:
            await asyncio.sleep(every_s)
            await self._goes.wait()
            at = self._chance.randrange(len(self._hooked))
            ended = self._hooked[at]  # its connection goes on, for an idle one is closed
            self._hooked[at] = self._new_hooked(self.born, ended.place)
            self.born += 1
            self._due[ended.place].put_nowait((ended, True))
            self._due[self._hooked[at].place].put_nowait((self._hooked[at], False))

    def close(self) -> None:
        """Everybody is gone."""
        for each in self._posts:
            each.close()
