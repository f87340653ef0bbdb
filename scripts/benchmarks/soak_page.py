"""The page and the picture of an endurance run, from its report. Pure but for ``write``."""

import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from fit import robust_slope
from picture import Axes, draw

PAGE = Path(__file__).resolve().parents[2] / "docs" / "soak.md"
PICTURE = PAGE.with_suffix(".svg")
WARM_SHARE = 0.3
SLOPE_MB_MAX = 1.0
STILL_MB = 0.1  # a minute: less than this is no growth that could be told
MB = 1e6
HEAD = (
    "| role | memory after warm-up | highest | last | slope | in its later half | descriptors | "
    "threads | CPU | reached |\n|---|---|---|---|---|---|---|---|---|---|"
)

Report = dict[str, Any]


class Course(NamedTuple):
    """How one role fared after the warm-up. Memory in MB (PSS), slopes in MB a minute."""

    role: str
    first_mb: float
    highest_mb: float
    last_mb: float
    slope: float
    earlier: float
    later: float
    descriptors: tuple[int, int, int]  # first, highest, last
    threads: tuple[int, int]
    cpu_percent: float

    @property
    def reached(self) -> bool | None:
        """Whether it grows little and ever less; of Redis nothing is asked, which keeps ids."""
        if self.role == "redis":
            return None
        return self.slope <= SLOPE_MB_MAX and self.later <= max(self.earlier, STILL_MB)


def courses(report: Report) -> list[Course]:
    """One of each role that lived to the end, from the samples after the warm-up."""
    samples = report["samples"]
    warm = samples[-1]["minute"] * WARM_SHARE
    after = [each for each in samples if each["minute"] >= warm]
    return [_course(name, after) for name in samples[-1]["held"] if name in after[0]["held"]]


def _course(role: str, samples: list[Any]) -> Course:
    minutes = [each["minute"] for each in samples]
    held = [each["held"][role] for each in samples]
    memory = [each["pss_bytes"] / MB for each in held]
    points = list(zip(minutes, memory, strict=True))
    middle = len(points) // 2
    spent_s = held[-1]["cpu_s"] - held[0]["cpu_s"]
    descriptors = [each["descriptors"] for each in held]
    return Course(
        role, memory[0], max(memory), memory[-1], robust_slope(points),
        robust_slope(points[:middle]), robust_slope(points[middle:]),
        (descriptors[0], max(descriptors), descriptors[-1]),
        (held[0]["threads"], held[-1]["threads"]),
        100 * spent_s / max(1e-9, 60 * (minutes[-1] - minutes[0])),
    )  # fmt: skip


def table(report: Report) -> str:
    """A line for each role."""
    words = {True: "yes", False: "**no**", None: ""}
    lines = [
        f"| {c.role} | {c.first_mb:.1f} MB | {c.highest_mb:.1f} MB | {c.last_mb:.1f} MB "
        f"| {c.slope:+.2f} MB/min | {c.later:+.2f} MB/min "
        f"| {c.descriptors[0]} → {c.descriptors[2]}, at most {c.descriptors[1]} "
        f"| {c.threads[0]} → {c.threads[1]} | {c.cpu_percent:.0f} % | {words[c.reached]} |"
        for c in courses(report)
    ]
    return "\n".join([HEAD, *lines])


def picture(report: Report) -> str:
    """Memory of each role over the whole run."""
    samples = report["samples"]
    curves = {
        name: [
            (e["minute"], e["held"][name]["pss_bytes"] / MB) for e in samples if name in e["held"]
        ]
        for name in samples[0]["held"]
    }
    return draw("Memory of each role (PSS)", Axes("minutes", "MB"), curves)


def about(report: Report) -> list[str]:
    """What was asked, and what came of it, as paragraphs."""
    asked, samples = report["asked"], report["samples"]
    last = samples[-1]
    summed = {
        name: sum(each.get(name, 0) for each in last["told"].values())
        for name in ("conflated", "evictions")
    }
    codes = ", ".join(f"{code}: {count:,}" for code, count in report["closed_by"].items())
    rate = report["events"] / max(1e-9, 60 * last["minute"])
    load = (
        f"`scripts/bench soak --minutes {asked['minutes']:g}` on {datetime.now(UTC):%Y-%m-%d}: an "
        f"ingest, {asked['hubs']} hubs, a recorder with SQLite and a real redis-server, each a "
        f"process, under {asked['rate']:g} events a second of {asked['sessions']:,} sessions (one "
        "in five posts hooks, the others deltas as readers send them; a session ends every 20 s "
        f"and another begins) and {asked['clients']:,} clients. Most of those are hidden tabs at "
        "1 Hz, a quarter asks for 5 Hz, a few for 20 and 60. One in twenty reads 6 KB a second, "
        "one in twenty reads nothing at all until the hub lets it go. Everybody opens other "
        "sessions now and then, loses the line every two minutes on average, comes back to another "
        "hub and resumes. A quarter has deflated frames. Every four minutes all rests."
    )
    found = (
        f"{report['events']:,} events ({rate:.0f} a second, rests included), {report['frames']:,} "
        f"frames judged ({report['received_mb']:,.0f} MB), {report['connects']:,} connections, "
        f"{summed['conflated']:,.0f} updates conflated, {summed['evictions']:,.0f} subscriptions "
        f"evicted; connections that ended, by code: {codes}. The load itself was late by "
        f"{report['late_p99_ms']:.0f} ms at p99, and left out {report['passed_over']:,} events "
        "that were due when too many waited. "
        f"**{report['violations']:,} violations** of the protocol and, at {report['rests']} rests, "
        "of what the log's own fold says: rows, details and timelines of the clients that keep "
        "everything (one in ten), cursors and open items of all that are quick. "
        f"{report['partial']} timelines said at a rest that history could not be read. In between, "
        f"open items were looked at {report['items_looked_at']:,} times, and were late "
        f"{report['items_late']:,} times: more than 7 s after they were opened or closed."
    )
    return [load, found]


def page(report: Report, said_below: str = "") -> str:
    """The page; what a person said below the table stays there."""
    paragraphs = ["\n".join(textwrap.wrap(each, 118)) for each in about(report)]
    warm = report["samples"][-1]["minute"] * WARM_SHARE
    method = (
        "Memory is the proportional set size, sampled every 10 s; slopes are the median of the "
        f"slopes between any two samples after a warm-up of {warm:.0f} minutes. To reach: at most "
        f"{SLOPE_MB_MAX:g} MB a minute, and falling; 0 violations. Asyncio tasks have no metric; "
        "one that leaks holds memory, a connection or a subscription, and those are counted."
    )
    told = "\n\n".join([*paragraphs, "\n".join(textwrap.wrap(method, 118))])
    image = f"![Memory of each role over the run]({PICTURE.name})"
    return f"# Endurance\n\n{told}\n\n{table(report)}\n\n{image}\n{said_below}"


def write(report: Report) -> None:
    """Page and picture."""
    before = PAGE.read_text() if PAGE.exists() else ""
    _, _, below = before.partition(f"({PICTURE.name})\n")
    PAGE.write_text(page(report, below))
    PICTURE.write_text(picture(report))
