"""How connections end: silence, expiry, limits, refusals and a hub that goes away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub import cookies, websocket
from tests.hub.made import event, folded, past, report
from tests.hub.made import said as entries
from tests.hub.raw import CLOSE, HELLO, PING, PONG, TEXT, Peer, framed, peer, said
from tests.hub.servers import BEARER, TOKEN, Served, closed, served, until
from tests.hub.test_rest import SECURITY

STRANGER = {"X-Nobody": "1"}


@contextlib.asynccontextmanager
async def swept(monkeypatch: pytest.MonkeyPatch, **options: Any) -> AsyncIterator[Served]:
    """A hub that looks at its connections all the time."""
    monkeypatch.setattr(websocket, "SWEEP_S", 0.01)
    async with served(**options) as hub:
        sweeping = asyncio.create_task(hub.hub.run())
        yield hub
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


async def ending(opened: Peer) -> tuple[int, dict[str, Any]]:
    """Read up to the close frame; its code and the bye before it."""
    frame = await opened.read()
    while frame.opcode != CLOSE:
        frame = await opened.read()
    byes = [each.told for each in opened.frames if each.opcode == TEXT]
    return int.from_bytes(frame.payload[:2], "big"), byes[-1]


async def test_a_peer_of_which_nothing_is_heard_is_closed_by_4002(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It reads, and says nothing at all; its place is free afterwards."""
    async with swept(monkeypatch, silent_ms=300) as hub, peer(hub) as opened:
        await opened.send(HELLO)
        code, bye = await ending(opened)
        assert (code, bye["type"], bye["code"]) == (4002, "bye", 4002)
        assert bye["retry_ms"] > 0
        await until(lambda: not hub.board.clients)
        assert await opened.ended() == b""
        await until(lambda: not hub.hub.connections)


async def test_a_silent_peer_that_reads_nothing_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its goodbye cannot be written, and nobody waits for that."""
    async with swept(monkeypatch, silent_ms=500) as hub:
        await hub.log(report("a", to=500, entries=entries(250, text="x" * 900)))
        async with peer(hub, receive_bytes=8 * 1024) as opened:
            await opened.send(HELLO + said("subscribe", session="a"))
            await until(lambda: hub.board.clients)
            await until(lambda: not hub.hub.connections and not hub.board.clients)
            assert await opened.ended()


async def test_pongs_alone_are_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that answers RFC pings and says nothing else is not silent."""
    hub_of_its_own = swept(monkeypatch, silent_ms=2_000, ping_s=0.2, pong_s=20)
    async with hub_of_its_own as hub, peer(hub) as opened:
        await opened.send(HELLO)
        for _ in range(15):
            frame = await opened.read()
            while frame.opcode != PING:
                assert frame.opcode == TEXT
                frame = await opened.read()
            await opened.send(framed(frame.payload, PONG))
        assert len(hub.board.clients) == 1


async def test_an_expired_credential_is_closed_by_4005(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a socket that is open already; one that never expires stays."""
    monkeypatch.setattr(cookies, "MAX_AGE_S", 2)
    async with swept(monkeypatch) as hub:
        grant = hub.hub.door.grant_token(TOKEN)
        assert grant is not None
        cookie = hub.hub.door.cookie(grant, secure=False).partition(";")[0]
        async with hub.client() as owner, peer(hub, Cookie=cookie) as opened:
            await opened.send(HELLO)
            assert (await opened.read()).told["type"] == "welcome"
            code, bye = await ending(opened)
            assert code == bye["code"] == 4005
            assert bye["retry_ms"] > 0
            await owner.send("ping", id=1)
            await owner.until(lambda: owner.reference.frames[-1]["type"] == "pong")
        async with peer(hub, Cookie=cookie) as late:
            await late.send(HELLO)
            assert (await ending(late))[0] == 4501


async def test_one_connection_too_many_is_closed_by_4006() -> None:
    """Accepted, so that a browser hears when to come back; who goes makes room."""
    async with served(connections_max=2) as hub, hub.client():
        async with hub.client():
            async with hub.socket() as third:
                code, frames = await closed(third)
            assert (code, [frame["type"] for frame in frames]) == (4006, ["bye"])
            assert frames[0]["retry_ms"] == websocket.FULL_RETRY_MS
            assert len(hub.board.clients) == 2
        await until(lambda: len(hub.hub.connections) == 1)
        async with hub.client():
            assert len(hub.board.clients) == 2


async def test_newcomers_at_a_draining_hub_are_told_4000() -> None:
    """Accepted and closed, whether they say hello or not; none of them is attached."""
    async with served() as hub:
        await hub.hub.drain()
        async with peer(hub) as opened:
            await opened.send(HELLO)
            code, bye = await ending(opened)
            assert code == bye["code"] == 4000
            assert bye["retry_ms"] > 0
            assert await opened.ended() == b""
        assert hub.board.clients == {}


async def test_strangers_are_counted_from_the_handshake_on() -> None:
    """Of eighty at once 64 are let in; the credential of others is not in their way."""
    async with served() as hub, contextlib.AsyncExitStack() as stack:
        asked = (stack.enter_async_context(peer(hub, **STRANGER)) for _ in range(80))
        peers = await asyncio.gather(*asked)
        assert sorted(each.status for each in peers) == [101] * 64 + [429] * 16
        async with hub.client():
            assert len(hub.board.clients) == 1
        first = next(each for each in peers if each.status == 101)
        await first.send(said("hello", protocol=1, token=TOKEN))
        await first.until("welcome")
        async with peer(hub, **STRANGER) as another:
            assert another.status == 101


REFUSALS = {
    400: {**BEARER, "Sec-WebSocket-Protocol": "hub.v9.json"},
    401: {"Authorization": "Bearer wrong"},
    403: {**BEARER, "Origin": "http://evil.example"},
    429: STRANGER,
}


@pytest.mark.parametrize(("status", "headers"), REFUSALS.items())
async def test_a_refused_handshake_has_the_security_headers(
    status: int, headers: dict[str, str]
) -> None:
    """It is an answer like every other, and a problem that says why."""
    async with served(connections_per_address_max=0) as hub, peer(hub, **headers) as opened:
        assert opened.status == status
        assert set(opened.headers) >= SECURITY
        assert opened.headers["content-type"] == "application/problem+json"
        assert b'"detail"' in await opened.ended()
    assert hub.hub.connections == set()


async def test_a_flood_of_a_peer_that_reads_nothing_is_cut_off() -> None:
    """4007 cannot be written to it: that is not waited for."""
    async with served() as hub:
        await hub.log(report("a", to=500, entries=entries(250, text="x" * 900)))
        async with peer(hub, receive_bytes=8 * 1024) as opened:
            await opened.send(HELLO + said("subscribe", session="a"))
            await until(lambda: any(not c.outbox.writable for c in hub.board.clients.values()))
            await opened.send(b"".join(said("ping", id=n) for n in range(300)))
            await until(lambda: not hub.hub.connections and not hub.board.clients)
            await opened.ended()


async def test_nothing_is_written_behind_a_goodbye() -> None:
    """A hub that drains while a session is restored for a newcomer does not show it any more."""
    kept, gate = past("p", 2 * 86_400_000, entries=entries(2), to=2), asyncio.Event()
    is_let_go = False

    async def restore(session: str) -> Any:
        if session != "p" or not is_let_go:
            return None
        await gate.wait()
        return folded(kept)

    async with served(restore=restore, board_rows_min=1) as hub:
        await hub.hub.worker.bus.append([kept])
        await hub.log(event("prompt", "a"))
        is_let_go = True
        async with peer(hub) as opened:
            resume = [{"session": "p", "cursor": ""}]
            await opened.send(said("hello", protocol=1, resume=resume))
            await until(lambda: hub.board.cache.pinned)
            draining = asyncio.create_task(hub.hub.drain())
            assert (await ending(opened))[0] == 4000
            gate.set()
            assert await opened.ended() == b""
            await draining
        kinds = [frame.told["type"] for frame in opened.frames if frame.opcode == TEXT]
        assert kinds[-1] == "bye"
        assert "session.snapshot" not in kinds
        await until(lambda: not hub.hub.connections)
        assert (hub.board.clients, hub.board.cache.pinned) == ({}, {})
