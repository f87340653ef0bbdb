"""What is true: a fold of the log itself, as Redis gives it back, that knows nothing of any hub.

Read while it grows, for the recorder trims it. Compared with what clients hold whenever everything
is at rest. Used by the benchmarks that start the roles.
"""

import threading
import time
from collections import Counter
from typing import Any

import msgspec
from redis import Redis

from bus import keys
from bus.follow import read_entry
from bus.limits import PARTITIONS
from hub.live.views import parse_view
from session.delta import Delta, Time
from session.fold import fold, new_session
from session.state import Session, detail, item_view, public_id, summary

LOOK_S = 0.25
READ_MAX = 2_000
VIEW_ROWS_MAX = 5_000

Json = dict[str, Any]


def plain(value: Any) -> Any:
    """A value as JSON would carry it."""
    return msgspec.json.decode(msgspec.json.encode(value))


class Truth:
    """Every session as the log tells it; ``gaps``: entries that were gone before their time.

    Read and folded in a thread of its own, so that it keeps up where the clients' loop does not.
    """

    def __init__(self, url: str) -> None:
        self.sessions: dict[str, Session] = {}
        self.told: Counter[str] = Counter()  # deltas of agents, by session
        self.lately: dict[str, float] = {}  # items, and when they were last heard to be open
        self.gaps = 0
        self._reading = threading.Lock()  # held while Redis is waited for
        self._lock = threading.Lock()  # held while sessions change, and for nothing long
        self._ended = threading.Event()
        self._redis = Redis.from_url(url, protocol=2)
        self._at = dict.fromkeys(range(PARTITIONS), ("-", 0))
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Follow the log from now on."""
        self._thread.start()

    def end(self) -> None:
        """Read no more."""
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_S):
            self.look()

    def look(self) -> int:
        """Fold everything that is new; gives how much that was. One at a time: order matters."""
        found = 0
        for partition in range(PARTITIONS):
            with self._reading:
                some = self._read(partition)
                with self._lock:
                    for each in some:
                        self._take(each)
            found += len(some)
        return found

    def _read(self, partition: int) -> list[Delta]:
        start, ordinal = self._at[partition]
        deltas = []
        for entry_id, fields in self._redis.xrange(keys.deltas(partition), start, count=READ_MAX):
            entry = read_entry(entry_id, fields)
            self.gaps += entry.ordinal != ordinal + 1 or entry.delta is None
            ordinal, start = entry.ordinal or ordinal, f"({entry.id}"
            if entry.delta is not None:
                deltas.append(entry.delta)
        self._at[partition] = (start, ordinal)
        return deltas

    def _take(self, delta: Delta) -> None:
        session = self.sessions.get(delta.session)
        if session is None:
            session = self.sessions[delta.session] = new_session(delta)
        fold(session, delta)
        self.told[delta.session] += not isinstance(delta, Time)
        for item in session.items.values():
            self.lately[public_id(item.session, item.id)] = time.monotonic()

    def items(self) -> Json:
        """The open items by their ids."""
        with self._lock:
            return self._items()

    def _items(self) -> Json:
        every = [item for each in self.sessions.values() for item in each.items.values()]
        return {view["id"]: view for view in map(item_view, every)}

    def open_since(self, at: float) -> set[str]:
        """Items that were open at some time since then; older ones are forgotten."""
        with self._lock:
            return self._open_since(at)

    def _open_since(self, at: float) -> set[str]:
        self.lately = {name: when for name, when in self.lately.items() if when >= at}
        return set(self.lately)

    def rows(self, told: Json) -> Json:
        """The rows of a view."""
        view, _ = parse_view(told, VIEW_ROWS_MAX)
        shown = sorted(filter(view.matches, self.sessions.values()), key=view.key)
        return {each.id: plain(summary(each)) for each in shown[: view.limit]}

    def whole(self, name: str) -> tuple[int, Json, list[Json]]:
        """A session's cursor number, its detail and its timeline."""
        session = self.sessions[name]
        return session.cursor_number, plain(detail(session)), plain(list(session.timeline))
