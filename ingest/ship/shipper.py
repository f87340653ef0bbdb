"""Takes what a reader says and posts it to a tower, in order, until each of it is on the log there.

Never loses a delta that it was given, but for one that the tower refuses for what is in it; never
holds more than its limit: then the reader waits. Run by ``tower ship``.
"""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

import msgspec

from ingest.ship import metrics
from ingest.ship.backoff import Backoff
from ingest.ship.client import Answer, Client
from ingest.ship.limits import Limits
from ingest.ship.offsets import Offsets
from ingest.ship.parcels import Line, Parcels
from ingest.ship.verdict import Verdict, advice, judge
from session import codec
from session.delta import Delta, Report
from session.mark import Mark

Say = Callable[..., None]
"""Told what happened: a name, and its fields."""


class GaveUp(Exception):
    """The tower takes nothing, and whoever asked does not wait for ever; the text says why."""


class Shipper:
    """One tower's queue, and the work that empties it. ``send`` is what a reader is given."""

    def __init__(
        self, client: Client, offsets: Offsets, say: Say, limits: Limits,
        patience_ms: int | None = None,
    ) -> None:  # fmt: skip
        """``patience_ms``: so long is a tower waited for, by default for ever."""
        self.client = client
        self.offsets = offsets
        self.limits = limits
        self.behind_bytes = 0  # of transcripts, read and not yet on the log
        self.back = asyncio.Event()  # set whenever a tower answers that was away
        self._say = say
        self._patience_ms = patience_ms
        self._parcels = Parcels(limits)
        self._backoff = Backoff(limits)
        self._flying_bytes = 0
        self._trouble: str | None = None
        self._unsaved: dict[str, Mark] = {}
        self._saving = asyncio.Lock()
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    # What the reader calls.

    async def send(self, deltas: Sequence[Delta]) -> None:
        """Queue them; returns when there is room for more."""
        for delta in deltas:
            while self._held_bytes >= self.limits.waiting_bytes_max:
                self._room.clear()
                await self._room.wait()
            line = self._line(delta)
            if line is not None:
                self._parcels.put(line)
                self.behind_bytes += line.span
                self._news.set()
        self._gauge()

    @property
    def _held_bytes(self) -> int:
        return self._parcels.waiting_bytes + self._flying_bytes

    def _line(self, delta: Delta) -> Line | None:
        """As it is sent: without the path of this machine, and without whole texts if too large."""
        mark, span = None, 0
        if isinstance(delta, Report):
            mark, span = delta.mark, delta.to - delta.from_
            delta = msgspec.structs.replace(delta, mark=None)
        try:
            data = codec.to_ndjson([delta])
            if len(data) > self.limits.delta_bytes_max and isinstance(delta, Report):
                data = codec.to_ndjson([msgspec.structs.replace(delta, texts={})])
        except (msgspec.MsgspecError, UnicodeEncodeError) as error:
            self._drop(delta.id, str(error))
            return None
        return Line(delta.id, data, span, mark)

    # The work.

    async def run(self) -> NoReturn:
        """Send for ever; raises GaveUp where patience has an end."""
        while True:
            due_ms = self._parcels.due_ms(_now())
            if due_ms is None:
                self._news.clear()
                await self._news.wait()
            elif due_ms:
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(due_ms / 1_000):
                        await self._news.wait()  # it may be full by then
            else:
                await self._deliver(self._parcels.take(_now()))

    async def drained(self) -> None:
        """Return when everything that was given is on the log, and its offsets are kept."""
        while self._held_bytes:
            self._room.clear()
            await self._room.wait()

    async def _deliver(self, lines: list[Line]) -> None:
        """All of them in their order. What the tower refuses is halved until it is one delta."""
        self._flying_bytes = sum(len(line.data) for line in lines)
        parts = [lines]
        while parts:
            part = parts.pop()
            answer = await self._persist(part)
            is_refused = judge(answer.status, answer.detail, len(part)) is Verdict.SPLIT
            if is_refused and len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
                continue
            if is_refused:
                self._drop(part[0].id, answer.detail)
            else:
                self._count(part, answer)
            await self.keep(line.mark for line in part if line.mark is not None)
            self.behind_bytes -= sum(line.span for line in part)
        self._flying_bytes = 0
        self._room.set()
        self._gauge()

    async def _persist(self, part: list[Line]) -> Answer:
        """Try until the tower takes it or refuses something in it."""
        body = b"".join(line.data for line in part)
        began_ms = _now()
        while True:
            answer = await self.client.deltas(body)
            verdict = judge(answer.status, answer.detail, len(part))
            metrics.batches_total.labels(verdict.name.lower()).inc()
            if verdict in (Verdict.TAKEN, Verdict.SPLIT):
                self._answered()
                return answer
            refused = verdict is Verdict.REFUSED
            why = advice(answer.status, answer.detail) if refused else _why(answer)
            self._troubled("refused" if refused else "away", why)
            if self._is_over(refused, _now() - began_ms):
                raise GaveUp(why)
            at_least_ms = self.limits.refused_ms if refused else answer.retry_after_ms
            pause_ms = self._backoff.next_ms(random.random(), at_least_ms)  # noqa: S311 - jitter
            await asyncio.sleep(pause_ms / 1_000)

    def _is_over(self, refused: bool, waited_ms: int) -> bool:
        return self._patience_ms is not None and (refused or waited_ms >= self._patience_ms)

    def _answered(self) -> None:
        self._backoff.reset()
        if self._trouble is not None:
            self._trouble = None
            self._say("back")
            self.back.set()

    def _troubled(self, event: str, why: str) -> None:
        """Once for each kind of trouble, however often it is met."""
        if self._trouble != event:
            self._trouble = event
            self._say(event, why=why)

    def _count(self, part: list[Line], answer: Answer) -> None:
        metrics.deltas_total.labels("sent").inc(len(part))
        metrics.sent_bytes_total.inc(answer.sent_bytes)
        self._say("sent", deltas=len(part), duplicates=answer.duplicates, bytes=answer.sent_bytes)

    def _drop(self, delta_id: str, why: str) -> None:
        """One bad delta never holds up the others; its transcript stays where it is."""
        metrics.deltas_total.labels("dropped").inc()
        self._say("dropped", delta=delta_id, why=why)

    # Offsets.

    async def keep(self, marks: Iterable[Mark]) -> None:
        """Write them down. Where that fails they are kept the next time: told twice is no harm."""
        self._unsaved |= {mark.path: mark for mark in marks}
        if not self._unsaved:
            return
        async with self._saving:
            saving, self._unsaved = self._unsaved, {}
            try:
                await _in_a_thread(lambda: self.offsets.save(list(saving.values())))
            except sqlite3.Error as error:
                self._unsaved = saving | self._unsaved
                self._say("unsaved", why=str(error))

    def _gauge(self) -> None:
        metrics.waiting_bytes.set(self._held_bytes)
        metrics.behind_bytes.set(self.behind_bytes)


async def _in_a_thread(work: Callable[[], None]) -> None:
    """To its end, also if this task is cancelled: nobody may close the file under it."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def _why(answer: Answer) -> str:
    return f"{answer.status} {answer.detail}" if answer.status else answer.detail


def _now() -> int:
    return time.monotonic_ns() // 1_000_000
