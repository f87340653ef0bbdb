"""A relay before a real tower that keeps one kind of frames from its clients, and a locust run."""

import asyncio
import contextlib
import json
import os
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed

ROOT = Path(__file__).resolve().parents[2]
RUN_S = 120.0


class Done(NamedTuple):
    """How a run ended, and everything it said."""

    code: int
    told: str


async def locust(host: str, token: str, *words: str) -> Done:
    """A headless run of locust to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOWER_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "locust", "--headless", "--host", host, *words, cwd=ROOT,
        env={**kept, "TOWER_TOKEN": token, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(RUN_S):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return Done(process.returncode or 0, told.decode())


class Liar:
    """Passes everything on but the ``nth`` frame of a type and, if told so, all after it."""

    def __init__(self, address: str, kind: str, nth: int, *, always: bool) -> None:
        self._address = address
        self._kind = kind
        self._nth = nth
        self._always = always
        self.dropped = 0

    async def answer(self, _: ServerConnection, request: Request) -> Response | None:
        """A question over HTTP is the tower's own to answer; a socket is relayed."""
        if request.path == "/ws":
            return None
        asked = urllib.request.Request(f"http://{self._address}{request.path}")
        asked.add_header("Authorization", request.headers["Authorization"])
        body = await asyncio.to_thread(lambda: urllib.request.urlopen(asked).read())
        return Response(200, "OK", Headers([("Content-Length", str(len(body)))]), body)

    async def relay(self, client: ServerConnection) -> None:
        """One client, until either side leaves."""
        assert client.request is not None
        headers = {"Authorization": client.request.headers["Authorization"]}
        async with connect(
            f"ws://{self._address}/ws", additional_headers=headers, max_size=None
        ) as hub:
            asking = asyncio.create_task(self._pass_on(client, hub))
            seen = 0
            with contextlib.suppress(ConnectionClosed):
                async for text in hub:
                    frame: dict[str, Any] = json.loads(text)
                    seen += self._is_meant(frame)
                    if self._is_meant(frame) and self._is_dropped(seen):
                        self.dropped += 1
                    else:
                        await client.send(text)
            asking.cancel()

    @staticmethod
    async def _pass_on(client: ServerConnection, hub: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in client:
                await hub.send(text)
        await hub.close()

    def _is_meant(self, frame: dict[str, Any]) -> bool:
        return frame["type"] == self._kind and not frame.get("full")

    def _is_dropped(self, seen: int) -> bool:
        return seen >= self._nth if self._always else seen == self._nth


@contextlib.asynccontextmanager
async def lying(
    address: str, kind: str, nth: int = 3, *, always: bool = False
) -> AsyncIterator[tuple[str, Liar]]:
    """The address of a relay before a tower, and the relay."""
    liar = Liar(address, kind, nth, always=always)
    async with serve(
        liar.relay, "127.0.0.1", 0, process_request=liar.answer, subprotocols=["hub.v1.json"],
        compression=None, max_size=None,
    ) as server:  # fmt: skip
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"http://127.0.0.1:{port}", liar
