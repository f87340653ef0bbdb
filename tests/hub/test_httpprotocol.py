"""The HTTP protocol class: a request's head must come in time; everything else has time."""

import asyncio
import contextlib

import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub import httpprotocol
from tests.hub.raw import HELLO, peer, said
from tests.hub.servers import DEADLINE_S, Served, served, until

GET = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for eight seconds here."""
    monkeypatch.setattr(httpprotocol, "PAUSE_S", 0.2)


async def ended(reader: asyncio.StreamReader) -> None:
    """Return when the hub lets go."""
    async with asyncio.timeout(DEADLINE_S):
        with contextlib.suppress(ConnectionResetError):
            await reader.read()


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n", GET[:-2]])
async def test_half_a_head_is_let_go(begun: bytes) -> None:
    """Whatever was said of it."""
    async with served() as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(begun)
        await ended(reader)
        writer.close()


async def test_a_head_that_comes_byte_by_byte_gains_no_time() -> None:
    """The deadline is for all of it."""
    async with served() as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        ending = asyncio.create_task(ended(reader))
        head = b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 20_000
        for at in range(len(head)):
            if ending.done():
                break
            writer.write(head[at : at + 1])
            await asyncio.sleep(0.01)
        assert ending.done()
        await ending
        writer.close()


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request on a connection that is kept."""
    writer.write(GET)
    async with asyncio.timeout(DEADLINE_S):
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(3) == b"ok\n"


async def test_a_kept_connection_may_rest_but_not_stop_half_way() -> None:
    """Between two requests there is no hurry; within the second one there is."""
    async with served() as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        await answered(reader, writer)
        await rested(hub)
        await answered(reader, writer)
        writer.write(GET[:10])
        await ended(reader)
        writer.close()


async def rested(hub: Served) -> None:
    """Wait as long as it takes to let somebody else go, who came now."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    await ended(reader)
    writer.close()


async def test_a_websocket_has_all_the_time() -> None:
    """Its head was there: before hello and after it nothing of this deadline is left."""
    async with served() as hub, peer(hub) as opened:
        await rested(hub)
        await opened.send(HELLO)
        await until(lambda: hub.board.clients)
        await rested(hub)
        await opened.send(said("ping", id=1))
        await opened.until("pong")


@pytest.mark.parametrize("name", httpprotocol._RELIED_ON)
def test_a_method_that_is_gone_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Another uvicorn than the one that was read is refused before it serves."""
    httpprotocol.self_test()
    monkeypatch.delattr(HttpToolsProtocol, name)
    with pytest.raises(RuntimeError, match=rf"\b{name}\b.* is gone"):
        httpprotocol.self_test()
