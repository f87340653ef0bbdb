"""A place in the log: an epoch, how many entries lie before it, and Redis's own id of the last.

The three are one text to everybody else, so that no reader can pair a number with a foreign
epoch. Called by both engines; ``ordinal_of`` by whoever measures a lag.
"""

import re
from typing import NamedTuple

START_ID = "0-0"
NOWHERE = "nowhere"
"""Of no log: a tail that begins here tells where it is, even if everything is gone."""

_TEXT = re.compile(r"([^:]+):(\d{1,19}):(\d{1,20}-\d{1,20})", re.ASCII)


class Position(NamedTuple):
    """``ordinal`` counts a partition's entries from 1 without a gap: the last one's, 0 for none."""

    epoch: str
    ordinal: int
    id: str = START_ID

    def __str__(self) -> str:
        return f"{self.epoch}:{self.ordinal}:{self.id}"


def parse(text: str) -> Position:
    """Read a position; what is none belongs to no epoch, so that it can only be lost."""
    match = _TEXT.fullmatch(text)
    return Position(match[1], int(match[2]), match[3]) if match else Position("", 0)


def ordinal_of(text: str) -> int:
    """How many entries there were up to a position: a difference within an epoch is a lag."""
    return parse(text).ordinal
