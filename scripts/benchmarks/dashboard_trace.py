"""What a browser's trace says about the main thread of the page: how busy it was, and with what.

Pure: a trace goes in, numbers come out. Used by the benchmark of the dashboard.
"""

from collections import defaultdict
from typing import Any, NamedTuple

CATEGORIES = [
    "toplevel", "blink.user_timing", "devtools.timeline", "devtools.timeline.frame",
    "disabled-by-default-devtools.timeline", "v8",
]  # fmt: skip
MAIN_THREAD = "CrRendererMain"
TASK = "RunTask"
# What begins with it is counted to it, with everything inside that is not named itself.
GROUPS = {
    "script": ("FunctionCall", "EvaluateScript", "RunMicrotasks", "FireAnimationFrame",
               "TimerFire", "EventDispatch", "v8.", "V8."),
    "garbage": ("MinorGC", "MajorGC", "V8.GC", "CppGC", "BlinkGC"),
    "style": ("UpdateLayoutTree", "RecalculateStyles", "ParseAuthorStyleSheet"),
    "layout": ("Layout", "HitTest"),
    "paint": ("PrePaint", "UpdateLayer", "Paint", "Layerize", "Commit", "CompositeLayers"),
}  # fmt: skip

Trace = list[dict[str, Any]]


class Busy(NamedTuple):
    """Shares of the time, in percent; a task is longest by the clock."""

    tasks: int
    wall_percent: float
    cpu_percent: float
    longest_ms: float
    split_percent: dict[str, float]
    drawn: int


def busy(trace: Trace, seconds: float) -> Busy:
    """The main thread that had the most to do, over so many seconds."""
    events = _of_main_thread(trace)
    tasks = _top_level([each for each in events if each["name"] == TASK])
    wall_us = sum(each["dur"] for each in tasks)
    cpu_us = sum(each.get("tdur", 0) for each in tasks)
    window_us = seconds * 1e6
    split = {name: 100 * us / window_us for name, us in _split(events).items()}
    return Busy(
        tasks=len(tasks),
        wall_percent=100 * wall_us / window_us,
        cpu_percent=100 * cpu_us / window_us,
        longest_ms=max((each["dur"] for each in tasks), default=0) / 1e3,
        split_percent=split,
        drawn=sum(each["name"] == "DrawFrame" for each in trace),
    )


def _of_main_thread(trace: Trace) -> Trace:
    """Its spans, in the order of their beginning, the outer before the inner ones."""
    threads = {
        (each["pid"], each["tid"])
        for each in trace
        if each["name"] == "thread_name" and each["args"].get("name") == MAIN_THREAD
    }
    spans: dict[tuple[int, int], Trace] = defaultdict(list)
    for each in trace:
        if each.get("ph") == "X" and "dur" in each and (each["pid"], each["tid"]) in threads:
            spans[each["pid"], each["tid"]].append(each)
    most = max(spans.values(), key=_task_us, default=[])
    return sorted(most, key=lambda each: (each["ts"], -each["dur"]))


def _task_us(spans: Trace) -> int:
    return sum(each["dur"] for each in spans if each["name"] == TASK)


def _top_level(tasks: Trace) -> Trace:
    """Without those that run inside another."""
    found: Trace = []
    for each in tasks:
        if not found or each["ts"] >= found[-1]["ts"] + found[-1]["dur"]:
            found.append(each)
    return found


def _split(events: Trace) -> dict[str, float]:
    """Microseconds of CPU of each group: of every span what its inner ones leave of it."""
    told = dict.fromkeys([*GROUPS, "other"], 0.0)
    outer: list[tuple[float, str]] = []  # the ends of the open spans, and what counts there
    for each in events:
        while outer and outer[-1][0] <= each["ts"]:
            outer.pop()
        around = outer[-1][1] if outer else ""
        group = _group(each["name"]) or around or ("other" if each["name"] == TASK else "")
        if group:
            told[group] += each.get("tdur", 0)
        if around:
            told[around] -= each.get("tdur", 0)
        outer.append((each["ts"] + each["dur"], group))
    return told


def _group(name: str) -> str | None:
    """The most exact beginning decides."""
    found = [(len(start), group) for group, starts in GROUPS.items() for start in starts
             if name.startswith(start)]  # fmt: skip
    return max(found)[1] if found else None
