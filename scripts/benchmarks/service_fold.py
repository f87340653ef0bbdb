"""What a hub does alone: it folds events, and begins from the checkpoints of the log.

The sessions are those of the made-up fleet. Used by the benchmark of a service by itself.
"""

import asyncio
import time
from collections import Counter
from pathlib import Path

from generator import Fleet
from msgspec.structs import replace
from roles import Roles, wait_for

from bus.base import Checkpoint, partition_of
from bus.position import parse
from bus.redis import RedisBus
from session.checkpoint import Saved, pack
from session.delta import Event
from session.fold import fold, new_session
from session.state import Session

TURNS = 5
BATCH = 500
EVENTS_EACH = 10

Sessions = dict[tuple[str, str], Session]


def numbered(events: list[Event]) -> list[Event]:
    """As the log would number them."""
    counts: Counter[tuple[str, str]] = Counter()
    told = []
    for event in events:
        counts[event.key] += 1
        told.append(replace(event, number=counts[event.key]))
    return told


def folded(events: list[Event], sessions: Sessions) -> None:
    """On what there is."""
    for event in events:
        session = sessions.get(event.key)
        if session is None:
            session = sessions[event.key] = new_session(event)
        fold(session, event)


def fold_us(sessions: int, events: int) -> list[float]:
    """Microseconds of CPU for an event, of some turns."""
    fleet = Fleet(sessions)
    begun = fleet.begin()
    told = numbered(begun + [fleet.next() for _ in range(events)])
    found = []
    for _ in range(TURNS):
        known: Sessions = {}
        folded(told[: len(begun)], known)
        began = time.process_time()
        folded(told[len(begun) :], known)
        found.append((time.process_time() - began) * 1e6 / events)
    return found


def hub_starts_ms(folder: Path, sessions: int, rounds: int) -> tuple[list[float], list[float], int]:
    """Milliseconds from the start of a hub until it is ready: on an empty log, and with so many
    sessions in its checkpoints; and how large those are, in bytes."""
    roles = Roles(folder)
    try:
        empty = [_start_ms(roles) for _ in range(rounds)]
        size_bytes = asyncio.run(_fill(roles.redis_url, sessions))
        return empty, [_start_ms(roles) for _ in range(rounds)], size_bytes
    finally:
        roles.close()


def _start_ms(roles: Roles) -> float:
    began = time.monotonic()
    hub = roles.start("hub")
    wait_for(hub.is_ready, "the hub did not become ready")
    took_ms = (time.monotonic() - began) * 1000
    hub.kill()
    return took_ms


async def _fill(url: str, count: int) -> int:
    """Put sessions on the log, and checkpoints behind them; gives the size of those."""
    bus, fleet = RedisBus(url), Fleet(count)
    events = fleet.begin()
    events += [fleet.next() for _ in range(count * EVENTS_EACH - len(events))]
    sessions: Sessions = {}
    for at in range(0, len(events), BATCH):
        some = events[at : at + BATCH]
        receipts = await bus.append(some)
        told = [
            replace(event, number=each.number) for event, each in zip(some, receipts, strict=True)
        ]
        folded(told, sessions)
    size_bytes = 0
    for partition in range(bus.partitions):
        place = await bus.position(partition)
        epoch = parse(place).epoch
        held = [
            Saved(each, epoch)
            for key, each in sessions.items()
            if partition_of(*key, bus.partitions) == partition
        ]
        data = pack(held)
        size_bytes += len(data)
        await bus.save_checkpoint(partition, Checkpoint(epoch, place, data))
    await bus.close()
    return size_bytes
