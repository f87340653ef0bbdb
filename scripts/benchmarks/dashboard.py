"""The benchmark of the dashboard: what a browser has to do while thousands of sessions change.

A tower of its own is filled with a made-up fleet that goes on changing, and Chromium shows all of
it: at rest, scrolled, filtered, and with a session open. Started by ``scripts/bench dashboard``.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks_page import write
from dashboard_heap import heap_rows, sampled
from dashboard_others import at_rest
from dashboard_page import (
    Board,
    Watched,
    compressed_bytes,
    first_rows_ms,
    launched,
    script_bytes,
    signed_in,
)
from fanout import machine, shown
from playwright.async_api import async_playwright
from towers import ROOT, Tower, started

HEADING = "## Dashboard"
HEAD = "| what | value | target | reached |\n|---|---|---|---|"
BUSY_PERCENT, FRAMES_PER_S, FIRST_ROW_MS, SCRIPT_BYTES = 15.0, 59.0, 300.0, 60 * 1024
NAVIGATIONS = 5
SETTLE_S = 3.0
WIRE_S = 5.0
DIST = ROOT / "dashboard_static" / "dist"

Row = dict[str, Any]


def parse() -> argparse.Namespace:
    """The words of the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench dashboard", description=__doc__)
    parser.add_argument("--sessions", type=int, default=5_000)
    parser.add_argument("--changes", type=int, default=1_000, help="a second, over all sessions")
    parser.add_argument("--seconds", type=float, default=20.0, help="each window of the trace")
    parser.add_argument("--rounds", type=int, default=1, help="how often; ranges are printed")
    parser.add_argument("--minutes", type=int, default=0, help="afterwards, watch the heap so long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the values there as well")
    parser.add_argument("--traces", type=Path, metavar="DIR", help="keep the traces there")
    parser.add_argument("--write", action="store_true", help="write the table to benchmarks.md")
    return parser.parse_args()


@contextlib.contextmanager
def fleet(tower: Tower, told: argparse.Namespace) -> "Iterator[subprocess.Popen[str]]":
    """The made-up agents; the sessions are on the board, and change once a line is written."""
    command = [sys.executable, str(Path(__file__).with_name("dashboard_load.py"))]
    command += ["--port", str(tower.port), "--sessions", str(told.sessions)]
    command += ["--rate", str(told.changes)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdout is None or process.stdout.readline().strip() != "filled":
                raise SystemExit("the fleet could not fill the board")
            yield process
        finally:
            process.terminate()


def go_on(process: "subprocess.Popen[str]") -> None:
    """From now on sessions change."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


async def windows(board: Board, told: argparse.Namespace) -> list[Watched]:
    """Everything that is done while the main thread is watched."""
    page, seconds, found = board.page, told.seconds, []

    async def watch(what: str, do: Any) -> None:
        found.append(await board.watched(what, seconds, do, told.traces))

    await watch("standing still", board.stand_still)
    await watch("scrolled by the wheel", board.scroll)
    await watch("flung from end to end", board.fling)
    await watch("filter in use", board.filter)
    await page.get_by_test_id("filter").fill("")
    await board.top()
    await page.locator("[data-testid=cell-title]").first.click()
    await page.locator("[data-testid=session-page][data-stale=false]").wait_for()
    await watch("a session open", board.stand_still)
    await page.evaluate("() => { location.hash = '#/'; }")
    await page.locator("[data-testid=session-row]").first.wait_for()
    return found


async def measure(tower: Tower, told: argparse.Namespace) -> Row:
    """One round."""
    async with async_playwright() as playwright:
        browser = await launched(playwright)
        state = await signed_in(browser, tower)
        with fleet(tower, told) as process:
            context = await browser.new_context(viewport={"width": 1440, "height": 900},
                                                storage_state=state)  # fmt: skip
            scripts = await script_bytes(context, tower)
            await at_rest()
            cold_ms, warm_ms = await first_rows_ms(browser, tower, state, NAVIGATIONS)
            board = await Board.opened(context, tower)
            rows = await board.show_all(told.sessions)
            await asyncio.sleep(min(SETTLE_S, told.seconds))
            watched = [await board.watched("no changes", told.seconds / 2, board.stand_still, None)]
            go_on(process)
            await asyncio.sleep(min(SETTLE_S, told.seconds))
            arriving = await board.arriving(min(WIRE_S, told.seconds))
            watched += await windows(board, told)
            busy_ms = await first_rows_ms(browser, tower, state, NAVIGATIONS)
            heap = await sampled(board, told.minutes)
            if process.poll() is not None:
                raise SystemExit("the fleet ended before the measurement did")
        await browser.close()
    return {
        "rows_held": rows, "scripts": scripts, "arriving": arriving, "heap": heap,
        "first_row_ms": {
            "no changes, nothing cached": cold_ms, "no changes, again": warm_ms,
            "meanwhile, nothing cached": busy_ms[0], "meanwhile, again": busy_ms[1],
        },
        "watched": [each.document() for each in watched],
    }  # fmt: skip


# What is told.


def ranged(values: list[float], unit: str) -> str:
    """All rounds in one cell."""
    least, most = shown(min(values)), shown(max(values))
    return f"{least} {unit}" if least == most else f"{least} to {most} {unit}"


def line(what: str, value: str, target: str = "", reached: bool | None = None) -> str:
    """A row of the table."""
    verdict = "" if reached is None else "yes" if reached else "**no**"
    return f"| {what} | {value} | {target} | {verdict} |"


def window_lines(rounds: list[Row], at: int) -> list[str]:
    """Of the same window in all rounds."""
    all_of = [each["watched"][at] for each in rounds]
    what, target = all_of[0]["what"], all_of[0]["what"] != "no changes"
    cpu = [each["busy"]["cpu_percent"] for each in all_of]
    wall = [each["busy"]["wall_percent"] for each in all_of]
    frames = [each["frames_per_s"] for each in all_of]
    names = all_of[0]["busy"]["split_percent"]
    split = {name: max(each["busy"]["split_percent"][name] for each in all_of) for name in names}
    late = [each["late_percent"] for each in all_of]
    others = [each["others_percent"] for each in all_of]
    longest = [each["busy"]["longest_ms"] for each in all_of]
    goal = ("≤ 15 %", max(wall) <= BUSY_PERCENT) if target else ("", None)
    return [
        line(f"{what}: main thread busy", ranged(wall, "%"), *goal),
        line(f"{what}: of a core", ranged(cpu, "%")),
        line(f"{what}: split", ", ".join(f"{n} {v:.1f} %" for n, v in split.items() if v >= 0.05)),
        line(f"{what}: longest task", ranged(longest, "ms")),
        line(f"{what}: animation frames", ranged(frames, "/s"), "60 /s",
             min(frames) >= FRAMES_PER_S),
        line(f"{what}: later than 25 ms", ranged(late, "%")),
        line(f"{what}: the machine did besides, of a core", ranged(others, "%")),
    ]  # fmt: skip


def table(rounds: list[Row]) -> list[str]:
    """The whole of it."""
    lines = []
    for at in range(len(rounds[0]["watched"])):
        lines += window_lines(rounds, at)
    for what in rounds[0]["first_row_ms"]:
        times = sorted(ms for each in rounds for ms in each["first_row_ms"][what])
        middle, worst = shown(times[len(times) // 2]), shown(times[-1])
        lines.append(line(f"first row after navigation, {what}", f"{middle}, worst {worst} ms",
                          "≤ 300 ms", times[-1] <= FIRST_ROW_MS))  # fmt: skip
    lines.append(line("rows that change on the page", ranged(
        [each["arriving"]["rows"] for each in rounds], "/s")))  # fmt: skip
    lines.append(line("in frames of the board", ranged(
        [each["arriving"]["patches"] for each in rounds], "/s")))  # fmt: skip
    loaded = rounds[0]["scripts"]["loaded_gzip_bytes"]
    every = compressed_bytes([each.read_bytes() for each in sorted(DIST.rglob("*.js"))])
    lines.append(line("JavaScript that the board loads, gzip", f"{loaded / 1024:.1f} KB",
                      "≤ 60 KB", loaded <= SCRIPT_BYTES))  # fmt: skip
    lines.append(line("JavaScript in all, gzip", f"{every / 1024:.1f} KB"))
    return lines + [line(*each) for each in heap_rows(rounds[-1]["heap"])]


def about(told: argparse.Namespace) -> str:
    """What was asked, as a paragraph."""
    return (
        f"{told.sessions:,} sessions in the view and {told.changes:,} changes a second, spread "
        "over those that work: tools, tokens, turns, 1 % that wait for a person. Measured by "
        f"`scripts/bench dashboard` in {told.rounds} rounds of {told.seconds:g} s a window, from "
        "Chromium's own trace: headless, without a GPU, so that pixels are made on the same cores, "
        "beside tower and fleet. *Busy* is the time by the clock that the main thread of the page "
        "is inside a task, waiting for a core included; *of a core* is what it computes in it, and "
        "the split is of that. Tracing and a callback in every animation frame are included: *no "
        "changes* says how much that is. Navigations are in a window that has been open for two "
        "seconds, for a new one loads pages of the browser's own, and those with *no changes* when "
        "everything that was started has come to rest."
    )


def run(told: argparse.Namespace) -> list[Row]:
    """All rounds, each with a tower of its own."""
    if told.traces:
        told.traces.mkdir(parents=True, exist_ok=True)
    rounds = []
    for number in range(told.rounds):
        with tempfile.TemporaryDirectory(prefix="dashboard-") as made:
            folder = Path(made)
            last = number == told.rounds - 1
            each = argparse.Namespace(**{**vars(told), "minutes": told.minutes if last else 0})
            with started(folder / "data", folder / "nobody") as tower:
                rounds.append(asyncio.run(measure(tower, each)))
        print("\n".join([HEAD, *table(rounds[-1:])]), file=sys.stderr, flush=True)
    return rounds


def main() -> int:
    """Measure, print, write; gives the exit code."""
    told = parse()
    if not DIST.is_dir():
        raise SystemExit("the dashboard is not built: npx vite build in dashboard_static")
    began = time.monotonic()
    rounds = run(told)
    text = "\n".join([HEAD, *table(rounds)])
    print(text)
    print(f"took {time.monotonic() - began:.0f} s", file=sys.stderr)
    if told.json:
        document = {"machine": machine(), "rounds": rounds}
        told.json.write_text(json.dumps(document, indent=2))
    if told.write:
        paragraph = "\n".join(textwrap.wrap(about(told), 118))
        write(HEADING, f"{HEADING}\n\n{paragraph}\n\n{text}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
