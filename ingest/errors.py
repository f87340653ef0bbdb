"""Errors of the ingest package, one small tree.

IngestError
├── InvalidPayload   what was sent cannot be read: answered 400 (hooks: counted as invalid)
├── MissingExtra     what was sent needs a library that is not installed: answered 415
├── BusUnavailable   the log did not take it in time: answered 503 with Retry-After
├── InvalidRules     a user's rule file cannot be used: nothing starts until it can
└── QueueFull        the bounded queue before the log is full: a hook is counted as dropped
"""


class IngestError(Exception):
    """Root of everything that this package raises."""


class InvalidPayload(IngestError):
    """A body that cannot be read; the text says where and why."""


class MissingExtra(IngestError):
    """A body in an encoding that needs an extra of the package; the text says which."""


class InvalidRules(IngestError):
    """A file of rules that cannot be used; the text says which rule, why and what to do."""


class BusUnavailable(IngestError):
    """The log did not answer within its deadline."""


class QueueFull(IngestError):
    """More is waiting for the log than may wait."""
