"""Every limit of a shipper, with its default. Read by the modules beside it."""

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, durations in ms as named."""

    batch_deltas_max: int = 1_000
    batch_bytes_max: int = 256 * 1024  # before it is compressed: hooks come behind it on the log
    batch_ms: int = 250  # between two batches that are not full; the first leaves at once
    waiting_bytes_max: int = 4 * 1024 * 1024  # held in memory; beyond: the reader waits
    delta_bytes_max: int = 256 * 1024  # what an ingest takes; a larger delta goes without its texts
    retry_ms_min: int = 500  # doubled each time, with full jitter
    retry_ms_max: int = 15_000
    retry_after_ms_max: int = 3_600_000  # no tower sends anybody away for longer
    refused_ms: int = 60_000  # between tries where a person must do something first
    alive_ms: int = 15_000
    connect_timeout_ms: int = 5_000
    answer_timeout_ms: int = 15_000
    goodbye_ms: int = 3_000  # at the end, for what is held still
    once_ms: int = 60_000  # `--once` gives up a tower that takes nothing for so long
