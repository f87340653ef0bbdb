"""A flame graph as a small picture: stacks as py-spy tells them, folded, without script. Pure.

Frames that are seldom seen are left out, and names are cut: what is left stays below 200 KB.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape

WIDTH, ROW, HEAD = 1_200, 17, 30
SHARE_MIN = 0.004
LETTER = 6.6
STYLE = (
    "text{font:11px ui-monospace,monospace;fill:#111}.t{font:600 14px system-ui,sans-serif;"
    "fill:#777}rect{stroke:#fff;stroke-width:.5}"
)
HUES = {"hub/live": 14, "hub": 26, "session": 48, "bus": 190, "history": 280, "ingest": 140}
OTHER_HUE, NATIVE_HUE = 210, 0
COSTS = {  # by the frames of a stack, one a line; the first that fits counts
    "the made-up fleet, which is no part of a hub": r"benchmarks/(generator|our_server)\.py",
    "collecting garbage": r"gc_collect",
    "writing to sockets: the system's own part": r"(?m)^(__)?(libc_)?(send|write|sendmsg)\b",
    "writing to sockets: uvloop and the loop over clients": r"\(hub/live/shipping\.py\)",
    "taking in acknowledgements": r"\(hub/(inlet|wsprotocol)\.py\)",
    "choosing and ordering rows of views": r"\(hub/live/(groups|views)\.py\)",
    "making frames: rows, details, JSON": r"\(hub/live/(rows|details|frames|wire|channels)\.py\)",
    "recording, its own fold included": r"\(history/",
    "folding": r"\(session/\w+\.py\)",
    "everything else of a hub": r"\(hub/",
    "the log": r"\(bus/",
}
KEPT = re.compile(r"\.py\)|^gc_collect")
IDLE = re.compile(r"^(epoll_\w+|sem_\w*wait|pthread_cond_\w*wait|\w*futex\w*|0x[0-9a-f]+) \(libc")
ELSE = "the loop itself, and what is left"

Stacks = Counter[tuple[str, ...]]


def parse(lines: Iterable[str], root: str) -> Stacks:
    """Stacks by how often they were seen; lines are ``outer;…;inner count``.

    A frame's file is told from ``root``; line numbers are left away, so that a function is one.
    What waits is no work. Of the frames in C only the innermost is kept, and the collector's.
    """
    stacks: Stacks = Counter()
    for line in lines:
        told, _, count = line.rstrip().rpartition(" ")
        frames = [frame(each, root) for each in told.split(";")]
        if told and count.isdigit() and not IDLE.search(frames[-1]):
            inner = [each for each in frames[:-1] if KEPT.search(each)]
            stacks[*inner, frames[-1]] += int(count)
    return stacks


def frame(told: str, root: str) -> str:
    """A frame's name without what differs from line to line and machine to machine."""
    found = re.fullmatch(r"(.*) \(([^()]*?)(?::\d+)?\)", told)
    if found is None:
        return told
    name, file = found[1], found[2].removeprefix(root.rstrip("/") + "/")
    file = re.sub(r".*/(?:site-packages|lib/python[\d.]+)/", "", file)
    return f"{name} ({file})"


def costs(stacks: Stacks) -> dict[str, float]:
    """The share of each cost of ``COSTS``; a sample counts for the first one that it fits."""
    total = sum(stacks.values()) or 1
    shares = dict.fromkeys([*COSTS, ELSE], 0.0)
    patterns = {what: re.compile(pattern) for what, pattern in COSTS.items()}
    for stack, count in stacks.items():
        told = "\n".join(stack)
        fits = (what for what, pattern in patterns.items() if pattern.search(told))
        shares[next(fits, ELSE)] += count / total
    return {what: part for what, part in shares.items() if part}


def self_shares(stacks: Stacks) -> list[tuple[str, float]]:
    """The frames in which most samples end, the first one most."""
    total = sum(stacks.values()) or 1
    leaves: Counter[str] = Counter()
    for stack, count in stacks.items():
        leaves[stack[-1]] += count
    return [(name, count / total) for name, count in leaves.most_common()]


def draw(title: str, stacks: Stacks) -> str:
    """The picture: what calls is below, and the wider the more time."""
    total = sum(stacks.values())
    boxes = list(_boxes(sorted(stacks.items()), 0, 0.0, total or 1))
    depth = max((row for row, *_ in boxes), default=0) + 1
    height = HEAD + depth * ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="t" x="4" y="18">{escape(title)}</text>',
    ]
    for row, left, width, name in boxes:
        parts.append(_box(name, left * WIDTH, height - (row + 1) * ROW, width * WIDTH, width))
    return "\n".join([*parts, "</svg>\n"])


def _boxes(
    stacks: list[tuple[tuple[str, ...], int]], row: int, left: float, total: int
) -> Iterator[tuple[int, float, float, str]]:
    """Row, left edge, width and name; edges and widths as shares of everything."""
    by_name: dict[str, list[tuple[tuple[str, ...], int]]] = {}
    for stack, count in stacks:
        if len(stack) > row:
            by_name.setdefault(stack[row], []).append((stack, count))
    for name, inside in by_name.items():
        width = sum(count for _, count in inside) / total
        if width >= SHARE_MIN:
            yield row, left, width, name
            yield from _boxes(inside, row + 1, left, total)
        left += width


def _box(name: str, x: float, y: float, width: float, share: float) -> str:
    letters = int((width - 4) / LETTER)
    short = name if len(name) <= letters else name[: max(0, letters - 1)] + "…"
    label = f'<text x="{x + 2:.1f}" y="{y + 12}">{escape(short)}</text>' if letters > 2 else ""
    return (
        f'<g><title>{escape(name)}: {100 * share:.1f} %</title><rect x="{x:.1f}" y="{y}" '
        f'width="{width:.1f}" height="{ROW - 1}" fill="hsl({_hue(name)},70%,72%)"/>{label}</g>'
    )


def _hue(name: str) -> int:
    """A colour for each room of the house, another one for everything else."""
    file = name.rpartition("(")[2]
    for room, hue in HUES.items():
        if file.startswith(room + "/"):
            return hue
    return OTHER_HUE if ".py" in file else NATIVE_HUE
