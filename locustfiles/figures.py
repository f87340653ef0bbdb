"""What a page of metrics says of a server under load: what grew, and how long things took.

Pure. Used by ``server_figures``.
"""

import re
from collections import defaultdict
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

HISTOGRAMS = (
    "tower_hub_broadcast_latency_seconds", "tower_hub_flush_seconds", "tower_hub_loop_lag_seconds",
)  # fmt: skip

CPU, MEMORY = "process_cpu_seconds_total", "process_resident_memory_bytes"

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Reading(NamedTuple):
    """What one role said at one moment."""

    at_s: float
    series: Series


def read(text: str) -> Series:
    """Every value of a page of metrics, by name and labels."""
    return {
        (each.name, tuple(sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def of_process(stat: str, status: str, ticks_per_s: int) -> Series:
    """What Linux tells of a process (``/proc/*/stat`` and ``status``), by the names of a page."""
    fields = stat.rpartition(")")[2].split()
    held = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return {
        (CPU, ()): (int(fields[11]) + int(fields[12])) / ticks_per_s,
        (MEMORY, ()): int(held[1]) * 1024 if held else 0,
    }


def grown(first: Series, last: Series) -> Series:
    """By how much everything has grown in between."""
    return {name: value - first.get(name, 0.0) for name, value in last.items()}


def quantile_ms(series: Series, name: str, share: float) -> dict[str, float]:
    """The bucket that so large a share stays within, by lane ("" where there are no lanes)."""
    counts: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    for (each, labels), value in series.items():
        if each == f"{name}_bucket":
            told = dict(labels)
            counts[told.get("lane", "")][float(told["le"])] += value
    return {
        lane: 1000 * min(le for le, count in buckets.items() if count >= share * total)
        for lane, buckets in counts.items()
        if (total := max(buckets.values())) > 0
    }


def lines(address: str, readings: list[Reading]) -> list[str]:
    """What is told of one role at the end; two readings are the least."""
    first, last = readings[0], readings[-1]
    series, took_s = grown(first.series, last.series), last.at_s - first.at_s
    told = []
    if (CPU, ()) in series:
        told.append(f"{address}: {100 * series[CPU, ()] / took_s:.1f} % of a core")
    if held := [each.series[MEMORY, ()] for each in readings if (MEMORY, ()) in each.series]:
        told.append(f"{address}: {held[0] / 1e6:.0f} MB at first, {max(held) / 1e6:.0f} at most")
    flushing = series.get(("tower_hub_flush_seconds_sum", ()))
    if flushing is not None:
        told.append(f"{address}: {100 * flushing / took_s:.1f} % of the time in flushes")
    for name in HISTOGRAMS:
        halves, most = quantile_ms(series, name, 0.5), quantile_ms(series, name, 0.99)
        told += [
            f"{address}: {name} {lane} p50 ≤ {halves[lane]:g} ms, p99 ≤ {most[lane]:g} ms"
            for lane in sorted(halves)
        ]
    return told
