"""A tower of its own, for what can only be measured from outside.

Started as a person would, on a free port and with a data folder that is named; ended with the
block. Used by the benchmarks of history and of the first read.
"""

import contextlib
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Tower(NamedTuple):
    """A service that listens, and its data folder."""

    pid: int
    port: int
    data: Path

    @property
    def token(self) -> str:
        """The owner's."""
        return (self.data / "token").read_text().strip()

    def has_recorded(self, files: int) -> bool:
        """Whether everything that so many files say is in the database; looks little until then."""
        uri = f"file:{self.data / 'history.db'}?mode=ro"
        try:
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as history:
                count = history.execute("SELECT count(*) FROM reader_offsets").fetchone()[0]
                marks = "SELECT mark FROM reader_offsets"
                return count >= files and all(_is_whole(mark) for (mark,) in history.execute(marks))
        except sqlite3.Error:
            return False

    def cpu_percent(self, seconds: float) -> float:
        """The part of a core that it and its processes take, over some seconds."""
        before = spent_s(self.pid)
        time.sleep(seconds)
        return 100 * (spent_s(self.pid) - before) / seconds

    def resident_bytes(self) -> int:
        """Memory of it and its processes; what they share counts in parts."""
        return sum(map(_proportional_bytes, _family(self.pid)))


def _is_whole(mark: bytes) -> bool:
    from history.rows import mark_of
    from session.mark import Mark

    read: Mark | None = mark_of(mark)
    return read is not None and read.mtime_ns > 0


def _family(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *map(int, told.split())]


def spent_s(pid: int) -> float:
    """The CPU that a process and those it started have taken, in seconds."""
    stats = (Path(f"/proc/{each}/stat").read_text() for each in _family(pid))
    fields = (stat.rpartition(")")[2].split() for stat in stats)
    return sum(int(each[11]) + int(each[12]) for each in fields) * TICK_S


def _proportional_bytes(pid: int) -> int:
    found = re.search(
        r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE
    )
    return int(found[1]) * 1024 if found else 0


@contextlib.contextmanager
def started(data: Path, home: Path) -> Iterator[Tower]:
    """``tower up`` on a free port, with this data folder and this home of Claude Code."""
    command = [sys.executable, "-c", "from tower.cli import main; main()", "up", "--port", "0"]
    command += ["--data-dir", str(data), "--claude-dir", str(home), "--no-browser"]
    command += ["--codex-dir", str(data / "none")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = re.search(r":(\d+)/", process.stdout.readline() if process.stdout else "")
            if found is None:
                raise SystemExit("the tower did not start")
            yield Tower(process.pid, int(found[1]), data)
        finally:
            process.terminate()
