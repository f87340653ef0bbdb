"""The shipper: nothing lost, nothing out of order, little held, whatever a tower answers."""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.ship.client import Answer
from ingest.ship.limits import Limits
from ingest.ship.offsets import Offsets
from ingest.ship.shipper import GaveUp, Shipper
from session import codec
from session.delta import Report
from session.mark import Mark
from tests.ingest.reading import NOW, until

QUICK = Limits(batch_deltas_max=8, batch_ms=0, retry_ms_min=1, retry_ms_max=2, refused_ms=1)


class Tower:
    """What a client reaches: it takes all but ``bad`` deltas, once it has given its answers."""

    def __init__(self, *answers: Answer, bad: tuple[str, ...] = (), many: int = 10**9) -> None:
        self.answers = deque(answers)
        self.bad = bad
        self.many = many
        self.taken: list[str] = []
        self.bodies: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def deltas(self, body: bytes) -> Answer:
        """Take all of a body or nothing."""
        await asyncio.sleep(0)
        await self.gate.wait()
        self.bodies.append(body)
        if self.answers:
            return self.answers.popleft()
        ids = [codec.from_json_line(line).id for line in body.splitlines()]
        if len(ids) > self.many:
            return Answer(413, "too many")
        if set(ids) & set(self.bad):
            return Answer(400, "line 1: bad")
        self.taken += ids
        return Answer(200, sent_bytes=len(body))


class Kept:
    """Offsets in memory, which may fail."""

    def __init__(self) -> None:
        self.marks: dict[str, Mark] = {}
        self.fails = False

    def save(self, marks: list[Mark]) -> None:
        """All, or an error."""
        if self.fails:
            raise sqlite3.OperationalError("disk full")
        self.marks |= {mark.path: mark for mark in marks}


class Bench:
    """A shipper at work, and what it said."""

    def __init__(self, tower: Tower, limits: Limits = QUICK, **more: Any) -> None:
        self.tower = tower
        self.kept = Kept()
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.shipper = Shipper(tower, self.kept, self._say, limits, **more)  # type: ignore[arg-type]

    def _say(self, event: str, **told: Any) -> None:
        self.said.append((event, told))

    def events(self, *wanted: str) -> list[str]:
        """The names of what was said, of some kinds."""
        return [event for event, _ in self.said if event in wanted]

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """While this lasts."""
        task = asyncio.create_task(self.shipper.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def report(number: int, path: str = "/made/s.jsonl", **more: Any) -> Report:
    """What a file says up to a byte, with its mark."""
    mark = Mark(path=path, session="s", source="main", offset=number * 10)
    return Report(
        id=f"r{number}", session="s", received_at=NOW, from_=number * 10 - 10, to=number * 10,
        mark=mark, **more,
    )  # fmt: skip


def reports(count: int) -> list[Report]:
    """Some, in their order."""
    return [report(number) for number in range(1, count + 1)]


async def test_what_is_taken_is_in_order_and_its_offsets_are_kept() -> None:
    """The mark stays here: no path of this machine is sent."""
    bench = Bench(Tower())
    async with bench.working():
        await bench.shipper.send(reports(30))
        await bench.shipper.drained()
    assert bench.tower.taken == [f"r{number}" for number in range(1, 31)]
    assert bench.kept.marks["/made/s.jsonl"].offset == 300
    assert bench.shipper.behind_bytes == 0
    assert not any(b"/made" in body or b"mark" in body for body in bench.tower.bodies)


async def test_offsets_are_kept_only_of_what_was_taken() -> None:
    """While the tower has not answered, a restart would tell it again."""
    bench = Bench(Tower())
    bench.tower.gate.clear()
    async with bench.working():
        await bench.shipper.send(reports(3))
        await until(lambda: bench.shipper._flying_bytes > 0)
        assert bench.kept.marks == {}
        assert bench.shipper.behind_bytes == 30
        bench.tower.gate.set()
        await bench.shipper.drained()
    assert bench.kept.marks["/made/s.jsonl"].offset == 30


async def test_a_tower_that_is_away_is_said_once_and_nothing_is_lost() -> None:
    """However it is away; and once that it is back."""
    away = [Answer(0, "refused"), Answer(503, "away", 1), Answer(429), Answer(502), Answer(0)]
    bench = Bench(Tower(*away))
    async with bench.working():
        await bench.shipper.send(reports(3))
        await bench.shipper.drained()
    assert bench.events("away", "back", "refused") == ["away", "back"]
    assert bench.tower.taken == ["r1", "r2", "r3"]
    assert len(set(bench.tower.bodies[:5])) == 1
    assert bench.shipper.back.is_set()


async def test_a_refusal_is_said_once_and_tried_again() -> None:
    """Whoever gives it a good token need not start it anew."""
    bench = Bench(Tower(Answer(401), Answer(401), Answer(403, "no"), Answer(200)))
    async with bench.working():
        await bench.shipper.send(reports(1))
        await bench.shipper.drained()
    assert bench.events("away", "back", "refused") == ["refused", "back"]
    assert "TOWER_TOKEN" in dict(bench.said)["refused"]["why"]


async def test_one_that_is_refused_is_left_out_and_all_others_pass() -> None:
    """It is named, and the offset goes on: nobody waits for it."""
    bench = Bench(Tower(bad=("r3", "r12")))
    async with bench.working():
        await bench.shipper.send(reports(20))
        await bench.shipper.drained()
    assert bench.tower.taken == [f"r{n}" for n in range(1, 21) if n not in (3, 12)]
    dropped = [told["delta"] for event, told in bench.said if event == "dropped"]
    assert dropped == ["r3", "r12"]
    assert bench.kept.marks["/made/s.jsonl"].offset == 200


async def test_a_batch_that_is_too_large_is_halved() -> None:
    """413 is no fault of any delta."""
    bench = Bench(Tower(many=3))
    async with bench.working():
        await bench.shipper.send(reports(16))
        await bench.shipper.drained()
    assert bench.tower.taken == [f"r{number}" for number in range(1, 17)]
    assert bench.events("dropped") == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([0, 200, 400, 413, 401, 429, 503]), max_size=12),
    st.sets(st.integers(1, 25), max_size=4),
    st.integers(1, 8),
)
def test_whatever_a_tower_answers_all_but_the_bad_are_on_its_log_in_order(
    statuses: list[int], bad: set[int], many: int
) -> None:
    """An answer 200 that took nothing is a lie that no sender can see, so there is none here."""
    answers = [Answer(status, "told so") for status in statuses if status not in (200, 400, 413)]

    async def ship() -> Bench:
        bench = Bench(Tower(*answers, bad=tuple(f"r{n}" for n in bad), many=many))
        async with bench.working():
            await bench.shipper.send(reports(25))
            await bench.shipper.drained()
        return bench

    bench = asyncio.run(ship())
    assert bench.tower.taken == [f"r{n}" for n in range(1, 26) if n not in bad]
    assert sorted(told["delta"] for event, told in bench.said if event == "dropped") == sorted(
        f"r{n}" for n in bad
    )


async def test_a_reader_waits_while_too_much_is_held() -> None:
    """It goes on when there is room; no more than the limit and one delta is ever in memory."""
    size = len(codec.to_ndjson(reports(1)))
    limits = Limits(batch_deltas_max=2, batch_ms=0, waiting_bytes_max=5 * size)
    bench = Bench(Tower(), limits)
    bench.tower.gate.clear()
    async with bench.working():
        sending = asyncio.create_task(bench.shipper.send(reports(50)))
        await until(lambda: bench.shipper._held_bytes >= limits.waiting_bytes_max)
        assert bench.shipper._held_bytes < limits.waiting_bytes_max + 2 * size
        assert not sending.done()
        bench.tower.gate.set()
        await sending
        await bench.shipper.drained()
    assert len(bench.tower.taken) == 50


async def test_a_delta_that_would_be_too_large_goes_without_its_whole_texts() -> None:
    """What its timeline shows of them is sent."""
    bench = Bench(Tower())
    async with bench.working():
        await bench.shipper.send([report(1, texts={"e": "\x01" * 60_000})])
        await bench.shipper.drained()
    told = codec.from_json_line(bench.tower.bodies[0])
    assert isinstance(told, Report)
    assert (told.id, told.texts) == ("r1", {})


async def test_a_delta_that_is_no_text_is_left_out() -> None:
    """Half a surrogate cannot travel; its neighbours do."""
    bench = Bench(Tower())
    async with bench.working():
        await bench.shipper.send([report(1, values={"branch": "\ud800"}), report(2)])
        await bench.shipper.drained()
    assert bench.tower.taken == ["r2"]
    assert bench.events("dropped") == ["dropped"]


async def test_offsets_that_cannot_be_written_hold_up_nothing() -> None:
    """They are written with the next ones."""
    bench = Bench(Tower())
    bench.kept.fails = True
    async with bench.working():
        await bench.shipper.send([report(1, "/made/a.jsonl")])
        await bench.shipper.drained()
        assert bench.events("unsaved") == ["unsaved"]
        bench.kept.fails = False
        await bench.shipper.send([report(2, "/made/b.jsonl")])
        await bench.shipper.drained()
    assert set(bench.kept.marks) == {"/made/a.jsonl", "/made/b.jsonl"}


@pytest.mark.parametrize("answers", [[Answer(401)], [Answer(503, "away")] * 1_000])
async def test_patience_may_have_an_end(answers: list[Answer]) -> None:
    """A refusal ends it at once, a tower that is away after a while."""
    bench = Bench(Tower(*answers), patience_ms=20)
    await bench.shipper.send(reports(1))
    with pytest.raises(GaveUp):
        await bench.shipper.run()
    assert bench.kept.marks == {}


async def test_a_file_is_not_closed_under_a_thread_that_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is cancelled while offsets are written waits until they are."""
    offsets = Offsets(tmp_path / "offsets.db")
    begun, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(save: Callable[..., None], marks: list[Mark]) -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        save(marks)

    plain = offsets.save
    monkeypatch.setattr(offsets, "save", lambda marks: slow(plain, marks))
    bench = Bench(Tower())
    bench.shipper.offsets = offsets
    task = asyncio.create_task(bench.shipper.run())
    await bench.shipper.send(reports(1))
    await begun.wait()
    task.cancel()
    loop.call_soon(go_on.set)
    await asyncio.gather(task, return_exceptions=True)
    assert [each.offset for each in offsets.load()] == [10]
    offsets.close()
