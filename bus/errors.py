"""Errors of the bus package, one small tree.

BusError
├── BusUnavailable   no answer within the deadline; nothing is half done, the same id may be retried
└── BusClosed        used after close
"""


class BusError(Exception):
    """Root of everything that this package raises."""


class BusUnavailable(BusError):
    """The log did not take or give anything within its deadline."""


class BusClosed(BusError):
    """The bus was closed."""
