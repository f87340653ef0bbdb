"""One connected client as the core sees it: no socket, only what it asked for and what waits.

Made by the shell for each accepted connection and handed to the five verbs.
"""

from collections.abc import Callable
from typing import Any

from hub.limits import Limits
from hub.live.frames import frame
from hub.live.outbox import Missed, Outbox, space_of
from hub.live.subscriptions import Key, Subscriptions
from hub.live.views import View
from hub.live.wire import Frame

RATES_HZ = (1, 5, 20, 60, 200, 1000)


def bucket_hz(hz: int) -> int:
    """The rate of the group that a wish falls into: rounded down to one of six."""
    return max((each for each in RATES_HZ if each <= hz), default=RATES_HZ[0])


class Client:
    """State of one client. ``on_ready`` is called when something waits that nobody pushes.

    ``missed`` are the spaces in which the client was passed over while it was behind:
    it gets present values when it has room again.
    """

    def __init__(
        self, connection: str, workspace: str, limits: Limits, on_ready: Callable[[], None]
    ) -> None:
        self.connection = connection
        self.workspace = workspace
        self.on_ready = on_ready
        self.outbox = Outbox(limits)
        self.subscriptions = Subscriptions(limits.subscriptions)
        self.view = View()
        self.pinned: tuple[str, ...] = ()
        self.rate_hz = bucket_hz(limits.rate_hz)
        self.name = ""
        self.attached_ms = 0
        self.attached = False
        self.stirred: dict[Client, None] = {}  # the switchboard's: who has something to write
        self.missed = self.outbox.missed
        self.behind: dict[Client, None] = {}  # the switchboard's: who is behind
        self.behind_since_ms: int | None = None
        self.close_code: int | None = None
        self.resynced_ms: dict[str, int] = {}
        self.retry_due_ms = 0  # when what has room again, or not yet, is looked at

    def stir(self) -> None:
        """Something waits to be written: it goes out at the end of the verb under way."""
        self.stirred[self] = None

    def tell(self, kind: str, **fields: Any) -> None:
        """A small answer of its own; dropped where too much waits for who reads nothing."""
        if self.outbox.queued_bytes < self.outbox.queued_bytes_max:
            self.outbox.put_answer(Frame(kind, frame(kind, **fields)))
            self.stir()

    def fall_behind(self, space: str, missed: Missed) -> bool:
        """Pass the client over in ``space``; False if it was passed over there already."""
        if space in self.missed:
            return False
        self.missed[space] = missed
        self.outbox.clear = False
        self.behind[self] = None
        self.retry_due_ms = 0
        return True

    def open(self, key: Key, activate: bool) -> list[Key]:
        """Open a session; gives those that are evicted for it."""
        evicted = self.subscriptions.open(key, activate)
        self._lead()
        return evicted

    def activate(self, key: Key | None) -> bool:
        """Look at a session; False if it is not open."""
        done = self.subscriptions.activate(key)
        self._lead()
        return done

    def close(self, key: Key) -> bool:
        """Close a session; False if it is not open."""
        done = self.subscriptions.close(key)
        self.missed.pop(space_of(key[1]), None)
        self._lead()
        return done

    def _lead(self) -> None:
        leading = self.subscriptions.leading
        self.outbox.leading = None if leading is None else space_of(leading[1])

    def view_of(self) -> dict[str, Any]:
        """What an operator sees; times in ms since the epoch, null for never."""
        outbox, active = self.outbox, self.subscriptions.active
        return {
            "connection": self.connection,
            "client": self.name,
            "workspace": self.workspace,
            "state": self.state,
            "connected_at": self.attached_ms,
            "last_write_at": outbox.written_ms or None,
            "behind_since": self.behind_since_ms,
            "rate_hz": self.rate_hz,
            "subscriptions": [key[1] for key in self.subscriptions.order],
            "active": None if active is None else active[1],
            "in_flight_bytes": outbox.in_flight_bytes,
            "queued_bytes": outbox.queued_bytes + outbox.attention_bytes,
            "frames_written": outbox.frames_written,
            "frames_acked": outbox.frames_acked,
            "compressed": outbox.deflates,
        }

    @property
    def state(self) -> str:
        """``live``, ``behind`` or ``closing``, for operators and metrics."""
        if self.close_code is not None:
            return "closing"
        is_behind = self.missed or self.behind_since_ms is not None
        return "behind" if is_behind else "live"
