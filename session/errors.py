"""Errors of the session package, one small tree.

SessionError
├── InvalidCheckpoint   a checkpoint that cannot be read or written; the log is read instead
├── InvalidDelta        a delta that cannot be read; the sender erred
└── UnknownModel        no price is known for a model; nobody erred
"""


class SessionError(Exception):
    """Root of everything that this package raises."""


class InvalidCheckpoint(SessionError):
    """Bytes that are no checkpoint, or one of another version; a session that cannot be saved."""


class InvalidDelta(SessionError):
    """A delta that is not msgpack, lacks a field or has one of the wrong type."""


class UnknownModel(SessionError):
    """No price is known for a model: its calls are shown as unpriced."""
