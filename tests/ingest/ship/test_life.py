"""Signs of life: at once, whenever the tower is back, and how far behind the reader is."""

import asyncio
from pathlib import Path
from typing import Any

from ingest.reader import Reader
from ingest.ship.life import Life
from ingest.ship.limits import Limits
from ingest.ship.shipper import Shipper
from tests.ingest.reading import ORIGIN, append, claude, transcript, until

PROMPT = b'{"type":"user","timestamp":"2026-09-21T14:00:00Z","message":{"content":"go"}}\n'


class Tower:
    """What a client reaches: it keeps signs of life."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def alive(self, told: Any) -> None:
        """One more."""
        await asyncio.sleep(0)
        self.heard.append(told)


def made(home: Path) -> tuple[Tower, Shipper, Life, Reader]:
    """A reader of a home, and what speaks for it."""
    tower = Tower()
    shipper = Shipper(tower, None, print, Limits(alive_ms=3_600_000))  # type: ignore[arg-type]
    reader = Reader([claude(home)], ORIGIN, shipper.send)
    return tower, shipper, Life(reader, shipper), reader


async def test_it_speaks_at_once_whenever_the_tower_is_back_and_at_the_end(tmp_path: Path) -> None:
    """Nobody waits for the next quarter of a minute to hear that all is well."""
    tower, shipper, life, _ = made(tmp_path)
    task = asyncio.create_task(life.run())
    await until(lambda: len(tower.heard) == 1)
    shipper.back.set()
    await until(lambda: len(tower.heard) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await life.goodbye()
    assert tower.heard == [
        {"kind": "ship", "files_behind": 0, "bytes_behind": 0},
        {"kind": "ship", "files_behind": 0, "bytes_behind": 0},
        {"kind": "ship", "ended": True},
    ]


async def test_in_the_first_read_it_is_what_is_left_of_it(tmp_path: Path) -> None:
    """Files and bytes, with what was read and not yet taken."""
    _, shipper, life, reader = made(tmp_path)
    reader.progress.files_total, reader.progress.bytes_total = 10, 1_000
    reader.progress.files, reader.progress.bytes = 4, 300
    shipper.behind_bytes = 50
    assert await life.behind() == (6, 750)


async def test_afterwards_it_is_what_changed_and_is_not_sent(tmp_path: Path) -> None:
    """What is held and what is not even read; nothing once the tower has all."""
    path = transcript(tmp_path, "s")
    append(path, PROMPT)
    _, shipper, life, reader = made(tmp_path)
    await reader.catch_up()
    assert await life.behind() == (0, len(PROMPT))
    append(path, PROMPT + PROMPT)
    reader._touch(str(path))
    assert await life.behind() == (1, 3 * len(PROMPT))
    path.unlink()
    assert await life.behind() == (1, len(PROMPT))
    assert shipper.behind_bytes == len(PROMPT)
