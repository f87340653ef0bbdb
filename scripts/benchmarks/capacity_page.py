"""The page of capacity: points, curves, the model with what it misses, and the plan. Pure but for
``write``; no figure in it is typed by hand.
"""

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import capacity_model as model_of
from capacity_model import Model, bounds, cpu_row, fitted, fitted_points, memory_row, planned
from capacity_points import AXES, CLIENTS, RATE, SESSIONS, Point
from picture import Axes, draw

PAGE = Path(__file__).resolve().parents[2] / "docs" / "capacity.md"
PICTURES = PAGE.parent / "capacity"
TRUSTED = 0.8  # of the variation: below, the page warns
TITLES = {
    "sessions": "sessions", "clients": "clients", "events": "events a second",
    "subscriptions": "sessions that each client has open", "workers": "hub workers",
}  # fmt: skip


def figure(value: float | None, unit: str = "") -> str:
    """A value in about three digits."""
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def place(point: Point) -> int:
    """Where a point stands on its axis: of clients those count that came."""
    return point.clients if point.axis == "clients" else point.at


def points_table(points: Sequence[Point]) -> str:
    """A line for each point of one axis."""
    axis = points[0].axis
    if axis == "workers":
        head = "| workers | hubs | of it each | Redis | ingest | recorder | memory of each |"
        lines = [
            f"| {p.at} | {100 * p.cpu:.0f} % | {100 * p.cpu / p.at:.0f} % | "
            f"{100 * p.redis_cpu:.1f} % | {100 * p.ingest_cpu:.0f} % | {100 * p.recorder_cpu:.0f} "
            f"% | {p.memory_mb:.0f} MB |"
            for p in points
        ]
        return "\n".join([head, "|---|---|---|---|---|---|---|", *lines])
    head = f"| {TITLES[axis]} | of a core | memory | frames | to all clients | freshness p99 |"
    lines = [
        f"| {place(p):,} | {100 * p.cpu:.1f} % | {p.memory_mb:.0f} MB | {p.frames:,.0f} /s "
        f"| {figure(p.wire_mb, 'MB/s')} | {figure(p.freshness_ms, 'ms')}"
        f"{'' if p.keeps_up else ', not fitted'} |"
        for p in points
    ]
    return "\n".join([head, "|---|---|---|---|---|---|", *lines])


def pictures(points: Sequence[Point], model: Model) -> dict[str, str]:
    """CPU and memory along each axis, measured and as the model says, by the name of a file."""
    drawn = {}
    for axis in AXES:
        some = [p for p in points if p.axis == axis]
        if axis == "workers":
            curves = {
                "all hubs": [(float(p.at), 100 * p.cpu) for p in some],
                "Redis": [(float(p.at), 100 * p.redis_cpu) for p in some],
                "recorder": [(float(p.at), 100 * p.recorder_cpu) for p in some],
                "ingest": [(float(p.at), 100 * p.ingest_cpu) for p in some],
            }
        else:
            curves = {
                "measured": [(float(place(p)), 100 * p.cpu) for p in some],
                "model": [(float(place(p)), 100 * model.cpu.at(cpu_row(p))) for p in some],
            }
        log = axis in ("sessions", "clients")
        title = f"CPU by {TITLES[axis]}"
        drawn[f"cpu-{axis}.svg"] = draw(
            title, Axes(TITLES[axis], "% of a core", log), curves, dots=True
        )
    for axis in ("sessions", "clients"):
        some = [p for p in points if p.axis == axis]
        curves = {
            "measured": [(float(place(p)), p.memory_mb) for p in some],
            "model": [(float(place(p)), model.memory.at(memory_row(p))) for p in some],
        }
        axes = Axes(TITLES[axis], "MB", log_x=True)
        drawn[f"memory-{axis}.svg"] = draw(f"Memory by {TITLES[axis]}", axes, curves, dots=True)
    return drawn


def model_table(points: Sequence[Point], model: Model) -> str:
    """What each factor costs, and how well the points agree."""
    single = fitted_points(points)
    missed = [abs(r) / max(p.cpu, 1e-9) for r, p in zip(model.cpu.residuals, single, strict=True)]
    off = [abs(r) / max(p.memory_mb, 1e-9)
           for r, p in zip(model.memory.residuals, single, strict=True)]  # fmt: skip
    cpu, memory, (append, read) = model.cpu.costs, model.memory.costs, model.redis.costs
    lines = [
        "| what | CPU | memory |", "|---|---|---|",
        f"| a process | {100 * cpu[0]:.1f} % of a core | {memory[0]:.0f} MB |",
        f"| a session | its events | {1e3 * memory[1]:.1f} KB |",
        f"| a client | {1e6 * cpu[5]:.1f} µs a second, and its frames | {1e3 * memory[2]:.1f} KB |",
        f"| an event | {1e6 * cpu[1]:.0f} µs | |",
        f"| a flush of a board, encoded for all who see it | {1e3 * cpu[2]:.2f} ms | |",
        f"| a frame to one client | {1e6 * cpu[3]:.1f} µs | |",
        f"| a MB to one client | {1e3 * cpu[4]:.2f} ms | |",
        f"| an event, in the ingest | {1e6 * model.ingest_event:.0f} µs | |",
        f"| an event, in the recorder | {1e6 * model.recorder_event:.0f} µs | |",
        f"| an entry, in Redis | {1e6 * append:.0f} µs, {1e6 * read:.0f} µs for each reader | |",
        f"| a point is missed by, median and worst | {_missed(missed)} | {_missed(off)} |",
        f"| explained | {100 * model.cpu.share:.1f} % | {100 * model.memory.share:.1f} % |",
    ]  # fmt: skip
    return "\n".join(lines)


def _missed(shares: Sequence[float]) -> str:
    return f"{100 * median(shares):.0f} %, {100 * max(shares):.0f} %"


def bounds_table(model: Model) -> str:
    """What is full first."""
    lines = [f"| {each.what} | {each.viewers:,.0f} | {each.next} |" for each in bounds(model)]
    return "\n".join(["| today | full at so many viewers | next step |", "|---|---|---|", *lines])


def plan_table(model: Model) -> str:
    """What fleets need after the next step."""
    head = (
        "| viewers | events | hub workers | memory of each | ingests | recorders | Redis nodes "
        "| partitions | to the viewers |\n|---|---|---|---|---|---|---|---|---|"
    )
    plans = [planned(model, each) for each in model_of.VIEWERS]
    lines = [
        f"| {p.viewers:,} | {p.events:,.0f} /s | {p.workers:,} | {p.worker_mb:,.0f} MB | "
        f"{p.ingests:,} | {p.recorders:,} | {p.redis_nodes:,} | {p.partitions:,} | "
        f"{figure(p.gbit, 'Gbit/s')} |"
        for p in plans
    ]
    return "\n".join([head, *lines])


def page(points: Sequence[Point]) -> str:
    """All of it."""
    model = fitted(points)
    first = next(each for each in bounds(model) if not each.is_of_one_worker)
    parts = ["# Capacity", _wrapped(_about())]
    for axis in AXES:
        some = [p for p in points if p.axis == axis]
        image = f"![CPU by {TITLES[axis]}](capacity/cpu-{axis}.svg)"
        if axis in ("sessions", "clients"):
            image += f"\n![Memory by {TITLES[axis]}](capacity/memory-{axis}.svg)"
        parts += [f"## {TITLES[axis].capitalize()}", points_table(some), image]
    parts += ["## What each thing costs", _wrapped(_of_model(model)), model_table(points, model)]
    parts += ["## A million viewers, on paper", _wrapped(_of_plan(model)), bounds_table(model)]
    parts += [
        _wrapped(
            f"What more workers do not cure, and is full first: {first.what}, at "
            f"{first.viewers:,.0f} viewers. The next step is {first.next}. After that, and with "
            "workers that follow only the partitions of their workspaces "
            f"({model_of.COPIES} workers hold each, so that one may die):"
        ),
        plan_table(model),
    ]
    return "\n\n".join(parts) + "\n"


def _about() -> str:
    return (
        f"How cost grows, by `scripts/bench capacity` on {datetime.now(UTC):%Y-%m-%d}. Unless one "
        f"of them grows: {SESSIONS} sessions, {RATE} events a second, {CLIENTS} clients at the "
        "default rate with the default view of 200 rows, one worker on one core, the load in C on "
        "the other. The events are made in the hub's own process, and count as its own; history "
        "records them there as well. With several workers everything is a process of its own on a "
        "real Redis, 400 clients at 5 Hz are shared out, and all of it shares two cores. Client "
        "and server share a small machine with others: values drift by a third between minutes."
    )


def _of_model(model: Model) -> str:
    told = (
        "By least squares over the points of one worker at which clients were at most 1.5 s "
        "behind, relative errors weighed alike; no cost may be below nothing. Frames and bytes "
        "are those that were sent at that point: a busier hub sends fewer and larger ones, by its "
        "own pace, and so the cost of a client falls as more come. Ingest, recorder and Redis are "
        "those of the runs with several workers."
    )
    if model.cpu.share >= TRUSTED:
        return told
    return told + (
        " **The machine was busy with other things while this was measured: the model explains "
        "little of the CPU, and its figures are no more than an order of magnitude.** Run it again "
        "where it is quiet."
    )


def _of_plan(model: Model) -> str:
    return (
        f"Assumed: each viewer has a session at work that makes {model_of.EVENTS_OF_A_VIEWER:g} "
        f"events a second, sees a board of {model_of.WORKSPACE_VIEWERS} people, and is sent what a "
        f"client was sent where most were measured ({model.viewer_frames:.1f} frames and "
        f"{1e3 * model.viewer_mb:.0f} KB a second); no core is busier than "
        f"{100 * model_of.BUSY_MAX:.0f} %. A viewer costs a hub {1e6 * model.viewer_cpu:.0f} µs a "
        "second. Everything else follows from the table above and from the limits in "
        "`hub/limits.py`."
    )


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 118, break_on_hyphens=False))


def write(points: Sequence[Point]) -> None:
    """Page and pictures."""
    PICTURES.mkdir(exist_ok=True)
    for name, drawn in pictures(points, fitted(points)).items():
        (PICTURES / name).write_text(drawn)
    PAGE.write_text(page(points))
