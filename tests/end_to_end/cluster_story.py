"""What agents do in a proof run: seeded sessions that work, ask, answer, report and rest.

Posted to a real ingest at a steady pace; whatever was answered by 200 is remembered by its id.
"""

import contextlib
import http.client
import math
import random
import threading
import time
from collections.abc import Iterator

import msgspec

from session import codec
from session.delta import Delta, Entry, Event, Report

TICK_S = 0.02
AGAIN_S = 0.05
ANSWER_S = 10.0
BATCH_MAX = 200
ASKS, FAILS = 0.05, 0.05  # of the tool calls wait for a person, of the turns end by an error
MODELS = ("opus", "sonnet")
TOOLS = ("Bash", "Read", "Edit", "Grep")


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Agent:
    """One session: ``step`` gives what it does next."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        self._chance = chance
        self._steps = self._live()
        self._count = 0
        self._offset = 0
        self._output = 0

    def step(self) -> Delta:
        """The next thing it does."""
        return next(self._steps)

    def _live(self) -> Iterator[Delta]:
        while True:
            yield self._event("prompt", text=f"task {self._count}", hash=f"h{self._count}")
            for _ in range(self._chance.randint(1, 5)):
                yield from self._use_a_tool()
            yield self._report()
            if self._chance.random() < FAILS:
                yield self._event("stop_failure", text="overloaded")
            else:
                yield self._event("stop")

    def _use_a_tool(self) -> Iterator[Delta]:
        call, tool = f"{self.name}-{self._count}", self._chance.choice(TOOLS)
        told = {"tool": tool, "input_hash": call, "summary": f"{tool} {self._count}"}
        yield self._event("tool_start", call=call, **told)
        if self._chance.random() < ASKS:
            yield self._event("permission", call=call, request={"command": "make"}, **told)
        if self._chance.random() < 0.5:
            yield self._report()
        status = "error" if self._chance.random() < 0.1 else "ok"
        yield self._event("tool_end", call=call, tool=tool, status=status, duration_ms=5)

    def _event(self, kind: str, **fields: object) -> Event:
        self._count += 1
        return Event(
            id=f"{self.name}:{self._count}", session=self.name, kind=kind, source="hooks",
            at=now_ms(), received_at=0, fields=fields,
        )  # fmt: skip

    def _report(self) -> Report:
        self._count += 1
        start, self._offset = self._offset, self._offset + 100
        self._output += self._chance.randint(1, 500)
        at = now_ms()
        calls = {"input": 5, "output": self._output, "cache_read": 9, "cache_write": 1}
        priced = {**calls, "cost_usd": self._output / 1e5, "calls": self._count, "unpriced": 0}
        minute = {**calls, "cost_usd": 0.1}
        entry = Entry(
            id=f"m{self._offset}", kind="message", at=at, offset=self._offset, text="words " * 20
        )
        values = {
            "calls": {self._chance.choice(MODELS): priced}, "messages": self._count,
            "buckets": {str(at - at % 60_000): minute}, "branch": "main",
            "objectives": {str(self._count % 4): {"text": "x", "status": "pending", "at": at}},
        }  # fmt: skip
        return Report(
            id=f"{self.name}:{self._count}",
            session=self.name,
            at=at,
            received_at=0,
            from_=start,
            to=self._offset,
            values=values,
            entries=[entry],
        )


class Story:
    """Agents that take turns by chance, in a thread of their own."""

    def __init__(self, address: str, seed: int, sessions: int) -> None:
        self.address = address
        self.acknowledged: dict[str, float] = {}  # id → when
        self.refused = 0  # answered by 503
        self.unanswered = 0  # the connection broke: nobody knows what became of it
        self.doubled = 0  # known to the log though they were posted once
        self.slowest_s = 0.0  # the longest that an answer took, also one of 503
        self.ended = threading.Event()
        self.abandoned = threading.Event()  # nobody waits for what is not taken yet
        self._chance = random.Random(seed)
        self.agents = [Agent(f"s{n:03}", random.Random(seed * 1_000 + n)) for n in range(sessions)]

    def begin(self) -> None:
        """Every session says something, so that all are on the board."""
        self.tell([agent.step() for agent in self.agents])

    def tell(self, deltas: list[Delta]) -> None:
        """These alone, over a connection of their own."""
        with contextlib.closing(Posting(self)) as connection:
            connection.post(deltas)

    def run(self, rate: int, seconds: float = math.inf) -> threading.Thread:
        """Go on in the background at so many events a second, until ``ended`` at the latest."""
        thread = threading.Thread(target=self._run, args=(rate, seconds), daemon=True)
        thread.start()
        return thread

    def _run(self, rate: int, seconds: float) -> None:
        began, told = time.monotonic(), 0
        with contextlib.closing(Posting(self)) as connection:
            while (spent_s := time.monotonic() - began) < seconds and not self.ended.is_set():
                due = min(BATCH_MAX, int(spent_s * rate) - told)
                if due:
                    connection.post([self._chance.choice(self.agents).step() for _ in range(due)])
                    told += due
                time.sleep(TICK_S)


class Posting:
    """One connection to the ingest, which posts a batch again until it is taken."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._connection = http.client.HTTPConnection(story.address, timeout=ANSWER_S)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def post(self, deltas: list[Delta]) -> None:
        """Until the answer is 200; the ids make a repetition harmless."""
        body = codec.to_ndjson(deltas)
        is_repeated = False
        while not self._story.abandoned.is_set():
            status, told = self._ask(body)
            if status == 200:
                if not is_repeated:
                    self._story.doubled += msgspec.json.decode(told)["duplicates"]
                now_s = time.time()
                self._story.acknowledged.update((delta.id, now_s) for delta in deltas)
                return
            assert status in (0, 503), told
            is_repeated = True
            time.sleep(AGAIN_S)

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        """The answer, or 0 where there was none."""
        began = time.monotonic()
        try:
            self._connection.request("POST", "/v1/deltas", body)
            answer = self._connection.getresponse()
            status, told = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._story.unanswered += 1
            return 0, b""
        self._story.slowest_s = max(self._story.slowest_s, time.monotonic() - began)
        self._story.refused += status == 503
        return status, told
