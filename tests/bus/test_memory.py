"""What only the memory log does: it is bounded, it waits for slow readers, it wakes at once."""

import asyncio
import time

import pytest

from bus.base import Batch, Receipt
from bus.errors import BusClosed, BusUnavailable
from bus.limits import DEDUPE_MS, PENDING_MAX, RING_DELTAS_MAX, SIGNALS_MAX
from bus.memory import MemoryBus, base36
from bus.memory_ring import Ring, Seen, size_of
from bus.shared import SUBSCRIBED
from session.delta import Delta, Event
from session.errors import InvalidDelta


class Clock:
    """Milliseconds that a test moves."""

    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def event(delta_id: str, text: str = "") -> Event:
    """A small delta."""
    return Event(id=delta_id, session="s", kind="note", received_at=1, fields={"text": text})


def events(start: int, stop: int) -> list[Delta]:
    """Some of them."""
    return [event(f"e{number}") for number in range(start, stop)]


def ids(batch: Batch) -> list[str]:
    """What is in it."""
    return [delta.id for delta in batch.deltas]


def small(deltas_max: int = 4, wait_ms: int = 50) -> MemoryBus:
    """A log with little room and little patience."""
    return MemoryBus(wait_ms=wait_ms, ring=Ring(deltas_max=deltas_max))


async def test_without_readers_the_oldest_go() -> None:
    """A log that nobody reads takes everything and keeps the newest."""
    bus = small()
    await bus.append(events(0, 10))
    assert ids(await anext(bus.tail(0, None))) == ["e6", "e7", "e8", "e9"]


async def test_the_default_ring_is_bounded() -> None:
    """However many deltas are appended, no more than the limit is kept."""
    ring = Ring()
    bus = MemoryBus(ring=ring)
    await bus.append(events(0, 2 * RING_DELTAS_MAX))
    kept = ring.last - ring.first + 1
    assert RING_DELTAS_MAX * 0.9 < kept <= RING_DELTAS_MAX
    assert ring.size_bytes == kept * size_of(event(f"e{2 * RING_DELTAS_MAX - 1}"))


async def test_bytes_are_bounded_as_well() -> None:
    """Large deltas push out more of the old ones, and one that is larger than all still fits."""
    ring = Ring(bytes_max=100_000)
    bus = MemoryBus(ring=ring)
    for number in range(50):
        await bus.append([event(f"e{number}", "x" * 9_000)])
        assert ring.size_bytes <= 100_000
    await bus.append([event("huge", "x" * 500_000)])
    assert ring.first == ring.last == 51


async def test_append_waits_for_a_slow_reader_then_refuses() -> None:
    """A full log with an unread oldest entry is an error after its time, with nothing added."""
    bus = small()
    await bus.append(events(0, 1))
    tail = bus.tail(0, None)
    await anext(tail)
    await bus.append(events(1, 5))
    started = time.monotonic()
    with pytest.raises(BusUnavailable):
        await bus.append(events(5, 6))
    assert time.monotonic() - started >= 0.04
    assert ids(await anext(tail)) == ["e1", "e2", "e3", "e4"]
    assert await bus.append(events(5, 6)) == [Receipt(6, duplicate=False)]
    assert ids(await anext(tail)) == ["e5"]


async def test_append_goes_on_when_the_reader_does() -> None:
    """A waiting append is done as soon as a reader takes the oldest entry, and loses nothing."""
    bus = small(wait_ms=5_000)
    tail = bus.tail(0, None)
    appending = asyncio.create_task(bus.append(events(0, 100)))
    found: list[str] = []
    async with asyncio.timeout(5):
        while len(found) < 100:
            found += ids(await anext(tail))
    assert found == [f"e{number}" for number in range(100)]
    assert [receipt.number for receipt in await appending] == list(range(1, 101))


async def test_whoever_is_in_no_hurry_leaves_half_of_the_room_to_the_others() -> None:
    """A long read waits for its slowest reader; a hook that comes meanwhile does not."""
    log = small(deltas_max=8)
    group = await log.group("recorder", "one", 0)
    await log.append(events(0, 5))
    waiting = asyncio.create_task(log.room())
    await log.append(events(5, 6))
    assert not waiting.done()
    await group.read(1, 0)
    await asyncio.sleep(0)
    assert not waiting.done()
    await group.read(1, 0)
    await waiting
    await log.append(events(6, 8))
    await group.read(8, 0)
    await log.room()  # what everybody has read takes no room


async def test_waiting_appends_of_one_id_make_one_entry() -> None:
    """Two appends of the same id that both had to wait still make a single entry."""
    bus = small(wait_ms=5_000)
    tail = bus.tail(0, None)
    await bus.append(events(0, 1))
    await anext(tail)
    await bus.append(events(1, 5))
    waiting = [asyncio.create_task(bus.append([event("x")])) for _ in range(2)]
    await asyncio.sleep(0.01)
    await anext(tail)
    receipts = [receipt for each in waiting for receipt in await each]
    assert receipts == [Receipt(6, False), Receipt(6, True)]


async def test_a_reader_that_went_holds_nothing_back() -> None:
    """A tail that was closed is not waited for."""
    bus = small()
    tail = bus.tail(0, None)
    await bus.append(events(0, 1))
    await anext(tail)
    await bus.append(events(1, 5))
    await tail.aclose()
    assert len(await bus.append(events(5, 20))) == 15


async def test_a_group_that_does_not_ack_is_waited_for() -> None:
    """A consumer that acks nothing is given no more than the limit, and then holds the log up."""
    bus = MemoryBus(wait_ms=20, ring=Ring(deltas_max=PENDING_MAX, bytes_max=2**25))
    group = await bus.group("g", "one", 0)
    for start in range(0, PENDING_MAX, 1_000):
        await bus.append(events(start, start + 1_000))
        assert len(await group.read(1_000, 0)) == 1_000
    await bus.append(events(PENDING_MAX, 2 * PENDING_MAX))
    assert await group.read(1_000, 0) == []
    with pytest.raises(BusUnavailable):
        await bus.append([event("x")])
    await group.ack([each.position for each in await group.reclaim(0, 10)])
    assert len(await group.read(1_000, 0)) == 10


async def test_one_loop_turn_makes_one_batch() -> None:
    """Appends without a pause between them reach a waiting tail together, in its next turn."""
    bus = MemoryBus()
    tail = bus.tail(0, None)
    waiting = asyncio.create_task(anext(tail))
    await asyncio.sleep(0)
    for number in range(5):
        await bus.append(events(number, number + 1))
    for _ in range(2):
        await asyncio.sleep(0)
    assert waiting.done()
    assert ids(waiting.result()) == ["e0", "e1", "e2", "e3", "e4"]


async def test_readers_share_one_object() -> None:
    """Every reader gets the same numbered delta, and what was appended is untouched."""
    bus = MemoryBus()
    given = event("a")
    await bus.append([given])
    one, two = [(await anext(bus.tail(0, None))).deltas[0] for _ in range(2)]
    assert one is two
    assert (given.number, one.number) == (0, 1)


async def test_a_long_rest_is_given_in_parts() -> None:
    """A reader that catches up gets batches of bounded size and lets others have their turn."""
    bus = MemoryBus()
    await bus.append(events(0, 1_200))
    tail = bus.tail(0, None)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert [len((await anext(tail)).deltas) for _ in range(3)] == [500, 500, 200]
    assert turns >= 2
    task.cancel()


async def test_an_id_is_forgotten_after_a_day() -> None:
    """An id counts as known for 24 h, and then is new again."""
    clock = Clock()
    bus = MemoryBus(clock=clock)
    await bus.append([event("a")])
    clock.now_ms += DEDUPE_MS - 1
    assert await bus.append([event("a")]) == [Receipt(1, True)]
    clock.now_ms += 1
    assert await bus.append([event("a")]) == [Receipt(2, False)]


def test_remembered_ids_are_bounded() -> None:
    """Beyond the limit the oldest ids are forgotten, the newest are kept."""
    seen = Seen(ids_max=100)
    for number in range(1_000):
        seen.add(event(f"e{number}"), number, now_ms=1)
    assert seen.get(event("e899"), 1) is None
    assert seen.get(event("e900"), 1) == 900


async def test_the_idle_are_counted_by_the_clock() -> None:
    """Others' deliveries change hands when the asked time has passed, not before."""
    clock = Clock()
    bus = MemoryBus(clock=clock)
    await bus.append(events(0, 1))
    one, two = [await bus.group("g", name, 0) for name in ("one", "two")]
    await one.read(1, 0)
    clock.now_ms += 999
    assert await two.reclaim(1_000, 1) == []
    clock.now_ms += 1
    assert len(await two.reclaim(1_000, 1)) == 1


async def test_every_start_is_an_epoch() -> None:
    """A log started later tells a position of an earlier one that it is lost."""
    clock = Clock()
    former = MemoryBus(clock=clock)
    await former.append(events(0, 1))
    position = await former.position(0)
    clock.now_ms += 1
    bus = MemoryBus(clock=clock)
    assert await bus.lineage(0) != await former.lineage(0)
    assert await bus.lineage(0) == "m" + base36(clock.now_ms)
    batch = await anext(bus.tail(0, position))
    assert (batch.lost, batch.deltas) == (True, [])


def test_base36_counts() -> None:
    """Digits go from 0 to z."""
    assert [base36(value) for value in (0, 35, 36, 1_700_000_000_000)] == [
        "0",
        "z",
        "10",
        "loyw3v28",
    ]


async def test_close_ends_a_waiting_append() -> None:
    """Who waits for room learns that the log was closed."""
    bus = small(wait_ms=5_000)
    tail = bus.tail(0, None)
    await bus.append(events(0, 1))
    await anext(tail)
    await bus.append(events(1, 5))
    waiting = asyncio.create_task(bus.append(events(5, 6)))
    await asyncio.sleep(0)
    await bus.close()
    with pytest.raises(BusClosed):
        await waiting


async def test_there_is_one_partition() -> None:
    """Another partition than 0 is a mistake of the program."""
    with pytest.raises(ValueError, match="one partition"):
        await MemoryBus().position(1)


async def test_what_cannot_be_packed_is_refused_whole() -> None:
    """A delta that no log could carry fails before anything of its batch is added."""
    bus = MemoryBus()
    with pytest.raises(InvalidDelta):
        await bus.append([event("a"), event("b", "\ud800")])
    assert await bus.append([event("c")]) == [Receipt(1, False)]


async def test_a_lease_lasts_for_its_term() -> None:
    """It counts from the last renewal, to the millisecond."""
    clock = Clock()
    bus = MemoryBus(clock=clock)
    assert await bus.lease("recorder", "one", 1_000)
    clock.now_ms += 999
    assert not await bus.lease("recorder", "two", 1_000)
    assert await bus.lease("recorder", "one", 1_000)
    clock.now_ms += 999
    assert not await bus.lease("recorder", "two", 1_000)
    clock.now_ms += 1
    assert await bus.lease("recorder", "two", 1_000)


async def test_a_listener_that_does_not_keep_up_is_told() -> None:
    """Its queue is bounded, and dropped with a word; one that keeps up hears everything."""
    bus = MemoryBus()
    slow, quick = bus.listen("a"), bus.listen("a")
    for listening in (slow, quick):
        assert await anext(listening) == SUBSCRIBED
    for number in range(SIGNALS_MAX + 1):
        await bus.publish("a", b"%d" % number)
        assert await anext(quick) == ("a", b"%d" % number)
    assert await anext(slow) == SUBSCRIBED
    assert await anext(slow) == ("a", b"%d" % SIGNALS_MAX)
    await bus.publish("a", b"next")
    assert await anext(slow) == ("a", b"next")


async def test_a_group_has_acked_what_every_one_of_its_consumers_has() -> None:
    """Up to a position, without a gap; a group that is not there has acked nothing."""
    bus = MemoryBus()
    await bus.append([event("e1"), event("e2"), event("e3")])
    end = await bus.position(0)
    assert not bus.has_acked("recorder", end)
    group = await bus.group("recorder", "one", 0)
    first, second, third = await group.read(10, 0)
    await group.ack([second.position, third.position])
    assert not bus.has_acked("recorder", end)
    await group.ack([first.position])
    assert bus.has_acked("recorder", end)
    await bus.append([event("e4")])
    assert bus.has_acked("recorder", end)
    assert not bus.has_acked("recorder", await bus.position(0))
