"""What a recorder counts. Never a session id, never an agent's text as a label."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from session.state import TOKEN_NAMES

registry = CollectorRegistry()

lag = Gauge(
    "tower_recorder_lag_seconds",
    "Age of the oldest entry that was read and is not yet written",
    registry=registry,
)
leading = Gauge(
    "tower_recorder_leading", "Whether this recorder leads: 1 for one of them", registry=registry
)
checkpoint_seconds = Histogram(
    "tower_recorder_checkpoint_seconds",
    "Making and storing one partition's checkpoint",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
checkpoint_bytes = Gauge(
    "tower_recorder_checkpoint_bytes", "Size of all stored checkpoints", registry=registry
)
trimmed_total = Counter(
    "tower_recorder_trimmed_entries", "Log entries dropped behind a checkpoint", registry=registry
)
lost_total = Counter(
    "tower_recorder_lost_entries", "Log entries that were gone before they were recorded",
    registry=registry,
)  # fmt: skip
rows_total = Counter("tower_recorder_rows", "Rows written, by table", ["table"], registry=registry)
commit_seconds = Histogram(
    "tower_recorder_commit_seconds",
    "One transaction, a database that is away included",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
failures_total = Counter(
    "tower_recorder_failures", "Times that the database did not take a transaction",
    registry=registry,
)  # fmt: skip
reclaimed_total = Counter(
    "tower_recorder_reclaimed", "Log entries that were delivered before and not written",
    registry=registry,
)  # fmt: skip
rejected_total = Counter(
    "tower_recorder_rejected_sessions", "Changes of a session that the database refused",
    registry=registry,
)  # fmt: skip

tokens_total = Counter("tower_tokens", "Tokens recorded, by type", ["type"], registry=registry)
for _type in TOKEN_NAMES:
    tokens_total.labels(_type)
cost_usd_total = Counter("tower_cost_usd", "Cost of the calls recorded, in USD", registry=registry)
unpriced_total = Counter(
    "tower_unpriced_calls", "Calls recorded of models that have no price", registry=registry
)

_COUNTERS = (
    trimmed_total, lost_total, rows_total, failures_total, reclaimed_total, rejected_total,
    tokens_total, cost_usd_total, unpriced_total,
)  # fmt: skip

Counts = list[tuple[int, dict[str, str], float]]
"""Which counter, its labels, how many."""


def counts() -> Counts:
    """What this process has counted, for another one that goes on counting."""
    return [
        (number, sample.labels, sample.value)
        for number, counter in enumerate(_COUNTERS)
        for family in counter.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    ]


def add(told: Counts) -> None:
    """Go on from what another process has counted."""
    for number, labels, count in told:
        counter = _COUNTERS[number]
        (counter.labels(**labels) if labels else counter).inc(count)


def count_spent(told: Mapping[str, float]) -> None:
    """What a transaction added to the sums of usage; what it took back was spent all the same."""
    for name in TOKEN_NAMES:
        tokens_total.labels(name).inc(max(0, told[name]))
    cost_usd_total.inc(max(0.0, told["cost_usd"]))
    unpriced_total.inc(max(0, told["unpriced"]))


NAMES = frozenset(
    {
        "tower_recorder_lag_seconds",
        "tower_recorder_leading",
        "tower_recorder_checkpoint_seconds",
        "tower_recorder_checkpoint_bytes",
        "tower_recorder_trimmed_entries_total",
        "tower_recorder_lost_entries_total",
        "tower_recorder_rows_total",
        "tower_recorder_commit_seconds",
        "tower_recorder_failures_total",
        "tower_recorder_reclaimed_total",
        "tower_recorder_rejected_sessions_total",
        "tower_tokens_total",
        "tower_cost_usd_total",
        "tower_unpriced_calls_total",
    }
)
