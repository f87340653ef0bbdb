"""What one transaction of the recorder holds: how far it goes, and what is new of each session.

Plain data. Made by the ledger, written by the store.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from history.rows import Row
from session.mark import Mark

Key = tuple[str, str]


class Position(NamedTuple):
    """How far a partition of the log is recorded; the default is nowhere.

    ``numbering`` names a count of the log: in another one the sessions' numbers begin anew.
    """

    epoch: str = ""
    place: str = ""
    numbering: str = ""


class Change(Struct, kw_only=True):
    """Of one session. ``pk`` is known once it was written; the rest is rows without it."""

    key: Key
    pk: int | None
    summary: Row
    state: Row
    events: list[Row] = []
    texts: list[Row] = []
    usage: list[Row] = []
    tools: list[Row] = []
    gone_tools: list[str] = []  # taken back by a transcript that became another one
    documents: list[str] = []
    marks: list[Mark] = []
    retold: set[str] = set()  # sources that begin anew: what they said before is taken back
    is_moved: bool = False  # it started at another time than was written before
    is_recounted: bool = False  # calls of another family count
    gone_pk: int | None = None  # a session that was deleted under this key
    is_deleted: bool = False  # and nothing has come since


class Step(Struct):
    """One transaction: from where the log was recorded to where it is then."""

    partition: int
    before: Position
    after: Position
    changes: list[Change] = []


class Spent(Struct):
    """By how much the sums of usage grow in one transaction: tokens, USD, calls without a price.

    Less than nothing where a session was deleted.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    def count(self, rows: Iterable[Sequence[float | None]], sign: int) -> None:
        """Add rows of these sums, or take them back; an unknown cost is none."""
        for row in rows:
            for name, value in zip(self.__struct_fields__, row, strict=True):
                setattr(self, name, getattr(self, name) + sign * (value or 0))
