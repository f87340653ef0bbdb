"""Machines that send from afar: silent and late ones on the board, all of them in the API."""

import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from bus import sources as noted
from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from bus.sources import Heard, Source
from hub import sources
from hub.limits import Limits
from hub.live.switchboard import Switchboard
from hub.sources import Sources, state_of, troubles
from hub.worker import Worker
from tests.hub.made import NOW
from tests.hub.servers import BEARER, make_app, make_door, make_hub, until
from tests.hub.test_rest import HOST

LIMITS = Limits()
MINUTE_MS = 60_000


def source(host: str = "laptop-3", **more: Any) -> Source:
    """A reader that is there."""
    told = {"workspace": "default", "user": "ada", "kind": "ship", "heard_at": NOW, **more}
    return Source(host=host, **told)


@pytest.mark.parametrize(
    ("more", "age_ms", "state"),
    [
        ({}, 0, "live"),
        ({}, MINUTE_MS, "live"),
        ({}, MINUTE_MS + 1, "silent"),
        ({"bytes_behind": 1024 * 1024 - 1}, 0, "live"),
        ({"bytes_behind": 1024 * 1024}, 0, "late"),
        ({"bytes_behind": 1024 * 1024}, MINUTE_MS + 1, "silent"),
        ({"ended": True}, 10 * MINUTE_MS, "ended"),
    ],
)
def test_a_source_is_silent_after_a_minute_and_late_beyond_a_mebibyte(
    more: dict[str, Any], age_ms: int, state: str
) -> None:
    """One that said goodbye is neither, however long ago."""
    assert state_of(Heard(source(**more), age_ms), LIMITS) == state


def test_troubles_are_told_by_workspace_and_no_more_than_the_limit() -> None:
    """The silent ones first, the one heard last before all; the others are not told at all."""
    heard = [Heard(source(f"quiet-{n}"), MINUTE_MS * (50 - n)) for n in range(30)]
    heard += [Heard(source("far", workspace="other", bytes_behind=2 << 20), 0)]
    heard += [Heard(source("well"), 0), Heard(source("gone", ended=True), 9 * MINUTE_MS)]
    found = troubles(heard, LIMITS)
    assert [each["host"] for each in found["default"]] == [f"quiet-{n}" for n in range(29, 9, -1)]
    assert found["other"] == [
        {"host": "far", "user": "ada", "state": "late", "heard_at": NOW, "bytes_behind": 2 << 20}
    ]


class Clocked(MemoryBus):
    """A log whose clock a test turns, and which may be away."""

    now_ms = NOW
    is_away = False
    refused = 0

    def __init__(self) -> None:
        super().__init__(clock=lambda: self.now_ms)

    async def notes(self, topic: str) -> list[Any]:
        """As noted, or an error."""
        if self.is_away:
            self.refused += 1
            raise BusUnavailable("away")
        return await super().notes(topic)


async def test_the_totals_name_who_is_silent_until_it_is_heard_again() -> None:
    """A board where all is well has no such name at all."""
    bus = Clocked()
    worker = Worker(bus, Switchboard(LIMITS, "w"))
    looking = Sources(worker)
    totals = worker.board.cache.totals_of("default")
    await noted.note(bus, source())
    await looking.look()
    assert "sources" not in totals.view()
    bus.now_ms += MINUTE_MS + 1
    await looking.look()
    [told] = totals.view()["sources"]
    assert (told["host"], told["state"], told["heard_at"]) == ("laptop-3", "silent", NOW)
    await noted.note(bus, source(heard_at=bus.now_ms))
    await looking.look()
    assert "sources" not in totals.view()


async def test_what_is_remembered_survives_a_bus_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is looked at again by itself."""
    monkeypatch.setattr(sources, "LOOK_S", 0.01)
    bus = Clocked()
    looking = Sources(Worker(bus, Switchboard(LIMITS, "w")))
    await noted.note(bus, source())
    running = asyncio.create_task(looking.run())
    await until(lambda: len(looking.view("default")) == 1)
    bus.is_away = True
    await noted.note(bus, source("laptop-4"))
    await until(lambda: bus.refused > 1)
    assert len(looking.view("default")) == 1
    bus.is_away = False
    await until(lambda: len(looking.view("default")) == 2)
    assert looking.view("elsewhere") == []
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_the_api_tells_all_sources_of_the_workspace() -> None:
    """By host, with what each has not sent."""
    hub = make_hub(make_door())
    with TestClient(make_app(hub), base_url=HOST, headers=dict(BEARER)) as client:
        assert client.get("/api/sources").json()["sources"] == []
        bus = hub.worker.bus
        assert client.portal is not None
        for each in (source("b", files_behind=1, bytes_behind=70), source("a", ended=True)):
            client.portal.call(noted.note, bus, each)
        client.portal.call(noted.note, bus, source("c", workspace="other"))
        client.portal.call(hub.sources.look)
        told = client.get("/api/sources").json()["sources"]
    common = {"user": "ada", "kind": "ship", "heard_at": NOW}
    assert told == [
        {"host": "a", "state": "ended", "files_behind": None, "bytes_behind": None, **common},
        {"host": "b", "state": "live", "files_behind": 1, "bytes_behind": 70, **common},
    ]
