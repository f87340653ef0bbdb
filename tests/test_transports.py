"""A connection that a test leaves open is told at the end of that test."""

import asyncio
import gc

from tests import transports


async def joined(*, is_closed: bool) -> asyncio.BaseTransport:
    """One end of a connection; the other is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    far, _ = await loop.create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
    server.close()
    if is_closed:
        far.close()
    return far


def test_what_is_left_open_is_told_once() -> None:
    """And closed, so that no later test is blamed for it."""
    with asyncio.Runner() as runner:
        far = runner.run(joined(is_closed=False))
    told = transports.left()
    assert any(str(far.get_extra_info("sockname")[1]) in each for each in told)
    assert transports.left() == []
    del far
    gc.collect()  # says nothing: a complaint would fail this test


def test_what_was_closed_is_not_told() -> None:
    """However short it lived."""
    with asyncio.Runner() as runner:
        far = runner.run(joined(is_closed=True))
    assert far.is_closing()
    assert not any(str(far.get_extra_info("sockname")[1]) in each for each in transports.left())
