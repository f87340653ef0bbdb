"""Handing the same frames to many clients: the one loop whose cost grows with their number.

Straight to the transport of a client for whom nothing waits, else into its lanes in order.
Pure: a transport is a callable. Called by groups, channels and attention lanes.
"""

from collections.abc import Callable, Iterable, Sequence

from hub.live.client import Client
from hub.live.outbox import Missed
from hub.live.wire import Frame


def ship(
    clients: Iterable[Client],
    frames: Sequence[Frame],
    space: str,
    cursor: str,
    queue: Callable[[Client], None],
) -> None:
    """Send ``frames`` to all; ``queue`` takes each client that something else waits for.

    A session's frame goes past the lanes only if no other session may claim to go first.
    """
    is_session = frames[0].kind == "session.patch"
    in_step: dict[bool, list[Client]] = {False: [], True: []}
    for client in clients:
        box = client.outbox
        if box.clear and len(frames) == 1 and (not is_session or box.leading == space):
            in_step[box.deflates].append(client)
        else:
            queue(client)
    for deflates, members in in_step.items():
        if members:
            _write(members, frames[0], space, cursor, deflates)


def hand(client: Client, space: str, put: Callable[[Client], None], missed: Missed) -> bool:
    """Put it into the client's lanes; False for one that is passed over, having no room."""
    if space in client.missed:
        return False
    if not client.outbox.is_open:
        client.fall_behind(space, missed)
        return False
    put(client)
    client.stir()
    return True


def _write(
    clients: Sequence[Client], frame: Frame, space: str, cursor: str, deflates: bool
) -> None:
    """The same bytes to every transport. Spelt out: calls would cost more than all the rest."""
    data = frame.wire(deflates)
    size_bytes = len(data)
    first = clients[0].outbox
    budget, now_ms = first.in_flight_bytes_max, first.tally.now_ms
    first.tally.count(frame, deflates, size_bytes, len(clients))
    for client in clients:
        box = client.outbox
        in_flight = box.in_flight_bytes = box.in_flight_bytes + size_bytes
        box.sizes.append(size_bytes)
        box.written[space] = cursor
        box.written_ms = now_ms
        if in_flight >= budget:
            box.clear = False
            client.stir()  # over its budget: somebody has to watch it
        try:
            box.write(data)  # type: ignore[misc] # a clear outbox has a transport
        except RuntimeError:  # closed, and not told yet: none of the others may miss the frame
            box.disconnect()
