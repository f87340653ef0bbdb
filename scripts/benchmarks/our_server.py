"""Our service on a free port of loopback, with a fleet of made-up agents inside its own process.

The service is the one of ``tower up``, without a reader and a credential; nothing in it is
replaced, except that ``--saturate`` takes away the pace, to measure the send path alone.
"""

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable
from typing import Any

import serving
from generator import Fleet, drive

from bus.errors import BusUnavailable
from hub.auth import Door
from hub.live.pace import Pace
from hub.live.switchboard import Switchboard
from tower.server import listen, make_server
from tower.service import Service
from tower.setting import Value
from tower.settings import SETTINGS, Settings

WINDOW_BYTES = 192 * 1024  # so much may the slowest client leave unacknowledged in saturation
QUIET_S = 0.7  # longer than a client waits with its acknowledgement
STUCK_S = 2.0


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="stop by itself after so long")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--rate", type=float, default=0, help="events a second in all; 0: none")
    parser.add_argument("--no-turns", action="store_true", help="agents never stop, only call")
    parser.add_argument("--no-stamps", action="store_true", help="no time stamps in titles")
    parser.add_argument("--asks-every", type=int, default=0, help="each so manieth is a request")
    parser.add_argument("--wide-bytes", type=int, default=0, help="frames of about this size")
    parser.add_argument("--saturate", type=int, default=0, help="with so many clients, as it can")
    return parser.parse_args()


class Window:
    """How far the slowest client is behind, in frames, told by its acknowledgements."""

    def __init__(self, board: Switchboard) -> None:
        self.rounds = 0
        self._acked: dict[Any, int] = {}
        self._begin: dict[Any, int] = {}
        self._ack: Callable[..., Any] = board.ack
        self._flush: Callable[..., Any] = board.flush
        board.ack = self._note_ack  # type: ignore[assignment, method-assign]
        board.flush = self._note_flush  # type: ignore[assignment, method-assign]

    def _note_ack(self, client: Any, frames: int, *more: Any) -> Any:
        self._acked[client.connection] = frames
        return self._ack(client, frames, *more)

    def _note_flush(self, *told: Any) -> Any:
        made = self._flush(*told)
        self.rounds += bool(made)
        return made

    def clear(self) -> None:
        """Everything up to now is acknowledged."""
        self.rounds = 0
        self._begin = dict(self._acked)

    def behind(self) -> int:
        """The frames that the slowest client has not acknowledged."""
        moved = (self._acked[each] - begin for each, begin in self._begin.items())
        return self.rounds - min(moved, default=0)


async def saturate(service: Service, fleet: Fleet, clients: int, frame_bytes: int) -> None:
    """Change rows as fast as every client takes them, one frame for each change."""
    board = service.worker.board
    window = Window(board)
    while len(board.clients) < clients:  # noqa: ASYNC110 - of this there is no event
        await asyncio.sleep(0.01)
    await asyncio.sleep(QUIET_S)
    Pace.flushed = lambda *_: None  # type: ignore[method-assign]
    frames_max = max(2, WINDOW_BYTES // frame_bytes)
    window.clear()
    while True:
        before, began = window.rounds, time.monotonic()
        await service.bus.append(fleet.wide(frame_bytes))
        while window.rounds == before or window.behind() > frames_max:
            await asyncio.sleep(0 if window.rounds == before else 0.001)
            if time.monotonic() - began > STUCK_S:  # a client left, or lost its step
                window.clear()
                break


async def generate(service: Service, fleet: Fleet, told: argparse.Namespace) -> None:
    """Put events on the log until cancelled."""

    async def send(count: int) -> None:
        wide = fleet.wide(told.wide_bytes) if told.wide_bytes else None
        with contextlib.suppress(BusUnavailable):  # no room for long: an ingest would refuse it
            await service.bus.append(wide or [fleet.next() for _ in range(count)])

    if told.saturate:
        await saturate(service, fleet, told.saturate, told.wide_bytes)
    elif told.rate:
        await drive(told.rate, send)


async def serve(told: argparse.Namespace, folder: str) -> None:
    """The service, its server and the fleet; its history is in a folder of its own."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    values = {each.name: Value(each.default, "default") for each in SETTINGS}
    ours = {"watch": False, "subscriptions": 4, "data_dir": folder}
    values |= {name: Value(value, "benchmark") for name, value in ours.items()}
    door = Door(token="benchmark", key=b"b" * 32, port=port, needs_credential=False)  # noqa: S106
    service = Service(Settings(values), door)
    server = make_server(service.app(), service.drain)
    fleet = Fleet(
        told.sessions, turns=not told.no_turns, stamped=not told.no_stamps,
        asks_every=told.asks_every,
    )  # fmt: skip
    async with service.running(server.listening):
        serving_until_told = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listening.wait()
        await service.bus.append(fleet.begin())
        cached = service.worker.board.cache.held
        while len(cached) < told.sessions:  # noqa: ASYNC110 - of this there is no event
            await asyncio.sleep(0.001)
        serving.announce(port)
        generating = asyncio.create_task(generate(service, fleet, told))
        try:
            await serving_until_told
        finally:
            generating.cancel()


if __name__ == "__main__":
    words = parse()
    with tempfile.TemporaryDirectory(prefix="our-server-") as made:
        serving.run(lambda: serve(words, made), words.seconds)
