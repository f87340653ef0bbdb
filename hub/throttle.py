"""How often somebody may come: a bucket for each address or credential, and a bound on buckets.

The time is told. Beyond so many keys the one that came longest ago is forgotten. Called by the gate
and by whoever signs people in.
"""

import ipaddress
import math
from collections import OrderedDict

from hub.limits import DoorLimits
from hub.rate import Bucket

KEYS_MAX = 20_000


class Throttle:
    """A bucket per key."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, key: str, now_s: float) -> bool:
        """Whether this one may come once more now."""
        return self._bucket(key).take(now_s)

    def is_empty(self, key: str, now_s: float) -> bool:
        """Whether it would be refused now; takes nothing."""
        return self._bucket(key).peek(now_s) < 1

    def wait_s(self, key: str, now_s: float) -> int:
        """Whole seconds until it may come again."""
        return max(1, math.ceil((1 - self._bucket(key).peek(now_s)) / self._per_second))

    def _bucket(self, key: str) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._per_second, self._burst)
            if len(self._buckets) > KEYS_MAX:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket


class Throttles:
    """All of one door. Failures are per address, the rest per credential."""

    def __init__(self, limits: DoorLimits) -> None:
        a_minute = limits.failures_per_minute
        self.failures = Throttle(a_minute / 60, a_minute)
        self.sign_ins = Throttle(limits.sign_ins_per_minute / 60, limits.sign_ins_per_minute)
        self.requests = Throttle(limits.requests_per_second, limits.requests_burst)
        self.deliveries = Throttle(limits.deliveries_per_second, limits.deliveries_burst)


def address_key(address: str) -> str:
    """Who an address is: of IPv6 the network, for one household has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
