"""What a page of metrics says of a server under load: what grew, and how long things took.

Pure. Used by ``server_figures``.
"""

from collections import defaultdict
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

HISTOGRAMS = (
    "tower_hub_broadcast_latency_seconds", "tower_hub_flush_seconds", "tower_hub_loop_lag_seconds",
)  # fmt: skip

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
    cpu = sum(each for (name, _), each in series.items() if name == "process_cpu_seconds_total")
    flushing = sum(v for (name, _), v in series.items() if name == "tower_hub_flush_seconds_sum")
    held = [
        value
        for reading in readings
        for (name, _), value in reading.series.items()
        if name == "process_resident_memory_bytes"
    ]
    shares = (
        f"{100 * cpu / took_s:.1f} % of a core, of them {100 * flushing / took_s:.1f} in flushes"
    )
    told = [f"{address}: {shares}; {max(held, default=0) / 1e6:.0f} MB at most"]
    for name in HISTOGRAMS:
        halves, most = quantile_ms(series, name, 0.5), quantile_ms(series, name, 0.99)
        told += [
            f"{address}: {name} {lane} p50 ≤ {halves[lane]:g} ms, p99 ≤ {most[lane]:g} ms"
            for lane in sorted(halves)
        ]
    return told
