"""What a shipper counts. Never a session id, never an agent's text as a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge

registry = CollectorRegistry()

batches_total = Counter(
    "tower_ship_batches", "Batches posted, by what became of them", ["outcome"], registry=registry
)
deltas_total = Counter(
    "tower_ship_deltas", "Deltas, by what became of them", ["outcome"], registry=registry
)
sent_bytes_total = Counter(
    "tower_ship_sent_bytes", "Bytes of bodies that were taken, compressed", registry=registry
)
waiting_bytes = Gauge("tower_ship_waiting_bytes", "Held in memory", registry=registry)
behind_bytes = Gauge(
    "tower_ship_behind_bytes", "Bytes of transcripts read and not yet taken", registry=registry
)

NAMES = frozenset(
    {
        "tower_ship_batches_total",
        "tower_ship_deltas_total",
        "tower_ship_sent_bytes_total",
        "tower_ship_waiting_bytes",
        "tower_ship_behind_bytes",
    }
)
