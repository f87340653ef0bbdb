"""Looking at this worker itself: how late its loop is, how far behind the log, and who is told.

Never in the way: it only looks. Started beside the worker by the commands.
"""

import asyncio
import logging
import math

from bus.errors import BusError
from hub import metrics
from hub.worker import Worker

log = logging.getLogger(__name__)

LOOP_S = 0.25
BUS_S = 5.0
LAG_WARN_S = 0.25


async def run(worker: Worker) -> None:
    """Measure until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_watch_loop())
        tasks.create_task(_watch_bus(worker))


async def _watch_loop() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOP_S
        await asyncio.sleep(LOOP_S)
        late_s = loop.time() - due
        metrics.loop_lag.observe(max(0.0, late_s))
        if late_s > LAG_WARN_S:
            log.warning("the event loop was held up for %d ms", late_s * 1000)


async def _watch_bus(worker: Worker) -> None:
    """Tell everybody who watches when the log is not there, and when it is there again."""
    is_there = True
    while True:
        try:
            metrics.bus_lag.set(await worker.lag())
        except BusError as error:
            metrics.bus_lag.set(math.nan)  # nobody knows
            if is_there:
                log.warning("the log is not there: %s", error)
                text = "Live updates pause: the log is away."
                worker.board.notify("warning", "log_away", text, lasts=True)
            is_there = False
        else:
            if not is_there:
                worker.board.standing.pop("log_away", None)
                worker.board.notify("info", "log_back", "Live updates go on.")
            is_there = True
        await asyncio.sleep(BUS_S)
