"""Presence: how many watch a board, over all workers; told by signals that may be lost.

Every worker says what it counts, now and then and when it changes, and forgets what it has not
heard for a while. Never decides anything. Started beside the worker by the commands.
"""

import asyncio
import logging

import msgspec
from msgspec import Struct

from bus.base import Bus
from bus.errors import BusError
from hub import metrics
from hub.worker import Worker

log = logging.getLogger(__name__)

TOPIC = "presence"
LOOK_S = 0.5
SAY_S = 5.0
FORGET_S = 15.0


class Told(Struct, frozen=True):
    """What one worker counts: clients by workspace."""

    worker: str
    clients: dict[str, int]


class Presence:
    """The counts of all workers, summed into each board's totals."""

    def __init__(self, bus: Bus, worker: Worker) -> None:
        self.bus = bus
        self.worker = worker
        self.board = worker.board
        self._heard: dict[str, tuple[float, dict[str, int]]] = {}

    async def run(self) -> None:
        """Say and hear until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear())
            tasks.create_task(self._say())

    async def _hear(self) -> None:
        async for signal in self.bus.listen(TOPIC):
            if signal.topic != TOPIC:
                continue
            try:
                told = msgspec.msgpack.decode(signal.data, type=Told)
            except msgspec.MsgspecError:
                log.warning("a presence that nobody understands")
                continue
            self._heard[told.worker] = (asyncio.get_running_loop().time(), told.clients)
            self._settle()

    async def _say(self) -> None:
        said: dict[str, int] | None = None
        said_at = 0.0
        loop = asyncio.get_running_loop()
        while True:
            counts = self._counts()
            if counts != said or loop.time() - said_at >= SAY_S:
                said, said_at = counts, loop.time()
                self._heard[self.board.worker] = (said_at, counts)
                self._settle()
                try:
                    told = Told(self.board.worker, counts)
                    await self.bus.publish(TOPIC, msgspec.msgpack.encode(told))
                except BusError as error:
                    log.debug("presence is not told: %s", error)
            await asyncio.sleep(LOOK_S)

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for client in self.board.clients.values():
            counts[client.workspace] = counts.get(client.workspace, 0) + 1
        return counts

    def _settle(self) -> None:
        """Sum up what is fresh, and tell the boards where it changed."""
        fresh_at = asyncio.get_running_loop().time() - FORGET_S
        self._heard = {name: each for name, each in self._heard.items() if each[0] > fresh_at}
        sums: dict[str, int] = {}
        for _, counts in self._heard.values():
            for workspace, count in counts.items():
                sums[workspace] = sums.get(workspace, 0) + count
        metrics.watching.set(sum(sums.values()))
        for workspace in {*sums, *self.board.cache.totals}:
            self.board.note_watching(workspace, sums.get(workspace, 0))
        self.worker.schedule()
