"""The leader's timer: appends what time alone changes (stale, past) to the log.

Exactly one process runs it, so that all workers agree. Started by ``tower up``.
"""

import asyncio
import logging

from bus.base import Bus
from bus.errors import BusError
from hub.live.cache import Cache
from hub.worker import now_ms
from session.aging import aged

log = logging.getLogger(__name__)

INTERVAL_S = 15.0


async def run(bus: Bus, cache: Cache, interval_s: float = INTERVAL_S) -> None:
    """Look at every cached session for ever, now and then."""
    while True:
        now = now_ms()
        due = [
            delta for held in cache.held.values() if (delta := aged(held.session, now)) is not None
        ]
        if due:
            try:
                await bus.append(due)
            except BusError as error:
                log.warning("the log does not take what time changed: %s", error)
        await asyncio.sleep(interval_s)
