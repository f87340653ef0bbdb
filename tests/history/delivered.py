"""Deltas as a log delivers them, numbered densely, without any log."""

from bus.base import Delivery
from bus.position import START_ID, Position
from session import codec
from session.delta import Delta


class Log:
    """One partition. ``epoch`` may be changed: the log goes on under another name."""

    def __init__(self, epoch: str = "m1") -> None:
        self.epoch = epoch
        self.count = 0
        self.numbers: dict[tuple[str, str], int] = {}

    @property
    def place(self) -> str:
        """The last one."""
        return str(Position(self.epoch, self.count, START_ID))

    def deliver(self, *deltas: Delta) -> list[Delivery]:
        """Put them on the log; gives what a group would read."""
        return [self._deliver(delta) for delta in deltas]

    def _deliver(self, delta: Delta) -> Delivery:
        self.count += 1
        number = self.numbers[delta.key] = self.numbers.get(delta.key, 0) + 1
        return Delivery(self.place, codec.numbered(delta, number))
