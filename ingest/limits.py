"""Every limit of an ingest, with its default. Set by the settings, read by the routes."""

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, durations in ms as named."""

    body_bytes_max: int = 8 * 1024 * 1024  # hooks: counted as too_large; others: 413
    delta_bytes_max: int = 256 * 1024  # larger: 400
    hook_inline_bytes_max: int = 256 * 1024  # a larger hook is answered first, and read aside
    hooks_aside_max: int = 8  # so many at once; beyond: dropped
    hook_answer_ms: int = 40  # a hook that the log has not taken by then is answered first
    queue_deltas_max: int = 10_000  # waiting for the log; beyond: dropped
    batch_events_max: int = 10_000  # events in one body of native events or OTLP; more: 413
    bus_gone_ms: int = 10_000  # hook events older than this are dropped
