"""Patience with clients that fell behind: values when they have room, less when they have none.

Progress is judged only while a client is over its budget; a quiet one with an unacknowledged
tail is fine. Pure; called by the switchboard.
"""

from collections.abc import Callable

from hub.limits import Limits
from hub.live.attention import ATTENTION
from hub.live.client import Client
from hub.live.groups import OVERVIEW
from hub.live.outbox import space_of
from hub.live.rooms import Rooms

RETRY_MS = 250
SLOW = 4001

SendFull = Callable[[Client], None]
Degrade = Callable[[Client], None]


class Patience:
    """Everybody who is behind. ``degrade`` takes a client's opened sessions away."""

    def __init__(
        self, limits: Limits, rooms: Rooms, send_attention: SendFull, degrade: Degrade
    ) -> None:
        self.limits = limits
        self.behind: dict[Client, None] = {}
        self._rooms = rooms
        self._send_attention = send_attention
        self._degrade = degrade

    def due_ms(self) -> int | None:
        """When ``judge`` has something to do again."""
        return min(map(self._due_ms, self.behind), default=None)

    def _due_ms(self, client: Client) -> int:
        if client.behind_since_ms is None or ATTENTION in client.missed:
            return client.retry_due_ms
        is_degraded = len(client.subscriptions) == 0
        patience_ms = self.limits.behind_abort_ms
        return client.behind_since_ms + (
            patience_ms if is_degraded else self.limits.behind_degrade_ms
        )

    def watch(self, client: Client) -> None:
        """Something waits for room: unless it comes, the client does not keep up."""
        if client not in self.behind:
            self.behind[client] = None
            client.retry_due_ms = 0

    def forget(self, client: Client) -> None:
        """The client is gone, or not behind any more."""
        self.behind.pop(client, None)
        client.behind_since_ms = None

    def acked(self, client: Client, now_ms: int) -> None:
        """The client moves: patience begins anew, and it may have room."""
        if client.behind_since_ms is not None:
            client.behind_since_ms = now_ms
        self.recover(client, now_ms)

    def recover(self, client: Client, now_ms: int) -> None:
        """Present values for everything that was missed, as far as there is room."""
        outbox = client.outbox
        if ATTENTION in client.missed:
            client.retry_due_ms = now_ms + RETRY_MS
            if outbox.attention_is_open:
                self._send_attention(client)
                outbox.drain()
        if outbox.waits:
            return
        for space in _in_order(client):
            if not outbox.is_open:
                return
            self._rooms.catch_up(client, space, now_ms)
            outbox.drain()
        if not client.missed and not outbox.is_stuck:
            self.forget(client)

    def judge(self, now_ms: int) -> None:
        """Give values to those who have room; those who took none for long lose something."""
        for client in list(self.behind):
            self.recover(client, now_ms)
            if client in self.behind:
                self._judge(client, now_ms)

    def _judge(self, client: Client, now_ms: int) -> None:
        if not client.outbox.is_stuck and ATTENTION not in client.missed:
            # It waits for this worker, not the other way round.
            client.behind_since_ms, client.retry_due_ms = None, now_ms + RETRY_MS
            return
        if client.behind_since_ms is None:
            client.behind_since_ms = now_ms
        behind_ms = now_ms - client.behind_since_ms
        if behind_ms >= self.limits.behind_abort_ms:
            self.forget(client)
            client.close_code = SLOW
            client.on_ready()
        elif behind_ms >= self.limits.behind_degrade_ms and len(client.subscriptions):
            self._degrade(client)


def _in_order(client: Client) -> list[str]:
    """What was missed: the active session, the others from the newest on, then the overview."""
    active = client.subscriptions.active
    newest_first = client.subscriptions.order[::-1]
    keys = sorted(newest_first, key=lambda each: each != active)
    spaces = [*(space_of(key[1]) for key in keys), OVERVIEW]
    return [space for space in spaces if space in client.missed]
