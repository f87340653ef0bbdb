"""The queue before the log: in order, bounded, patient for ten seconds and no longer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bus.errors import BusClosed
from ingest.errors import BusUnavailable, QueueFull
from ingest.limits import Limits
from ingest.publish import BATCH_DELTAS_MAX, Publisher
from session.delta import Event
from tests.ingest.calls import StuckBus, counted
from tests.ingest.reading import NOW, until


def event(name: str, session: str = "s", **fields: object) -> Event:
    """A hook event."""
    return Event(id=name, session=session, received_at=NOW, kind="prompt", fields=fields)


class Line:
    """A publisher at work over a log of the test's own."""

    def __init__(self, **limits: int) -> None:
        self.bus = StuckBus()
        self.publisher = Publisher(self.bus, Limits(**limits))
        self.task = asyncio.create_task(self.publisher.run())

    @property
    def ids(self) -> list[str]:
        """What the log has, in its order."""
        return [delta.id for delta in self.bus.taken]

    def offer(self, *names: str) -> list[asyncio.Future]:
        """Queue events by name."""
        return [self.publisher.offer(event(name)) for name in names]


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A publisher that must still be at work when the test is over."""
    made = Line()
    yield made
    assert not made.task.done(), made.task
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)


async def test_events_reach_the_log_in_the_order_of_their_arrival(line: Line) -> None:
    """However many there are at once, and each is told its number."""
    names = [f"e{at}" for at in range(3 * BATCH_DELTAS_MAX)]
    taken = line.offer(*names)
    receipts = await asyncio.gather(*taken)
    assert line.ids == names
    assert [each.number for each in receipts] == list(range(1, len(names) + 1))


async def test_the_order_outlives_a_log_that_is_away(line: Line) -> None:
    """What came first goes first, also behind what came while the log was away."""
    line.bus.refuses = True
    taken = line.offer("a", "b")
    await asyncio.sleep(0)
    taken += line.offer("c")
    line.bus.refuses = False
    await asyncio.gather(*taken)
    assert line.ids == ["a", "b", "c"]


async def test_an_event_that_is_late_is_appended_all_the_same(line: Line) -> None:
    """The route gave up waiting; the queue does not."""
    line.bus.open_gate.clear()
    taken = line.offer("a")[0]
    assert not (await asyncio.wait({taken}, timeout=0.02))[0]
    line.bus.open_gate.set()
    assert (await taken).number == 1
    assert line.ids == ["a"]


async def test_nobody_waiting_any_more_is_no_harm(line: Line) -> None:
    """A cancelled waiter does not cost its event, nor the events behind it."""
    line.bus.open_gate.clear()
    first, second = line.offer("a", "b")
    first.cancel()
    line.bus.open_gate.set()
    await second
    assert line.ids == ["a", "b"]


async def test_events_are_dropped_once_the_log_is_gone_for_too_long() -> None:
    """They are counted, their waiters are let go, and what comes later is taken again."""
    line, dropped = Line(bus_gone_ms=20), counted("hooks", "dropped")
    line.bus.refuses = True
    taken = line.offer("a", "b")
    await until(lambda: all(each.done() for each in taken))
    assert counted("hooks", "dropped") == dropped + 2
    line.bus.refuses = False
    await line.offer("c")[0]
    assert line.ids == ["c"]
    line.task.cancel()


async def test_a_full_queue_refuses_at_once() -> None:
    """Never an unbounded queue; room comes back with the log."""
    line = Line(queue_deltas_max=3)
    line.bus.open_gate.clear()
    taken = line.offer("a", "b", "c")
    with pytest.raises(QueueFull):
        line.offer("d")
    line.bus.open_gate.set()
    await asyncio.gather(*taken)
    await line.offer("d")[0]
    assert line.ids == ["a", "b", "c", "d"]
    line.task.cancel()


async def test_a_batch_for_the_log_is_taken_or_refused_whole(line: Line) -> None:
    """Whoever waits for the log learns at once that it is away."""
    receipts = await line.publisher.append([event("a"), event("b"), event("a")])
    assert [each.duplicate for each in receipts] == [False, False, True]
    line.bus.refuses = True
    with pytest.raises(BusUnavailable, match="it is away"):
        await line.publisher.append([event("c")])
    assert line.ids == ["a", "b", "a"]


async def test_a_closed_log_is_unavailable(line: Line) -> None:
    """Every error of the bus is one that the routes know."""
    await line.bus.close()
    with pytest.raises(BusUnavailable):
        await line.publisher.append([event("a")])
    with pytest.raises(BusClosed):
        await line.bus.append([event("a")])


async def test_an_event_that_cannot_be_packed_harms_no_neighbour(line: Line) -> None:
    """JSON knows numbers that the log's encoding does not; the queue goes on without it."""
    bad = line.publisher.offer(event("bad", count=10**30))
    good = line.offer("good")[0]
    await until(lambda: line.task.done() or (bad.done() and good.done()))
    assert not line.task.done()
    assert line.ids == ["good"]
