"""The log behind a Sentinel, and in a Cluster."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.base import Batch, Checkpoint, Receipt, partition_of
from bus.errors import BusUnavailable
from bus.redis import RedisBus
from bus.shared import SUBSCRIBED, Signal
from session.delta import Delta, Event

pytestmark = pytest.mark.redis_server

DEADLINE_SECONDS = 20
LONG_MS = 60_000


def events(start: int, stop: int, sessions: int = 1) -> list[Delta]:
    """Some deltas."""
    return [
        Event(id=f"e{number}", session=f"s-{number % sessions}", kind="note", received_at=1)
        for number in range(start, stop)
    ]


async def next_batch(tail: AsyncIterator[Batch]) -> Batch:
    """The next one, which must come before the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(tail)


def wait_until(server, words: tuple[str, ...], said: str) -> None:
    """Ask until the server says so."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while said not in server.ask(*words):
        assert time.monotonic() < deadline, f"{words}: never {said}"
        time.sleep(0.02)


async def hear(listening: AsyncIterator[Signal]) -> Signal:
    """The next one, which must come before the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(listening)


async def append_soon(bus: RedisBus, deltas: list[Delta]) -> list[Receipt]:
    """Append as ingest does: again with the same ids until the log is back."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            with contextlib.suppress(BusUnavailable):
                return await bus.append(deltas)


@pytest.mark.parametrize("servers", [[("--cluster-enabled", "yes")]], indirect=True)
async def test_a_cluster_carries_the_log(servers) -> None:
    """Every partition is written, read, grouped, trimmed and stored in its own slot."""
    node = servers[0]
    assert node.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383").startswith("+OK")
    wait_until(node, ("CLUSTER", "INFO"), "cluster_state:ok")
    bus = RedisBus(f"redis+cluster://127.0.0.1:{node.port}", partitions=4)
    await bus.open()
    receipts = await bus.append(events(0, 40, sessions=20))
    assert receipts == [Receipt(number // 20 + 1, False) for number in range(40)]
    assert all(receipt.duplicate for receipt in await bus.append(events(0, 40, sessions=20)))
    for partition in range(4):
        expected = [
            each.id
            for each in events(0, 40, sessions=20)
            if partition_of(each.workspace, each.session, 4) == partition
        ]
        batch = await next_batch(bus.tail(partition, None))
        assert [delta.id for delta in batch.deltas] == expected
        group = await bus.group("g", "one", partition)
        given = await group.read(100, 0)
        assert len(given) == len(await group.reclaim(0, 100)) == len(expected)
        await group.ack([each.position for each in given])
        saved = Checkpoint(batch.epoch, batch.position, b"state")
        await bus.save_checkpoint(partition, saved)
        assert await bus.load_checkpoint(partition) == saved
        assert await bus.trim(partition, batch.position) == len(expected)
    await bus.close()


@pytest.mark.parametrize("servers", [[("--cluster-enabled", "yes")] * 2], indirect=True)
async def test_a_cluster_shares(servers) -> None:
    """Leases, secrets and signals are the same at every node, and a cut listener comes back."""
    nodes = [(servers[0], "0", "8191"), (servers[1], "8192", "16383")]
    for node, first, last in nodes:
        assert node.ask("CLUSTER", "ADDSLOTSRANGE", first, last).startswith("+OK")
    assert servers[0].ask("CLUSTER", "MEET", "127.0.0.1", str(servers[1].port)).startswith("+OK")
    for node in servers:
        wait_until(node, ("CLUSTER", "INFO"), "cluster_slots_ok:16384")
        wait_until(node, ("CLUSTER", "INFO"), "cluster_state:ok")
    one, two = [
        RedisBus(f"redis+cluster://127.0.0.1:{node.port}", partitions=4) for node in servers
    ]
    assert await one.lease("recorder", "one", LONG_MS)
    assert not await two.lease("recorder", "two", LONG_MS)
    await one.release("recorder", "one")
    assert await two.lease("recorder", "two", LONG_MS)
    assert await one.secret("cookies", "a") == await two.secret("cookies", "b") == "a"
    ears = [bus.listen("presence") for bus in (one, two) for _ in range(4)]
    for number, bus in enumerate((one, two)):
        for ear in ears:
            assert await hear(ear) == SUBSCRIBED
        await bus.publish("presence", b"%d" % number)
        for ear in ears:
            assert await hear(ear) == ("presence", b"%d" % number)
        for node in servers:
            node.ask("CLIENT", "KILL", "TYPE", "pubsub")
    for bus in (one, two):
        await bus.close()


@pytest.mark.parametrize(
    "servers", [[("--cluster-enabled", "yes", "--appendonly", "yes")]], indirect=True
)
async def test_a_cluster_that_was_away_is_found_again(servers) -> None:
    """While no node is there an append is an error in time; tails and listeners come back."""
    node = servers[0]
    assert node.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383").startswith("+OK")
    wait_until(node, ("CLUSTER", "INFO"), "cluster_state:ok")
    bus = RedisBus(f"redis+cluster://127.0.0.1:{node.port}", partitions=1)
    await bus.append(events(0, 1))
    tail, listening = bus.tail(0, None), bus.listen("presence")
    assert len((await next_batch(tail)).deltas) == 1
    assert await hear(listening) == SUBSCRIBED
    reading, hearing = [asyncio.create_task(anext(each)) for each in (tail, listening)]
    group = await bus.group("g", "one", 0)
    node.kill()
    for asked in (bus.append(events(1, 2)), bus.publish("presence", b""), group.read(1, 1_000)):
        with pytest.raises(BusUnavailable):
            await asked
    node.start()
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await hearing == SUBSCRIBED
    assert await append_soon(bus, events(1, 2)) == [Receipt(2, False)]
    async with asyncio.timeout(DEADLINE_SECONDS):
        batch = await reading
    while not batch.deltas:
        batch = await next_batch(tail)
    assert [delta.id for delta in batch.deltas] == ["e1"]
    await bus.close()


@pytest.mark.parametrize("servers", [[(), ()]], indirect=True)
async def test_a_failover_is_followed(servers, tmp_path: Path, make_server) -> None:
    """Sentinel names another master: appends go on there, in a new epoch, with the same numbers."""
    master, replica = servers
    replica.ask("REPLICAOF", "127.0.0.1", str(master.port))
    wait_until(replica, ("INFO", "replication"), "master_link_status:up")
    sentinel = make_server(tmp_path / "sentinel", sentinel_of=master)
    wait_until(sentinel, ("SENTINEL", "REPLICAS", "main"), str(replica.port))
    bus = RedisBus(f"redis+sentinel://127.0.0.1:{sentinel.port}/main/0", partitions=1)
    await bus.open()
    await bus.append(events(0, 3))
    tail = bus.tail(0, None)
    before = await next_batch(tail)
    assert len(before.deltas) == 3
    listening = bus.listen("presence")
    assert await hear(listening) == SUBSCRIBED
    assert await bus.secret("cookies", "a") == "a"
    wait_until(replica, ("EXISTS", "tower:{0}:secret:cookies"), ":1")
    wait_until(sentinel, ("SENTINEL", "FAILOVER", "main"), "+OK")
    wait_until(replica, ("ROLE",), "master")
    master.kill()
    receipts = await append_soon(bus, events(2, 5))
    assert receipts == [Receipt(3, True), Receipt(4, False), Receipt(5, False)]
    found: list[str] = []
    while len(found) < 2:
        batch = await next_batch(tail)
        assert not batch.lost
        found += [delta.id for delta in batch.deltas]
    assert found == ["e3", "e4"]
    assert batch.epoch == await bus.lineage(0) != before.epoch
    assert await hear(listening) == SUBSCRIBED
    await bus.publish("presence", b"there")
    assert await hear(listening) == ("presence", b"there")
    assert await bus.secret("cookies", "b") == "a"
    await bus.close()
