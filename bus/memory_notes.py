"""Notes within one process: the latest under each name, forgotten when their time is over.

Never keeps more than its limit. Called by the memory engine only.
"""

from typing import NamedTuple

from bus.limits import NOTES_MAX
from bus.shared import Note


class _Kept(NamedTuple):
    forget_ms: int
    noted_ms: int
    data: bytes


class MemoryNotes:
    """All notes of one log, by topic and name. Times are of the caller's clock."""

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, _Kept]] = {}

    def note(self, topic: str, name: str, data: bytes, ttl_ms: int, now_ms: int) -> None:
        """Keep it in the place of the one before."""
        kept = self._fresh(topic, now_ms)
        kept[name] = _Kept(now_ms + ttl_ms, now_ms, data)
        if len(kept) > NOTES_MAX:
            del kept[min(kept, key=kept.__getitem__)]

    def notes(self, topic: str, now_ms: int) -> list[Note]:
        """What is not forgotten."""
        kept = self._fresh(topic, now_ms)
        return [Note(name, each.data, now_ms - each.noted_ms) for name, each in kept.items()]

    def _fresh(self, topic: str, now_ms: int) -> dict[str, _Kept]:
        kept = self._topics.get(topic, {})
        self._topics[topic] = {k: each for k, each in kept.items() if each.forget_ms > now_ms}
        return self._topics[topic]
