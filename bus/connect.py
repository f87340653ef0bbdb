"""The one way to a log: its engine follows from the URL.

Redis is imported only where it is used, for that costs 0.25 s and 18 MB. Called by the roles.
"""

from bus.base import Bus

MEMORY_URL = "memory://"


def connect(url: str | None) -> Bus:
    """The log at ``url``; None is the one in memory. It must still be opened."""
    if url is None or url == MEMORY_URL:
        from bus.memory import MemoryBus

        return MemoryBus()
    from bus.redis import RedisBus

    return RedisBus(url)
