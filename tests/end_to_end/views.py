"""Twenty clients of one hub, each compared with the truth at every heartbeat it gets.

Recorded transcripts are played to a served hub as ``tower replay`` would, and a person answers,
asks and ends. Run by test_views.py; for longer by ``python -m tests.end_to_end.views``.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pytest
from starlette.requests import Request
from websockets.exceptions import ConnectionClosed

from hub.auth import OWNER
from hub.live.groups import Group
from hub.live.views import View
from hub.rest import live as live_routes
from hub.worker import now_ms
from locustfiles.reference_client import Violation
from session.delta import Delta
from session.state import Session, summary
from tests.hub.made import event, permission, report, tool_end
from tests.hub.servers import Live, Served, served, until
from tower.replay import Play, Player, Recording, find

Row = dict[str, Any]
Shown = list[tuple[str, Row]]

CURSORS_KEPT = 2_000  # of each group: a heartbeat may name one of a while ago
PACE_S = 0.03  # between two lines of one session, at least
PLAYERS = 8
MADE = tuple(f"made-{n}" for n in range(12))
LATE_S = 1.2  # a client that acknowledges so late falls behind now and then
LIMITS = {"in_flight_bytes_max": 8 * 1024, "queued_bytes_max": 8 * 1024}


class Watch(NamedTuple):
    """One client: what it asks for, and how it behaves."""

    rate_hz: int
    view: Mapping[str, Any] = MappingProxyType({})
    deflates: bool = False
    is_late: bool = False
    is_restless: bool = False


WATCHES = (
    Watch(1), Watch(5), Watch(60), Watch(1000), Watch(60, deflates=True),
    Watch(60, is_late=True), Watch(1000, is_late=True, deflates=True),
    Watch(20, {"status": ["running"]}), Watch(200, {"status": ["waiting"]}),
    Watch(60, {"status": ["idle", "failed"]}), Watch(5, {"status": ["ended"], "archived": True}),
    Watch(60, {"project": "shop"}), Watch(60, {"q": "made"}, deflates=True),
    Watch(200, {"sort": "updated", "limit": 5}), Watch(1000, {"sort": "cost", "limit": 7}),
    Watch(1, {"sort": "started", "limit": 3}, deflates=True),
    Watch(60, {"limit": 2, "pinned": list(MADE[:3])}),
    Watch(20, {"status": ["waiting"], "pinned": list(MADE[2:5])}, is_late=True),
    Watch(60, {"sort": "updated"}, is_restless=True),
    Watch(1000, {"status": ["running"]}, deflates=True, is_restless=True),
)  # fmt: skip
OTHER_VIEWS: tuple[dict[str, Any], ...] = (
    {}, {"status": ["waiting", "running"]}, {"sort": "updated", "limit": 4}, {"q": "replay"},
)  # fmt: skip


class Tally:
    """What a run has come to."""

    def __init__(self) -> None:
        self.heartbeats: Counter[int] = Counter()  # compared, by client
        self.rows = 0
        self.frames = 0
        self.deltas = 0
        self.passed = 0  # flushes in which somebody was behind
        self.wrong: list[str] = []

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "clients": len(self.heartbeats),
            "heartbeats_compared": self.heartbeats.total(),
            "heartbeats_of_the_least_compared": min(self.heartbeats.values(), default=0),
            "rows_compared": self.rows,
            "frames": self.frames,
            "deltas": self.deltas,
            "flushes_with_somebody_behind": self.passed,
            "wrong": self.wrong,
        }


class Truth:
    """What every group showed at every cursor, computed afresh in the step that moved it."""

    def __init__(self, hub: Served, tally: Tally) -> None:
        self.hub = hub
        self.tally = tally
        self.versions: dict[str, OrderedDict[int, Row]] = {}  # of each session, by its number
        self._shown: dict[str, OrderedDict[str, Shown]] = {}  # by group, by cursor

    @contextlib.contextmanager
    def recorded(self) -> Iterator[None]:
        """Look whenever a group has sent what was pending, or took somebody in."""
        flush, join = Group.flush, Group.join

        def watched_flush(group: Group, *args: Any) -> int:
            made = flush(group, *args)
            self._note(group)
            return made

        def watched_join(group: Group, *args: Any) -> None:
            join(group, *args)
            self._note(group)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Group, "flush", watched_flush)
            patch.setattr(Group, "join", watched_join)
            yield

    def _note(self, group: Group) -> None:
        shown = self.api_live() if group.view == View() else self._fresh(group.view)
        self.tally.passed += any("overview" in each.missed for each in group.members.values())
        for session in {each for client in group.members.values() for each in client.pinned}:
            self._note_row(session)
        kept = self._shown.setdefault(group.name, OrderedDict())
        before = kept.get(group.cursor)
        if before is not None and dict(before) != dict(shown):
            self.tally.wrong.append(f"{group.view}: the rows changed, {group.cursor} did not")
        kept[group.cursor] = shown
        if len(kept) > CURSORS_KEPT:
            kept.popitem(last=False)

    def _fresh(self, view: View) -> Shown:
        """A view of the hub's cache, the long way."""
        sessions = [each for each in self.hub.board.cache.sessions("default") if view.matches(each)]
        sessions.sort(key=view.key)
        return [(each.id, self._row(each)) for each in sessions[: view.limit]]

    def _row(self, session: Session) -> Row:
        versions = self.versions.setdefault(session.id, OrderedDict())
        row = versions.get(session.number)
        if row is None:
            row = versions[session.number] = json.loads(msgspec.json.encode(summary(session)))
            if len(versions) > CURSORS_KEPT:
                versions.popitem(last=False)
        return row

    def api_live(self) -> Shown:
        """The rows that ``GET /api/live`` would answer in this very step."""
        app = type("App", (), {"state": type("State", (), {"hub": self.hub.hub})})
        scope = {"type": "http", "app": app, "state": {"grant": OWNER}, "headers": []}
        answer = live_routes.live(Request(scope))
        try:
            answer.send(None)
        except StopIteration as done:
            told = json.loads(done.value.body)["sessions"]
            return [(row["id"], row) for row in told]
        raise AssertionError("the endpoint waits for something")

    def at(self, cursor: str) -> dict[str, Row]:
        """The rows at a cursor; raises Violation for one that no group has had."""
        group = cursor.rpartition(".")[0]
        shown = self._shown.get(group, {}).get(cursor)
        if shown is None:
            raise Violation(f"no group was ever at {cursor}")
        return dict(shown)

    def was(self, row: Row) -> bool:
        """Whether a session's row was ever that."""
        self._note_row(row["id"])
        return row in self.versions.get(row["id"], {}).values()

    def _note_row(self, session: str) -> None:
        held = self.hub.board.cache.get(("default", session))
        if held is not None:
            self._row(held.session)


class Follower:
    """One reference client at the end of a real socket, compared at every heartbeat."""

    def __init__(self, number: int, watch: Watch, live: Live, truth: Truth) -> None:
        self.number = number
        self.watch = watch
        self.live = live
        self.truth = truth
        self.pinned = set(watch.view.get("pinned", ()))
        self.read = len(live.reference.frames)
        self._acked_at = 0.0

    async def follow(self) -> None:
        """Read, acknowledge and compare until cancelled."""
        reference, tally = self.live.reference, self.truth.tally
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = reference.feed(str(await self.live.opened.recv()).encode())
                del reference.frames[1:], reference.heartbeats[:-1]
                self.read += 1
                tally.frames += 1
                if frame["type"] == "heartbeat":
                    tally.heartbeats[self.number] += 1
                    self.compare()
                await self._acknowledge()

    async def _acknowledge(self) -> None:
        now = time.monotonic()
        if not self.watch.is_late or now - self._acked_at >= LATE_S:
            self._acked_at = now
            await self.live.send("ack", frames=self.read)

    async def keep_acknowledging(self) -> None:
        """What a late client does when nothing comes."""
        while True:
            await asyncio.sleep(LATE_S)
            await self.live.send("ack", frames=self.read)

    def compare(self) -> None:
        """The held rows are those of the held cursor; own pinned ones are as they once were."""
        reference = self.live.reference
        expected = self.truth.at(str(reference.overview))
        own = {each: reference.rows[each] for each in reference.rows.keys() - expected.keys()}
        shown = {each: row for each, row in reference.rows.items() if each not in own}
        self.truth.tally.rows += len(reference.rows)
        wrong = [each for each in expected if shown.get(each) != expected[each]]
        wrong += [each for each, row in own.items() if not self._may_have(each, row)]
        if wrong:
            first = wrong[0]
            self._complain(f"{first}: {reference.rows.get(first)} but {expected.get(first)}")

    def _may_have(self, session: str, row: Row) -> bool:
        return session in self.pinned and self.truth.was(row)

    def _complain(self, text: str) -> None:
        at = self.live.reference.overview
        self.truth.tally.wrong.append(f"client {self.number} {self.watch} at {at}: {text}")

    def is_settled(self) -> bool:
        """Whether the rows are those of this moment, pinned ones included."""
        [group] = [
            group for group in self.truth.hub.board.rooms.groups.values()
            if self.live.reference.welcome["connection"] in group.members  # type: ignore[index]
        ]  # fmt: skip
        expected = dict(self.truth._fresh(group.view))
        for held in (self.truth.hub.board.cache.get(("default", each)) for each in self.pinned):
            if held is not None:
                expected.setdefault(held.session.id, self.truth._row(held.session))
        return self.live.reference.rows == expected


# What happens meanwhile.


async def play(hub: Served, recordings: Iterator[Recording], speed: float, tally: Tally) -> None:
    """One recording after the other under fresh ids, as ``tower replay`` plays them."""
    while True:
        player = Player(next(recordings), Play(paths=[], target="", speed=speed))
        for step in player.steps:
            await asyncio.sleep(max(step.after_s, PACE_S))
            deltas = player.speak(step, now_ms())
            tally.deltas += len(deltas)
            if deltas:
                await hub.hub.worker.bus.append(deltas)
        await hub.hub.worker.bus.append([event("session_end", player.session, at=now_ms())])


async def live_on(hub: Served, chance: random.Random, tally: Tally) -> None:
    """Made-up sessions begin, ask, are answered, stop, cost and end."""
    for turn in itertools.count(1):
        await asyncio.sleep(chance.uniform(0.005, 0.06))
        tally.deltas += 1
        await hub.hub.worker.bus.append([something(chance, turn)])


def something(chance: random.Random, turn: int) -> Delta:
    """What happens next to one of them."""
    session, at = chance.choice(MADE), now_ms()
    project = chance.choice(("shop", "shop", "till"))
    told = report(session, to=turn, from_=0, at=at, cwd=f"/made/up/{project}", messages=turn)
    cost = {"input": turn, "output": turn, "cache_read": 0, "cache_write": 0, "calls": turn}
    spent = {"opus": {**cost, "cost_usd": turn / 1000, "unpriced": 0}}
    changes: list[Delta] = [
        event("prompt", session, at, text=f"turn {turn}"), event("stop", session, at),
        permission(session, call=f"{session}-1", at=at), tool_end(session, at=at), told,
        report(session, to=turn, from_=0, at=at, calls=spent),
        event("stop_failure", session, at, text="no"), event("session_end", session, at),
    ]  # fmt: skip
    made = chance.choices(changes, weights=(6, 2, 3, 3, 3, 3, 1, 1))[0]
    return msgspec.structs.replace(made, id=f"{made.id}:{turn}", received_at=at)


async def change_mind(follower: Follower, chance: random.Random) -> None:
    """Another view or rate, every now and then."""
    for views in itertools.cycle(OTHER_VIEWS):
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        await follower.live.send("view", **views)
        await follower.live.send("rate", hz=chance.choice((1, 20, 60, 1000)))


@contextlib.asynccontextmanager
async def following(hub: Served, truth: Truth) -> AsyncIterator[list[Follower]]:
    """All clients, connected and reading."""
    async with contextlib.AsyncExitStack() as stack:
        followers = []
        for number, watch in enumerate(WATCHES):
            compression = "deflate" if watch.deflates else None
            opened = await stack.enter_async_context(hub.socket(compression))
            live = Live(opened)
            await live.send("hello", protocol=1, rate_hz=watch.rate_hz, view=dict(watch.view))
            await live.until(lambda live=live: live.reference.overview)
            followers.append(Follower(number, watch, live, truth))
        yield followers


async def run(paths: list[str], for_s: float, heartbeat_ms: int, speed: float = 20.0) -> Tally:
    """Play for so long, then let everything come to rest; raises Violation."""
    tally, chance = Tally(), random.Random(7)
    recordings = itertools.cycle(find(paths))
    async with served(heartbeat_ms=heartbeat_ms, **LIMITS) as hub:
        truth = Truth(hub, tally)
        with truth.recorded():
            async with following(hub, truth) as followers:
                reading = [asyncio.create_task(each.follow()) for each in followers]
                doing = [
                    asyncio.create_task(each.keep_acknowledging())
                    for each in followers if each.watch.is_late
                ]  # fmt: skip
                doing += [
                    asyncio.create_task(change_mind(each, chance))
                    for each in followers if each.watch.is_restless
                ]  # fmt: skip
                happening = [
                    asyncio.create_task(play(hub, recordings, speed, tally)) for _ in range(PLAYERS)
                ]
                happening.append(asyncio.create_task(live_on(hub, chance, tally)))
                tasks = [*reading, *doing, *happening]
                await asyncio.wait(tasks, timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
                await _end(task for task in [*happening, *doing[-2:]])
                await _settle(hub, followers)
                await _end(tasks)
    return tally


async def _end(tasks: Any) -> None:
    """Cancel what goes on; raise what went wrong."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    for told in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(told, Exception):
            raise told


async def _settle(hub: Served, followers: list[Follower]) -> None:
    """Everything comes to rest: all rows are those of this moment, and of the real route."""
    await until(lambda: all(each.is_settled() for each in followers))
    told = await asyncio.to_thread(hub.get, "/api/live")
    rows = {row["id"]: row for row in told["sessions"]}
    for each in followers:
        if not each.watch.view and not each.watch.is_restless and each.live.reference.rows != rows:
            each._complain("at rest, other rows than GET /api/live")


def main() -> int:
    """Run for long; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="recorded transcripts")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--heartbeat-ms", type=int, default=500)
    told = parser.parse_args()
    tally = asyncio.run(run([str(p) for p in told.paths], told.minutes * 60, told.heartbeat_ms))
    sys.stdout.write(json.dumps(tally.told(), indent=1) + "\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
