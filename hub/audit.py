"""Who did what: acts wait in a bounded queue and are written beside the live path.

Never keeps a request or a socket waiting, never holds a text of an agent. Beyond its bound an act
is counted and dropped; strangers who fail to sign in have only half of it. Written by a task that
the commands start.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence

from history.credentials import Act
from history.errors import HistoryError
from hub import door_metrics
from hub.auth import Grant, now_ms

log = logging.getLogger(__name__)

OPENED_AGAIN_MS = 60_000
OPENED_MAX = 10_000
BATCH_MAX = 500
RETRY_S = 1.0
LAST_S = 1.0

Write = Callable[[Sequence[Act]], Awaitable[None]]


class Audit:
    """The acts that are not written yet, and who opened what lately."""

    def __init__(self, queue_max: int) -> None:
        self._queue_max = queue_max
        self._queue: deque[Act] = deque()
        self._opened: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        self._wake = asyncio.Event()

    def note(
        self, action: str, grant: Grant, address: str, session: str | None = None,
        detail: str | None = None,
    ) -> None:  # fmt: skip
        """Somebody with a credential did something."""
        self._add(
            Act(
                at=now_ms(), actor=grant.token, name=grant.name, workspace=grant.workspace,
                action=action, session=session, address=address, detail=detail,
            )
        )  # fmt: skip

    def note_opened(self, grant: Grant, address: str, session: str) -> None:
        """Somebody reads a session; told once a minute."""
        key, now = (grant.token, grant.workspace, session), now_ms()
        if now - self._opened.get(key, -OPENED_AGAIN_MS) < OPENED_AGAIN_MS:
            return
        self._opened[key] = now
        self._opened.move_to_end(key)
        if len(self._opened) > OPENED_MAX:
            self._opened.popitem(last=False)
        self.note("open", grant, address, session)

    def note_failure(self, address: str, detail: str) -> None:
        """Somebody could not sign in."""
        if len(self._queue) >= self._queue_max // 2:
            door_metrics.audit_dropped_total.inc()
            return
        self._add(
            Act(
                at=now_ms(), actor="", name="", workspace="", action="sign_in_failed",
                address=address, detail=detail,
            )
        )  # fmt: skip

    def _add(self, act: Act) -> None:
        if len(self._queue) >= self._queue_max:
            door_metrics.audit_dropped_total.inc()
            return
        self._queue.append(act)
        door_metrics.audit_queue.set(len(self._queue))
        self._wake.set()

    async def run(self, write: Write) -> None:
        """Write until cancelled; what waits then is still tried once."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    if not await self._write(write):
                        await asyncio.sleep(RETRY_S)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_S):
                    while self._queue and await self._write(write):
                        pass

    async def _write(self, write: Write) -> bool:
        """Whether the database has taken some; what it has not taken stays."""
        some = [self._queue[place] for place in range(min(BATCH_MAX, len(self._queue)))]
        try:
            await write(some)
        except HistoryError as error:
            log.warning("who did what is not written now: %s", error)
            return False
        for _ in some:
            self._queue.popleft()
        door_metrics.audit_queue.set(len(self._queue))
        return True
