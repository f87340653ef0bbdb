"""What a real Redis may do to the log, and what the log makes of it."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterable

import pytest
from redis.asyncio.connection import Connection

from bus import keys
from bus.base import Batch, Receipt
from bus.errors import BusUnavailable
from bus.position import ordinal_of
from bus.redis import RedisBus
from session.delta import Delta, Event

pytestmark = pytest.mark.redis_server

DEADLINE_SECONDS = 8
STREAM = keys.deltas(0)


def event(delta_id: str) -> Event:
    """A small delta."""
    return Event(id=delta_id, session="s", kind="note", received_at=1)


def events(start: int, stop: int) -> list[Delta]:
    """Some of them."""
    return [event(f"e{number}") for number in range(start, stop)]


def ids(batch: Batch) -> list[str]:
    """What is in it."""
    return [delta.id for delta in batch.deltas]


async def next_batch(tail: AsyncIterator[Batch]) -> Batch:
    """The next one, which must come before the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(tail)


async def append_soon(bus: RedisBus, deltas: list[Delta]) -> list[Receipt]:
    """Append as ingest does: again with the same ids until the log is back."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                return await bus.append(deltas)
            except BusUnavailable:
                continue


@pytest.mark.parametrize("times", [1, 3])
async def test_a_lost_reply_makes_no_second_entry(wired: RedisBus, wire, times: int) -> None:
    """However often the reply is lost after the append, there is one entry with its number."""
    await wired.append(events(0, 2))
    wire.lose_marked, wire.lose_count = b"the-lost-one", times
    receipts = await wired.append([event("the-lost-one")])
    assert [receipt.number for receipt in receipts] == [3]
    assert wire.lost == times
    assert ordinal_of(await wired.position(0)) == 3
    assert ids(await next_batch(wired.tail(0, None))) == ["e0", "e1", "the-lost-one"]


async def test_replies_lost_for_ever_are_an_error_in_time(wired: RedisBus, wire) -> None:
    """When no reply comes through the caller learns it in 3 s, and may append again later."""
    wire.lose_marked, wire.lose_count = b"the-lost-one", 1_000
    started = time.monotonic()
    with pytest.raises(BusUnavailable):
        await wired.append([event("the-lost-one")])
    assert 2.5 < time.monotonic() - started < 3.5
    wire.lose_count = 0
    assert await wired.append([event("the-lost-one")]) == [Receipt(1, duplicate=True)]
    assert ordinal_of(await wired.position(0)) == 1


async def test_a_hung_server_is_an_error_in_time(bus: RedisBus, server) -> None:
    """A server that answers nothing costs 3 s, and what it does later is not done twice."""
    await bus.append(events(0, 1))
    with server.hung():
        started = time.monotonic()
        asked = [bus.append([event(name)]) for name in ("a", "b")]
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(answer, BusUnavailable)
        with pytest.raises(BusUnavailable):
            await bus.lineage(0)
        assert time.monotonic() - started < 6.6
    receipts = await append_soon(bus, [event("a"), event("b")])
    assert sorted(receipt.number for receipt in receipts) == [2, 3]
    assert len(ids(await next_batch(bus.tail(0, None)))) == 3


async def test_a_refused_connection_is_an_error_in_time(bus: RedisBus, server) -> None:
    """A server that is gone costs 3 s at most."""
    server.kill()
    started = time.monotonic()
    with pytest.raises(BusUnavailable):
        await bus.append(events(0, 1))
    assert time.monotonic() - started < 3.5


async def test_a_server_restarted_empty_is_another_lineage(bus: RedisBus, server) -> None:
    """What was acknowledged is gone, and a waiting tail says so."""
    await bus.append(events(0, 3))
    tail = bus.tail(0, None)
    before = await next_batch(tail)
    server.kill()
    server.start()
    lost = await next_batch(tail)
    assert (lost.lost, lost.deltas) == (True, [])
    assert lost.epoch != before.epoch
    assert await append_soon(bus, events(0, 1)) == [Receipt(1, duplicate=False)]
    after = await next_batch(tail)
    assert (ids(after), after.lost, after.epoch) == (["e0"], False, lost.epoch)


async def test_a_server_that_kept_all_loses_nothing(kept: RedisBus, durable) -> None:
    """After a restart with everything there is a new epoch, and positions and ids still hold."""
    await kept.append(events(0, 3))
    tail = kept.tail(0, None)
    before = await next_batch(tail)
    waiting = asyncio.create_task(next_batch(tail))
    durable.kill()
    durable.start()
    news = await waiting
    assert (news.lost, news.deltas) == (False, [])
    assert news.epoch != before.epoch
    receipts = await append_soon(kept, events(2, 5))
    assert receipts == [Receipt(3, True), Receipt(4, False), Receipt(5, False)]
    assert ids(await next_batch(tail)) == ["e3", "e4"]
    resumed = await next_batch(kept.tail(0, before.position))
    assert (ids(resumed), resumed.lost, resumed.epoch) == (["e3", "e4"], False, news.epoch)


async def test_a_lost_end_of_the_log_is_told(kept: RedisBus, durable) -> None:
    """Whoever has read entries that a restart lost begins anew; whoever has not goes on."""
    await kept.append(events(0, 3))
    survived = await next_batch(kept.tail(0, None))
    shutil.copytree(durable.folder / "appendonlydir", durable.folder / "copy")
    tail = kept.tail(0, None)
    await kept.append(events(3, 6))
    phantom = await next_batch(tail)
    assert len(phantom.deltas) == 6
    durable.kill()
    shutil.rmtree(durable.folder / "appendonlydir")
    shutil.copytree(durable.folder / "copy", durable.folder / "appendonlydir")
    durable.start()
    anew = await next_batch(tail)
    assert (anew.lost, ids(anew)) == (True, ["e0", "e1", "e2"])
    assert anew.epoch != phantom.epoch
    for place, left in ((phantom, survived.position), (survived, survived.position)):
        assert await kept.survived(0, place.position) == left
    assert await kept.survived(0, "another:1:1-1") is None
    assert await append_soon(kept, events(9, 10)) == [Receipt(4, False)]
    assert ids(await next_batch(tail)) == ["e9"]
    resumed = await next_batch(kept.tail(0, survived.position))
    assert (ids(resumed), resumed.lost, resumed.epoch) == (["e9"], False, anew.epoch)
    late = await next_batch(kept.tail(0, phantom.position))
    assert (ids(late), late.lost) == (["e0", "e1", "e2", "e9"], True)


async def test_a_failover_behind_a_living_connection_is_seen(bus: RedisBus, server) -> None:
    """The epoch follows the server's replication id though no connection was lost."""
    await bus.append(events(0, 1))
    tail = bus.tail(0, None)
    before = await next_batch(tail)
    assert server.ask("DEBUG", "CHANGE-REPL-ID").startswith("+OK")
    assert await bus.append(events(1, 2)) == [Receipt(2, False)]
    after = await next_batch(tail)
    while not after.deltas:
        after = await next_batch(tail)
    assert (ids(after), after.lost) == (["e1"], False)
    assert after.epoch == await bus.lineage(0) != before.epoch


@pytest.mark.parametrize(
    "command", [("DEL", STREAM), ("FLUSHALL",), ("XTRIM", STREAM, "MAXLEN", "0")]
)
async def test_a_deleted_stream_holds_nobody_up(bus: RedisBus, server, command) -> None:
    """A tail is told of the loss and goes on with what comes next, within seconds."""
    await bus.append(events(0, 2))
    tail = bus.tail(0, None)
    await next_batch(tail)
    await bus.append(events(2, 4))  # which the tail has not read
    server.ask(*command)
    lost = await next_batch(tail)
    assert (lost.lost, lost.deltas) == (True, [])
    await bus.append([event("x")])
    after = await next_batch(tail)
    assert (ids(after), after.lost) == (["x"], False)


async def test_a_position_in_the_future_holds_nobody_up(bus: RedisBus, server) -> None:
    """A tail that a foreign entry has led into the future comes back when the stream is new."""
    await bus.append(events(0, 1))
    server.ask("XADD", STREAM, "99999999999999-1", "foreign", "entry")
    tail = bus.tail(0, None)
    assert (await next_batch(tail)).poison == 1
    server.ask("DEL", STREAM)
    server.ask("XADD", STREAM, "1-1", "foreign", "entry")
    await bus.append([event("x")])
    lost = await next_batch(tail)
    assert lost.lost
    await bus.append([event("y")])
    assert ids(await next_batch(tail)) == ["y"]


async def test_a_lost_reply_costs_a_group_nothing(wired: RedisBus, wire) -> None:
    """What a lost reply held is given by the next read, before anything newer."""
    await wired.append(events(0, 2))
    group = await wired.group("g", "one", 0)
    wire.lose_marked, wire.lose_count = b"XREADGROUP", 1
    with pytest.raises(BusUnavailable):
        await group.read(1, 1_000)
    found = [each.delta.id for _ in range(3) for each in await group.read(1, 0)]
    assert found == ["e0", "e1"]


async def test_a_group_survives_a_deleted_stream(bus: RedisBus, server) -> None:
    """The group is made again, and gets what comes next."""
    group = await bus.group("g", "one", 0)
    server.ask("DEL", STREAM)
    await bus.append(events(0, 1))
    with pytest.raises(BusUnavailable):
        await group.read(1, 0)
    assert [each.delta.id for each in await group.read(1, 1_000)] == ["e0"]


async def test_pending_entries_that_were_trimmed_are_counted(bus: RedisBus) -> None:
    """What was trimmed before it was acked is not given again for ever, but counted."""
    await bus.append(events(0, 4))
    one, two = [await bus.group("g", name, 0) for name in ("one", "two")]
    await one.read(2, 0)
    await two.read(1, 0)
    await bus.trim(0, await bus.position(0))
    assert await one.reclaim(0, 10) == []
    assert (one.poison, one.gone) == (0, 3)
    assert await two.reclaim(0, 10) == []


async def test_a_full_server_refuses_at_once(bus: RedisBus, server) -> None:
    """Out of memory is an error without delay, and leaves no hole in the numbers."""
    await bus.append(events(0, 1))
    server.ask("CONFIG", "SET", "maxmemory", "1")
    started = time.monotonic()
    with pytest.raises(BusUnavailable):
        await bus.append(events(1, 3))
    assert time.monotonic() - started < 1
    server.ask("CONFIG", "SET", "maxmemory", "0")
    assert await bus.append(events(1, 3)) == [Receipt(2, False), Receipt(3, False)]


async def test_the_safety_limit_raises_an_alarm(server, caplog: pytest.LogCaptureFixture) -> None:
    """When nobody trims, the oldest go, which is logged and which a tail is told."""
    bus = RedisBus(server.url, partitions=1, stream_max=100)
    await bus.open()
    await bus.append(events(0, 1))
    start = (await next_batch(bus.tail(0, None))).position
    await bus.append(events(1, 1_000))
    assert "safety limit" in caplog.text
    batch = await next_batch(bus.tail(0, start))
    assert batch.lost
    assert len(batch.deltas) < 300
    await bus.close()


async def test_a_log_that_is_not_there_cannot_be_opened(server) -> None:
    """Opening fails in time, with an error that says why."""
    server.kill()
    bus = RedisBus(server.url, partitions=1)
    with pytest.raises(BusUnavailable, match="Redis does not answer"):
        await bus.open()
    await bus.close()


async def test_a_cancelled_append_holds_nobody_up(bus: RedisBus, server) -> None:
    """Who waits behind an append whose caller has gone still gets its receipts."""
    with server.hung():
        gone = asyncio.create_task(bus.append(events(0, 1)))
        stays = asyncio.create_task(bus.append(events(1, 2)))
        await asyncio.sleep(0.05)
        gone.cancel()
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert [each.number for each in await stays] == [2]
    assert gone.cancelled()


async def test_a_connection_that_is_closed_under_a_command_ends_nobody(
    bus: RedisBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop says so by a RuntimeError: writers and readers come anew, as after any other end."""
    await bus.append(events(0, 1))
    for client in (bus._calls.writer, bus._calls.reader):
        real, left = client.execute_command, [1]

        async def once(*args: object, real=real, left=left) -> object:
            if left:
                left.pop()
                raise RuntimeError("unable to perform operation; the handler is closed")
            return await real(*args)

        monkeypatch.setattr(client, "execute_command", once)
    assert ids(await next_batch(bus.tail(0, None))) == ["e0"]
    assert await bus.append(events(1, 2)) == [Receipt(2, False)]


async def test_a_connection_that_is_let_go_of_while_it_connects_ends_nobody(
    bus: RedisBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a Cluster does that finds its nodes anew; redis-py has an AttributeError then."""
    real, times = Connection._send_packed_command, [2]

    async def let_go(self: Connection, command: Iterable[bytes]) -> None:
        if times[0]:
            times[0] -= 1
            await self.disconnect(nowait=True)
        await real(self, command)

    monkeypatch.setattr(Connection, "_send_packed_command", let_go)
    assert await bus.append(events(0, 1)) == [Receipt(1, False)]
    assert ids(await next_batch(bus.tail(0, None))) == ["e0"]
    assert times == [0]
