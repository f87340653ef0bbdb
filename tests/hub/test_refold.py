"""Hubs on one real Redis: from a checkpoint and a tail, and through whatever the log may lose.

What they show is compared with a fold of the log that this test does itself.
"""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bus import keys
from bus.base import Checkpoint, partition_of
from bus.redis import RedisBus
from history.standing import Standing
from hub import metrics
from hub.live.cache import Key
from hub.worker import Worker
from session.delta import Delta
from session.fold import fold, new_session
from session.state import Session
from tests.bus.conftest import Server, running
from tests.hub.made import NOW, event, permission, report, said, tokens, tool_end
from tests.hub.redis_hubs import (
    DEADLINE_S,
    PARTITIONS,
    Watcher,
    hub,
    log_at,
    ready_hub,
    settled,
    states,
    store,
    trim,
)
from tests.hub.servers import until

pytestmark = pytest.mark.redis_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps nothing when it is killed."""
    yield from running(Server(tmp_path))


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps what it has answered."""
    yield from running(Server(tmp_path, "--appendonly", "yes", "--appendfsync", "always"))


def beginning(count: int = 12) -> list[Delta]:
    """Sessions of every kind, in all partitions."""
    told: list[Delta] = []
    for n in range(count):
        told += [event("prompt", f"s{n}"), report(f"s{n}", calls=tokens(n), entries=said(3), to=3)]
        told += [permission(f"s{n}")] if n % 3 == 0 else []
        told += [event("stop", f"s{n}")] if n % 3 == 1 else []
    return told


def more(count: int = 12) -> list[Delta]:
    """What happens later to some of them, and new ones."""
    told: list[Delta] = []
    for n in range(0, count, 2):
        entries = said(2, first=4)
        told += [report(f"s{n}", from_=3, to=5, calls=tokens(100 + n), entries=entries)]
        told += [tool_end(f"s{n}")] if n % 3 == 0 else []
    return [*told, *(event("prompt", f"new{n}") for n in range(4))]


def value(metric: object) -> float:
    """What a counter has come to."""
    return float(metric._value.get())  # type: ignore[attr-defined]


# Starting.


async def test_a_hub_from_a_checkpoint_equals_one_that_folded_everything(server: Server) -> None:
    """In all but the series, and with the same cursors; it is ready then and not before."""
    async with log_at(server) as log, ready_hub(server.url) as whole:
        await log.append(beginning())
        await store(log)
        await trim(log)
        await log.append(more())
        await settled(whole, log)
        async with hub(server.url, "w2") as late:
            assert not late.ready.is_set()
            async with asyncio.timeout(DEADLINE_S):
                await late.ready.wait()
            assert late.folded == whole.folded
            assert states(late) == states(whole)
            assert len(states(late)) == 16
            await log.append([event("stop", "new1"), tool_end("s6", call="other")])
            await settled(late, log)
            await settled(whole, log)
            assert states(late) == states(whole)


async def test_a_hub_without_a_checkpoint_folds_the_log(server: Server) -> None:
    """Then it has the series too, and equals one that was there from the beginning."""
    async with log_at(server) as log, ready_hub(server.url) as whole:
        await log.append([*beginning(), *more()])
        async with ready_hub(server.url, "w2") as late:
            await settled(whole, log)
            assert states(late, series=True) == states(whole, series=True)


async def test_what_history_has_recorded_is_not_folded_again(durable: Server) -> None:
    """Neither from a log that is whole, nor where it lost its end; what is new there is."""
    async with log_at(durable) as log:
        await log.append(beginning())
        shutil.copytree(durable.folder / "appendonlydir", durable.folder / "copy")
        await log.append([event("prompt", "s1", text="lost"), event("prompt", "s2", text="lost")])
        recorded = await Recorded.of(log)
        async with ready_hub(durable.url, kept=recorded) as whole:
            assert seqs(whole) == recorded.seqs
        durable.kill()
        shutil.rmtree(durable.folder / "appendonlydir")
        shutil.copytree(durable.folder / "copy", durable.folder / "appendonlydir")
        durable.start()
        async with ready_hub(durable.url, "w2", recorded) as late:
            assert seqs(late) == recorded.seqs
            await log.append([event("prompt", "s1", at=NOW + 1), event("stop", "s2", at=NOW + 2)])
            await settled(late, log)
            held = late.board.cache.held
            assert held["default", "s1"].session.status == "running"
            assert held["default", "s2"].session.status == "idle"
        recorded.looks, recorded.unsettled = 0, 3
        async with ready_hub(durable.url, "w3", recorded):
            assert recorded.looks > 3


def seqs(worker: Worker) -> dict[Key, int]:
    """How long each timeline is, with what is not at hand of it."""
    return {key: held.session.timeline.seq for key, held in worker.board.cache.held.items()}


class Recorded:
    """A history that has recorded a log up to a moment, and knows the count it was at."""

    begins_empty = False

    def __init__(self, log: RedisBus) -> None:
        self._log = log
        self._deltas: list[Delta] = []
        self._places: dict[int, str] = {}
        self.looks = self.unsettled = 0

    @classmethod
    async def of(cls, log: RedisBus) -> "Recorded":
        """All of it."""
        made = cls(log)
        for partition in range(PARTITIONS):
            made._places[partition] = await log.position(partition)
            tail = log.tail(partition, None)
            made._deltas += (await anext(tail)).deltas
            await tail.aclose()
        return made

    def _sessions(self) -> dict[Key, Session]:
        sessions: dict[Key, Session] = {}
        for delta in self._deltas:
            fold(sessions.setdefault(delta.key, new_session(delta)), delta)
        return sessions

    @property
    def seqs(self) -> dict[Key, int]:
        """How long each timeline is by then."""
        return {key: each.timeline.seq for key, each in self._sessions().items()}

    async def board(self, partition: int) -> Standing:
        """A fold of it."""
        place = await self._log.survived(partition, self._places[partition])
        found = [each for key, each in self._sessions().items() if self._is_of(key, partition)]
        for each in found:
            each.number = each.number if place == self._places[partition] else 0
        self.looks += 1
        return Standing(found, place, is_settled=self.looks > self.unsettled)

    def _is_of(self, key: Key, partition: int) -> bool:
        return partition_of(*key, PARTITIONS) == partition

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, int]:
        """All that are kept."""
        found = self._sessions()
        return {key: found[key].number for key in keys if key in found}

    async def former(self, key: Key) -> tuple[int, str]:
        """Also of what the log has lost."""
        lineage = await self._log.lineage(partition_of(*key, PARTITIONS))
        return self._sessions()[key].number, lineage

    async def restore(
        self, workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """A fold of it, whose number says nothing once the log has lost its end."""
        session = self._sessions().get((workspace, session_id))
        if session is not None:
            place = self._places[partition_of(*session.key, PARTITIONS)]
            is_held = await self._log.holds(partition_of(*session.key, PARTITIONS), place)
            session.number = session.number if is_held else 0
        return session


async def test_a_session_that_history_has_is_not_folded_again(durable: Server) -> None:
    """One that began behind the checkpoint, and of which the log lost the end."""
    key = ("default", "x")
    async with log_at(durable) as log:
        await log.append(beginning())
        await store(log)
        await log.append([event("prompt", "x"), permission("x")])
        shutil.copytree(durable.folder / "appendonlydir", durable.folder / "copy")
        await log.append([event("prompt", "x", at=NOW + 1, text="lost")])
        recorded = await Recorded.of(log)
        durable.kill()
        shutil.rmtree(durable.folder / "appendonlydir")
        shutil.copytree(durable.folder / "copy", durable.folder / "appendonlydir")
        durable.start()
        async with ready_hub(durable.url, kept=recorded) as worker:
            assert seqs(worker)[key] == recorded.seqs[key]
            await log.append([event("stop", "x", at=NOW + 2)])
            await settled(worker, log)
            assert worker.board.cache.held[key].session.status == "idle"


async def test_a_checkpoint_of_garbage_is_left_aside(server: Server) -> None:
    """The log tells everything that it tells without one."""
    async with log_at(server) as log, ready_hub(server.url) as whole:
        await log.append(beginning())
        for partition in range(PARTITIONS):
            place = await log.lineage(partition), await log.position(partition)
            await log.save_checkpoint(partition, Checkpoint(*place, b"\x00\x01 garbage"))
        async with ready_hub(server.url, "w2") as late:
            await settled(whole, log)
            assert states(late, series=True) == states(whole, series=True)


async def test_a_log_of_which_nothing_is_left_makes_nobody_wait(server: Server) -> None:
    """Trimmed whole, and no checkpoint: the board is empty, and what comes is on it."""
    async with log_at(server) as log:
        await log.append(beginning())
        await trim(log)
        async with ready_hub(server.url) as late:
            assert states(late) == {}
            await log.append([event("prompt", "x"), event("prompt", "s3", at=None)])
            await settled(late, log)
            assert set(states(late)) == {"x", "s3"}


async def test_hubs_agree_at_equal_cursors(server: Server) -> None:
    """Three that began at different times, each after something else: they tell the same."""
    async with log_at(server) as log, ready_hub(server.url, "w1") as first:
        await log.append(beginning())
        async with ready_hub(server.url, "w2") as second:
            await store(log)
            await log.append(more())
            async with ready_hub(server.url, "w3") as third:
                await log.append([event("stop", "s2"), event("prompt", "s4", prompt_id="x")])
                for each in (first, second, third):
                    await settled(each, log)
                assert states(first, series=True) == states(second, series=True)
                assert states(third) == states(first)


# Losing.


async def test_a_stream_trimmed_past_a_hub_is_no_silent_gap(server: Server) -> None:
    """It is counted, said, and cured by a snapshot of the state that the checkpoint holds."""
    async with log_at(server) as log, ready_hub(server.url) as worker:
        await log.append(beginning())
        await settled(worker, log)
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        gaps = value(metrics.gaps_total)
        bus: Any = worker.bus
        bus.going.clear()
        await log.append([event("prompt", f"hold{n}") for n in range(8)])
        await until(lambda: len(bus.halted) == PARTITIONS)
        await log.append(more())
        await store(log)
        await trim(log)
        await log.append([event("prompt", "behind")])
        bus.going.set()
        await settled(worker, log)
        await until(lambda: watcher.is_fresh("s0"))
        assert value(metrics.gaps_total) == gaps + PARTITIONS
        assert watcher.reasons("s0") == ["trimmed"]
        assert "log_lost" in watcher.notices()
        async with ready_hub(server.url, "w2") as other:
            assert states(worker) == states(other)
        assert watcher.reference.opened["s0"].detail["tokens"]["output"] == 100
        assert set(watcher.read().reference.rows) == set(states(worker))


async def test_a_server_that_comes_back_as_another_keeps_the_board(durable: Server) -> None:
    """Nothing was lost: the epoch is new, whoever has a session open gets a snapshot of it."""
    async with log_at(durable) as log, ready_hub(durable.url) as worker:
        await log.append(beginning())
        await settled(worker, log)
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        before = states(worker, series=True)
        cursor = watcher.reference.opened["s0"].cursor
        changes, gaps = value(metrics.epoch_changes_total), value(metrics.gaps_total)
        durable.kill()
        durable.start()
        await until(lambda: value(metrics.epoch_changes_total) == changes + PARTITIONS)
        await until(lambda: watcher.is_fresh("s0"))
        assert watcher.reasons("s0") == ["epoch"]
        assert watcher.reference.opened["s0"].cursor != cursor
        after = states(worker, series=True)
        assert {name: each[0] for name, each in after.items()} == {
            name: each[0] for name, each in before.items()
        }
        assert value(metrics.gaps_total) == gaps
        assert watcher.told("session.evicted") == []
        async with asyncio.timeout(DEADLINE_S):
            await log.append(more())
        await settled(worker, log)
        await until(lambda: watcher.is_fresh("s0"))
        assert watcher.told("session.patch")
        async with ready_hub(durable.url, "w2") as other:
            assert states(other) == states(worker)


@pytest.mark.parametrize("way", ["flushed", "restarted", "deleted"])
async def test_an_emptied_log_empties_the_board(server: Server, way: str) -> None:
    """Said to everybody, with nothing left that no log holds; and what comes then is shown."""
    async with log_at(server) as log, ready_hub(server.url) as worker:
        await log.append(beginning())
        await settled(worker, log)
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        assert len(watcher.reference.items) == 4
        if way == "restarted":
            server.kill()
            server.start()
        elif way == "flushed":
            server.ask("FLUSHALL")
        else:
            server.ask("DEL", *(keys.deltas(each) for each in range(PARTITIONS)))
        await until(lambda: states(worker) == {})
        await until(lambda: watcher.read().reference.rows == {})
        assert watcher.reference.items == {}
        assert [each["reason"] for each in watcher.told("session.evicted")] == ["deleted"]
        assert "log_lost" in watcher.notices()
        async with asyncio.timeout(DEADLINE_S):
            await log.append([event("prompt", "s0", prompt_id="again"), permission("x")])
        await until(lambda: set(watcher.read().reference.rows) == {"s0", "x"})
        await until(lambda: watcher.read().reference.items)
        watcher.ask("subscribe", session="s0", activate=True)
        assert watcher.is_fresh("s0")
        assert watcher.reference.opened["s0"].detail["tokens"] is None


async def test_a_deleted_stream_costs_nothing_that_was_stored(server: Server) -> None:
    """The board goes on from the checkpoint, and new events are folded upon it."""
    async with log_at(server) as log, ready_hub(server.url) as worker:
        await log.append(beginning())
        await store(log)
        await settled(worker, log)
        before = {name: each[0] for name, each in states(worker).items()}
        watcher = Watcher(worker)
        watcher.ask("subscribe", session="s0", activate=True)
        server.ask("DEL", *(keys.deltas(each) for each in range(PARTITIONS)))
        await until(lambda: watcher.reasons("s0"))
        await until(lambda: watcher.is_fresh("s0"))
        assert {name: each[0] for name, each in states(worker).items()} == before
        await log.append([tool_end("s0"), *more()])
        await settled(worker, log)
        await until(lambda: watcher.is_fresh("s0"))
        assert watcher.reference.items.keys() == {"s9:s9-1", "s3:s3-1"} - {"s0:s0-1"}
        assert watcher.told("session.evicted") == []
        async with ready_hub(server.url, "w2") as other:
            assert states(other) == states(worker)


async def test_a_log_emptied_while_a_hub_begins_holds_nobody_up(server: Server) -> None:
    """It is ready with what there is then, and shows nothing of what was."""
    async with log_at(server) as log:
        await log.append([event("prompt", f"s{n}") for n in range(4_000)])
        async with hub(server.url) as worker:
            bus: Any = worker.bus
            bus.going.clear()
            await until(lambda: len(bus.halted) == PARTITIONS)
            server.ask("FLUSHALL")
            await log.append([event("prompt", "x")])
            bus.going.set()
            async with asyncio.timeout(DEADLINE_S):
                await worker.ready.wait()
            await until(lambda: set(states(worker)) == {"x"})
