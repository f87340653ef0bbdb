"""Errors of the hub package, one small tree.

HubError
├── BadRequest       a client frame or query that cannot be served: answered, the connection lives
└── Refused          the connection must end with a close code of the table in hub.live.frames
"""


class HubError(Exception):
    """Root of everything that this package raises."""


class BadRequest(HubError):
    """``code`` is one of the protocol's error codes; it may go well after ``retry_ms``."""

    def __init__(
        self, code: str, message: str, session: str | None = None, retry_ms: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.session = session
        self.retry_ms = retry_ms


class Refused(HubError):
    """The connection ends; ``close_code`` tells the client whether to come back."""

    def __init__(self, close_code: int, reason: str) -> None:
        super().__init__(f"{close_code}: {reason}")
        self.close_code = close_code
        self.reason = reason
