"""One connected client as the core sees it: no socket, only what it asked for and what waits.

Made by the shell for each accepted connection and handed to the five verbs.
"""

from collections.abc import Callable

from hub.limits import Limits
from hub.live.outbox import Outbox
from hub.live.subscriptions import Subscriptions
from hub.live.views import View

RATES_HZ = (1, 5, 20, 60, 200, 1000)


def bucket_hz(hz: int) -> int:
    """The rate of the group that a wish falls into: rounded down to one of six."""
    return max((each for each in RATES_HZ if each <= hz), default=RATES_HZ[0])


class Client:
    """State of one client. ``on_ready`` is called whenever something waits to be written.

    ``missed`` are the spaces in which the client was passed over while it was behind:
    it gets present values when it has room again.
    """

    def __init__(
        self, connection: str, workspace: str, limits: Limits, on_ready: Callable[[], None]
    ) -> None:
        self.connection = connection
        self.workspace = workspace
        self.on_ready = on_ready
        self.outbox = Outbox(limits.in_flight_bytes_max, limits.attention_bytes_max)
        self.subscriptions = Subscriptions(limits.subscriptions)
        self.view = View()
        self.pinned: tuple[str, ...] = ()
        self.rate_hz = bucket_hz(limits.rate_hz)
        self.name = ""
        self.attached = False
        self.missed: set[str] = set()
        self.on_behind: Callable[[Client], None] = lambda _: None
        self.behind_since_ms: int | None = None
        self.close_code: int | None = None
        self.resynced_ms: dict[str, int] = {}
        self.attention_due_ms = 0  # when a lane that was full is tried again

    def tell(self, data: bytes) -> None:
        """A small answer of its own; dropped while the client does not read what it has."""
        if self.outbox.is_open:
            self.outbox.put(data)
            self.on_ready()

    def fall_behind(self, space: str) -> bool:
        """Pass the client over in ``space``; False if it was passed over there already."""
        if space in self.missed:
            return False
        self.missed.add(space)
        self.on_behind(self)
        return True

    @property
    def state(self) -> str:
        """``live``, ``behind`` or ``closing``, for operators and metrics."""
        if self.close_code is not None:
            return "closing"
        return "behind" if self.behind_since_ms is not None else "live"
