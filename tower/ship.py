"""``tower ship``: reads the transcripts of this machine and posts them to a tower elsewhere.

Puts the reader, the shipper and its signs of life together. Keeps nothing but offsets.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hub.auth import is_loopback
from ingest import metrics as ingest_metrics
from ingest.homes import Home
from ingest.reader import Reader
from ingest.redact.screen import Screen
from ingest.ship import metrics
from ingest.ship.client import Client
from ingest.ship.life import Life
from ingest.ship.limits import Limits
from ingest.ship.offsets import Offsets, Taken, opened, path_for
from ingest.ship.shipper import GaveUp, Shipper
from ingest.tail import Origin
from session.delta import DEFAULT_WORKSPACE
from tower.homes import homes_in
from tower.screens import screen_of
from tower.setting import SettingsError
from tower.settings import Settings
from tower.ship_voice import Voice, show
from tower.users import user_name

log = logging.getLogger(__name__)

READER_RETRY_S = 2.0
GOODBYE_S = 1.0


def run(settings: Settings, *, once: bool, json_output: bool) -> int:
    """Ship until a signal, or with ``once`` what is there; gives the exit code.

    Raises SettingsError.
    """
    machine = socket.gethostname(), user_name()
    client, screen = _client(settings, machine), screen_of(settings)
    voice = Voice(json_output=json_output)
    try:
        listener = _listener(settings)
        path = path_for(Path(settings["state_dir"]).expanduser(), client.target)
        offsets, is_anew = opened(path)
    except Taken as error:
        print(f"tower ship: another one ships to this tower from here ({error})", file=sys.stderr)
        return 1
    except (OSError, sqlite3.Error) as error:
        print(f"tower ship: {error}", file=sys.stderr)
        print("Choose another --state-dir or --metrics-port.", file=sys.stderr)
        return 1
    homes = homes_in(settings)
    _greet(voice, client.target, machine, homes, is_anew=is_anew)
    with contextlib.closing(offsets):
        shipping = Shipping(homes, machine, screen, client, offsets, voice, once=once)
        return asyncio.run(shipping.run(listener))


def _listener(settings: Settings) -> socket.socket | None:
    """For health and metrics, where a port is given; raises OSError."""
    if settings["metrics_port"] is None:
        return None
    from tower.server import listen

    return listen(settings["host"], settings["metrics_port"])


def _greet(
    voice: Voice, target: str, machine: tuple[str, str], homes: list[Home], *, is_anew: bool
) -> None:
    host, user = machine
    voice.say("start", to=target, host=host, user=user, homes=", ".join(h.path for h in homes))
    parts = urlsplit(target)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        voice.say("open", to=target)
    if is_anew:
        voice.say("anew")


def _target(told: str | None) -> str:
    """The URL of a tower; raises SettingsError."""
    expected = "expected a URL such as https://tower.example.org"
    if not told:
        raise SettingsError(f"to: {expected}, by --to or TOWER_TO")
    try:
        parts = urlsplit(told)
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"to: {told}: {expected}") from error
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise SettingsError(f"to: {told}: {expected}")
    return told.rstrip("/")


def _token(settings: Settings) -> Callable[[], str | None]:
    """The token, or what stands in its file whenever it is asked for; raises SettingsError."""
    told: str | None = settings["token"]
    if settings["token_file"] is None:
        return lambda: told
    path = Path(settings["token_file"]).expanduser()

    def read() -> str | None:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return path.read_text("utf-8").strip() or None
        return None

    if read() is None:
        raise SettingsError(f"token_file: {path}: there is no token to read")
    return read


def _client(settings: Settings, machine: tuple[str, str]) -> Client:
    """Raises SettingsError."""
    target, token = _target(settings["to"]), _token(settings)
    ca_file = settings["ca_file"]
    trusted = Path(ca_file).expanduser() if ca_file else None
    try:
        return Client(target, token, machine, Limits(), trusted)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"ca_file: {ca_file}: {error}") from error


class Shipping:
    """A reader and its shipper at work. Is the role of ``--metrics-port``."""

    def __init__(
        self, homes: list[Home], machine: tuple[str, str], screen: Screen, client: Client,
        offsets: Offsets, voice: Voice, *, once: bool,
    ) -> None:  # fmt: skip
        limits = Limits()
        self.once = once
        self.voice = voice
        self.client = client
        patience_ms = limits.once_ms if once else None
        self.shipper = Shipper(client, offsets, voice.say, limits, patience_ms=patience_ms)
        origin = Origin(DEFAULT_WORKSPACE, *machine)
        self.reader = Reader(homes, origin, self.shipper.send, offsets.load(), screen)
        self.life = Life(self.reader, self.shipper)

    async def run(self, listener: socket.socket | None) -> int:
        """Until a signal, or until all is sent; gives the exit code."""
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with _beside(self, listener):
            sending = asyncio.create_task(self.shipper.run())
            others: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
            others.append(asyncio.create_task(self._once() if self.once else self._follow()))
            if not self.once:
                others.append(asyncio.create_task(self.life.run()))
            await asyncio.wait({sending, *others}, return_when=asyncio.FIRST_COMPLETED)
            has_failed = await _cancelled(others)
            has_failed |= await self._end(sending)
        await self.client.close()
        deltas, _, dropped = self.voice.sums
        self.voice.say("ended", deltas=deltas, dropped=dropped)
        return int(has_failed or (self.once and (stop.is_set() or dropped > 0)))

    async def _once(self) -> None:
        await self.reader.catch_up()
        await self._read_all()
        await self.shipper.drained()

    async def _follow(self) -> None:
        """As ``tower up`` does: a reader that fails begins again where it was."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await self.reader.run(lambda: self._told_later(tasks))
                except Exception:
                    log.exception("the reader failed and is started again")
                    await asyncio.sleep(READER_RETRY_S)

    def _told_later(self, tasks: asyncio.TaskGroup) -> None:
        tasks.create_task(self._read_all())

    async def _read_all(self) -> None:
        """The first read is over; files that say nothing yet are not opened at every start."""
        await self.shipper.keep(self.reader.stubs())
        progress = self.reader.progress
        megabytes = round(progress.bytes / 1e6, 1)
        self.voice.say("read", files=progress.files, megabytes=megabytes)

    async def _end(self, sending: asyncio.Task[None]) -> bool:
        """Send what is held, if the tower takes it at once; True if it was given up."""
        if not sending.done() and not self.voice.trouble:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.shipper.limits.goodbye_ms / 1_000):
                    await self.shipper.drained()
        sending.cancel()
        [outcome] = await asyncio.gather(sending, return_exceptions=True)
        await self.shipper.keep(())  # what could not be written before
        if not self.once and not self.voice.trouble:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self.life.goodbye()
        if isinstance(outcome, GaveUp):
            self.voice.say("gave_up", why=str(outcome))
        elif isinstance(outcome, Exception):
            log.error("sending failed", exc_info=outcome)
        return isinstance(outcome, Exception)

    # As a role.

    async def unready(self) -> str | None:
        """Why nothing is taken now, or None."""
        return self.voice.trouble or None

    def collect(self) -> None:
        """Its gauges are always up to date."""


async def _cancelled(tasks: list[asyncio.Task[Any]]) -> bool:
    """They are ended; True if one of them had failed."""
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [each for each in ended if isinstance(each, Exception)]
    for error in failed:
        log.error("it ended by an error", exc_info=error)
    return bool(failed)


@contextlib.asynccontextmanager
async def _beside(shipping: Shipping, listener: socket.socket | None) -> AsyncIterator[None]:
    """A bar where somebody looks, and health and metrics where a port is given."""
    tasks: list[asyncio.Task[Any]] = []
    if listener is not None:
        tasks.append(asyncio.create_task(_serve_metrics(shipping, listener)))
    if sys.stderr.isatty():
        reader, shipper = shipping.reader, shipping.shipper
        told = show(shipping.voice, lambda: reader.progress, lambda: shipper.behind_bytes)
        tasks.append(asyncio.create_task(told))
    try:
        yield
    finally:
        await _cancelled(tasks)


async def _serve_metrics(shipping: Shipping, listener: socket.socket) -> None:
    from tower import health
    from tower.server import make_server

    app = health.make_app(shipping, [metrics.registry, ingest_metrics.registry])
    server = make_server(app)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    await server.serve(sockets=[listener])
