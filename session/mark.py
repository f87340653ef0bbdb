"""A mark: how far a file of an agent has been reported, and which file it was.

A plain value. Kept by the reader, and by the history from the reports that carry it.
"""

from msgspec import Struct


class Mark(Struct, kw_only=True, omit_defaults=True):
    """How far a file has been reported (``offset``, in bytes), and which file it was.

    A file with another ``size`` or ``mtime_ns`` than these has changed since. ``last_at`` is
    the newest time that any line told, None if none did: such a file is a stub.
    """

    path: str
    session: str
    source: str
    agent: str = "claude-code"
    device: int = 0
    inode: int = 0
    size: int = 0
    mtime_ns: int = 0
    head: str = ""
    generation: int = 0
    offset: int = 0
    last_at: int | None = None
    broken: int = 0  # lines that could not be read and were passed over
