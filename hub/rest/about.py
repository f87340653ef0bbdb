"""``/api/about``: this worker's own figures, for people who have no Prometheus.

The numbers of ``/metrics``, out of the same registry. Never says anything of a single session.
"""

import functools
import math
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.samples import Sample
from starlette.requests import Request
from starlette.responses import Response

from hub import metrics
from hub.rest.answers import hub_of, json
from hub.worker import now_ms


async def about(request: Request) -> Response:
    """``GET /api/about``: what this worker holds, counts and measures, since it started."""
    hub = hub_of(request)
    hub.collect()
    body = {
        "worker": hub.board.worker,
        "version": _version(),
        "now": now_ms(),
        "started_at": hub.worker.started_ms,
        **_figures(),
        "limits": msgspec.structs.asdict(hub.limits),
    }
    return json(body, headers={"Cache-Control": "no-store"})


@functools.lru_cache(maxsize=1)
def _version() -> str | None:
    try:
        return version("agenttower")
    except PackageNotFoundError:
        return None


def _figures() -> dict[str, Any]:
    lag = _samples(metrics.bus_lag)[0].value
    return {
        "sessions": _by_label(metrics.sessions),
        "clients": _by_label(metrics.clients),
        "subscriptions": _count(metrics.subscriptions),
        "watching": _count(metrics.watching),
        "bus": {
            "lag_entries": None if math.isnan(lag) else int(lag),
            "gaps": _count(metrics.gaps_total),
            "epoch_changes": _count(metrics.epoch_changes_total),
            "poison": _count(metrics.poison_total),
        },
        "latency": {
            lane: _distribution(metrics.broadcast_latency.labels(lane)) for lane in metrics.LANES
        },
        "flush": _distribution(metrics.flush_seconds),
        "loop_lag": _distribution(metrics.loop_lag),
        "conflated_updates": _count(metrics.conflated_total),
        "frames": _frames(),
        "sent_bytes": _count(metrics.sent_bytes_total),
        "snapshots": _by_label(metrics.snapshots_total),
        "evictions": _by_label(metrics.evictions_total),
        "closes": _by_label(metrics.closes_total),
    }


def _samples(metric: Counter | Gauge | Histogram) -> list[Sample]:
    """Its values; when they were begun is left out."""
    samples = [sample for told in metric.collect() for sample in told.samples]
    return [each for each in samples if not each.name.endswith("_created")]


def _count(metric: Counter | Gauge) -> int:
    return int(_samples(metric)[0].value)


def _by_label(metric: Counter | Gauge) -> dict[str, int]:
    """The values of a metric that has one label."""
    return {value: int(each.value) for each in _samples(metric) for value in each.labels.values()}


def _frames() -> dict[str, dict[str, int]]:
    """Frames by kind, then by how they were shared."""
    told: dict[str, dict[str, int]] = {}
    for each in _samples(metrics.frames_total):
        told.setdefault(each.labels["kind"], {})[each.labels["sharing"]] = int(each.value)
    return told


def _distribution(metric: Histogram) -> dict[str, Any]:
    """Buckets as Prometheus counts them, each with all below it; ``count`` is that of the last."""
    told: dict[str, Any] = {"buckets": [], "count": 0, "sum_seconds": 0.0}
    for each in _samples(metric):
        if each.name.endswith("_sum"):
            told["sum_seconds"] = each.value
        elif each.name.endswith("_count"):
            told["count"] = int(each.value)
        elif each.labels["le"] != "+Inf":
            told["buckets"].append((float(each.labels["le"]), int(each.value)))
    return told
