"""Frames on the wire: RFC 6455 as another implementation reads it, and every byte made once."""

import random
import zlib

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.protocol import OPEN, Protocol, Side

from hub.live.wire import DEFLATE_BYTES_MIN, Frame, Tally

TEXT = '{"type":"overview.patch","set":[' + ",".join(f'{{"id":"s{n}"}}' for n in range(99)) + "]}"


def client(deflates: bool) -> Protocol:
    """The client side of a connection, as the websockets library has it."""
    made = Protocol(Side.CLIENT, state=OPEN, max_size=None)
    if deflates:
        made.extensions = [PerMessageDeflate(True, True, 15, 15)]
    return made


def received(reader: Protocol, data: bytes) -> list[bytes]:
    """What a client reads out of some bytes."""
    reader.receive_data(data)
    return [bytes(frame.data) for frame in reader.events_received()]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("size", "head"),
    [(2, 2), (125, 2), (126, 4), (127, 4), (65_535, 4), (65_536, 10), (200_000, 10)],
)
def test_a_header_is_as_long_as_its_size_asks_for(size: int, head: int) -> None:
    """Seven bits, sixteen or sixty-four; another implementation reads the payload."""
    payload = b"x" * size
    frame = Frame("pong", payload)
    assert len(frame.plain) == head + size
    assert received(client(False), frame.plain) == [payload]
    assert len(frame) == size


@pytest.mark.parametrize("size", [DEFLATE_BYTES_MIN, 2_000, 70_000, 300_000])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_deflated_frame_is_inflated_by_anybody(size: int, seed: int) -> None:
    """By zlib alone and by the websockets library, also where deflating makes it larger."""
    payload = random.Random(seed).randbytes(size) if seed else (TEXT * 999).encode()[:size]
    wire = Frame("overview.patch", payload).deflated
    assert wire[0] == 0xC1
    assert received(client(True), wire) == [payload]
    head = {126: 4, 127: 10}.get(wire[1], 2)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    assert inflate.decompress(wire[head:] + b"\x00\x00\xff\xff") == payload


def test_frames_build_on_no_other_frame() -> None:
    """Without context takeover one result serves sockets that have got different frames before."""
    frames = [Frame("overview.patch", (TEXT + str(n)).encode()) for n in range(4)]
    for order in ([0, 1, 2, 3], [3, 1], [2, 2, 0]):
        reader = client(True)
        for each in order:
            assert received(reader, frames[each].deflated) == [frames[each].payload]


def test_small_frames_are_not_deflated() -> None:
    """Below the threshold both forms are the same bytes."""
    small = Frame("pong", b"x" * (DEFLATE_BYTES_MIN - 1))
    assert small.deflated is small.plain
    large = Frame("pong", b"x" * DEFLATE_BYTES_MIN)
    assert len(large.deflated) < len(large.plain)


def test_plain_and_deflated_frames_may_follow_each_other() -> None:
    """A client that deflates reads small frames and large ones."""
    reader = client(True)
    payloads = [b"{}", TEXT.encode(), b'{"a":1}']
    assert received(reader, b"".join(Frame("x", each).wire(True) for each in payloads)) == payloads


@pytest.mark.parametrize("deflates", [False, True])
def test_bytes_are_made_once(deflates: bool) -> None:
    """Whoever asks gets the same object."""
    frame = Frame("overview.patch", TEXT.encode(), shared=True)
    assert frame.wire(deflates) is frame.wire(deflates)


def test_a_tally_tells_sharing_deflation_and_bytes() -> None:
    """By kind; what was too small to be deflated counts as plain."""
    tally = Tally()
    large = Frame("overview.patch", TEXT.encode(), shared=True)
    tally.count(large, deflates=False, size_bytes=100, times=3)
    tally.count(large, deflates=True, size_bytes=10, times=2)
    tally.count(Frame("pong", b"{}"), deflates=True, size_bytes=4)
    assert tally.frames == {
        ("overview.patch", "shared"): 3, ("overview.patch", "shared_deflated"): 2,
        ("pong", "own"): 1,
    }  # fmt: skip
    assert tally.sent_bytes == 324
    tally.clear()
    assert (tally.frames, tally.sent_bytes) == ({}, 0)
