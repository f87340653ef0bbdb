"""What a fold changed: names, keys of maps and items of series. Merging two is conflation.

The fan-out is built on this return value alone; it carries no values, those are read late.
"""


class Changes:
    """Changed names of one session.

    ``names``: scalars and small objects. ``keys``: map or series name → changed keys.
    ``opened``: ids of attention items opened or changed; ``closed``: id → outcome.
    ``deleted``: whoever folds lets the session go; a later delta makes another one of its key.
    """

    __slots__ = ("closed", "deleted", "keys", "names", "opened")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.keys: dict[str, set[str | int]] = {}
        self.opened: set[str] = set()
        self.closed: dict[str, str] = {}
        self.deleted = False

    def __bool__(self) -> bool:
        return bool(self.names or self.keys or self.opened or self.closed or self.deleted)

    def __repr__(self) -> str:
        gone = ", deleted" if self.deleted else ""
        return f"Changes({sorted(self.names)}, {self.keys}, +{self.opened}, -{self.closed}{gone})"

    def name(self, *names: str) -> None:
        """Mark scalars or small objects as changed."""
        self.names.update(names)

    def key(self, collection: str, *keys: str | int) -> None:
        """Mark keys of a map or a series as changed."""
        self.keys.setdefault(collection, set()).update(keys)

    def merge(self, other: "Changes") -> None:
        """Take over everything that ``other`` marks; the later outcome of an item wins."""
        self.names |= other.names
        for collection, keys in other.keys.items():
            self.keys.setdefault(collection, set()).update(keys)
        self.opened |= other.opened
        self.closed = {**self.closed, **other.closed}
        self.closed = {item: why for item, why in self.closed.items() if item not in other.opened}
        self.opened -= other.closed.keys()
        self.deleted = self.deleted or other.deleted
