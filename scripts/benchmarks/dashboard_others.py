"""What the rest of the machine does meanwhile: a browser that waits for a core looks slow.

Counts the time of all processes against that of this one and its descendants, where the kernel
tells it. Used by the benchmark of the dashboard.
"""

import asyncio
import os
import time
from pathlib import Path

LOOK_S, REST_SHARE = 1.0, 0.1  # of a core
IDLE, WAITING = 3, 4  # their places in the first line of /proc/stat


def times() -> tuple[int, int]:
    """Ticks of work since the start of all, and of this process and what it began."""
    try:
        fields = [int(each) for each in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    except OSError:
        return 0, 0
    return sum(fields) - fields[IDLE] - fields[WAITING], _own()


def others_percent(before: tuple[int, int], after: tuple[int, int], seconds: float) -> float:
    """Of one core, what the others took: above 100 there were two of them busy at times."""
    ticks = (after[0] - before[0]) - (after[1] - before[1])
    return max(0.0, 100 * ticks / os.sysconf("SC_CLK_TCK") / seconds)


async def at_rest(patience_s: float = 60.0) -> None:
    """Return once this process and all that it began do next to nothing."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        before = times()[1]
        await asyncio.sleep(LOOK_S)
        if (times()[1] - before) / os.sysconf("SC_CLK_TCK") < REST_SHARE * LOOK_S:
            return
    raise SystemExit(f"tower and browser did not come to rest in {patience_s:.0f} s")


def _own() -> int:
    parents, spent = {}, {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = each.read_text().rpartition(")")
        except OSError:
            continue  # it ended
        fields, pid = rest.split(), int(name.split()[0])
        parents[pid], spent[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    own = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(spent.get(pid, 0) for pid in own)
