"""Every limit of a hub worker, with its default. Set by the settings, read by live and the shells.

Each has a defined answer: coalesce, evict, resync or disconnect. Never an unbounded queue.
"""

from msgspec import Struct

UNREAD_S = 0.01
"""Before anybody is let go for having said nothing, what came while this process itself was held
up is read: for so long, since a loop looks at its timers before it looks at its sockets."""


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes in bytes, durations in ms or s as named."""

    subscriptions: int = 4  # a client's default; the least recently opened is evicted
    subscriptions_min: int = 2
    subscriptions_max: int = 32
    rate_hz: int = 60  # a client's default; more often is conflated
    view_rows_max: int = 5_000
    message_bytes_max: int = 16 * 1024  # a larger frame from a client: 4500
    messages_per_second: int = 20  # beyond the burst: error rate, then 4007
    messages_burst: int = 60
    answers_per_second: int = 1_000  # acks and pongs, which follow the hub's own pace: then 4007
    frame_bytes_max: int = 64 * 1024  # larger snapshots and patches go in parts
    part_bytes_max: int = 16 * 1024  # of a snapshot: attention comes between, and little waits
    in_flight_bytes_max: int = 256 * 1024  # beyond: the client is behind
    queued_bytes_max: int = 64 * 1024  # waits for a full write buffer; beyond: behind as well
    attention_bytes_max: int = 64 * 1024  # a client's own attention lane; beyond: full set later
    hello_timeout_ms: int = 5_000  # else 4502
    heartbeat_ms: int = 10_000
    silent_ms: int = 30_000  # nothing at all heard for so long: 4002
    behind_degrade_ms: int = 10_000  # over budget: attention and overview only
    behind_abort_ms: int = 30_000  # then 4001
    connections_max: int = 20_000  # more: 4006
    connections_per_address_max: int = 64  # before authentication
    sessions_max: int = 50_000  # cached; the longest silent past one leaves
    board_rows_min: int = 200  # fewer live rows are filled up with past ones
    resync_interval_ms: int = 1_000
    catch_up_ms: int = 5_000  # a worker that lags behind a client's cursor may take so long
    asides_max: int = 10_000  # sessions of which history is being asked; more go on without it
    aside_deltas_max: int = 1_000  # of each of them, to be folded on what is kept; beyond, later
    aside_ms: int = 250  # a session that asks nobody waits so long for what is kept of it
    tick_max_ms: int = 1_000  # never staler
    totals_interval_ms: int = 1_000
    source_silent_ms: int = 60_000  # a source that is not heard for so long is called silent
    source_late_bytes: int = 1024 * 1024  # one that is further behind is called late
    sources_told_max: int = 20  # of those, so many in the totals; all of them in /api/sources

    @property
    def snapshot_bytes_max(self) -> int:
        """A part of a snapshot is a frame as well."""
        return min(self.part_bytes_max, self.frame_bytes_max)


class DoorLimits(Struct, frozen=True, kw_only=True):
    """How often somebody may come. Beyond: 429 with Retry-After."""

    failures_per_minute: int = 100  # credentials that are none, from one address
    sign_ins_per_minute: int = 60  # of one address, that went well
    requests_per_second: int = 1_000  # of one credential, below /api
    requests_burst: int = 5_000
    deliveries_per_second: int = 5_000  # of one token, below /v1
    deliveries_burst: int = 20_000
    audit_queue_max: int = 5_000  # acts that wait for the database; beyond: counted, not kept
    logouts_max: int = 1_000  # of one token; beyond, all its sign-ins until then are ended
