"""A hub worker without a loop: it reads the log at its own pace, as ``hub.worker`` does.

Begins from a checkpoint or from the log's beginning, aside until it has reached the log's end;
anew when the log lost something. Time is told.
"""

from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from bus.base import Batch, Bus, Checkpoint
from bus.position import ordinal_of
from hub.limits import Limits
from hub.live import handover
from hub.live.switchboard import Switchboard
from hub.refold import Refold, begin
from tests.simulation.log import Key, Log

T = TypeVar("T")
TURNS_MAX = 20


class Shelf:
    """As much of a bus as a refold asks for. It is given ``stored`` first, not the newest."""

    def __init__(self, log: Log, stored: Checkpoint | None) -> None:
        self._log = log
        self._stored = [stored]

    async def lineage(self, _partition: int) -> str:
        """The present epoch."""
        return self._log.epoch

    async def position(self, _partition: int) -> str:
        """The log's end."""
        return self._log.end

    async def load_checkpoint(self, _partition: int) -> Checkpoint | None:
        """Once the one it was made with, then the newest."""
        return self._stored.pop() if self._stored else self._log.newest


class Worker:
    """One switchboard on a log. Until ``is_ready`` it takes no clients."""

    def __init__(self, name: str, log: Log, limits: Limits, stored: Checkpoint | None) -> None:
        self.name = name
        self.log = log
        self.board = Switchboard(limits, name)
        self.is_ready = False
        self.lags = False  # reads only now and then
        self.epoch = ""
        self.position = ""
        self.doubted: set[tuple[str, str]] = set()  # (connection, session) that must be stale
        self._refold: Refold | None = None
        self._reason = ""
        self._begin(stored)

    @property
    def ordinal(self) -> int:
        """The last entry that its board shows."""
        return ordinal_of(self.position)

    @property
    def is_refolding(self) -> bool:
        """Whether what it shows may never have been."""
        return self._refold is not None

    def _begin(self, stored: Checkpoint | None) -> None:
        shelf = cast("Bus", Shelf(self.log, stored))
        self._refold = _run(begin(shelf, 0, self.board.limits))
        self.position = self._refold.position or self.log.position(self.log.first - 1)

    def read(self, count: int, now_ms: int) -> None:
        """Read so many entries, and flush what is due."""
        if self._refold is not None and self._refold.is_done:
            self._take_over(now_ms)
            return
        batch = self.log.read(self.position, count)
        if self._refold is not None and batch.lost and _run(self._refold.is_outdated()):
            self._begin(self.log.newest)
            return
        if self._refold is not None:
            _run(self._refold.take_in(batch))
        elif batch.lost:
            self._reason = "epoch" if batch.epoch != self.epoch else "trimmed"
            handover.lose(self.board, _owns, self._reason)
            self.board.deliver()
            self.doubted = {
                (client.connection, key[1])
                for client in self.board.clients.values()
                for key in client.subscriptions.order
            }
            self._begin(self.log.newest)
            return
        else:
            self._take_in(batch, now_ms)
        self.position = batch.position
        self.board.flush(now_ms)

    def _take_in(self, batch: Batch, now_ms: int) -> None:
        if batch.epoch != self.epoch:
            self.epoch = batch.epoch
            handover.change_epoch(self.board, _owns, batch.epoch)
        for delta in batch.deltas:
            self.board.apply((delta,), batch.epoch, now_ms)

    def _take_over(self, now_ms: int) -> None:
        refold, self._refold = self._refold, None
        assert refold is not None
        self.epoch, self.is_ready = refold.epoch, True
        self.doubted.clear()
        handover.replace(self.board, _owns, refold.held, self._reason, now_ms)
        self.board.flush(now_ms)

    def finish(self, now_ms: int) -> None:
        """Read until nothing is left to read."""
        turns = 0
        while self.is_refolding or self.epoch != self.log.epoch or self.ordinal < self.log.last:
            assert turns < TURNS_MAX, f"{self.name} never reads to the end"
            self.read(1_000, now_ms)
            turns += 1


def _owns(_key: Key) -> bool:
    return True


def _run(step: Coroutine[Any, Any, T]) -> T:
    """To its end: it only lets a loop turn now and then, and there is none."""
    while True:
        try:
            step.send(None)
        except StopIteration as end:
            return cast("T", end.value)
