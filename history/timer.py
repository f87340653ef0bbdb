"""The leader's timer: appends what time alone changes (stale, past) to the log.

Exactly one process runs it, so that all workers agree. Started by ``tower up`` and the recorder.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from bus.base import Bus
from bus.errors import BusError
from session.aging import aged
from session.state import Session

log = logging.getLogger(__name__)

INTERVAL_S = 15.0


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


async def run(
    bus: Bus, sessions: Callable[[], Iterable[Session]], interval_s: float = INTERVAL_S
) -> None:
    """Look at every session for ever, now and then."""
    while True:
        now = now_ms()
        due = [delta for session in sessions() if (delta := aged(session, now)) is not None]
        if due:
            try:
                await bus.append(due)
            except BusError as error:
                log.warning("the log does not take what time changed: %s", error)
        await asyncio.sleep(interval_s)
