"""What a hub worker counts. Never a session id, never an agent's text as a label."""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LANES = ("attention", "session", "overview")
ITEM_KINDS = ("permission", "question", "plan", "failure", "budget")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

registry = CollectorRegistry()

broadcast_latency = Histogram(
    "tower_hub_broadcast_latency_seconds",
    "Received by ingest until queued for the clients",
    ["lane"],
    buckets=_BUCKETS,
    registry=registry,
)
for _lane in LANES:  # there from the start: nothing was told yet is a 0, not a gap
    broadcast_latency.labels(_lane)
flush_seconds = Histogram(
    "tower_hub_flush_seconds", "One flush of all that was due", buckets=_BUCKETS, registry=registry
)
frames_total = Counter(
    "tower_hub_frames", "Frames written to clients", ["kind", "sharing"], registry=registry
)
conflated_total = Counter(
    "tower_hub_conflated_updates", "Changes overtaken before they were sent", registry=registry
)
snapshots_total = Counter(
    "tower_hub_snapshots", "Session snapshots by cause", ["reason"], registry=registry
)
loop_lag = Histogram(
    "tower_hub_loop_lag_seconds", "How late the event loop ran a timer", buckets=_BUCKETS,
    registry=registry,
)  # fmt: skip
bus_lag = Gauge("tower_bus_lag_entries", "Log entries not folded yet", registry=registry)
bus_lag.set(math.nan)  # until somebody has looked
watching = Gauge("tower_hub_watching", "People watching, over all workers", registry=registry)
sent_bytes_total = Counter("tower_hub_sent_bytes", "Bytes of frames written", registry=registry)
clients = Gauge("tower_hub_clients", "Connected clients", ["state"], registry=registry)
subscriptions = Gauge("tower_hub_subscriptions", "Opened sessions", registry=registry)
evictions_total = Counter(
    "tower_hub_evictions", "Subscriptions evicted", ["reason"], registry=registry
)
closes_total = Counter("tower_hub_closes", "Connections closed by us", ["code"], registry=registry)
sessions = Gauge("tower_hub_sessions", "Cached sessions", ["status"], registry=registry)
attention = Gauge(
    "tower_hub_attention_items", "Open items that wait for a person", ["kind"], registry=registry
)
poison_total = Counter(
    "tower_bus_poison_entries", "Log entries passed over: unreadable", registry=registry
)
gaps_total = Counter("tower_bus_gaps", "Times that entries were lost", registry=registry)
epoch_changes_total = Counter("tower_bus_epoch_changes", "Changes of the epoch", registry=registry)

NAMES = frozenset(
    {
        "tower_hub_broadcast_latency_seconds",
        "tower_hub_flush_seconds",
        "tower_hub_frames_total",
        "tower_hub_sent_bytes_total",
        "tower_hub_conflated_updates_total",
        "tower_hub_snapshots_total",
        "tower_hub_loop_lag_seconds",
        "tower_bus_lag_entries",
        "tower_hub_watching",
        "tower_hub_clients",
        "tower_hub_subscriptions",
        "tower_hub_evictions_total",
        "tower_hub_closes_total",
        "tower_hub_sessions",
        "tower_hub_attention_items",
        "tower_bus_poison_entries_total",
        "tower_bus_gaps_total",
        "tower_bus_epoch_changes_total",
    }
)
