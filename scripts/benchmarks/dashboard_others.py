"""What the rest of the machine does meanwhile: a browser that waits for a core looks slow.

Counts the time of all processes against that of this one and its descendants, where the kernel
tells it. Used by the benchmark of the dashboard.
"""

import os
from pathlib import Path

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
