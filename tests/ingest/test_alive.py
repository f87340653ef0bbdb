"""Signs of life: noted for the hubs with who sent them, refused with a reason, never on the log."""

import asyncio

import pytest

from bus import sources
from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from tests.ingest.calls import TOKEN, Bench, call, refusal

PATH = "/v1/alive"
FROM = {"x_tower_host": "laptop-3", "x_tower_user": "ada"}


async def heard(bench: Bench) -> list[sources.Source]:
    """What hubs find."""
    return [each.source for each in await sources.heard(bench.bus)]


async def test_a_sign_of_life_is_noted_with_who_sent_it() -> None:
    """204 and nothing on the log; the next one of the same reader takes its place."""
    bench = Bench()
    answer = await bench.post(PATH, b'{"files_behind": 2, "bytes_behind": 5000}', **FROM)
    assert (answer.status, answer.body, bench.bus.taken) == (204, b"", [])
    [source] = await heard(bench)
    assert (source.workspace, source.kind) == ("default", "ship")
    assert (source.host, source.user) == ("laptop-3", "ada")
    assert (source.files_behind, source.bytes_behind, source.ended) == (2, 5_000, False)
    await bench.post(PATH, b'{"ended": true}', **FROM)
    [source] = await heard(bench)
    assert (source.files_behind, source.bytes_behind, source.ended) == (None, None, True)


async def test_every_machine_and_person_is_a_source() -> None:
    """One that names neither is the tower's own machine and user."""
    bench = Bench()
    for headers in (FROM, {**FROM, "x_tower_user": "eve"}, {}):
        assert (await bench.post(PATH, b"{}", **headers)).status == 204
    told = {(each.host, each.user) for each in await heard(bench)}
    assert told == {("laptop-3", "ada"), ("laptop-3", "eve"), ("box", "ada")}


@pytest.mark.parametrize(
    "body",
    [b"", b"{oh", b"[]", b'{"bytes_behind": -1}', b'{"files_behind": "2"}', b'{"ended": 1}',
     b'{"kind": "gossip"}', b"[" * 4_000, b'{"bytes_behind": 1e300}'],
)  # fmt: skip
async def test_what_is_no_sign_of_life_is_refused(body: bytes) -> None:
    """With the reason, and nothing is noted."""
    bench = Bench()
    assert refusal(await bench.post(PATH, body), 400)
    assert await heard(bench) == []


async def test_a_large_body_is_413() -> None:
    """Nobody needs so many words to say that they live."""
    assert "4096" in refusal(await Bench().post(PATH, b" " * 5_000), 413)


async def test_only_post_is_spoken_and_beyond_loopback_with_a_token() -> None:
    """As to every door of an ingest."""
    bench = Bench(on_loopback=False)
    refusal(await bench.post(PATH, b"{}"), 401)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert (await bench.post(PATH, b"{}", **bearer)).status == 204
    assert (await call(bench.app, "GET", PATH, headers=bearer)).status == 405


async def test_a_bus_that_is_away_is_503_with_a_time_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reader says it again by itself."""

    async def away(*_: object) -> None:
        await asyncio.sleep(0)
        raise BusUnavailable("away")

    monkeypatch.setattr(MemoryBus, "note", away)
    answer = await Bench().post(PATH, b"{}")
    assert "away" in refusal(answer, 503)
    assert answer.headers["retry-after"] == "1"


async def test_a_note_that_nobody_understands_is_passed_over() -> None:
    """One of another release must not hide its neighbours."""
    bench = Bench()
    await bench.bus.note(sources.TOPIC, "odd", b"\xc1", 1_000)
    await bench.post(PATH, b"{}", **FROM)
    assert [each.host for each in await heard(bench)] == ["laptop-3"]
