"""Errors of the history package, one small tree.

HistoryError
├── DatabaseUnavailable   the database does not answer: what was to be written waits
├── WrongSchema           its tables are of another release: `tower db upgrade` mends that
├── Fenced                another recorder has written meanwhile: this one begins anew
└── BadQuery              a question that cannot be answered: the text says which part of it
"""


class HistoryError(Exception):
    """Root of everything that this package raises."""


class DatabaseUnavailable(HistoryError):
    """No connection, no answer, or a disk that is full."""


class WrongSchema(HistoryError):
    """``found`` is None where there are no tables at all."""

    def __init__(self, found: str | None, wanted: str) -> None:
        super().__init__(
            f"the tables are at {found or 'nothing'}, {wanted} is needed: run `tower db upgrade`"
        )
        self.found = found


class Fenced(HistoryError):
    """The log's position in the database is not the one that this recorder left there."""


class BadQuery(HistoryError):
    """A filter, a sort, a cursor or a date that means nothing."""
