"""Serving one role on one port: checks, secrets, the loop, and a port of its own for metrics.

What a role does is its own; here is what all of them have in common. Called by the commands.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from hub.auth import Door, is_loopback
from hub.gate import headed
from tower import health, secrets
from tower.server import Server, listen, make_server
from tower.setting import SettingsError
from tower.settings import Settings


class Role(health.Role, Protocol):
    """A process's work: an application, and what runs beside it."""

    registries: list[CollectorRegistry]

    def app(self) -> ASGIApp:
        """What is served."""
        ...

    async def drain(self) -> None:
        """Say goodbye to whoever is connected."""
        ...

    def running(self, listening: asyncio.Event) -> AbstractAsyncContextManager[None]:
        """Everything but the server; ``listening`` is set once its port answers."""
        ...


SWITCH_S = 0.0005
"""So long may a thread keep the loop from running: one that imports, or reads the database."""

TOKEN_CHARS_MIN = 16

Make = Callable[[Settings, Door], Role]
Greet = Callable[[Any, Server, Settings], Awaitable[None]]


def run(settings: Settings, name: str, make: Make, greet: Greet) -> int:
    """Serve until a signal; gives the exit code. Raises SettingsError."""
    _check(settings)
    listeners: list[socket.socket] = []
    try:
        for port in (settings["port"], settings["metrics_port"]):
            if port is not None:
                listeners.append(listen(settings["host"], port))
    except OSError as error:
        print(
            f"{name}: cannot listen on {settings['host']}:{port}: {error.strerror}", file=sys.stderr
        )
        print("Is a tower running already? Choose another --port.", file=sys.stderr)
        return 1
    try:
        door = make_door(settings, listeners[0].getsockname()[1])
    except OSError as error:
        for listener in listeners:
            listener.close()
        print(f"{name}: {error.filename}: {error.strerror}", file=sys.stderr)
        print("Choose another --data-dir.", file=sys.stderr)
        return 1
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, make(settings, door), listeners, greet))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where the system has it."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(
    settings: Settings, role: Role, listeners: list[socket.socket], greet: Greet
) -> None:
    server = make_server(_behind(settings["trusted_proxies"], role.app()), role.drain)
    beside: list[asyncio.Task[None]] = []
    async with role.running(server.listening):
        for listener in listeners[1:]:
            more = make_server(headed(health.make_app(role, role.registries)))
            more.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
            beside.append(asyncio.create_task(more.serve(sockets=[listener])))
        beside.append(asyncio.create_task(_greet_when_listening(role, server, settings, greet)))
        try:
            await server.serve(sockets=[listeners[0]])
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


def _behind(proxies: list[str], app: ASGIApp) -> ASGIApp:
    """Whoever a trusted proxy says is there; what anybody else says of it is not listened to."""
    if not proxies:
        return app
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    return cast("ASGIApp", ProxyHeadersMiddleware(cast("Any", app), trusted_hosts=proxies))


async def _greet_when_listening(
    role: Role, server: Server, settings: Settings, greet: Greet
) -> None:
    await server.listening.wait()
    await greet(role, server, settings)


def _check(settings: Settings) -> None:
    """Refuse what would leave the door open."""
    if not settings["auth"] and not is_loopback(settings["host"]):
        raise SettingsError("auth: --no-auth is only for a loopback address such as 127.0.0.1")
    if not is_loopback(settings["host"]) and not settings["token"]:
        raise SettingsError("token: listening beyond loopback needs TOWER_TOKEN to be set")
    if not is_loopback(settings["host"]) and len(settings["token"]) < TOKEN_CHARS_MIN:
        raise SettingsError(
            f"token: beyond loopback it has at least {TOKEN_CHARS_MIN} characters, for it can be "
            "guessed at; `openssl rand -hex 32` makes one"
        )


def make_door(settings: Settings, port: int) -> Door:
    """The door of this process, with its kept secrets."""
    data_dir = settings.data_dir
    door = Door(
        token=settings["token"] or secrets.owner_token(data_dir),
        key=secrets.cookie_key(data_dir),
        port=port,
        needs_credential=settings["auth"],
        on_loopback=is_loopback(settings["host"]),
        hosts=settings["allowed_hosts"],
        origins=settings["allowed_origins"],
    )
    door.await_keys()
    return door
