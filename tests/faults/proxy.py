"""A line of TCP that can be hurt: cut, half open, slow, narrow, or losing replies.

It stands on one port for ever, and goes to another target when it is told to. It runs in a thread
of its own, so that a scene that waits does not hold it up. Knows nothing of what it carries.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

CHUNK_BYTES = 64 * 1024
HOST = "127.0.0.1"
ORDER_S = 10.0
FLUSH_S = 1.0


class Link:
    """One connection through the line."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.near, self.far = near, far
        self.is_dead = False
        self.is_marked = False  # a request went by whose reply may be lost

    def abort(self) -> None:
        """A reset to both ends."""
        for each in (self.near, self.far):
            each.transport.abort()


class Proxy:
    """A line to ``port``. What hurts it is undone by ``heal``, or by leaving the ``with``."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.delay_s = 0.0
        self.bytes_per_s = 0.0
        self.slice_bytes = CHUNK_BYTES
        self.lose_marked, self.lose_count, self.lost = b"", 0, 0
        self.links: set[Link] = set()
        self._is_cut = self._is_silent = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{HOST}:{self.port}"

    # What a scene does to it, from any thread.

    def open(self) -> None:
        """Listen."""
        self._thread.start()
        self._do(self._listen)

    def close(self) -> None:
        """End everything."""
        self._do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def reset(self) -> int:
        """Every connection ends by a reset; new ones work. Gives how many there were."""
        return self._call(self._abort_all)

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Every connection ends by a reset, and so does each new one."""
        self._is_cut = True
        self.reset()
        try:
            yield
        finally:
            self._is_cut = False

    @contextlib.contextmanager
    def half_open(self, *, also_new: bool = True) -> Iterator[None]:
        """Nothing comes through and nobody is told; what was open then stays dead for ever."""
        self._is_silent = also_new
        self._call(self._forget)
        try:
            yield
        finally:
            self._is_silent = False

    @contextlib.contextmanager
    def slow(
        self, delay_s: float = 0.0, bytes_per_s: float = 0.0, slice_bytes: int = CHUNK_BYTES
    ) -> Iterator[None]:
        """Each piece comes later, or there is room for so many bytes a second."""
        self.delay_s, self.bytes_per_s, self.slice_bytes = delay_s, bytes_per_s, slice_bytes
        try:
            yield
        finally:
            self.delay_s, self.bytes_per_s, self.slice_bytes = 0.0, 0.0, CHUNK_BYTES

    @contextlib.contextmanager
    def losing(self, marked: bytes, count: int) -> Iterator[None]:
        """Requests with these bytes arrive, and their replies are lost by a reset, so often."""
        self.lose_marked, self.lose_count = marked, count
        try:
            yield
        finally:
            self.lose_marked, self.lose_count = b"", 0

    def go_to(self, port: int) -> None:
        """Another target, for all that connects from now on; what is open ends by a reset."""
        self.target = port
        self.reset()

    # Inside the thread.

    def _call(self, work: Callable[[], int]) -> int:
        async def once() -> int:
            return work()

        return asyncio.run_coroutine_threadsafe(once(), self._loop).result(ORDER_S)

    def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run_coroutine_threadsafe(work(), self._loop).result(ORDER_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accepted, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        self._abort_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _abort_all(self) -> int:
        links = list(self.links)
        for link in links:
            link.abort()
        return len(links)

    def _forget(self) -> int:
        for link in self.links:
            link.is_dead = True
        return len(self.links)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._is_cut:
                raise ConnectionRefusedError
            far_reader, far = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, far)
        link.is_dead = self._is_silent
        self.links.add(link)
        ways = [
            self._loop.create_task(self._pump(link, reader, far, True)),
            self._loop.create_task(self._pump(link, far_reader, writer, False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self.links.discard(link)
            link.abort()

    async def _pump(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_out: bool,
    ) -> None:
        """One direction, until its end; the end of a dead connection is not passed on."""
        while data := await reader.read(CHUNK_BYTES):
            if is_out:
                link.is_marked |= bool(self.lose_marked) and self.lose_marked in data
            elif link.is_marked and self.lose_count > 0:
                self.lose_count, self.lost = self.lose_count - 1, self.lost + 1
                return  # the server has done it, and nobody will hear of it
            else:
                link.is_marked = False
            await self._pass_on(link, data, writer)
        if link.is_dead:
            await self._loop.create_future()
        writer.close()  # what is on its way still arrives
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), FLUSH_S)

    async def _pass_on(self, link: Link, data: bytes, writer: asyncio.StreamWriter) -> None:
        size = self.slice_bytes
        for piece in (data[at : at + size] for at in range(0, len(data), size)):
            pause_s = self.delay_s + (len(piece) / self.bytes_per_s if self.bytes_per_s else 0)
            if pause_s:
                await asyncio.sleep(pause_s)
            if link.is_dead:
                return
            writer.write(piece)
            await writer.drain()


@contextlib.contextmanager
def line_to(port: int) -> Iterator[Proxy]:
    """A line of one's own."""
    proxy = Proxy(port)
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.close()
