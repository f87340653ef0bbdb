"""A line between browser and tower that can be cut: a TCP proxy on a port of loopback.

``context.set_offline`` leaves open sockets alone, and closing one is not what a cut does. Here a
connection that was cut stays half open for ever, as with a router that lost its table: neither
side is told, and nothing comes through even when the network is there again.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from tests.dashboard.towers import Tower

CHUNK_BYTES = 64 * 1024
HANDSHAKE = b"upgrade: websocket"
ACCEPT_TURNS = 4  # of the loop, in which it makes a transport of what it has accepted


class Link:
    """One connection through the line."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near, self.far = near, far
        self.is_dead = False
        self.begins = False


class Wire:
    """``upgrades`` says what becomes of WebSockets.

    ``pass``; or a status, by which they are refused; or ``end``: accepted, then closed.
    """

    def __init__(self, tower: Tower) -> None:
        self.tower = tower
        self.upgrades = "pass"
        self._port = 0
        self._is_cut = False
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The tower as seen through the line."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def login_url(self) -> str:
        """Its one-time address."""
        return self.tower.login_url.replace(self.tower.url, self.url)

    async def open(self) -> None:
        """Listen, always on the same port."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """From now on everything is lost, on old and on new connections, and nobody is told."""
        self._is_cut = True
        self.forget()

    def restore(self) -> None:
        """New connections work again; those of before or during the cut never do."""
        self._is_cut = False

    def forget(self) -> None:
        """What is open is dead without a word; what is new works."""
        for link in self._links:
            link.is_dead = True

    async def close(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        for _ in range(ACCEPT_TURNS):
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = urlsplit(self.tower.url)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            # Where the tower is away, or the test is over, nobody is left waiting.
            stack.callback(writer.transport.abort)
            far_reader, far = await asyncio.open_connection(target.hostname, target.port)
            stack.callback(far.transport.abort)
            link = Link(writer, far)
            link.is_dead = self._is_cut
            self._links.add(link)
            stack.callback(self._links.discard, link)
            await asyncio.gather(self._out(link, reader), self._back(link, far_reader))

    async def _out(self, link: Link, reader: asyncio.StreamReader) -> None:
        is_first = True
        while data := await reader.read(CHUNK_BYTES):
            is_handshake = is_first and HANDSHAKE in data.lower()
            is_first = False
            if link.is_dead:
                continue
            if is_handshake and self.upgrades.isdecimal():
                head = (
                    f"HTTP/1.1 {self.upgrades} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                link.near.write(head.encode())
                await link.near.drain()
                break
            link.begins = is_handshake
            link.far.write(data)
            await link.far.drain()
        await self._over(link, link.far)

    async def _back(self, link: Link, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if link.is_dead:
                continue
            link.near.write(data)
            await link.near.drain()
            if link.begins and self.upgrades == "end":
                break
        await self._over(link, link.near)

    async def _over(self, link: Link, other: asyncio.StreamWriter) -> None:
        """An end is passed on, but not over a dead connection."""
        if link.is_dead:
            await asyncio.get_running_loop().create_future()
        other.close()
        if other is link.far:
            link.near.close()


@contextlib.asynccontextmanager
async def wire_to(tower: Tower) -> AsyncIterator[Wire]:
    """A line to ``tower``."""
    wire = Wire(tower)
    await wire.open()
    try:
        yield wire
    finally:
        await wire.close()
