"""Errors of the session package, one small tree.

SessionError
├── InvalidDelta   a delta that cannot be read; the sender erred
└── UnknownModel   no price is known for a model; nobody erred
"""


class SessionError(Exception):
    """Root of everything that this package raises."""


class InvalidDelta(SessionError):
    """A delta that is not msgpack, lacks a field or has one of the wrong type."""


class UnknownModel(SessionError):
    """No price is known for a model: its calls are shown as unpriced."""
