"""``tower up``: check what can be checked, start the service, print and open the one-time URL."""

import asyncio
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

from hub.auth import Door, is_loopback
from tower import secrets
from tower.service import Server, Service, listen, make_server
from tower.settings import Settings, SettingsError, address_of

PROGRESS_S = 0.1


def run(settings: Settings) -> int:
    """Serve until a signal; gives the exit code."""
    host, port = settings["host"], settings["port"]
    _check(settings)
    try:
        listener = listen(host, port)
    except OSError as error:
        print(f"tower up: cannot listen on {host}:{port}: {error.strerror}", file=sys.stderr)
        print("Is a tower running already? Choose another --port.", file=sys.stderr)
        return 1
    port = listener.getsockname()[1]
    try:
        door = make_door(settings, port)
    except OSError as error:
        listener.close()
        print(f"tower up: {error.filename}: {error.strerror}", file=sys.stderr)
        print("Choose another --data-dir.", file=sys.stderr)
        return 1
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, door, listener))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where the system has it."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(settings: Settings, door: Door, listener: socket.socket) -> None:
    service = Service(settings, door)
    server = make_server(service)
    async with service.running():
        await service.worker.ready.wait()
        greeting = asyncio.create_task(_greet(service, server, settings))
        try:
            await server.serve(sockets=[listener])
        finally:
            greeting.cancel()


async def _greet(service: Service, server: Server, settings: Settings) -> None:
    """Once the port answers: the URL, a browser, and how far the first read is."""
    await service.listening.wait()
    url = f"http://{address_of(settings['host'], server.port)}/"
    if settings["auth"]:
        url += f"#code={service.door.issue_code()}"
    print(f"Agent Tower is up: {url}", flush=True)
    if settings["auth"]:
        print(
            "The link works once, for a quarter of an hour; `tower token` is for later.", flush=True
        )
    if settings["browser"] and _has_display():
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    await _show_progress(service)


def _has_display() -> bool:
    """Whether a browser would have somewhere to open (one in the terminal is not meant)."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


async def _show_progress(service: Service) -> None:
    """A bar for the first read, where somebody looks at it."""
    if not service.settings["watch"] or not sys.stderr.isatty():
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("Reading transcripts"), BarColumn(), DownloadColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task("read", total=None)
        while service.reader is None or not service.reader.progress.done:
            if service.reader is not None:
                told = service.reader.progress
                bar.update(task, completed=told.bytes, total=told.bytes_total or None)
            await asyncio.sleep(PROGRESS_S)


def _check(settings: Settings) -> None:
    """Refuse what would leave the door open."""
    if not settings["auth"] and not is_loopback(settings["host"]):
        raise SettingsError("auth: --no-auth is only for a loopback address such as 127.0.0.1")
    if not is_loopback(settings["host"]) and not settings["token"]:
        raise SettingsError("token: listening beyond loopback needs TOWER_TOKEN to be set")


def make_door(settings: Settings, port: int) -> Door:
    """The door of this tower, with its kept secrets."""
    data_dir = settings.data_dir
    return Door(
        token=settings["token"] or secrets.owner_token(data_dir),
        key=secrets.cookie_key(data_dir),
        port=port,
        needs_credential=settings["auth"],
        on_loopback=is_loopback(settings["host"]),
        hosts=settings["allowed_hosts"],
        origins=settings["allowed_origins"],
    )
