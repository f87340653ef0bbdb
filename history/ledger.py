"""One partition as the recorder folds it: its sessions, where in the log it is, what it stored.

Pure but for the bus it stores to. Never trims what its last durable checkpoint does not hold.
Called by the recorder.
"""

import logging
import time
from collections import deque
from collections.abc import Iterator

from bus.base import Batch, Bus, Checkpoint
from bus.errors import BusError
from history import metrics
from session import checkpoint
from session.checkpoint import Saved
from session.delta import Delta, Time
from session.errors import InvalidCheckpoint
from session.fold import fold, new_session
from session.state import Session

log = logging.getLogger(__name__)

KEEP_S = 60.0
"""So much of the log stays behind a checkpoint, for hubs that lag and clients that resume."""


class Ledger:
    """Sessions of one partition by key; ``position`` is behind the last delta folded."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.epoch = ""
        self.position: str | None = None
        self.stored_bytes = 0
        self._sessions: dict[tuple[str, str], Session] = {}
        self._loaded: str | None = None
        self._is_changed = False
        self._stored: deque[tuple[float, str]] = deque()  # when, and the position, oldest first

    @property
    def sessions(self) -> Iterator[Session]:
        """Every session that the log has told of."""
        return iter(self._sessions.values())

    async def is_outdated(self, bus: Bus) -> bool:
        """Whether another checkpoint is stored by now than the one this began with."""
        stored = await bus.load_checkpoint(self.partition)
        return (None if stored is None else stored.position) != self._loaded

    async def load(self, bus: Bus) -> None:
        """Begin with the stored checkpoint, if there is one that can be read."""
        stored = await bus.load_checkpoint(self.partition)
        self._sessions, self.position, self._loaded = {}, None, None
        if stored is None:
            return
        self._loaded = stored.position
        try:
            saved = checkpoint.unpack(stored.data)
        except InvalidCheckpoint as error:
            log.warning("partition %d: its checkpoint cannot be read: %s", self.partition, error)
            return
        self._sessions = {session.key: session for session, _ in saved}
        self.epoch, self.position = stored.epoch, stored.position
        self.stored_bytes = len(stored.data)

    def take_in(self, batch: Batch, *, is_first: bool) -> None:
        """Fold a batch; a first one that is lost belongs to another log than the checkpoint."""
        if is_first and batch.lost and batch.epoch != self.epoch:
            for session in self._sessions.values():
                session.number = 0
        for delta in batch.deltas:
            try:
                self._fold(delta)
            except Exception:
                log.exception("a delta of kind %r could not be folded", delta.kind)
        self.epoch, self.position = batch.epoch, batch.position
        self._is_changed = True

    def _fold(self, delta: Delta) -> None:
        session = self._sessions.get(delta.key)
        if session is None:
            if isinstance(delta, Time):
                return  # time alone makes no session
            session = self._sessions[delta.key] = new_session(delta)
        fold(session, delta)

    async def store(self, bus: Bus) -> None:
        """Store a checkpoint if anything changed, then trim; raises BusError."""
        if self.position is None:
            return
        if self._is_changed:
            await self._save(bus, self.position)
        await self._trim(bus)

    async def _save(self, bus: Bus, position: str) -> None:
        began = time.perf_counter()
        self._is_changed = False
        data = self._packed()
        try:
            await bus.save_checkpoint(self.partition, Checkpoint(self.epoch, position, data))
        except BusError:
            self._is_changed = True
            raise
        self.stored_bytes = len(data)
        self._stored.append((time.monotonic(), position))
        metrics.checkpoint_seconds.observe(time.perf_counter() - began)

    def _packed(self) -> bytes:
        """The sessions as bytes; one that cannot be told costs no other its place."""
        saved = [Saved(session, self.epoch) for session in self._sessions.values()]
        try:
            return checkpoint.pack(saved)
        except InvalidCheckpoint as error:
            log.warning("partition %d: %s", self.partition, error)
        return checkpoint.pack(each for each in saved if _is_packable(each))

    async def _trim(self, bus: Bus) -> None:
        """Up to the newest checkpoint that is old enough."""
        position: str | None = None
        while self._stored and time.monotonic() - self._stored[0][0] >= KEEP_S:
            position = self._stored.popleft()[1]
        if position is not None:
            metrics.trimmed_total.inc(await bus.trim(self.partition, position))


def _is_packable(saved: Saved) -> bool:
    try:
        checkpoint.pack([saved])
    except InvalidCheckpoint:
        return False
    return True
