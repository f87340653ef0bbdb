"""What the kernel knows of a process: memory, descriptors, threads, CPU. Linux only.

Used by the benchmarks that start the roles as processes of their own.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_KB = re.compile(r"^(Rss|Pss):\s+(\d+) kB", re.MULTILINE)


class Held(NamedTuple):
    """What one process holds, and the CPU it has taken since it began."""

    rss_bytes: int
    pss_bytes: int
    descriptors: int
    threads: int
    cpu_s: float


def look(pid: int) -> Held:
    """At this moment. Raises OSError where the process is gone."""
    folder = Path("/proc") / str(pid)
    sizes = dict(_KB.findall((folder / "smaps_rollup").read_text()))
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return Held(
        int(sizes.get("Rss", 0)) * 1024,
        int(sizes.get("Pss", 0)) * 1024,
        sum(1 for _ in (folder / "fd").iterdir()),
        int(fields[17]),
        (int(fields[11]) + int(fields[12])) * TICK_S,
    )
