"""What the door of any role counts. Never an address, a token's name or a session id as a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge

REASONS = (
    "host", "origin", "credential", "role", "failures", "sign_ins", "requests", "deliveries",
    "unsettled",
)  # fmt: skip

registry = CollectorRegistry()

refusals_total = Counter(
    "tower_door_refusals", "Requests and sockets that were refused at the door", ["reason"],
    registry=registry,
)  # fmt: skip
for _reason in REASONS:  # there from the start: nothing was refused yet is a 0, not a gap
    refusals_total.labels(_reason)
sign_ins_total = Counter(
    "tower_door_sign_ins", "Sign-ins, by what became of them", ["outcome"], registry=registry
)
for _outcome in ("ok", "failed"):
    sign_ins_total.labels(_outcome)
tokens = Gauge("tower_door_tokens", "Tokens that are good", registry=registry)
audit_queue = Gauge("tower_door_audit_queue", "Acts that wait for the database", registry=registry)
audit_dropped_total = Counter(
    "tower_door_audit_dropped", "Acts that were not kept: too many waited", registry=registry
)

NAMES = frozenset(
    {
        "tower_door_refusals_total",
        "tower_door_sign_ins_total",
        "tower_door_tokens",
        "tower_door_audit_queue",
        "tower_door_audit_dropped_total",
    }
)
