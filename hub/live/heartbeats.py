"""Heartbeats: every client hears the cursors of the frames that were written to it.

A lost last frame leaves no gap; only this shows it. Pure; called by the switchboard.
"""

import heapq
import zlib
from functools import partial

from hub.limits import Limits
from hub.live.attention import ATTENTION
from hub.live.client import Client
from hub.live.frames import frame
from hub.live.groups import OVERVIEW
from hub.live.outbox import space_of
from hub.live.wire import Frame


class Heartbeats:
    """Clients by when they are due; each keeps its own phase of the common period."""

    def __init__(self, limits: Limits) -> None:
        self.period_ms = limits.heartbeat_ms
        self._queue: list[tuple[int, str, Client]] = []

    def add(self, client: Client, now_ms: int) -> None:
        """Begin between half a period and a whole one from now, spread by the connection."""
        spread = zlib.crc32(client.connection.encode()) % (self.period_ms // 2)
        self._push(client, now_ms + self.period_ms // 2 + spread)

    def _push(self, client: Client, due_ms: int) -> None:
        heapq.heappush(self._queue, (due_ms, client.connection, client))

    @property
    def due_ms(self) -> int | None:
        """When the next one is due."""
        return self._queue[0][0] if self._queue else None

    def beat(self, now_ms: int) -> None:
        """Queue a heartbeat for every client that is due; a slow one needs it as well."""
        while self._queue and self._queue[0][0] <= now_ms:
            due_ms, _, client = heapq.heappop(self._queue)
            if not client.attached:
                continue
            missed = (now_ms - due_ms) // self.period_ms
            self._push(client, due_ms + (missed + 1) * self.period_ms)
            client.outbox.put_answer(partial(_encode, client, now_ms))
            client.stir()


def _encode(client: Client, now_ms: int) -> Frame:
    """Encoded when it is written: only then is it known what was written before it."""
    written = client.outbox.written
    opened = [key[1] for key in client.subscriptions.order]
    data = frame(
        "heartbeat",
        id=f"h{now_ms}",
        now=now_ms,
        overview=written.get(OVERVIEW),
        attention=written.get(ATTENTION),
        sessions={
            session: written[space_of(session)]
            for session in opened
            if space_of(session) in written
        },
    )
    return Frame("heartbeat", data)
