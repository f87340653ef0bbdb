"""The sessions that one client has opened, least recently opened first, capped.

The active one is never evicted, wherever it stands. Pure; called by the switchboard.
"""

Key = tuple[str, str]


class Subscriptions:
    """An ordered set of session keys with a cap and an active one."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self.active: Key | None = None
        self._order: dict[Key, None] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._order

    def __len__(self) -> int:
        return len(self._order)

    @property
    def order(self) -> list[Key]:
        """Keys, least recently opened first."""
        return list(self._order)

    @property
    def leading(self) -> Key | None:
        """The session whose frames go before the others': the active one, or the only one."""
        if self.active is None and len(self._order) == 1:
            return next(iter(self._order))
        return self.active

    def open(self, key: Key, activate: bool) -> list[Key]:
        """Open ``key``, which becomes the most recently opened; gives the evicted ones."""
        self._order.pop(key, None)
        self._order[key] = None
        if activate:
            self.active = key
        evicted: list[Key] = []
        while len(self._order) > self.cap:
            oldest = next(each for each in self._order if each not in (self.active, key))
            del self._order[oldest]
            evicted.append(oldest)
        return evicted

    def activate(self, key: Key | None) -> bool:
        """Make ``key`` the one the person looks at; it counts as opened now.

        False if it is not open: then nothing changes.
        """
        if key is None:
            self.active = None
            return True
        if key not in self._order:
            return False
        self.open(key, activate=True)
        return True

    def close(self, key: Key) -> bool:
        """Close ``key``; False if it is not open."""
        if self.active == key:
            self.active = None
        return self._order.pop(key, 0) is None
