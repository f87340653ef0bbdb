"""Own pace: a leading edge, then at most ``rate`` flushes a second, fewer when they are costly.

Flushing shall not take more than about a tenth of the loop's time. Times are the caller's, in ms.
"""

import math

COST_SHARE = 10
_SMOOTHING = 0.2


class Pace:
    """When a group may be flushed again."""

    def __init__(self, rate_hz: int, tick_max_ms: int) -> None:
        self.interval_ms = 1000 / rate_hz
        self.tick_max_ms = tick_max_ms
        self.cost_ms = 0.0
        self.due_ms = 0

    def flushed(self, now_ms: int) -> None:
        """A flush happened: the next one waits for the tick."""
        tick = max(self.interval_ms, COST_SHARE * self.cost_ms)
        self.due_ms = now_ms + math.ceil(min(self.tick_max_ms, tick))

    def charge(self, cost_ms: float) -> None:
        """Tell what the last flush cost."""
        self.cost_ms += _SMOOTHING * (cost_ms - self.cost_ms)
