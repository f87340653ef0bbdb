"""uvicorn as every role runs it: our WebSocket protocol, an orderly end, bounded waits.

Knows no role: it is given an application and what to do before it ends. Called by the commands.
"""

import asyncio
import gc
import logging
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from hub import httpprotocol, wsprotocol

GRACE_S = 3
PING_S, PONG_S = 10, 30  # the hub itself lets silent peers go before: this is for the rest
WS_MESSAGE_BYTES_MAX = 64 * 1024  # also after inflation

GC_OBJECTS = 5_000, 2, 500
"""So many new ones, more than a flush to a thousand clients has at once, before the collector looks
at them, 0.8 ms; so many times until it looks at what was new then as well, 2 ms; and at everything,
which takes longest, seldom. Python's own: 700, 10, 10."""

Drain = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """What a role without clients does before it ends."""


class Server(uvicorn.Server):
    """uvicorn, saying goodbye to WebSocket clients before it closes their sockets."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.port = 0
        self._drain_clients = drain
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and tell it."""
        await super().startup(sockets)
        _spare_collections()
        self.listening.set()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal; the loop is needed to drain from its handler."""
        self._loop = asyncio.get_running_loop()
        self.port = sockets[0].getsockname()[1] if sockets else self.config.port
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, a second one ends at once."""
        if self._draining is not None or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        async def drain() -> None:
            await self._drain_clients()
            self.should_exit = True  # the signal is not raised again: this end is an orderly one

        if self._draining is None:
            self._draining = asyncio.create_task(drain())


def make_server(app: ASGIApp, drain: Drain = nothing) -> Server:
    """A server for an application. Frames are deflated once for all, never per connection."""
    httpprotocol.self_test()
    wsprotocol.self_test()
    # At info it would write down the path of every socket, with its query string.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        http=httpprotocol.HttpProtocol,
        ws=wsprotocol.HubProtocol,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PONG_S,
        ws_max_size=WS_MESSAGE_BYTES_MAX,
        lifespan="off",
        access_log=False,
        server_header=False,
        proxy_headers=False,  # uvicorn would believe whoever connects from loopback
        log_config=None,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=65,
        backlog=2048,
    )
    return Server(config, drain)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError if the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def _spare_collections() -> None:
    """What is loaded by now stays for ever, and a collection holds up the loop."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_OBJECTS)
