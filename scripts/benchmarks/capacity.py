"""How cost grows with sessions, clients, events, subscriptions and workers, and what that means.

Measures the points that are not in the file yet, one after the other, and makes of all of them a
model and a plan. Started by ``scripts/bench capacity``.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from capacity_model import fitted
from capacity_page import PAGE, model_table, plan_table, points_table, write
from capacity_points import AXES, Point, measure
from processes import Bench, ToolFailed, compile_tools


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench capacity", description=__doc__)
    parser.add_argument("--points", type=Path, metavar="FILE", help="keep measured points there")
    parser.add_argument(
        "--axis", action="append", choices=list(AXES), help="only this one; may be repeated"
    )
    parser.add_argument("--most", type=int, default=0, help="end after so many new points")
    parser.add_argument(
        "--coarse", action="store_true", help="of each axis only the ends and the middle"
    )
    parser.add_argument("--quick", action="store_true", help="short: do the tools work?")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PAGE.name} and pictures")
    return parser.parse_args()


def kept(file: Path | None) -> list[Point]:
    """The points of earlier runs."""
    if file is None or not file.exists():
        return []
    return [Point(**each) for each in json.loads(file.read_text())]


def places(axis: str, *, coarse: bool) -> list[int]:
    """Where an axis is measured."""
    every = AXES[axis]
    return [every[0], every[len(every) // 2], every[-1]] if coarse else list(every)


def measured(told: argparse.Namespace, folder: Path) -> list[Point]:
    """All points that are asked for; each is kept as soon as it is known."""
    points = kept(told.points)
    known = {(p.axis, p.at) for p in points}
    axes = told.axis or AXES
    wanted = [(axis, at) for axis in axes for at in places(axis, coarse=told.coarse)]
    missing = [each for each in wanted if each not in known]
    bench = Bench(folder, quick=told.quick)
    for axis, at in missing[: told.most or None]:
        points.append(measure(bench, axis, at))
        print(f"{axis} {at:,}: {100 * points[-1].cpu:.1f} % of a core", file=sys.stderr, flush=True)
        if told.points:
            told.points.write_text(json.dumps([p._asdict() for p in points], indent=1) + "\n")
    return points


def main() -> int:
    """Measure, print, write; gives the exit code."""
    told = parse()
    try:
        with tempfile.TemporaryDirectory() as made:
            compile_tools(Path(made))
            points = measured(told, Path(made))
    except ToolFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    for axis in AXES:
        if some := [p for p in points if p.axis == axis]:
            print(points_table(some), end="\n\n")
    if {p.axis for p in points} == set(AXES):
        model = fitted(points)
        print(model_table(points, model), plan_table(model), sep="\n\n")
        if told.write:
            write(points)
    return 0


if __name__ == "__main__":
    sys.exit(main())
