"""What changed since a number, remembered only while somebody is behind.

One entry for each thing that changed, however often it did and however many are behind.
Pure; kept by groups and channels.
"""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Trace(Generic[T]):
    """Things by the number of the frame that told their last change."""

    def __init__(self) -> None:
        self._told: dict[T, int] = {}

    def note(self, number: int, things: Iterable[T]) -> None:
        """These changed with that frame; numbers never fall."""
        for thing in things:
            self._told.pop(thing, None)
            self._told[thing] = number

    def since(self, number: int) -> list[T]:
        """What changed behind that number, in the order of the last change."""
        newest_first: list[T] = []
        for thing, told in reversed(self._told.items()):
            if told <= number:
                break
            newest_first.append(thing)
        return newest_first[::-1]

    def clear(self) -> None:
        """Nobody is behind."""
        self._told.clear()
