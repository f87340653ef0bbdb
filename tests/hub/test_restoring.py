"""Opening sessions that must be restored first: the reader goes on, answers keep their order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from session.state import Session
from tests.hub.made import event, folded, past, permission, said
from tests.hub.servers import Live, Served, served, until

DAY_MS = 86_400_000
KEPT = past("p", 2 * DAY_MS, entries=said(2), to=2)


class Archive:
    """Sessions that were let go; each restore waits until it is allowed."""

    def __init__(self) -> None:
        self.allowed = asyncio.Event()
        self.asked: list[str] = []
        self.is_broken = False
        self.is_closed = True

    async def restore(self, session: str) -> Session | None:
        """The session, once it is allowed."""
        if self.is_closed or session != "p":
            return None
        self.asked.append(session)
        await self.allowed.wait()
        if self.is_broken:
            raise OSError("the disk is gone")
        return folded(KEPT)


@contextlib.asynccontextmanager
async def archived() -> AsyncIterator[tuple[Served, Archive]]:
    """A hub that has let one session go, and holds another."""
    archive = Archive()
    async with served(restore=archive.restore, board_rows_min=1) as hub:
        await hub.hub.worker.bus.append([KEPT])
        await hub.log(event("prompt", "a"))
        assert hub.board.cache.get(KEPT.key) is None
        archive.is_closed = False
        yield hub, archive
        archive.allowed.set()


def kinds(live: Live, since: int) -> list[tuple[str, Any]]:
    """What came, and of which session or with which id."""
    return [
        (frame["type"], frame.get("session", frame.get("id")))
        for frame in live.reference.frames[since:]
        if frame["type"] in ("session.snapshot", "pong", "error")
    ]


async def test_requests_behind_a_slow_restore_are_answered_in_their_order() -> None:
    """They are taken in meanwhile, and none of them overtakes the other."""
    async with archived() as (hub, archive), hub.client() as live:
        since = len(live.reference.frames)
        await live.send("subscribe", session="p")
        await until(lambda: archive.asked == ["p"])
        await live.send("ping", id=1)
        await live.send("subscribe", session="a")
        await live.send("ping", id=2)
        [connection] = hub.hub.connections
        await until(lambda: len(connection._pending) == 4)
        archive.allowed.set()
        await live.until(lambda: live.reference.frames[-1].get("id") == 2)
        assert kinds(live, since) == [
            ("session.snapshot", "p"), ("pong", 1), ("session.snapshot", "a"), ("pong", 2),
        ]  # fmt: skip
        assert len(live.reference.opened["p"].timeline) == 2


async def test_acks_and_signs_of_life_are_taken_in_during_a_restore() -> None:
    """Who waits for a session is neither silent nor behind, and still hears of everything."""
    async with archived() as (hub, archive), hub.client(rate_hz=1000) as live:
        await live.send("subscribe", session="p")
        await until(lambda: archive.asked == ["p"])
        [client] = hub.board.clients.values()
        [connection] = hub.hub.connections
        for n in range(5):
            heard_at, acked = connection.heard_at, client.outbox.frames_acked
            await hub.log(event("prompt", f"s{n}"))
            await live.until(lambda n=n: f"s{n}" in live.reference.rows)
            await live.send("pong", id="h1")
            await until(lambda a=acked: client.outbox.frames_acked > a)
            await until(lambda h=heard_at: connection.heard_at > h)
        assert client.outbox.in_flight_bytes == 0
        assert not connection._pending or archive.asked == ["p"]
        archive.allowed.set()
        await live.until(lambda: not live.reference.opened["p"].stale)


async def test_all_who_open_a_session_wait_for_one_read() -> None:
    """Also where the one who asked first is gone before it is there."""
    async with archived() as (hub, archive), hub.client() as second, hub.client() as third:
        async with hub.client() as first:
            await first.send("subscribe", session="p")
            await until(lambda: archive.asked)
            for each in (second, third):
                await each.send("subscribe", session="p")
            await until(lambda: sum(len(c._pending) for c in hub.hub.connections) == 3)
        archive.allowed.set()
        for each in (second, third):
            await each.until(lambda e=each: not e.reference.opened["p"].stale)
            assert len(each.reference.opened["p"].timeline) == 2
        assert archive.asked == ["p"]


async def test_others_are_served_while_one_waits() -> None:
    """A restore holds up nobody but its client."""
    async with archived() as (hub, archive), hub.client() as live, hub.client() as other:
        await live.send("subscribe", session="p")
        await until(lambda: archive.asked)
        await other.send("subscribe", session="a")
        await other.until(lambda: not other.reference.opened["a"].stale)
        archive.allowed.set()
        await live.until(lambda: not live.reference.opened["p"].stale)


async def test_a_restore_that_fails_is_an_error_and_the_connection_lives() -> None:
    """``snapshot_failed`` with a time to come back; then it is opened after all."""
    async with archived() as (hub, archive), hub.client() as live:
        archive.is_broken = True
        archive.allowed.set()
        since = len(live.reference.frames)
        await live.send("subscribe", session="p")
        await live.send("ping", id=1)
        await live.until(lambda: live.reference.frames[-1]["type"] == "pong")
        assert kinds(live, since) == [("error", "p"), ("pong", 1)]
        [error] = live.reference.errors
        assert error["code"] == "snapshot_failed"
        assert error["retry_ms"] > 0
        assert live.reference.opened["p"].stale
        archive.is_broken = False
        await live.send("subscribe", session="p")
        await live.until(lambda: not live.reference.opened["p"].stale)


async def test_a_resumed_session_that_cannot_be_read_now_is_told_so() -> None:
    """It is not unknown: the client may come back for it."""
    async with archived() as (hub, archive):
        archive.is_broken = True
        archive.allowed.set()
        async with hub.client(resume=[{"session": "p", "cursor": ""}]) as live:
            await live.until(lambda: live.reference.errors)
            [error] = live.reference.errors
            assert (error["session"], error["code"]) == ("p", "snapshot_failed")
            assert error["retry_ms"] > 0


async def test_board_and_open_items_wait_for_no_restore() -> None:
    """Who comes back sees what is asked of a person at once, and the session when it is there."""
    async with archived() as (hub, archive):
        await hub.log(permission("a"))
        async with hub.client(
            resume=[{"session": "p", "cursor": ""}, {"session": "a", "cursor": ""}], active="p"
        ) as live:
            await live.until(lambda: ("session.snapshot", "a") in kinds(live, 0))
            await until(lambda: archive.asked == ["p"])
            assert len(live.reference.items) == 1
            assert "a" in live.reference.rows
            assert kinds(live, 0) == [("session.snapshot", "a")]
            archive.allowed.set()
            await live.until(lambda: ("session.snapshot", "p") in kinds(live, 0))
            [client] = hub.board.clients.values()
            assert client.subscriptions.active == ("default", "p")


async def test_a_client_that_goes_during_a_restore_leaves_nothing_behind() -> None:
    """The session is restored for nobody, and no place is kept for it."""
    async with archived() as (hub, archive):
        async with hub.client() as live:
            await live.send("subscribe", session="p")
            await until(lambda: archive.asked)
            [connection] = hub.hub.connections
        await until(lambda: not hub.board.clients)
        archive.allowed.set()
        await until(lambda: connection._serving is None and not hub.board.cache.pinned)
        assert (hub.board.rooms.channels, hub.hub.connections) == ({}, set())
