"""Bodies: whole within the limit, refused beyond it, inflated or not, and never waited for."""

import gzip
import zlib

import pytest
from backports import zstd
from starlette.types import Message, Receive

from ingest.body import Broken, Gone, TooLarge, gunzip, pass_over, read_body, unzstd


def given(*chunks: bytes, ends: bool = True) -> Receive:
    """A client that sends these chunks and then ends or leaves."""
    messages: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    if ends:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    messages.append({"type": "http.disconnect"})

    async def receive() -> Message:
        return messages.pop(0)

    return receive


async def test_a_body_is_whole_up_to_its_limit() -> None:
    """The limit itself is allowed, in however many chunks it comes."""
    assert await read_body(given(b"ab", b"", b"cd"), 4) == b"abcd"
    assert await read_body(given(), 4) == b""


async def test_a_body_over_its_limit_is_refused_at_once() -> None:
    """What comes behind the limit is not even asked for."""
    asked = given(b"ab", b"cd", b"never read", ends=False)
    with pytest.raises(TooLarge) as refused:
        await read_body(asked, 3)
    assert refused.value.has_more
    assert (await asked())["body"] == b"never read"


async def test_what_is_left_of_a_body_is_passed_over_within_a_bound() -> None:
    """To its end, or so far that nobody can make the server listen for ever; else not at all."""
    more = TooLarge(has_more=True)
    asked = given(b"ab", b"cd")
    await pass_over(asked, more, 100)
    assert (await asked())["type"] == "http.disconnect"
    asked = given(b"a" * 12, b"b" * 12, b"never read", ends=False)
    await pass_over(asked, more, 3)
    assert (await asked())["body"] == b"never read"
    await pass_over(asked, TooLarge(), 3)
    assert (await asked())["type"] == "http.disconnect"
    with pytest.raises(Gone):
        await pass_over(given(b"ab", ends=False), more, 100)


async def test_a_client_that_leaves_early_is_gone() -> None:
    """Half a body is none."""
    with pytest.raises(Gone):
        await read_body(given(b"ab", ends=False), 100)


async def test_a_message_without_a_body_is_an_empty_one() -> None:
    """ASGI lets a server leave both keys out."""

    async def receive() -> Message:
        return {"type": "http.request"}

    assert await read_body(receive, 4) == b""


def test_gzip_is_inflated_up_to_the_limit() -> None:
    """The limit itself is allowed."""
    assert gunzip(gzip.compress(b"x" * 100), 100) == b"x" * 100
    with pytest.raises(TooLarge):
        gunzip(gzip.compress(b"x" * 101), 100)


def test_a_bomb_is_refused_without_being_inflated() -> None:
    """A hundred megabytes of zeros in a few kilobytes: no more than the limit is ever held."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush()
    with pytest.raises(TooLarge):
        gunzip(bomb, 8 << 20)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain",
        gzip.compress(b"x" * 100, mtime=0)[:-1],
        gzip.compress(b"x" * 100, mtime=0)[:12],
        gzip.compress(b"x" * 100, mtime=0)[:-8] + b"12345678",
        zlib.compress(b"x"),
    ],
)
def test_what_is_no_whole_gzip_is_an_error(data: bytes) -> None:
    """Neither plain text, nor a stream that ends early, nor one with a wrong sum."""
    with pytest.raises(Broken):
        gunzip(data, 1_000)


def test_nothing_behind_the_first_member_is_lost() -> None:
    """Several members are one body (RFC 1952): they are read, or the whole is refused."""
    two = gzip.compress(b"first\n") + gzip.compress(b"second\n")
    try:
        assert gunzip(two, 1_000) == b"first\nsecond\n"
    except Broken:
        return


def test_the_limit_holds_for_all_members_together() -> None:
    """Many small members are a bomb as well."""
    with pytest.raises((TooLarge, Broken)):
        gunzip(gzip.compress(b"x" * 100) * 50, 1_000)


def test_zstd_is_inflated_up_to_the_limit() -> None:
    """The limit itself is allowed, in one frame or in several."""
    assert unzstd(zstd.compress(b"x" * 100), 100) == b"x" * 100
    assert unzstd(zstd.compress(b"x" * 50) * 2, 100) == b"x" * 100
    with pytest.raises(TooLarge):
        unzstd(zstd.compress(b"x" * 101), 100)
    with pytest.raises(TooLarge):
        unzstd(zstd.compress(b"x" * 50) * 3, 100)


def test_a_bomb_of_zstd_is_refused_without_being_inflated() -> None:
    """A gigabyte of zeros, and many frames that are none."""
    packer = zstd.ZstdCompressor(19)
    zeros = bytes(1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(1_000)) + packer.flush()
    with pytest.raises(TooLarge):
        unzstd(bomb, 8 << 20)
    with pytest.raises(Broken):
        unzstd(zstd.compress(b"") * 65, 8 << 20)


def test_a_zstd_frame_that_wants_a_large_window_is_refused() -> None:
    """Its reader would hold as much as its sender likes, whatever comes out."""
    options = {zstd.CompressionParameter.window_log: 27}
    packer = zstd.ZstdCompressor(options=options)
    with pytest.raises(Broken):
        unzstd(packer.compress(b"x") + packer.flush(), 8 << 20)


@pytest.mark.parametrize(
    "data", [b"", b"plain", zstd.compress(b"x" * 100)[:-1], zstd.compress(b"x") + b"more"]
)
def test_what_is_no_whole_zstd_is_an_error(data: bytes) -> None:
    """Neither plain text, nor a frame that ends early, nor something behind it."""
    with pytest.raises(Broken):
        unzstd(data, 1_000)
