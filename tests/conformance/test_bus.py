"""What every log keeps, whichever engine it runs on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bus.base import Batch, Bus, Checkpoint, Delivery, Group, Receipt, partition_of
from bus.errors import BusClosed, BusUnavailable
from bus.position import ordinal_of
from session.delta import Delta, Entry, Event, Report

SESSION = "s-1"
DEADLINE_SECONDS = 5
REDIS_ENGINES = ["fakeredis", pytest.param("redis", marks=pytest.mark.redis_server)]
Spoil = Callable[[int, dict[str, bytes]], Awaitable[None]]


def event(delta_id: str, session: str = SESSION, workspace: str = "default") -> Event:
    """A small delta."""
    return Event(
        id=delta_id, session=session, workspace=workspace, kind="note", received_at=1,
        fields={"text": delta_id},
    )  # fmt: skip


def events(start: int, stop: int) -> list[Delta]:
    """Some of them, of one session."""
    return [event(f"e{number}") for number in range(start, stop)]


def partition(bus: Bus, session: str = SESSION) -> int:
    """Where a session lies."""
    return partition_of("default", session, bus.partitions)


async def next_batch(tail: AsyncIterator[Batch]) -> Batch:
    """The next one, which must come soon."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(tail)


async def read_all(tail: AsyncIterator[Batch], count: int) -> list[Delta]:
    """So many deltas, in as many batches as they take."""
    found: list[Delta] = []
    while len(found) < count:
        found += (await next_batch(tail)).deltas
    return found


async def read_group(group: Group, count: int) -> list[Delivery]:
    """So many deliveries of a group."""
    found: list[Delivery] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(found) < count:
            found += await group.read(count - len(found), 1_000)
    return found


def ids(found: list[Delta] | list[Delivery]) -> list[str]:
    """Their ids."""
    return [each.delta.id if isinstance(each, Delivery) else each.id for each in found]


async def test_numbers_are_dense_per_session(bus: Bus) -> None:
    """Each session counts from 1, in each workspace for itself."""
    deltas = [
        event("a"),
        event("b", "s-2"),
        event("c"),
        event("d", workspace="other"),
        event("e", "s-2"),
    ]
    assert [each.number for each in await bus.append(deltas)] == [1, 1, 2, 1, 2]
    assert await bus.append([event("f")]) == [Receipt(3, duplicate=False)]


async def test_an_id_is_taken_once(bus: Bus) -> None:
    """The same id gives its first receipt again and makes no second entry."""
    first = await bus.append([event("a"), event("b"), event("a")])
    assert first == [Receipt(1, False), Receipt(2, False), Receipt(1, True)]
    assert await bus.append([event("b"), event("c")]) == [Receipt(2, True), Receipt(3, False)]
    assert ids(await read_all(bus.tail(partition(bus), None), 3)) == ["a", "b", "c"]
    assert ordinal_of(await bus.position(partition(bus))) == 3


async def test_an_id_counts_within_its_session(bus: Bus) -> None:
    """Two sessions, or two workspaces, cannot take an id away from each other."""
    deltas = [event("a"), event("a", "s-2"), event("a", workspace="other")]
    assert await bus.append(deltas) == [Receipt(1, False)] * 3


async def test_order_and_content_are_kept(bus: Bus) -> None:
    """What is read is what was appended, in its order, with its number."""
    report = Report(
        id="r", session=SESSION, received_at=2, at=1, from_=10, to=20, values={"title": "Grüße"},
        entries=[Entry(id="e", kind="prompt", text="日本語 🦊 \x00 \n", offset=15)],
    )  # fmt: skip
    await bus.append([event("a"), report])
    found = await read_all(bus.tail(partition(bus), None), 2)
    assert [delta.number for delta in found] == [1, 2]
    assert isinstance(found[1], Report)
    assert found[1].entries == report.entries
    assert found[1].values == report.values
    assert (found[1].from_, found[1].to, found[1].at) == (10, 20, 1)


async def test_names_of_any_script_are_kept_apart(bus: Bus) -> None:
    """Sessions and ids may hold colons, percent signs and any letter."""
    strange = [event("b", "a:1"), event("1:b", "a"), event("b", "a%3A1"), event("ö\n{0}", "ß")]
    for delta in strange:
        assert await bus.append([delta]) == [Receipt(1, False)]
        found = await read_all(bus.tail(partition(bus, delta.session), None), 1)
        assert delta.id in ids(found)


async def test_every_tail_sees_all(bus: Bus) -> None:
    """Two tails read the same, the old and the new."""
    await bus.append(events(0, 3))
    tails = [bus.tail(partition(bus), None) for _ in range(2)]
    for tail in tails:
        assert ids(await read_all(tail, 3)) == ["e0", "e1", "e2"]
    await bus.append(events(3, 5))
    for tail in tails:
        assert ids(await read_all(tail, 2)) == ["e3", "e4"]


async def test_a_tail_begins_behind_its_position(bus: Bus) -> None:
    """A batch's position, and the log's, is the place to go on from."""
    await bus.append(events(0, 2))
    first = await next_batch(bus.tail(partition(bus), None))
    await bus.append(events(2, 4))
    resumed = await next_batch(bus.tail(partition(bus), first.position))
    assert (ids(resumed.deltas), resumed.lost) == (["e2", "e3"], False)
    assert resumed.epoch == first.epoch == await bus.lineage(partition(bus))
    late = bus.tail(partition(bus), await bus.position(partition(bus)))
    assert resumed.position == await bus.position(partition(bus))
    waiting = asyncio.create_task(next_batch(late))
    await asyncio.sleep(0.01)
    await bus.append(events(4, 5))
    assert ids((await waiting).deltas) == ["e4"]


async def test_what_lies_behind_a_position_can_be_read_again(bus: Bus) -> None:
    """As a group would give it, though to nobody; and what survived is the position itself."""
    await bus.append(events(0, 2))
    place = await bus.position(partition(bus))
    await bus.append(events(2, 6))
    found = await bus.behind(partition(bus), place, 3)
    assert ids(found) == ["e2", "e3", "e4"]
    assert ids(await bus.behind(partition(bus), found[-1].position, 3)) == ["e5"]
    given = await read_group(await bus.group("readers", "one", partition(bus)), 6)
    assert found == given[2:5]
    assert await bus.behind(partition(bus), given[-1].position, 3) == []
    assert await bus.survived(partition(bus), place) == place
    assert await bus.survived(partition(bus), "another:1:1-1") is None


async def test_a_waiting_tail_is_woken(bus: Bus) -> None:
    """A tail of an empty log gives what is appended afterwards, and nothing before."""
    waiting = asyncio.create_task(next_batch(bus.tail(partition(bus), None)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await bus.append([event("a")])
    batch = await waiting
    assert (ids(batch.deltas), batch.lost, batch.poison) == (["a"], False, 0)


async def test_a_tail_of_trimmed_entries_says_lost(bus: Bus) -> None:
    """Whoever has not read what was trimmed learns it; whoever has, does not."""
    await bus.append(events(0, 2))
    start = (await next_batch(bus.tail(partition(bus), None))).position
    await bus.append(events(2, 4))
    middle = await bus.position(partition(bus))
    await bus.append(events(4, 6))
    assert await bus.trim(partition(bus), middle) == 4
    behind = await next_batch(bus.tail(partition(bus), start))
    assert (behind.lost, ids(behind.deltas)) == (True, ["e4", "e5"])
    at_edge = await next_batch(bus.tail(partition(bus), middle))
    assert (at_edge.lost, ids(at_edge.deltas)) == (False, ["e4", "e5"])
    fresh = await next_batch(bus.tail(partition(bus), None))
    assert (fresh.lost, ids(fresh.deltas)) == (False, ["e4", "e5"])


async def test_everything_unread_may_be_trimmed(bus: Bus) -> None:
    """A tail before an empty rest is told of the loss at once, and then goes on."""
    await bus.append(events(0, 2))
    start = (await next_batch(bus.tail(partition(bus), None))).position
    await bus.append(events(2, 4))
    assert await bus.trim(partition(bus), await bus.position(partition(bus))) == 4
    tail = bus.tail(partition(bus), start)
    lost = await next_batch(tail)
    assert (lost.lost, lost.deltas) == (True, [])
    assert lost.position == await bus.position(partition(bus))
    await bus.append(events(4, 5))
    after = await next_batch(tail)
    assert (after.lost, ids(after.deltas)) == (False, ["e4"])


async def test_a_foreign_position_is_lost(bus: Bus) -> None:
    """A position of another lineage, in the future or of no sense never waits in silence."""
    await bus.append(events(0, 2))
    present = await bus.position(partition(bus))
    epoch, _, place = present.split(":")
    for position in (f"{epoch}x:1:{place}", f"{epoch}:99:{place}", "nonsense", ""):
        batch = await next_batch(bus.tail(partition(bus), position))
        assert (batch.lost, ids(batch.deltas)) == (True, ["e0", "e1"])
        assert await bus.trim(partition(bus), position) == 0


async def test_trimming_twice_is_harmless(bus: Bus) -> None:
    """The second time there is nothing left to drop, and numbers go on."""
    await bus.append(events(0, 3))
    position = await bus.position(partition(bus))
    assert await bus.trim(partition(bus), position) == 3
    assert await bus.trim(partition(bus), position) == 0
    assert await bus.append([event("x")]) == [Receipt(4, False)]
    assert await bus.append([event("e0")]) == [Receipt(1, True)]


async def test_a_group_gives_each_delta_to_one_consumer(bus: Bus) -> None:
    """Two consumers share what was there before them and what comes later."""
    await bus.append(events(0, 2))
    one, two = [await bus.group("g", name, partition(bus)) for name in ("one", "two")]
    first = await read_group(one, 1)
    await bus.append(events(2, 4))
    rest = await read_group(two, 3)
    assert ids(first) + ids(rest) == ["e0", "e1", "e2", "e3"]
    assert [each.delta.number for each in first + rest] == [1, 2, 3, 4]
    assert await one.read(10, 0) == []
    other = await bus.group("h", "one", partition(bus))
    assert len(await read_group(other, 4)) == 4


async def test_a_group_waits_for_its_first_delta(bus: Bus) -> None:
    """A read that waits ends with the first delta, or empty after its time."""
    group = await bus.group("g", "one", partition(bus))
    assert await group.read(1, 20) == []
    waiting = asyncio.create_task(read_group(group, 1))
    await asyncio.sleep(0.02)
    await bus.append([event("a")])
    assert ids(await waiting) == ["a"]


async def test_what_is_not_acked_is_reclaimed(bus: Bus) -> None:
    """A consumer gets its own again at once, and never what was acked."""
    await bus.append(events(0, 3))
    group = await bus.group("g", "one", partition(bus))
    given = await read_group(group, 3)
    await group.ack([given[1].position])
    again = await bus.group("g", "one", partition(bus))
    assert ids(await again.reclaim(60_000, 10)) == ["e0", "e2"]
    assert ids(await again.reclaim(60_000, 1)) == ["e0"]
    await again.ack([given[0].position, given[2].position])
    await again.ack([given[0].position])
    assert await again.reclaim(0, 10) == []


async def test_the_idle_of_others_is_reclaimed(bus: Bus) -> None:
    """What another consumer left lying for long enough changes hands, for good."""
    await bus.append(events(0, 3))
    one, two = [await bus.group("g", name, partition(bus)) for name in ("one", "two")]
    await read_group(one, 2)
    await read_group(two, 1)
    assert ids(await two.reclaim(60_000, 10)) == ["e2"]
    assert sorted(ids(await two.reclaim(0, 10))) == ["e0", "e1", "e2"]
    assert await one.reclaim(60_000, 10) == []
    assert ids(await two.reclaim(60_000, 10)) == ["e0", "e1", "e2"]


async def test_a_checkpoint_is_kept(bus: Bus) -> None:
    """The last one saved is loaded, byte for byte, and its position is a place to go on from."""
    where = partition(bus)
    assert await bus.load_checkpoint(where) is None
    await bus.append(events(0, 2))
    saved = [Checkpoint(await bus.lineage(where), await bus.position(where), b"\x00\xffone")]
    await bus.save_checkpoint(where, saved[0])
    await bus.append(events(2, 3))
    saved.append(Checkpoint(saved[0].epoch, await bus.position(where), bytes(range(256)) * 999))
    for checkpoint in reversed(saved):  # the older one comes too late
        await bus.save_checkpoint(where, checkpoint)
        assert await bus.load_checkpoint(where) == saved[1]
    await bus.append(events(3, 4))
    batch = await next_batch(bus.tail(where, saved[1].position))
    assert (ids(batch.deltas), batch.lost) == (["e3"], False)


async def test_a_checkpoint_of_another_log_is_refused(bus: Bus) -> None:
    """A state that contains what this log never held is not stored."""
    where = partition(bus)
    await bus.append(events(0, 2))
    epoch, _, place = (await bus.position(where)).split(":")
    for position in (f"{epoch}x:1:{place}", f"{epoch}:3:{place}"):
        with pytest.raises(BusUnavailable):
            await bus.save_checkpoint(where, Checkpoint(epoch, position, b"x"))
    assert await bus.load_checkpoint(where) is None


async def test_a_position_tells_the_lag(bus: Bus) -> None:
    """Positions of one epoch count the entries between them."""
    where = partition(bus)
    assert ordinal_of(await bus.position(where)) == 0
    await bus.append(events(0, 5))
    batch = await next_batch(bus.tail(where, None))
    await bus.append(events(5, 8))
    assert ordinal_of(await bus.position(where)) - ordinal_of(batch.position) == 3


async def test_concurrent_appends_stay_dense(bus: Bus) -> None:
    """Many appends of one session at once make each number once, and each keeps its own order."""
    asked = [bus.append(events(start, start + 5)) for start in range(0, 200, 5)]
    receipts = await asyncio.gather(*asked)
    assert sorted(each.number for part in receipts for each in part) == list(range(1, 201))
    for part in receipts:
        assert [each.number for each in part] == sorted(each.number for each in part)
    found = await read_all(bus.tail(partition(bus), None), 200)
    assert [delta.number for delta in found] == list(range(1, 201))


async def test_a_big_batch_is_taken_whole(bus: Bus) -> None:
    """Thousands of deltas of many sessions in one append all have their receipts in order."""
    sessions = [f"s-{number % 7}" for number in range(3_000)]
    deltas: list[Delta] = [event(f"e{n}", session) for n, session in enumerate(sessions)]
    receipts = await bus.append(deltas)
    assert receipts == [Receipt(n // 7 + 1, False) for n in range(3_000)]
    assert await bus.append(deltas) == [Receipt(each.number, True) for each in receipts]
    assert await bus.append([]) == []


async def test_a_large_delta_goes_through(bus: Bus) -> None:
    """A delta of 256 KiB and many of them are read as they were written."""
    deltas: list[Delta] = [
        Event(id=f"e{n}", session=SESSION, received_at=1, kind="x", fields={"t": "ü" * 131_072})
        for n in range(20)
    ]
    await bus.append(deltas)
    found = await read_all(bus.tail(partition(bus), None), 20)
    assert [delta.id for delta in found] == [delta.id for delta in deltas]
    assert found[19].fields == deltas[19].fields  # type: ignore[union-attr]


@pytest.mark.parametrize("engine", REDIS_ENGINES, indirect=True)
async def test_poison_hurts_nobody_else(bus: Bus, spoil: Spoil) -> None:
    """Foreign bytes are passed over and counted; their neighbours arrive, and nothing is lost."""
    where = partition(bus)
    group = await bus.group("g", "one", where)
    await bus.append([event("a")])
    await spoil(where, {"x": b"y"})
    await spoil(where, {"o": b"2", "n": b"\xff", "e": b"\xff", "d": b"\xc1"})
    await bus.append([event("b")])
    tail = bus.tail(where, None)
    batch = await next_batch(tail)
    assert (ids(batch.deltas), batch.poison, batch.lost) == (["a", "b"], 2, False)
    assert ids(await read_group(group, 2)) == ["a", "b"]
    assert len(await group.reclaim(0, 10)) == 2
    await spoil(where, {"x": b"y"})
    waiting = asyncio.create_task(next_batch(tail))
    await asyncio.sleep(0.05)
    await bus.append([event("c")])
    batch = await waiting
    assert (ids(batch.deltas), batch.poison, batch.lost) == (["c"], 1, False)


async def test_an_empty_log_has_room_at_once(bus: Bus) -> None:
    """Nobody who has much to append waits for nothing."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        await bus.room()
        await bus.append(events(0, 3))
        await bus.room()


async def test_a_closed_log_refuses(bus: Bus) -> None:
    """After close a waiting tail has ended and nothing is taken any more."""
    tail = bus.tail(partition(bus), None)
    waiting = asyncio.create_task(anext(tail, None))  # type: ignore[arg-type]
    await asyncio.sleep(0.02)
    await bus.close()
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await waiting is None
    with pytest.raises(BusClosed):
        await bus.append([event("a")])
