"""What a broken or hostile peer sends: it ends alone, nothing of it stays, the others go on."""

import asyncio
import contextlib
import logging
import random
import socket
from collections.abc import AsyncIterator, Iterable

import pytest

from tests.hub.raw import BINARY, CLOSE, HELLO, PING, PONG, TEXT, Peer, framed, peer, said
from tests.hub.servers import BEARER, DEADLINE_S, Live, Served, served, until

CONTINUATION = 0
KIB = 1024
CLAIMED = b"\x81\xff" + b"\x7f" + b"\xff" * 7 + bytes(4)
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\nAuthorization: {credential}\r\n{more}\r\n"
)


def handshake(hub: Served, path: str = "/ws", more: str = "") -> bytes:
    """The bytes that ask for a socket."""
    told = {"port": hub.port, "credential": BEARER["Authorization"]}
    return HANDSHAKE.format(path=path, more=more, **told).encode()


def closing(code: int) -> bytes:
    """A close frame."""
    return framed(code.to_bytes(2, "big"), CLOSE)


async def told_code(opened: Peer) -> int:
    """Read until the hub says goodbye; its code."""
    async with asyncio.timeout(DEADLINE_S):
        while (frame := await opened.read()).opcode != CLOSE:
            pass
    return int.from_bytes(frame.payload[:2], "big")


async def close_code(opened: Peer) -> int:
    """The same, answered, and the stream is at its end."""
    code = await told_code(opened)
    with contextlib.suppress(OSError):
        await opened.send(closing(code))
    await opened.ended()
    return code


async def assert_served(live: Live) -> None:
    """It is answered as if nothing had been."""
    await live.send("ping", id="after")
    await live.until(lambda: live.reference.frames[-1].get("id") == "after")


@contextlib.asynccontextmanager
async def beside(**limits: int) -> AsyncIterator[Served]:
    """A hub whose other client sees nothing of it, and which holds nobody else at the end."""
    async with served(**limits) as hub, hub.client() as other:
        yield hub
        await assert_served(other)
        await until(lambda: len(hub.hub.connections) == len(hub.board.clients) == 1)


@contextlib.asynccontextmanager
async def greeted(hub: Served, receive_bytes: int = 0) -> AsyncIterator[Peer]:
    """A peer that has said hello and read the board."""
    async with peer(hub, receive_bytes=receive_bytes) as opened:
        await opened.send(HELLO)
        await opened.until("overview.snapshot")
        yield opened


BROKEN = {
    "binary": (framed(b"x", BINARY), {4500}),
    "64 KiB and one byte": (framed(b"a" * (64 * KIB + 1)), {1009}),
    "64 KiB and one byte in fragments": (
        framed(b"a" * 40_000, fin=False) + framed(b"a" * 25_537, CONTINUATION), {1009}),
    "a length of eight exabytes": (CLAIMED, {1009}),
    "no mask": (b"\x81\x02{}", {1002}),
    "a reserved opcode": (framed(b"", 3), {1002}),
    "a reserved control opcode": (framed(b"", 15), {1002}),
    "a continuation of nothing": (framed(b"x", CONTINUATION), {1002}),
    "a message within a message": (framed(b"a", fin=False) + framed(b"b"), {1002}),
    "no UTF-8": (framed(b"\xff\xfe"), {1007, 4500}),
    "a surrogate in fragments": (
        framed(b'"\xce\xba', fin=False) + framed(b'\xed\xa0\x80"', CONTINUATION), {1007, 4500}),
    "UTF-8 that is cut off": (framed(b'{"a":"\xce'), {1007, 4500}),
    "a ping of 126 bytes": (framed(b"a" * 126, PING), {1002}),
    "a ping in fragments": (framed(b"a", PING, fin=False), {1002}),
    "a close of 126 bytes": (framed(b"\x03\xe8" + b"a" * 124, CLOSE), {1002}),
    "a close of one byte": (framed(b"\x03", CLOSE), {1002}),
    "a close with a reason that is no UTF-8": (framed(b"\x03\xe8\xff", CLOSE), {1007}),
    "broken JSON, then a broken frame": (framed(b"x") + framed(b"", 3), {1002, 4500}),
}  # fmt: skip


@pytest.mark.parametrize("is_greeted", [True, False], ids=["after hello", "before hello"])
@pytest.mark.parametrize(("data", "codes"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_frame_ends_its_own_connection(
    data: bytes, codes: set[int], is_greeted: bool
) -> None:
    """With the code that says why, before hello as after it."""
    async with beside() as hub, peer(hub) as opened:
        await opened.send((HELLO if is_greeted else b"") + data)
        assert await close_code(opened) in codes


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535])
async def test_a_close_code_that_nobody_may_send_is_an_error(code: int) -> None:
    """Reserved and unknown codes are not sent back."""
    async with beside() as hub, greeted(hub) as opened:
        await opened.send(closing(code))
        assert await close_code(opened) == 1002


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_a_close_code_is_sent_back_and_what_follows_is_ignored(code: int) -> None:
    """Whatever comes behind a goodbye is not read."""
    async with beside() as hub, greeted(hub) as opened:
        await opened.send(closing(code) + framed(b"\xff") * 3)
        assert await close_code(opened) == code


async def test_a_hello_in_fragments_of_one_byte_with_pings_between_is_served() -> None:
    """Also where a fragment ends within a character."""
    text = '{"type":"hello","protocol":1,"client":"é"}'.encode()
    pieces = b"".join(
        framed(bytes((byte,)), CONTINUATION if at else TEXT, fin=False) + framed(b"p", PING)
        for at, byte in enumerate(text)
    )
    async with beside() as hub, peer(hub) as opened:
        await opened.send(pieces + framed(b"", CONTINUATION))
        while (frame := await opened.read()).opcode == PONG:
            assert frame.payload == b"p"
        assert frame.told["type"] == "welcome"


@pytest.mark.parametrize("seed", range(2))
async def test_random_bytes_leave_nothing(seed: int) -> None:
    """A hundred peers with noise, half of them behind a hello, which then say no more."""
    noise = random.Random(seed)

    async def one(begin: bytes) -> None:
        async with peer(hub) as opened:
            await opened.send(begin + noise.randbytes(noise.randint(1, 3_000)))
            with contextlib.suppress(OSError):
                opened.socket.shutdown(socket.SHUT_WR)
            await opened.ended()

    async with beside() as hub:
        await asyncio.gather(*(one(HELLO if n % 2 else b"") for n in range(100)))


async def test_half_a_handshake_that_is_given_up_leaves_nothing() -> None:
    """Cut off anywhere, by a goodbye or a reset."""
    loop = asyncio.get_running_loop()
    async with beside() as hub:
        whole = handshake(hub)
        for end in range(0, len(whole) - 1, 5):
            with socket.socket() as opened:
                opened.setblocking(False)
                await loop.sock_connect(opened, ("127.0.0.1", hub.port))
                await loop.sock_sendall(opened, whole[:end])
                if end % 2:
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01" + bytes(7))


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/ws", "Cookie: a=" + "a" * 9_000 + "\r\n"),
        ("/ws", "".join(f"X-{n}: 1\r\n" for n in range(200))),
        ("/ws?" + "a" * 9_000, ""),
        ("/ws", "Content-Length: 5\r\n"),
    ],
    ids=["a large cookie", "many headers", "a long query", "a body"],
)
async def test_a_handshake_that_is_too_much_is_answered(path: str, more: str) -> None:
    """By a status of its own, and the end of the stream: nobody waits for ever."""
    async with beside() as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        try:
            writer.write(handshake(hub, path, more))
            async with asyncio.timeout(DEADLINE_S / 4):
                answer = await reader.read()
        finally:
            writer.transport.abort()
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 414 ", b"HTTP/1.1 431 "))


async def pour(opened: Peer, pieces: Iterable[bytes]) -> None:
    """Send until the hub takes no more."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        for piece in pieces:
            await loop.sock_sendall(opened.socket, piece)


@contextlib.asynccontextmanager
async def flooded(opened: Peer, pieces: Iterable[bytes]) -> AsyncIterator[None]:
    """Pieces one behind the other, meanwhile."""
    flood = asyncio.create_task(pour(opened, pieces))
    try:
        yield
    finally:
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)


@pytest.mark.parametrize(
    ("piece", "code"),
    [
        (framed(b""), 4500),
        (framed(b"1"), 4500),
        (framed(b"{}"), 4007),
        (said("ack", frames=1), 4007),
        (said("pong", id=1), 4007),
    ],
    ids=["empty", "one byte", "no type", "acks", "pongs"],
)
async def test_a_flood_of_tiny_messages_is_closed(piece: bytes, code: int) -> None:
    """Also one of answers, which may come more often than requests."""
    async with beside() as hub, greeted(hub) as opened, flooded(opened, [piece * 500] * 40):
        assert await told_code(opened) == code


async def test_pings_without_end_of_a_peer_that_reads_nothing_are_not_stored() -> None:
    """Their pongs wait for nobody: the peer is let go before a mebibyte of them waits."""
    async with served(ping_s=1) as hub, greeted(hub, receive_bytes=4 * KIB) as opened:
        await until(lambda: hub.board.clients)
        [connection] = hub.hub.connections
        assert connection._socket is not None
        transport = connection._socket.transport
        async with flooded(opened, [framed(b"a" * 125, PING) * 500] * 1_000):
            await until(
                lambda: not hub.hub.connections or transport.get_write_buffer_size() > KIB * KIB
            )
            assert transport.get_write_buffer_size() <= KIB * KIB


async def test_a_message_of_empty_fragments_without_end_is_ended() -> None:
    """What has no size still has a place in memory."""
    fragments = framed(b"", CONTINUATION, fin=False) * 1_000
    pieces = [framed(b"", fin=False), *[fragments] * 70]
    async with beside() as hub, greeted(hub) as opened, flooded(opened, pieces):
        await until(lambda: len(hub.hub.connections) == 1)


async def test_broken_text_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """A stranger cannot fill the log with tracebacks."""
    async with beside() as hub:
        with caplog.at_level(logging.ERROR):
            for begin in (b"", HELLO):
                for text in (framed(b"\xff"), framed(b"\xff", fin=False) + framed(b"", 0)):
                    async with peer(hub) as opened:
                        await opened.send(begin + text)
                        assert await close_code(opened) in {1007, 4500}
    assert [record.getMessage() for record in caplog.records] == []
