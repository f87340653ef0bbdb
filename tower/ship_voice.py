"""What ``tower ship`` says: a line when something changes, a bar for the first read, or JSON lines.

A tower that is away for an hour is two lines. Called by ``tower.ship``.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from ingest.reader import Progress

WORDS = {
    "start": "Shipping to {to} as {host} ({user}): {homes}",
    "read": "All that was there is read: {files} files, {megabytes} MB.",
    "away": "The tower does not take anything: {why}. It is tried again, and nothing is lost.",
    "back": "The tower takes it again.",
    "refused": "Refused: {why}. It is tried again every minute, and nothing is lost.",
    "dropped": "A delta that the tower refuses is left out: {delta}: {why}",
    "unsaved": "The offsets could not be written: {why}. What was sent since may be sent again.",
    "anew": "The file of offsets was broken: everything is sent again, which changes nothing.",
    "open": "Warning: {to} is not https, so the token and all that is sent can be read on its way.",
    "gave_up": "Gave up: {why}",
    "ended": "Ended: {deltas} deltas were sent, {dropped} left out.",
}
TROUBLES = ("away", "refused", "dropped", "unsaved", "anew", "open", "gave_up")


class Sums(NamedTuple):
    """What was sent by now."""

    deltas: int = 0
    bytes: int = 0
    dropped: int = 0


class Voice:
    """Says events, each a name and its fields."""

    def __init__(self, *, json_output: bool) -> None:
        self.sums = Sums()
        self.trouble = ""
        self._json = json_output

    def say(self, event: str, **told: Any) -> None:
        """One event, as a line or as JSON."""
        self._sum_up(event, told)
        if self._json:
            line = {"at": time.time_ns() // 1_000_000, "event": event, **told}
            print(msgspec.json.encode(line).decode(), flush=True)
        elif event in WORDS:
            to = sys.stderr if event in TROUBLES else sys.stdout
            print(WORDS[event].format(**told), file=to, flush=True)

    def _sum_up(self, event: str, told: dict[str, Any]) -> None:
        deltas, size, dropped = self.sums
        if event == "sent":
            self.sums = Sums(deltas + told["deltas"], size + told["bytes"], dropped)
        elif event == "dropped":
            self.sums = Sums(deltas, size, dropped + 1)
        elif event in ("away", "refused"):
            self.trouble = told["why"]
        elif event == "back":
            self.trouble = ""

    def status(self, behind_bytes: int) -> str:
        """One calm line."""
        state = self.trouble or (f"{behind_bytes:,} bytes to go" if behind_bytes else "up to date")
        deltas, size, dropped = self.sums
        left_out = f", {dropped} left out" if dropped else ""
        return f"{state} · {deltas:,} deltas sent{left_out}, {size / 1e6:,.1f} MB compressed"


async def show(
    voice: Voice, progress: Callable[[], Progress], behind: Callable[[], int], every_s: float = 0.2
) -> None:
    """A bar, then the status line, where somebody looks at them; until cancelled."""
    import asyncio

    from rich.console import Console
    from rich.live import Live
    from rich.progress import BarColumn, DownloadColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    console = Console(stderr=True)
    columns = (TextColumn("Reading transcripts"), BarColumn(), DownloadColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("read", total=None)
        while not progress().done:
            told = progress()
            bar.update(task, completed=told.bytes, total=told.bytes_total or None)
            await asyncio.sleep(every_s)
    with Live(console=console, auto_refresh=False, transient=True) as line:
        while True:
            line.update(Text(voice.status(behind()), overflow="ellipsis", no_wrap=True))
            line.refresh()
            await asyncio.sleep(every_s)
