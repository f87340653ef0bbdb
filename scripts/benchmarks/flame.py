"""Where a busy hub spends its time: samples of its stacks, a picture, and the largest costs.

1,000 sessions with 2 events a second each and 1,000 clients, one worker on one core, as in the row
``busy-hub`` of the fan-out. Needs py-spy, and the right to look into a process. Started by
``scripts/bench flame``.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks_page import PAGE, write
from flame_picture import Stacks, costs, draw, parse, self_shares
from processes import ROOT, Bench, Server, compile_tools
from rows import ASKS_EVERY, share

HEADING = "## Where a busy hub spends its time"
PICTURE = PAGE.parent / "flame.svg"
SESSIONS, CLIENTS, RATE = 1_000, 1_000, 2_000
SAMPLES_PER_S = 200
BYTES_MAX = 200_000
SHOWN = 25
HEAD = "| cost | share of the hub's time |\n|---|---|"


def options() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench flame", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="how long stacks are sampled (20)")
    parser.add_argument("--quick", action="store_true", help="small: do the tools work?")
    parser.add_argument("--raw", type=Path, metavar="FILE", help="keep the stacks there")
    parser.add_argument("--write", action="store_true", help=f"write docs/{PICTURE.name} and table")
    return parser.parse_args()


def sampled(told: argparse.Namespace, folder: Path) -> tuple[Stacks, dict[str, Any]]:
    """The stacks of the hub under load, and what the load client saw meanwhile."""
    if py_spy() is None:
        raise SystemExit("bench: py-spy is missing; scripts/test installs it into .venv")
    bench = Bench(folder, quick=told.quick)
    sessions, clients = bench.scaled(SESSIONS), bench.scaled(CLIENTS)
    raw = told.raw or folder / "stacks"
    rate = bench.scaled(RATE)
    with bench.ours(sessions=sessions, rate=rate, asks_every=ASKS_EVERY) as server:
        hello: dict[str, Any] = {}
        seconds = bench.seconds(8)
        with bench.holding(server, clients, seconds, hello=hello, examine=50, warm=4) as seen:
            _record(server, told.seconds, raw)
    return parse(raw.read_text().splitlines(), str(ROOT)), seen


def py_spy() -> str | None:
    """The program, of this environment or of the machine."""
    return shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")


def _record(server: Server, seconds: int, raw: Path) -> None:
    command = [
        py_spy() or "py-spy",
        "record",
        "--pid",
        str(server.pid),
        "--format",
        "raw",
        "--native",
    ]
    command += ["--output", str(raw), "--duration", str(seconds), "--rate", str(SAMPLES_PER_S)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: py-spy: {done.stderr[-500:]}")


def table(stacks: Stacks) -> str:
    """The costs by their share, the largest first."""
    found = sorted(costs(stacks).items(), key=lambda each: -each[1])
    return "\n".join([HEAD, *(f"| {what} | {100 * part:.0f} % |" for what, part in found)])


def about(told: argparse.Namespace, seen: dict[str, Any]) -> str:
    """What was asked, as a paragraph."""
    text = (
        f"{SESSIONS:,} sessions with {RATE:,} events a second and {CLIENTS:,} clients at the "
        f"default rate, one worker on one core ({share(seen):.0f} % of it), sampled by py-spy "
        f"{SAMPLES_PER_S} times a second for {told.seconds} s while it computes. Each sample "
        "counts for the first line that it fits. By `scripts/bench flame` on "
        f"{datetime.now(UTC):%Y-%m-%d}; the whole picture: ![flame graph of a busy "
        f"hub]({PICTURE.name})"
    )
    return "\n".join(textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False))


def main() -> int:
    """Sample, print, write; gives the exit code."""
    told = options()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        compile_tools(folder)
        stacks, seen = sampled(told, folder)
    print(table(stacks))
    for name, part in self_shares(stacks)[:SHOWN]:
        print(f"{100 * part:5.1f} %  {name}", file=sys.stderr)
    if told.write:
        title = f"A busy hub: {SESSIONS:,} sessions, {RATE:,} events/s, {CLIENTS:,} clients"
        drawn = draw(title, stacks)
        if len(drawn) > BYTES_MAX:
            raise SystemExit(f"bench: the picture has {len(drawn)} bytes")
        PICTURE.write_text(drawn)
        write(HEADING, f"{HEADING}\n\n{about(told, seen)}\n\n{table(stacks)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
