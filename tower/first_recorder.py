"""The recorder of a first read, in a process of its own so that the live path feels nothing.

Records from the log of the process that started it, and ends when its standard input does and all
is written. Started by ``tower.aside``: ``python -m tower.first_recorder FD``, the order on a line.
"""

import asyncio
import logging
import signal
import socket
import sys
from typing import Any

import msgspec

from bus.errors import BusError
from bus.remote import RemoteBus
from history import metrics
from history.database import Database
from history.recorder import Recorder
from history.store import Store
from tower.aside import COUNTED, DELETED, Key, Order
from tower.databases import prepare


def main() -> int:
    """Record; gives 0 when it ended as it was told to."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    logging.basicConfig(level=order.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    return asyncio.run(_run(order, socket.socket(fileno=int(sys.argv[1]))))


async def _run(order: Order, connection: socket.socket) -> int:
    bus = RemoteBus(*await asyncio.open_unix_connection(sock=connection))
    database = Database(order.database_url)
    await bus.open()
    recorder = Recorder(bus, Store(database), order.flush_s)
    recorder.retain_days = order.retain_days
    try:
        await prepare(database, migrate=order.migrate)
        await _record(bus, recorder)
        await bus.publish(COUNTED, msgspec.msgpack.encode(metrics.counts()))
    except BusError:
        return 1  # whoever started it is gone
    finally:
        await database.close()
        await bus.close()
    return 0


async def _record(bus: RemoteBus, recorder: Recorder) -> None:
    """Until it is told to end, or nobody is there any more; what is folded by then is written."""
    telling: set[asyncio.Task[None]] = set()

    def tell(key: Key) -> None:
        told = asyncio.create_task(bus.publish(DELETED, msgspec.msgpack.encode(key)))
        telling.add(told)
        told.add_done_callback(telling.discard)

    recorder.on_deleted = tell
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    work = (recorder.run(), _finished(recorder), stopped.wait(), bus.gone.wait())
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(each) for each in work]
    ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, *telling, return_exceptions=True)
    for task in ended:
        task.result()


async def _finished(recorder: Recorder) -> None:
    """Return when standard input has ended and all that is on the log by then is written."""
    ended = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(ended), sys.stdin
    )
    await ended.read()
    await recorder.caught_up()
    pipe.close()


if __name__ == "__main__":
    raise SystemExit(main())
