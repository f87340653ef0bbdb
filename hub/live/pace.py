"""Own pace: a leading edge, then at most ``rate`` flushes a second, fewer when they are costly.

Flushing shall not take more than about a tenth of the loop's time for long: each flush uses up ten
times its smoothed cost, and what is used up beyond a small credit is waited for. Never staler than
the longest tick. Times are the caller's, in ms. Called by groups and channels.
"""

import math

COST_SHARE = 10
CREDIT_MS = 10
"""So far may a group be ahead of its share: a few changes in a row wait for the rate alone."""

_SMOOTHING = 0.2


class Pace:
    """When a group may be flushed again."""

    def __init__(self, rate_hz: int, tick_max_ms: int) -> None:
        self.interval_ms = 1000 / rate_hz
        self.tick_max_ms = tick_max_ms
        self.cost_ms = 0.0
        self.due_ms = 0
        self._used_until_ms = 0.0

    def flushed(self, now_ms: int) -> None:
        """A flush happened: the next one waits for the rate, and for the share that it used."""
        used = max(float(now_ms), self._used_until_ms) + COST_SHARE * self.cost_ms
        self._used_until_ms = min(used, float(now_ms + self.tick_max_ms + CREDIT_MS))
        tick = max(self.interval_ms, self._used_until_ms - CREDIT_MS - now_ms)
        self.due_ms = now_ms + math.ceil(min(self.tick_max_ms, tick))

    def charge(self, cost_ms: float) -> None:
        """Tell what the last flush cost."""
        self.cost_ms += _SMOOTHING * (cost_ms - self.cost_ms)
