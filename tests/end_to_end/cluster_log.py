"""The log as Redis gives it back, read beside a run, for the recorder trims it.

A Redis that is away is waited for. What was read and is gone at the end is told apart: an
acknowledged event that Redis has lost. Knows nothing of hubs.
"""

import contextlib
import threading
from collections import Counter
from typing import NamedTuple

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bus import keys
from bus.follow import read_entry
from bus.limits import PARTITIONS
from session.delta import Delta

LOOK_S = 0.5
ANSWER_S = 2.0


class Kept(NamedTuple):
    """One entry. ``delta`` is None where it is poison."""

    id: str
    delta: Delta | None


class LogReader(threading.Thread):
    """Everything that ever stood on the log; ``url`` may change while it runs."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.lost: list[Delta] = []
        self.foreign = 0
        self._kept: dict[int, dict[int, Kept]] = {each: {} for each in range(PARTITIONS)}
        self._at = dict.fromkeys(range(PARTITIONS), "-")
        self._ended = threading.Event()

    @property
    def deltas(self) -> list[Delta]:
        """What the log told, in the order of each partition."""
        ordered = (kept[each] for kept in self._kept.values() for each in sorted(kept))
        return [each.delta for each in ordered if each.delta is not None]

    @property
    def gaps(self) -> int:
        """Ordinals that were never seen, and entries that cannot be read."""
        holes = sum(max(kept, default=0) - len(kept) for kept in self._kept.values())
        poison = sum(each.delta is None for kept in self._kept.values() for each in kept.values())
        return holes + poison

    @property
    def duplicates(self) -> int:
        """Ids of one session that stand there more than once."""
        counts = Counter((delta.key, delta.id) for delta in self.deltas)
        return sum(counts.values()) - len(counts)

    def look(self) -> None:
        """Everything that is new; raises RedisError."""
        with contextlib.closing(self._connect()) as redis:
            for partition, at in self._at.items():
                self._take(partition, redis.xrange(keys.deltas(partition), at))

    def _connect(self) -> Redis:
        never = Retry(NoBackoff(), 0)
        return Redis.from_url(self.url, protocol=2, socket_timeout=ANSWER_S, retry=never)

    def _take(self, partition: int, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> int:
        """Keep these; gives the last ordinal among them."""
        kept, ordinal = self._kept[partition], 0
        for entry_id, fields in entries:
            entry = read_entry(entry_id, fields)
            self._at[partition] = f"({entry.id}"
            if entry.ordinal is None:
                self.foreign += 1
                continue
            ordinal = entry.ordinal
            before = kept.get(ordinal)
            if before is not None and before.id != entry.id and before.delta is not None:
                self.lost.append(before.delta)
            kept[ordinal] = Kept(entry.id, entry.delta)
        return ordinal

    def run(self) -> None:
        """Until the end."""
        while not self._ended.wait(LOOK_S):
            with contextlib.suppress(RedisError, OSError):
                self.look()

    def stop(self) -> None:
        """Read no more."""
        self._ended.set()
        self.join()

    def end(self) -> None:
        """Return when everything is read, and what is gone is known to be."""
        self.stop()
        self.foreign = 0
        with contextlib.closing(self._connect()) as redis:
            for partition, kept in self._kept.items():
                self._take(partition, redis.xrange(keys.deltas(partition)))
                count = int(redis.hget(keys.meta(partition), "count") or 0)  # type: ignore[arg-type]
                for ordinal in [each for each in kept if each > count]:
                    gone = kept.pop(ordinal).delta
                    self.lost += [gone] if gone is not None else []
