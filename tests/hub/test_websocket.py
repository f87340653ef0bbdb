"""The socket's shell against a real server: handshakes, closings, floods and stalled clients."""

import asyncio
import contextlib
import json
import socket
from typing import Any

import pytest
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hub.wsprotocol import HubProtocol
from tests.hub.made import NOW, event, folded, past, permission, report, said
from tests.hub.servers import BEARER, DEADLINE_S, TOKEN, closed, served, until

HELLO = json.dumps({"type": "hello", "protocol": 1})
Protocol = type[asyncio.Protocol]
BOTH = pytest.mark.parametrize(
    "protocol", [HubProtocol, WebSocketsSansIOProtocol], ids=["ours", "plain"]
)


async def refused(url: str, **options: Any) -> int:
    """The status of a handshake that is not accepted."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(url, proxy=None, compression=None, **options):
            pass
    return caught.value.response.status_code


@BOTH
async def test_a_client_that_says_hello_is_served(protocol: Protocol) -> None:
    """Welcome, attention, overview, then what it opens and what happens."""
    async with served(protocol=protocol) as hub:
        await hub.log(event("prompt", "a"), permission("b"))
        async with hub.client() as live:
            kinds = [frame["type"] for frame in live.reference.frames]
            assert kinds == ["welcome", "attention", "overview.snapshot"]
            assert live.opened.subprotocol is None
            await live.send("subscribe", session="a")
            await live.until(lambda: not live.reference.opened["a"].stale)
            await hub.log(event("stop", "a"))
            await live.until(lambda: live.reference.opened["a"].detail["status"] == "idle")
            await live.until(lambda: live.reference.rows["a"]["status"] == "idle")


async def test_the_subprotocol_is_chosen_if_offered_and_needed_if_any_is() -> None:
    """hub.v1.json among others is taken; only unknown ones are a 400."""
    async with served() as hub:
        async with hub.socket(subprotocols=["x", "hub.v1.json"]) as opened:
            assert opened.subprotocol == "hub.v1.json"
        assert await refused(hub.ws_url, subprotocols=["hub.v2.json"]) == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic " + TOKEN}, 401),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({**BEARER, "Origin": "http://evil.example"}, 403),
        ({**BEARER, "Host": "evil.example"}, 403),
    ],
)
async def test_a_handshake_is_refused_before_anything_is_accepted(
    headers: dict[str, str], status: int
) -> None:
    """401 for a bad Authorization without Origin, 403 for a foreign Origin or Host."""
    async with served() as hub:
        assert await refused(hub.ws_url, additional_headers=headers) == status
        assert hub.board.clients == {}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
@pytest.mark.parametrize("token", [None, "wrong", ""])
async def test_a_browser_without_a_credential_is_closed_by_4501(
    headers: dict[str, str], token: str | None
) -> None:
    """With an allowed Origin the socket is accepted, for a browser cannot see a 401."""
    async with served() as hub:
        more = {**headers, "Origin": hub.url}
        async with hub.socket(additional_headers=more) as opened:
            await opened.send(json.dumps({"type": "hello", "protocol": 1, "token": token}))
            code, frames = await closed(opened)
        assert code == 4501
        assert [(frame["type"], frame["code"]) for frame in frames] == [("bye", 4501)]


@BOTH
async def test_a_token_in_hello_is_a_credential(protocol: Protocol) -> None:
    """Also where the handshake brought a bad one, if the Origin is allowed."""
    async with served(protocol=protocol, door={"origins": ["https://board.example"]}) as hub:
        for headers in ({}, {"Origin": "https://board.example", "Authorization": "Bearer x"}):
            async with hub.socket(additional_headers=headers) as opened:
                await opened.send(json.dumps({"type": "hello", "protocol": 1, "token": TOKEN}))
                assert json.loads(await opened.recv())["type"] == "welcome"


async def test_a_cookie_is_a_credential() -> None:
    """The one that a login gave."""
    async with served() as hub:
        grant = hub.hub.door.grant_token(TOKEN)
        assert grant is not None
        cookie = hub.hub.door.cookie(grant, secure=False).partition(";")[0]
        headers = {"Cookie": f"other=1; {cookie}", "Origin": hub.url}
        async with hub.socket(additional_headers=headers) as opened:
            await opened.send(HELLO)
            assert json.loads(await opened.recv())["type"] == "welcome"


@BOTH
async def test_silence_before_hello_is_closed_by_4502(protocol: Protocol) -> None:
    """Nobody keeps a place without saying who they are."""
    async with served(protocol=protocol, hello_timeout_ms=50) as hub, hub.socket() as opened:
        assert (await closed(opened))[0] == 4502


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (json.dumps({"type": "subscribe", "session": "a"}), 4502),
        (json.dumps({"type": "hello"}), 4503),
        (json.dumps({"type": "hello", "protocol": 2}), 4503),
        (json.dumps({"type": "hello", "protocol": 1, "rate_hz": "x"}), 4500),
        (b"\x00\x01", 4500),
        ("not json", 4500),
        ("[1]", 4500),
        ("null", 4500),
        ('{"type":"hello","protocol":1,"client":"\\ud800"}', 4500),
        ('{"a":NaN}', 4500),
        ("[" * 10_000, 4500),
        (json.dumps({"type": "hello", "protocol": 1, "client": "x" * 16_384}), 4500),
    ],
    ids=range(12),
)
async def test_a_bad_first_frame_is_closed_with_its_code(message: str | bytes, code: int) -> None:
    """A bye tells the code first, and no client was attached."""
    async with served() as hub:
        async with hub.socket() as opened:
            await opened.send(message)
            got, frames = await closed(opened)
        assert got == code
        assert frames[-1]["type"] == "bye"
        assert ("retry_ms" in frames[-1]) == (code < 4500)
        assert hub.board.clients == {}


@pytest.mark.parametrize("message", [b"x", "{", "[]", '"x"', '{"x":"' + "y" * 16_400 + '"}'])
async def test_a_frame_that_is_no_object_is_closed_by_4500(message: str | bytes) -> None:
    """Binary, broken, an array, a text, too large: each ends its own connection alone."""
    async with served() as hub, hub.client() as other, hub.client() as live:
        await live.opened.send(message)
        assert (await closed(live.opened))[0] == 4500
        await until(lambda: len(hub.board.clients) == 1)
        await other.send("ping", id=1)
        await other.until(lambda: other.reference.frames[-1]["type"] == "pong")


@pytest.mark.parametrize(
    "request_",
    [
        {"type": "view", "view": "x"},
        {"type": "ping", "id": 10**40},
        {"type": "resync", "scope": "session", "session": "nobody"},
        {"type": "rate", "hz": -1},
        {"type": 5},
    ],
)
async def test_a_request_that_makes_no_sense_leaves_the_connection_alive(
    request_: dict[str, Any],
) -> None:
    """An error or nothing; a ping after it is answered."""
    async with served() as hub, hub.client() as live:
        await live.opened.send(json.dumps(request_))
        await live.send("ping", id="after")
        await live.until(lambda: live.reference.frames[-1].get("id") == "after")


async def test_a_frame_beyond_what_is_read_at_all_ends_the_connection() -> None:
    """More than 64 KiB is not taken into memory: 1009, which clients treat as 4500."""
    async with served() as hub, hub.client() as live:
        with contextlib.suppress(ConnectionClosed):
            await live.opened.send("x" * 200_000)
        assert (await closed(live.opened))[0] in (1009, 4500)


async def test_a_flood_is_answered_by_errors_and_then_closed_by_4007() -> None:
    """A burst passes, what is beyond is refused, who goes on is sent away."""
    async with served() as hub, hub.client() as live:
        with contextlib.suppress(ConnectionClosed):
            for n in range(400):
                await live.opened.send(json.dumps({"type": "ping", "id": n}))
        code, frames = await closed(live.opened)
        kinds = [frame["type"] for frame in frames]
        assert code == 4007
        assert kinds.count("pong") >= 60
        assert {frame["code"] for frame in frames if frame["type"] == "error"} == {"rate"}


async def test_acks_of_a_fast_stream_are_no_flood() -> None:
    """A client at 1000 Hz acknowledges as often as it is written to."""
    async with served() as hub, hub.client(rate_hz=1000) as live:
        for n in range(300):
            await hub.log(event("prompt" if n % 2 else "stop", "a", at=NOW + n))
            await live.read()
        assert live.reference.errors == []


@BOTH
async def test_a_hub_that_drains_says_bye_with_a_spread_retry(protocol: Protocol) -> None:
    """Everybody gets 4000 and when to come back; newcomers are refused."""
    async with served(protocol=protocol) as hub, contextlib.AsyncExitStack() as stack:
        lives = [await stack.enter_async_context(hub.client()) for _ in range(8)]
        draining = asyncio.create_task(hub.hub.drain())
        await asyncio.sleep(0)
        assert "about to end" in str(await hub.hub.unready())  # no balancer sends anybody here
        endings = [await closed(live.opened) for live in lives]
        await draining
        assert [code for code, _ in endings] == [4000] * 8
        byes = [frames[-1] for _, frames in endings]
        assert {bye["reason"] for bye in byes} == {"draining"}
        assert len({bye["retry_ms"] for bye in byes}) == 8
        async with hub.socket() as late:
            assert (await closed(late))[0] == 4000
        assert hub.board.clients == {}


@BOTH
async def test_a_client_that_goes_is_forgotten(protocol: Protocol) -> None:
    """With or without a closing frame, its places are free at once."""
    async with served(protocol=protocol) as hub:
        await hub.log(event("prompt", "a"))
        async with hub.client() as live:
            await live.send("subscribe", session="a")
            await live.until(lambda: not live.reference.opened["a"].stale)
        async with hub.client() as live:
            live.opened.transport.abort()
        await until(lambda: not hub.board.clients)
        assert hub.board.rooms.channels == {}
        assert hub.board.cache.pinned == {}
        assert hub.hub.connections == set()


@BOTH
async def test_many_clients_see_the_same(protocol: Protocol) -> None:
    """A hundred connections, each in step at the end."""
    async with served(protocol=protocol) as hub, contextlib.AsyncExitStack() as stack:
        lives = [
            await stack.enter_async_context(hub.client(rate_hz=(1000, 20)[n % 2]))
            for n in range(100)
        ]
        for n in range(50):
            await hub.log(event("prompt", f"s{n}"), permission(f"s{n}"))
        ends = [live.until(lambda live=live: len(live.reference.items) == 50) for live in lives]
        await asyncio.gather(*ends)
        rows = [live.until(lambda live=live: len(live.reference.rows) == 50) for live in lives]
        await asyncio.gather(*rows)


async def test_unauthenticated_connections_of_one_address_are_counted() -> None:
    """Beyond the limit the handshake is refused; with a credential it is not."""
    async with served(connections_per_address_max=3) as hub, contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(hub.socket(additional_headers={}))
        await until(lambda: sum(hub.hub._unauthenticated.values()) == 3)
        assert await refused(hub.ws_url) == 429
        async with hub.client():
            pass
        await stack.aclose()
        await until(lambda: not hub.hub._unauthenticated)


@BOTH
async def test_a_session_is_restored_before_it_is_opened(protocol: Protocol) -> None:
    """A past one that was let go is read again, and a failure to do so is an error, no end."""
    kept = past("p", 2 * 86_400_000, entries=said(2), to=2)
    broken = past("broken", 3 * 86_400_000)

    async def restore(session: str) -> Any:
        if session == "broken":
            raise OSError("the disk is gone")
        return folded(kept)

    async with served(protocol=protocol, restore=restore, board_rows_min=1) as hub:
        await hub.hub.worker.bus.append([kept, broken])
        await hub.log(event("prompt", "a"))
        assert hub.board.cache.get(("default", "p")) is None
        async with hub.client() as live:
            await live.send("subscribe", session="p")
            await live.until(lambda: not live.reference.opened["p"].stale)
            assert len(live.reference.opened["p"].timeline) == 2
            await live.send("subscribe", session="broken")
            await live.until(lambda: live.reference.errors)
            assert live.reference.errors[0]["session"] == "broken"


def stuffing(turn: int) -> list[Any]:
    """Changes worth some kilobytes."""
    return [
        report(f"s{n}", from_=turn, to=turn + 1, at=NOW + turn, entries=said(
            1, first=turn + 1, text="x" * 1_500))
        for n in range(4)
    ]  # fmt: skip


@contextlib.asynccontextmanager
async def stalled(hub: Any) -> Any:
    """A client with a small receive buffer that opens four sessions and reads no more."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.connect(("127.0.0.1", hub.port))
    raw.setblocking(False)
    async with connect(
        hub.ws_url, proxy=None, compression=None, additional_headers=BEARER, sock=raw,
        max_queue=1, ping_interval=None, close_timeout=0.1,
    ) as opened:  # fmt: skip
        await opened.send(HELLO)
        await opened.recv()
        for n in range(4):
            await opened.send(json.dumps({"type": "subscribe", "session": f"s{n}"}))
        opened.transport.pause_reading()
        yield opened
        opened.transport.abort()


async def test_a_client_that_never_reads_disturbs_nobody() -> None:
    """The others see every change, while it is behind."""
    async with served(send_buffer=8_192, in_flight_bytes_max=32_768) as hub:
        await hub.log(*(event("prompt", f"s{n}") for n in range(4)))
        async with stalled(hub), hub.client(rate_hz=1000) as live:
            for turn in range(60):
                await hub.log(*stuffing(turn))
                stamp = NOW + turn
                await live.until(lambda s=stamp: live.reference.rows["s3"]["updated_at"] == s)
            await until(lambda: len(hub.board.patience.behind) == 1)


async def test_a_client_that_never_reads_is_let_go() -> None:
    """Its writer stands before a full socket; it is gone all the same, task and place."""
    limits = {"behind_degrade_ms": 100, "behind_abort_ms": 300}
    async with served(send_buffer=8_192, in_flight_bytes_max=32_768, **limits) as hub:
        await hub.log(*(event("prompt", f"s{n}") for n in range(4)))
        async with stalled(hub), hub.client(rate_hz=1000) as live:
            pumps = 0
            for turn in range(60):
                await hub.log(*stuffing(turn))
            flush = hub.board.flush

            def counted(now_ms: int) -> int:
                nonlocal pumps
                pumps += 1
                return flush(now_ms)

            hub.board.flush = counted  # type: ignore[method-assign]
            await until(lambda: len(hub.board.clients) == 1)
            assert pumps < 2_000
            await live.send("ping", id="alive")
            await live.until(lambda: live.reference.frames[-1].get("id") == "alive")


async def test_a_hub_with_a_stalled_client_drains_in_time() -> None:
    """Who takes no goodbye is not waited for."""
    async with served(send_buffer=8_192, in_flight_bytes_max=32_768) as hub:
        await hub.log(*(event("prompt", f"s{n}") for n in range(4)))
        async with stalled(hub):
            for turn in range(40):
                await hub.log(*stuffing(turn))
            async with asyncio.timeout(DEADLINE_S / 2):
                await hub.hub.drain()
