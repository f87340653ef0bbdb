"""What an ingest counts. Never a session id, never an agent's text as a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

registry = CollectorRegistry()

events_total = Counter(
    "tower_ingest_events", "Events taken in, by what became of them", ["source", "outcome"],
    registry=registry,
)  # fmt: skip
request_seconds = Histogram(
    "tower_ingest_request_seconds", "From the request's head to its answer", buckets=_BUCKETS,
    registry=registry,
)  # fmt: skip
queue_deltas = Gauge("tower_ingest_queue_deltas", "Waiting for the log", registry=registry)
broken_lines = Gauge(
    "tower_ingest_broken_lines", "Transcript lines that could not be read", registry=registry
)
redacted_total = Counter(
    "tower_ingest_redacted", "Secrets taken out before the log, by kind", ["kind"],
    registry=registry,
)  # fmt: skip


def count_redacted(kind: str, found: int = 1) -> None:
    """Count secrets of one kind; those of rules of a user's own are of the kind ``custom``."""
    redacted_total.labels(kind).inc(found)


NAMES = frozenset(
    {
        "tower_ingest_events_total",
        "tower_ingest_request_seconds",
        "tower_ingest_queue_deltas",
        "tower_ingest_broken_lines",
        "tower_ingest_redacted_total",
    }
)
