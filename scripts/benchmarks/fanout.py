"""The benchmark of the fan-out: measures the rows that are asked for and prints a table.

A value that misses its target says so; it is no failure. Started by ``scripts/bench fanout``.
"""

import argparse
import json
import os
import platform
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from processes import Bench, ToolFailed, compile_tools
from rows import ROWS, Line


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench fanout", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny and short: do the tools work?")
    parser.add_argument(
        "--row", action="append", choices=list(ROWS), metavar="NAME",
        help=f"only this row, may be repeated; one of {', '.join(ROWS)}",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="how often each comparison is made (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values there as well")
    return parser.parse_args()


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return {
        "cpu": found.group(1) if found else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def shown(value: float | None) -> str:
    """A value in about three digits."""
    if value is None:
        return "not measured"
    if value == int(value) and abs(value) < 1000:
        return str(int(value))
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:,.{digits}f}"


def table_row(name: str, line: Line) -> str:
    """One line of the markdown table."""
    target = "" if line.most is None else f"≤ {shown(line.most)} {line.unit}".rstrip()
    words = {True: "yes", False: "**no**", None: "" if line.most is None else "not measured"}
    value = f"{shown(line.value)} {line.unit if line.value is not None else ''}".rstrip()
    return f"| {name} | {line.what} | {value} | {target} | {words[line.reached]} |"


def measure(told: argparse.Namespace, folder: Path) -> dict[str, list[Line]]:
    """Measure row by row, printing each as soon as it is known."""
    compile_tools(folder)
    bench = Bench(folder, quick=told.quick)
    bench.rounds = told.rounds or bench.rounds
    print("| row | what | measured | target | reached |\n|---|---|---|---|---|", flush=True)
    measured: dict[str, list[Line]] = {}
    for name in told.row or ROWS:
        measured[name] = ROWS[name](bench)
        for line in measured[name]:
            print(table_row(name, line), flush=True)
    return measured


def main() -> int:
    """Measure, print, write; gives the exit code."""
    told = parse()
    about = machine()
    print(f"{about['cpu']}, {about['cores']} cores, Python {about['python']}", file=sys.stderr)
    if told.quick:
        print("quick: these numbers mean nothing", file=sys.stderr)
    try:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(told, Path(folder))
    except ToolFailed as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if told.json:
        rows = {
            name: [{**line._asdict(), "reached": line.reached} for line in lines]
            for name, lines in measured.items()
        }
        document = {"machine": about, "quick": told.quick, "rows": rows}
        told.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    missed = sum(line.reached is False for lines in measured.values() for line in lines)
    if missed:
        print(f"{missed} targets are not reached", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
