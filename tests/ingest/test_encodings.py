"""Bodies of deltas as they are encoded: what is whole is on the log, all else is refused."""

import gzip

import pytest
from backports import zstd

from session import codec
from session.delta import Report
from tests.ingest.calls import Bench, refusal
from tests.ingest.reading import NOW


@pytest.fixture
def bench() -> Bench:
    """The routes over a log of the test's own."""
    return Bench()


def line(name: str) -> bytes:
    """A small report as a body."""
    return codec.to_ndjson([Report(id=name, session="s", received_at=NOW, to=10)])


async def test_gzip_is_inflated(bench: Bench) -> None:
    """By the name in the header, however it is written."""
    body = gzip.compress(line("r1"))
    assert (await bench.deltas(body, content_encoding="GZip")).status == 200
    assert len(bench.bus.taken) == 1


async def test_zstd_is_inflated_within_the_same_limit(bench: Bench) -> None:
    """What is whole is on the log, what is too much is 413, and what is none is 400."""
    body = zstd.compress(line("r1"))
    assert (await bench.deltas(body, content_encoding="zstd")).status == 200
    assert len(bench.bus.taken) == 1
    bomb = zstd.compress(b"\n" * (8 * 1024 * 1024 + 1))
    refusal(await bench.deltas(bomb, content_encoding="zstd"), 413)
    assert "zstd" in refusal(await bench.deltas(body[:-1], content_encoding="zstd"), 400)


@pytest.mark.parametrize("body", [b"", b"plain", gzip.compress(b"{}", mtime=0)[:-1]])
async def test_a_bad_gzip_is_refused(bench: Bench, body: bytes) -> None:
    """With a reason."""
    assert refusal(await bench.deltas(body, content_encoding="gzip"), 400)


async def test_all_members_of_a_gzip_are_on_the_log(bench: Bench) -> None:
    """200 must not hide what was left behind the first."""
    members = gzip.compress(line("r1")) + gzip.compress(line("r2"))
    answer = await bench.deltas(members, content_encoding="gzip")
    assert answer.status == 400 or len(bench.bus.taken) == 2


async def test_an_unknown_encoding_is_named_as_such(bench: Bench) -> None:
    """Not read as if it were plain."""
    answer = await bench.deltas(line("r1"), content_encoding="br")
    assert answer.status == 415
    assert bench.bus.taken == []
