"""Signs of life: that this reader is there, and how far behind, told now and then.

Never in the way of what is sent: one that is lost is followed by the next. Run by ``tower ship``.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from ingest.reader import Reader
from ingest.ship.shipper import Shipper


class Life:
    """Tells a tower of a reader and its shipper."""

    def __init__(self, reader: Reader, shipper: Shipper) -> None:
        self._reader = reader
        self._shipper = shipper

    async def run(self) -> None:
        """Tell at once, then now and then, and whenever the tower is back; until cancelled."""
        while True:
            self._shipper.back.clear()
            files, size = await self.behind()
            await self._tell(files_behind=files, bytes_behind=size)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._shipper.limits.alive_ms / 1_000):
                    await self._shipper.back.wait()

    async def goodbye(self) -> None:
        """It ends in order: nobody need miss it."""
        await self._tell(ended=True)

    async def _tell(self, **told: Any) -> None:
        await self._shipper.client.alive({"kind": "ship", **told})

    async def behind(self) -> tuple[int, int]:
        """Files and bytes that are not on the tower's log, as far as this reader has looked."""
        progress, size = self._reader.progress, self._shipper.behind_bytes
        if not progress.done:
            files = progress.files_total - progress.files
            return files, size + progress.bytes_total - progress.bytes
        marks = self._reader.marks
        paths = self._reader.unread()
        read = {path: marks[path].offset if path in marks else 0 for path in paths}
        return len(paths), size + await asyncio.to_thread(_unread_bytes, read)


def _unread_bytes(read: dict[str, int]) -> int:
    """What stands in these files behind what was read; one that is gone has nothing."""
    unread = 0
    for path, offset in read.items():
        with contextlib.suppress(OSError):
            unread += max(0, Path(path).stat().st_size - offset)
    return unread
