"""Tokens on several processes: told at once, read again where a signal is lost, never revived."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from bus.base import Bus
from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from bus.redis import RedisBus
from history.credentials import Logout, Token
from history.database import Database
from history.history import History
from hub import mirror as module
from hub.auth import Door
from hub.keyring import line_of
from hub.limits import DoorLimits
from hub.mirror import TOKENS, Mirror
from tests.history.doors import make_token
from tests.hub.servers import make_door, until

LATE = 2**53
FAR_S = 3_600.0


class Deaf(MemoryBus):
    """A log whose signals are lost while ``is_deaf``, and that is not there while ``is_away``."""

    is_deaf = is_away = False

    async def publish(self, topic: str, data: bytes) -> None:
        """Nothing, or as ever."""
        if not self.is_deaf:
            await super().publish(topic, data)

    async def table(self, table: str) -> dict[str, bytes]:
        """As ever, if it is there."""
        if self.is_away:
            raise BusUnavailable("away")
        return await super().table(table)


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    """An empty database."""
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    await database.upgrade()
    yield History(database)
    await database.close()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis_server)])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """A log in memory, or on a real Redis."""
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    made = MemoryBus() if url is None else RedisBus(url, partitions=1)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def _only_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks again by itself within a test."""
    monkeypatch.setattr(module, "AGAIN_S", FAR_S)


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everybody looks again very soon."""
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    return


def waiting_door() -> Door:
    """One that is told of tokens by somebody."""
    door = make_door()
    door.await_keys()
    return door


@contextlib.asynccontextmanager
async def process(bus: Bus, history: History | None = None) -> AsyncIterator[Mirror]:
    """A process that has read all there is: with a database a hub, without one an ingest."""
    mirror = Mirror(bus, waiting_door(), history)
    task = asyncio.create_task(mirror.run())
    try:
        await until(lambda: mirror.door.is_settled)
        yield mirror
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def opens(mirror: Mirror, token: Token) -> bool:
    """Whether the secret of a made-up token, which is its id, is a credential there."""
    return mirror.door.grant_token(token.id) is not None


@pytest.mark.usefixtures("_only_signals")
async def test_a_token_is_known_and_revoked_everywhere_at_once(bus: Bus, history: History) -> None:
    """By a signal: in the process that did it, in another one, and where there is no database."""
    token = make_token("t-1")
    async with process(bus, history) as hub, process(bus, history) as other, process(bus) as ingest:
        changes: list[Mirror] = []
        other.on_changed = lambda: changes.append(other)
        assert await hub.add(token)
        await until(lambda: all(opens(each, token) for each in (hub, other, ingest)))
        changes.clear()
        revoked = await other.revoke("t-1", None)
        assert revoked is not None
        assert changes  # whoever has sockets closes them now
        await until(lambda: not any(opens(each, token) for each in (hub, other, ingest)))


@pytest.mark.usefixtures("_only_signals")
async def test_a_sign_in_is_ended_everywhere_at_once(bus: Bus, history: History) -> None:
    """And kept, so that it stays ended when all of them are started anew."""
    async with process(bus, history) as hub, process(bus, history) as other:
        await hub.end(Logout("c-1", "owner", LATE))
        await until(lambda: other.keys.has_ended("c-1", "owner", LATE))
    assert (await history.credentials())[1] == [Logout("c-1", "owner", LATE)]
    async with process(MemoryBus(), history) as later:
        assert later.keys.has_ended("c-1", "owner", LATE)


@pytest.mark.usefixtures("_often")
async def test_a_lost_signal_is_made_up_for(history: History) -> None:
    """The copy is read again after a moment, whatever was heard."""
    bus, token = Deaf(), make_token("t-1")
    bus.is_deaf = True
    async with process(bus, history) as hub, process(bus) as ingest:
        await hub.add(token)
        await until(lambda: opens(ingest, token))
        await hub.revoke("t-1", None)
        await until(lambda: not opens(ingest, token))
        await hub.end(Logout("c-1", "owner", LATE))
        await until(lambda: ingest.keys.has_ended("c-1", "owner", LATE))


@pytest.mark.usefixtures("_often")
async def test_what_is_written_to_the_database_alone_is_found(history: History) -> None:
    """As `tower token` does where no tower answers, or a database is brought back."""
    bus, token = MemoryBus(), make_token("t-1")
    async with process(bus, history) as hub, process(bus) as ingest:
        await history.keep_token(token)
        await until(lambda: opens(hub, token) and opens(ingest, token))
        await history.revoke_token("t-1", None)
        await until(lambda: not opens(hub, token) and not opens(ingest, token))


@pytest.mark.usefixtures("_often")
async def test_a_copy_that_is_lost_is_filled_again(history: History) -> None:
    """An ingest goes on by what it knows meanwhile; one that starts waits."""
    bus, token = MemoryBus(), make_token("t-1")
    await history.keep_token(token)
    async with process(bus, history) as hub, process(bus) as ingest:
        await until(lambda: opens(ingest, token))
        bus._tables.clear()
        await ingest.look()
        assert opens(ingest, token)
        late = Mirror(MemoryBus(), waiting_door())
        await late.look()
        assert not late.door.is_settled
        async with process(bus):
            assert opens(hub, token)


@pytest.mark.usefixtures("_often")
async def test_without_the_log_a_hub_knows_what_the_database_knows(history: History) -> None:
    """Both ways: a token that is good, and one that was revoked by another hub."""
    bus, token = Deaf(), make_token("t-1")
    async with process(bus, history) as hub:
        bus.is_away = True
        await history.keep_token(token)
        await until(lambda: opens(hub, token))
        await history.revoke_token("t-1", None)
        await until(lambda: not opens(hub, token))


async def test_an_older_reading_brings_no_revoked_token_into_the_copy(history: History) -> None:
    """A hub read that it is good, another one revoked it, and then the first mends the copy."""
    bus, token = MemoryBus(), make_token("t-1")
    await history.keep_token(token)
    slow, quick = Mirror(bus, waiting_door(), history), Mirror(bus, waiting_door(), history)
    read = await history.credentials()
    await quick.revoke("t-1", None)
    await slow._mend({}, {}, read[0])
    told = msgspec.msgpack.decode((await bus.table(TOKENS))["t-1"], type=Token)
    assert told.revoked_at is not None
    ingest = Mirror(bus, waiting_door())
    await ingest.look()
    assert not opens(ingest, token)


async def test_very_many_ended_sign_ins_of_one_token_become_a_line(history: History) -> None:
    """All that it had until then are ended: more than was asked for, and never less."""
    mirror = Mirror(MemoryBus(), make_door(), history)
    mirror.door.limit(DoorLimits(logouts_max=2))
    for number in range(3):
        await mirror.end(Logout(f"c-{number}", "owner", LATE + number))
    assert set(mirror.keys.ended) == {line_of("owner")}
    assert all(mirror.keys.has_ended(f"c-{number}", "owner", LATE + number) for number in range(3))
    assert not mirror.keys.has_ended("c-3", "owner", LATE + 3)


async def test_a_change_that_nobody_understands_is_passed_over(history: History) -> None:
    """Of a newer release, say: what it means is read from the database."""
    bus = MemoryBus()
    async with process(bus, history) as hub:
        await bus.publish("keys", b"\xc1")
        token = make_token("t-1")
        await hub.add(token)
        assert opens(hub, token)
