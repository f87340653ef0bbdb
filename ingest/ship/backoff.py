"""Pauses between tries that grow, with full jitter: a fleet never comes back in step.

Pure: chance is an argument. Used by the shipper.
"""

from ingest.ship.limits import Limits

DOUBLINGS_MAX = 32


class Backoff:
    """How long to wait before the next try."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.tries = 0

    def reset(self) -> None:
        """It went well."""
        self.tries = 0

    def next_ms(self, chance: float, at_least_ms: int = 0) -> int:
        """The next pause; ``chance`` from 0 to 1 says where in it, ``at_least_ms`` was asked for.

        Those that were all told the same come back spread behind it.
        """
        limits = self.limits
        most = min(limits.retry_ms_max, limits.retry_ms_min << min(self.tries, DOUBLINGS_MAX))
        self.tries += 1
        return min(at_least_ms, limits.retry_after_ms_max) + int(chance * most)
