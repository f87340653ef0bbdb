"""A token bucket: so many messages a second, and a burst. The time is told."""


class Bucket:
    """Refuses what comes too often; ``is_abused`` once a whole burst more was refused.

    Refusals are forgiven at the rate at which messages are allowed.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second = per_second
        self.burst = burst
        self._left = float(burst)
        self._at: float | None = None
        self._refused = 0.0

    def take(self, now_s: float) -> bool:
        """Whether one more message is allowed now."""
        if self._at is not None:
            earned = (now_s - self._at) * self.per_second
            self._left = min(self.burst, self._left + earned)
            self._refused = max(0.0, self._refused - earned)
        self._at = now_s
        if self._left < 1:
            self._refused += 1
            return False
        self._left -= 1
        return True

    def peek(self, now_s: float) -> float:
        """How many messages it would take now."""
        earned = 0.0 if self._at is None else (now_s - self._at) * self.per_second
        return min(float(self.burst), self._left + earned)

    @property
    def is_abused(self) -> bool:
        """Whether it went on after being refused."""
        return self._refused > self.burst
