"""What most people would write first: a server that sends every event at once to everybody.

``python locustfiles/baseline.py gather --port 8788`` takes the hooks of ``agents`` and broadcasts
each to whoever is connected to ``/ws``: in turn (``sequential``), all at once (``gather``), or all
at once with five seconds for each (``gather-timeout``). Starlette on uvicorn, as it comes. Shares
nothing with the hub; the benchmarks measure it beside ours.
"""

import argparse
import asyncio

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

WAYS = ("sequential", "gather", "gather-timeout")
SEND_TIMEOUT_S = 5.0


class Naive:
    """A Starlette application that sends to its sockets in turn, or all at once."""

    def __init__(self, way: str) -> None:
        self.sockets: set[WebSocket] = set()
        self._way = way
        routes = [
            WebSocketRoute("/ws", self._accept),
            Route("/v1/hooks/claude-code", self._take, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def _take(self, request: Request) -> Response:
        """One hook: everybody is told before the agent is answered."""
        await self.send((await request.body()).decode())
        return Response()

    async def _accept(self, opened: WebSocket) -> None:
        await opened.accept()
        self.sockets.add(opened)
        try:
            while True:
                await opened.receive_text()
        except WebSocketDisconnect:
            self.sockets.discard(opened)

    async def _send(self, opened: WebSocket, text: str) -> None:
        try:
            await opened.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            self.sockets.discard(opened)

    async def send(self, text: str) -> None:
        """One text to everybody."""
        opened = list(self.sockets)
        if self._way == "sequential":
            for each in opened:
                await self._send(each, text)
        elif self._way == "gather":
            await asyncio.gather(*(self._send(each, text) for each in opened))
        else:
            sends = (asyncio.wait_for(self._send(each, text), SEND_TIMEOUT_S) for each in opened)
            await asyncio.gather(*sends, return_exceptions=True)


def main() -> None:
    """Serve until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8788)
    told = parser.parse_args()
    uvicorn.run(
        Naive(told.way).app, host=told.host, port=told.port, lifespan="off", access_log=False,
        ws_per_message_deflate=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
