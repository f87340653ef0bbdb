"""Sessions that speak while history is asked of them: nothing on the log waits for a database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from bus.base import Bus
from bus.errors import BusUnavailable
from bus.memory import MemoryBus
from history.errors import DatabaseUnavailable
from history.standing import Standing
from hub import recall
from hub.limits import Limits
from hub.live import handover
from hub.live.cache import Held, Key
from hub.live.switchboard import Switchboard
from hub.worker import Worker
from session import checkpoint
from session.checkpoint import Saved
from session.delta import Delta
from session.state import Session, detail
from tests.hub.live.test_deleting import person
from tests.hub.made import NOW, event, folded, of_type, past, permission, plain, report, said
from tests.hub.servers import served, until
from tests.hub.test_worker import attach, read

DAY_MS = 86_400_000
PATIENT_MS = 600_000


class Archive:
    """A history that answers once it is ``allowed``, or says raises its ``error``."""

    begins_empty = False

    def __init__(self, *kept: Delta) -> None:
        self.allowed = asyncio.Event()
        self.error: Exception | None = None
        self.asked: list[Key] = []
        self.present = ""  # the epoch of a log that has lost its end
        self.kept = {each.key: [each] for each in kept}  # what is kept is a fold of these

    async def numbers(self, keys: Sequence[Key]) -> dict[Key, int]:
        """Those that are kept."""
        self.asked += keys
        await self._answer()
        return {key: folded(*self.kept[key]).number for key in keys if key in self.kept}

    async def former(self, key: Key) -> tuple[int, str]:
        """All that is kept, where the log has lost its end."""
        return (folded(*self.kept[key]).number, self.present) if self.present else (0, "")

    async def restore(
        self, workspace: str, session_id: str, *, with_timeline: bool
    ) -> Session | None:
        """What is kept."""
        await self._answer()
        told = self.kept.get((workspace, session_id))
        found = folded(*told) if told else None
        if found is not None and self.present:
            found.number = 0
        return found

    async def board(self, _partition: int) -> Standing:
        """Nothing to begin with."""
        return Standing([], None)

    async def _answer(self) -> None:
        await self.allowed.wait()
        if self.error is not None:
            raise self.error


FIRST = report("a", at=NOW, entries=said(3), to=3, branch="kept")
PAST = past("p", 2 * DAY_MS, entries=said(3), to=3)


@contextlib.asynccontextmanager
async def asking(archive: Archive, *deltas: Delta, **limits: int) -> AsyncIterator[Worker]:
    """A worker that has folded these, and asks this history."""
    bus = MemoryBus()
    await bus.append(deltas)
    worker = Worker(bus, Switchboard(Limits(**limits), "w"), archive)
    archive.allowed.set()
    task = asyncio.create_task(worker.run())
    try:
        await worker.ready.wait()
        archive.allowed.clear()
        archive.asked.clear()
        yield worker
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def held(worker: Worker, session: str) -> Held:
    """A session that is on the board."""
    found = worker.board.cache.get(("default", session))
    assert found is not None
    return found


async def test_a_question_waits_for_no_history() -> None:
    """Neither one of a session that is new, nor one of a session that was let go."""
    limits = {"board_rows_min": 1, "aside_ms": PATIENT_MS}
    async with asking(Archive(PAST), PAST, event("prompt", "b"), **limits) as worker:
        client, reference = attach(worker)
        await worker.bus.append([event("prompt", "a"), permission("a"), permission("p")])
        await until(lambda: read(client, reference) or len(reference.items) == 2)
        await until(lambda: read(client, reference) or {"a", "p"} <= set(reference.rows))
        assert reference.rows["a"]["status"] == "waiting"


async def test_whoever_asks_nobody_waits_alone_and_not_for_long() -> None:
    """Its neighbours go on at once; without an answer it goes on as well."""
    told = (PAST, event("prompt", "b"))
    archive = Archive(PAST)
    async with asking(archive, *told, board_rows_min=1, aside_ms=PATIENT_MS) as worker:
        await worker.bus.append([event("prompt", "p"), event("prompt", "c"), event("stop", "b")])
        await until(lambda: held(worker, "b").session.status == "idle")
        assert set(worker.board.cache.held) == {("default", "b")}
        reaching = asyncio.create_task(worker.reach(("default", "p"), 2))
        archive.allowed.set()
        await reaching
        assert len(held(worker, "p").session.timeline) == 4
        await worker.caught_up()
        assert len(held(worker, "c").session.timeline) == 1
    archive = Archive(PAST)
    async with asking(archive, *told, board_rows_min=1, aside_ms=1) as worker:
        client, reference = attach(worker)
        await worker.bus.append([event("prompt", "p")])
        await until(lambda: read(client, reference) or "p" in reference.rows)
        archive.allowed.set()
        await until(lambda: len(held(worker, "p").session.timeline) == 4)


async def test_a_session_that_has_just_begun_can_be_opened() -> None:
    """It is not unknown, though history has not said yet that it keeps nothing of it."""
    archive = Archive()
    async with asking(archive, aside_ms=PATIENT_MS) as worker:
        await worker.bus.append([event("prompt", "a")])
        await until(lambda: archive.asked)
        asking_still = archive.allowed
        archive.allowed = asyncio.Event()
        archive.allowed.set()
        await worker.ensure("default", "a")
        assert not asking_still.is_set()
        client, reference = attach(worker, "a")
        read(client, reference)
        assert reference.errors == []


async def test_what_was_said_meanwhile_stands_on_what_is_kept() -> None:
    """Nobody can see afterwards that the answer came late."""
    later = [event("prompt", "a", at=NOW + 1, text="again"), permission("a", at=NOW + 2)]
    archive = Archive(FIRST)
    async with asking(archive) as worker:
        client, reference = attach(worker)
        await worker.bus.append(later)
        await until(lambda: read(client, reference) or reference.items)
        assert held(worker, "a").session.timeline_partial is False
        before = held(worker, "a").cursor
        archive.allowed.set()
        await until(lambda: len(held(worker, "a").session.timeline) > 4)
        numbered = [each async for each in _read(worker.bus)]
        expected = folded(FIRST, *numbered)
        assert plain(detail(held(worker, "a").session)) == plain(detail(expected))
        assert held(worker, "a").cursor != before
        assert held(worker, "a").cursor.rpartition(":")[0] == worker._epochs[0]
        await until(lambda: read(client, reference) or reference.rows["a"]["branch"] == "kept")
        assert len(reference.items) == 1


async def _read(bus: Bus) -> AsyncIterator[Delta]:
    """Everything on the log, with its numbers."""
    batch = await anext(bus.tail(0, None))
    for delta in batch.deltas:
        yield delta


@pytest.mark.parametrize("is_kept", [True, False])
async def test_whoever_opened_it_meanwhile_gets_a_snapshot(is_kept: bool) -> None:
    """Cursors of the time without an answer are this worker's own, and are not continued."""
    archive = Archive(*([FIRST] if is_kept else []))
    async with asking(archive) as worker:
        await worker.bus.append([event("prompt", "a", at=NOW + 1)])
        await until(lambda: worker.board.cache.get(("default", "a")))
        client, reference = attach(worker, "a")
        reference.opening("a")
        read(client, reference)
        own = reference.cursors["a"]
        assert own is not None
        assert ".w." in own
        archive.allowed.set()
        await until(lambda: read(client, reference) or ".w." not in str(reference.cursors["a"]))
        assert not reference.opened["a"].stale
        assert len(reference.opened["a"].timeline) == (4 if is_kept else 1)


async def test_who_is_told_what_is_on_the_board_already_hears_nothing() -> None:
    """History had recorded the very same by the time it was asked: no row is sent again."""
    archive = Archive()
    async with asking(archive) as worker:
        client, reference = attach(worker)
        await worker.bus.append([event("prompt", "a", at=NOW + 1)])
        await until(lambda: read(client, reference) or "a" in reference.rows)
        before = held(worker, "a")
        archive.kept["default", "a"] = [each async for each in _read(worker.bus)]
        archive.allowed.set()
        await until(lambda: not worker.recall._asides)  # type: ignore[union-attr]
        assert held(worker, "a") is before
        assert before.cursor.rpartition(":")[0] == worker._epochs[0]


async def test_a_session_that_is_deleted_meanwhile_does_not_come_back() -> None:
    """What is kept of it is from before."""
    archive = Archive(FIRST)
    async with asking(archive) as worker:
        ended = event("session_end", "a", at=NOW + 2)
        await worker.bus.append([event("prompt", "a", at=NOW + 1), ended, person("delete")])
        await until(lambda: worker.folded == {0: 3})
        archive.allowed.set()
        await until(lambda: archive.asked and not worker.recall._asides)  # type: ignore[union-attr]
        assert worker.board.cache.get(("default", "a")) is None


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), BusUnavailable("away")])
async def test_a_history_that_is_away_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The session goes on meanwhile, and is whole once history has come as far; so is the board."""
    monkeypatch.setattr(recall, "UNREAD_S", 0.01)
    archive = Archive(FIRST)
    archive.error = error
    async with asking(archive) as worker:
        archive.allowed.set()
        await worker.bus.append([event("prompt", "a", at=NOW + 1)])
        await until(lambda: worker.board.cache.get(("default", "a")))
        assert len(held(worker, "a").session.timeline) == 1
        archive.kept["default", "a"] += [each async for each in _read(worker.bus)]
        await worker.trim_rings(archive)
        archive.error = None
        await until(lambda: held(worker, "a").session.timeline.seq == 4)


@pytest.mark.parametrize("limit", ["asides_max", "aside_deltas_max"])
async def test_beyond_its_limits_a_session_goes_on_by_itself(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """It is read once history has come as far as the session; nothing is kept for it meanwhile."""
    monkeypatch.setattr(recall, "UNREAD_S", 0.01)
    archive = Archive(FIRST)
    async with asking(archive, **{limit: 1}) as worker:
        first = [event("prompt", "b"), event("stop", "b")]
        later = [event("prompt", "a", at=NOW + 1), event("stop", "a", at=NOW + 2)]
        await worker.bus.append([*first, *later])
        await until(lambda: worker.folded == {0: 4})
        assert held(worker, "a").session.status == "idle"
        kept = [len(each.deltas) for each in worker.recall._asides.values()]  # type: ignore[union-attr]
        assert kept in ([2], [1, 1])
        numbered = [each async for each in _read(worker.bus) if each.session == "a"]
        archive.kept["default", "a"] += numbered
        archive.allowed.set()
        await until(lambda: held(worker, "a").session.branch == "kept")


async def test_who_comes_back_gets_attention_and_rows_before_any_history() -> None:
    """What was open and has to be read comes behind them, and is then as it was resumed."""
    gate = asyncio.Event()

    async def restore(session: str) -> Session | None:
        await gate.wait()
        return folded(PAST) if session == "p" else None

    async with served(restore=restore, board_rows_min=1) as hub:
        gate.set()
        await hub.hub.worker.bus.append([PAST])
        await hub.log(event("prompt", "b"), permission("b"))
        gate.clear()
        resume = [{"session": "b", "cursor": ""}, {"session": "p", "cursor": ""}]
        async with hub.client(resume=resume) as live:
            await live.until(lambda: live.reference.rows and live.reference.items)
            assert of_type(live.reference.frames, "session.snapshot") == []
            gate.set()
            await live.until(lambda: len(of_type(live.reference.frames, "session.snapshot")) == 2)
            told = of_type(live.reference.frames, "session.snapshot")
            assert [each["session"] for each in told] == ["b", "p"]


async def test_what_history_has_of_a_lost_end_is_not_folded_again() -> None:
    """Also where the worker has not heard yet that the log lost its end."""
    archive = Archive()
    async with asking(archive, event("prompt", "b"), aside_ms=PATIENT_MS) as worker:
        archive.present = "after the loss"
        await worker.bus.append([event("prompt", "a"), event("prompt", "a", at=NOW + 1)])
        archive.kept["default", "a"] = [
            each async for each in _read(worker.bus) if each.session == "a"
        ]
        archive.allowed.set()
        await worker.caught_up()
        assert held(worker, "a").session.timeline.seq == 2
        await worker.bus.append([event("prompt", "a", at=NOW + 2)])
        await worker.caught_up()
        assert held(worker, "a").session.timeline.seq == 3


async def test_who_has_a_session_open_that_is_folded_anew_gets_its_timeline_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A checkpoint has none, and nobody has to open the session once more."""
    monkeypatch.setattr(recall, "UNREAD_S", 0.01)
    key, gate = ("default", "a"), asyncio.Event()
    gate.set()

    async def restore(session: str) -> Session | None:
        await gate.wait()
        return folded(FIRST) if session == "a" else None

    async with served(restore=restore) as hub, hub.client() as live:
        await hub.log(FIRST)
        await live.send("subscribe", session="a")
        opened = live.reference.opened
        await live.until(lambda: "a" in opened and len(opened["a"].timeline) == 3)
        held = hub.board.cache.held[key]
        [saved] = checkpoint.unpack(checkpoint.pack([Saved(held.session, held.epoch)]))
        gate.clear()
        anew = [Held(saved.session, held.epoch, has_ring=False)]
        handover.replace(hub.board, {key}.__contains__, anew, "gap", NOW)
        await live.until(lambda: opened["a"].detail["timeline_partial"])
        gate.set()
        await live.until(lambda: not opened["a"].detail["timeline_partial"])
        assert len(opened["a"].timeline) == 3
