"""The cheap end of a WebSocket cuts a stream into frames, whatever the pieces it comes in."""

import asyncio
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line import Line, handshake, masked

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


class Transport:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""
        self.is_over = False

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written += data

    def abort(self) -> None:
        """It is over."""
        self.is_over = True

    close = abort

    def is_closing(self) -> bool:
        """Whether it is over."""
        return self.is_over


def framed(text: bytes, *, deflated: bool = False) -> bytes:
    """A server's text frame."""
    first = 0x81
    if deflated:
        packer = zlib.compressobj(wbits=-15)
        text, first = (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4], 0xC1
    size = len(text)
    if size < 126:
        return bytes([first, size]) + text
    if size < 65_536:
        return bytes([first, 126]) + size.to_bytes(2, "big") + text
    return bytes([first, 127]) + size.to_bytes(8, "big") + text


async def heard(pieces: list[bytes]) -> tuple[list[bytes], Line, Transport]:
    """What a line makes of these pieces."""
    texts: list[bytes] = []
    line, transport = Line(handshake(1, "t", deflated=True), texts.append), Transport()
    line.connection_made(transport)  # type: ignore[arg-type]
    for piece in pieces:
        line.data_received(piece)
    return texts, line, transport


@given(
    st.lists(st.tuples(st.binary(max_size=400), st.booleans()), max_size=6),
    st.lists(st.integers(1, 90), min_size=1, max_size=40),
)
def test_frames_are_whole_whatever_the_pieces(
    told: list[tuple[bytes, bool]], sizes: list[int]
) -> None:
    """Deflated ones among them, with the answer to the handshake in front."""
    stream = ANSWER + b"".join(framed(text, deflated=deflated) for text, deflated in told)
    pieces = []
    for at in range(10_000):
        size = sizes[at % len(sizes)]
        if not stream:
            break
        pieces.append(stream[:size])
        stream = stream[size:]
    texts, line, _ = asyncio.run(heard(pieces))
    assert texts == [text for text, _ in told]
    assert line.opened.done()


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
async def test_every_length_is_read(size: int) -> None:
    """At the edges of the three ways to say it."""
    texts, _, _ = await heard([ANSWER + framed(b"x" * size)])
    assert texts == [b"x" * size]


async def test_a_refusal_is_an_error() -> None:
    """And the line is cut."""
    _, line, transport = await heard([b"HTTP/1.1 401 Unauthorized\r\n\r\n"])
    assert transport.is_over
    with pytest.raises(ConnectionError, match="401"):
        await line.opened


async def test_a_close_tells_its_code_and_a_ping_is_answered() -> None:
    """4001 is told as 4001; the pong has the ping's own bytes."""
    _, line, transport = await heard([ANSWER + b"\x89\x02hi", b"\x88\x02\x0f\xa1"])
    line.connection_lost(None)
    assert await line.lost == 4001
    assert transport.written.endswith(masked(10, b"hi"))


async def test_what_the_judge_finds_ends_the_line() -> None:
    """Whoever awaits its end is told."""

    def refuse(_: bytes) -> None:
        raise ValueError("wrong")

    line, transport = Line(b"", refuse), Transport()
    line.connection_made(transport)  # type: ignore[arg-type]
    line.data_received(ANSWER + framed(b"{}"))
    with pytest.raises(ValueError, match="wrong"):
        await line.lost
