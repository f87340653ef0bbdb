"""What one server did under one load, and the tables that a few rounds of it make.

Pure: results of the load client in, markdown out. Ratios are of servers in the same round, and the
median of the rounds is told; every ratio says how many events there are in a frame. Used by
``peers.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

FRESH_MS = 200.0
RATIO_MAX = 1 / 20
SINGLE_EVENTS_MAX = 1.05
QUIET, BUSY, HALF, BATCHED = "quiet", "busy", "half", "batched"
TITLES = {
    QUIET: "### A quiet stream",
    BUSY: "### A busy stream",
    HALF: "### At half a core",
    BATCHED: "### In batches of the publisher",
}
HEAD = (
    "| server | clients | events in a frame | event → frame p50 | p99 | of the core | CPU for a "
    "client and second | frames to a client | events shown | bytes to a client |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)
RATIO_HEAD = "| CPU for a client, ours / the other | ratio | target | reached |\n|---|---|---|---|"


class Figures(NamedTuple):
    """One server under one load: of one round, or the median of several."""

    load: str
    server: str
    clients: int
    events_in_frame: float
    p50_ms: float | None
    p99_ms: float | None
    cpu_percent: float
    frames: float
    """To a client in a second; so are the next two."""
    shown: float
    bytes: float
    client_cpu_percent: float

    @property
    def client_us(self) -> float:
        """CPU of the server for a client and second, in microseconds."""
        return self.cpu_percent * 10_000 / self.clients

    @property
    def is_ours(self) -> bool:
        """Whether it is Agent Tower."""
        return self.server.startswith("ours")

    @property
    def is_fresh(self) -> bool:
        """Whether what its clients show is as fresh as asked."""
        return self.p99_ms is not None and self.p99_ms <= FRESH_MS


Round = Sequence[Figures]


def figures(
    load: str, server: str, clients: int, examined: int, rate: float, result: Mapping[str, Any]
) -> Figures:
    """Of a result of the load client; ``examined`` of its clients read what they were sent.

    Ours stands for every event of the stream in its frames, the superseded ones as well; of the
    others only what arrived counts.
    """
    lane, seconds = result["lanes"]["overview"], float(result["seconds"])
    frames = lane["frames"] / seconds / clients
    shown = lane["stamps"] / seconds / examined
    return Figures(
        load=load, server=server, clients=clients,
        events_in_frame=(rate if server.startswith("ours") else shown) / max(frames, 1e-9),
        p50_ms=lane["p50_ms"], p99_ms=lane["p99_ms"],
        cpu_percent=100 * result["server_cpu_seconds"] / seconds,
        frames=frames, shown=shown, bytes=result["wire_bytes"] / seconds / clients,
        client_cpu_percent=100 * result["client_cpu_seconds"] / seconds,
    )  # fmt: skip


def over_rounds(rounds: Iterable[Round], load: str) -> list[Figures]:
    """The median of every figure, a line for each server of a load, in the order of measuring."""
    found: dict[str, list[Figures]] = {}
    for each in (each for one in rounds for each in one if each.load == load):
        found.setdefault(each.server, []).append(each)
    return [_median(each) for each in found.values()]


def _median(several: Sequence[Figures]) -> Figures:
    def of(name: str) -> Any:
        known = [getattr(each, name) for each in several if getattr(each, name) is not None]
        return median(known) if known else None

    numbers = {name: of(name) for name in Figures._fields[2:]}
    numbers["clients"] = round(numbers["clients"])
    return Figures(several[0].load, several[0].server, **numbers)


def number(value: float | None) -> str:
    """A value in about three digits; a dash where nothing arrived."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def table(rounds: Sequence[Round], load: str) -> str:
    """All servers under one load."""
    return "\n".join([HEAD, *map(_line, over_rounds(rounds, load))])


def _line(each: Figures) -> str:
    return (
        f"| {each.server} | {each.clients:,} | {number(each.events_in_frame)} "
        f"| {number(each.p50_ms)} ms | {number(each.p99_ms)} ms | {number(each.cpu_percent)} % "
        f"| {number(each.client_us)} µs | {number(each.frames)} /s | {number(each.shown)} /s "
        f"| {number(each.bytes / 1000)} KB/s |"
    )


# Ratios.


def best(several: Iterable[Figures]) -> Figures | None:
    """The one that spends least on a client."""
    return min(several, key=lambda each: each.client_us, default=None)


def ratio(rounds: Sequence[Round], ours: Figures, other: Figures) -> float | None:
    """What ours spends on a client against the other, in each round in which both are."""
    ratios = []
    for one in rounds:
        spent = {(each.load, each.server): each.client_us for each in one}
        mine, theirs = (spent.get((each.load, each.server)) for each in (ours, other))
        if mine is not None and theirs:
            ratios.append(mine / theirs)
    return median(ratios) if ratios else None


def ratios(rounds: Sequence[Round]) -> str:
    """First those that have a target, then every pair of which both are there."""
    lines = [RATIO_HEAD, *_asked(rounds)]
    for load, ours_at in ((BUSY, BUSY), (HALF, HALF), (BATCHED, BUSY), (QUIET, QUIET)):
        others = [each for each in over_rounds(rounds, load) if not each.is_ours]
        for ours in (each for each in over_rounds(rounds, ours_at) if each.is_ours):
            for other in others:
                found = shown_ratio(ratio(rounds, ours, other))
                lines.append(f"| {load}: {_named(ours)} / {_named(other)} | {found} | | |")
    return "\n".join(lines)


def _asked(rounds: Sequence[Round]) -> list[str]:
    """Equal freshness: the cheapest on either side whose p99 is within what is asked.

    Against whoever spends least, and against whoever spends least of those that send a frame for
    each event: some collect what waits for the socket.
    """
    every = [each for load in (BUSY, HALF) for each in over_rounds(rounds, load) if each.is_fresh]
    ours = best(each for each in every if each.is_ours)
    others = [each for each in every if not each.is_ours]
    single = [each for each in others if each.events_in_frame < SINGLE_EVENTS_MAX]
    return [
        _reached(rounds, ours, best(others), "the best"),
        _reached(rounds, ours, best(single), "the best that sends a frame for each event"),
    ]


def _reached(
    rounds: Sequence[Round], ours: Figures | None, other: Figures | None, what: str
) -> str:
    target, asked = f"≤ {number(RATIO_MAX)} ×", f"p99 ≤ {FRESH_MS:.0f} ms"
    if ours is None or other is None:
        nobody = "ours is not so fresh" if ours is None else "nobody is so fresh"
        return f"| {asked}, against {what}: {nobody} | – | {target} | **no** |"
    found = ratio(rounds, ours, other)
    reached = found is not None and found <= RATIO_MAX
    return (
        f"| {asked}: {_named(ours)} / {what}, {_named(other)} | {shown_ratio(found)} "
        f"| {target} | {'yes' if reached else '**no**'} |"
    )


def _named(each: Figures) -> str:
    return (
        f"{each.server} to {each.clients:,} with {number(each.events_in_frame)} events in a frame"
    )


def shown_ratio(value: float | None) -> str:
    """``0.033 ×``, or a dash."""
    return "–" if value is None else f"{value:.3f} ×" if value < 1 else f"{value:.2f} ×"
