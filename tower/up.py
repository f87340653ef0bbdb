"""``tower up``: the whole service in one process, and a one-time URL for whoever started it."""

import asyncio
import contextlib
import os
import sys
import threading
import webbrowser
from pathlib import Path

from tower import serve
from tower.records import keep_address
from tower.server import Server
from tower.service import Service
from tower.settings import Settings, address_of

PROGRESS_S = 0.1
HINTED_NAME = "hooks.hinted"


def run(settings: Settings) -> int:
    """Serve until a signal; gives the exit code."""
    return serve.run(settings, "tower up", Service, _greet)


async def _greet(service: Service, server: Server, settings: Settings) -> None:
    """The URL, a browser, and how far the first read is."""
    url = f"http://{address_of(settings['host'], server.port)}/"
    keep_address(settings.data_dir, url)
    if settings["auth"]:
        url += f"#code={service.door.issue_code()}"
    print(f"Agent Tower is up: {url}", flush=True)
    if settings["auth"]:
        print(
            "The link works once, for a quarter of an hour; `tower token` is for later.", flush=True
        )
    if settings["watch"] and not (settings.data_dir / HINTED_NAME).exists():
        await asyncio.to_thread(_hint_at_hooks, settings.data_dir / HINTED_NAME)
    if settings["browser"] and _has_display():
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    await _show_progress(service)


def _hint_at_hooks(hinted: Path) -> None:
    """Say once that hooks can be installed, where there are agents and none of them has any."""
    from tower.hooks.plan import is_installed, present_agents

    there = present_agents()
    if not there:
        return
    if not any(is_installed(agent) for agent in there):
        print("Questions and statuses come at once with hooks: `tower hooks install`.", flush=True)
    with contextlib.suppress(OSError):
        hinted.touch()


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
