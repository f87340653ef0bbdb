"""Every limit of the log, with what happens there. Read by both engines; nothing else lives here.

Sizes are of packed deltas.
"""

PARTITIONS = 8
"""Parts of the Redis log; a session stays in one of them. Every process must use the same."""

REPLY_MS_MAX = 3_000
"""No answer, or no room, for so long: BusUnavailable."""

DEDUPE_MS = 24 * 60 * 60 * 1_000
"""So long is a delta's id remembered."""

BATCH_DELTAS_MAX = 500
"""A tail gives at most so many at once, so that its reader's loop turns are short."""

BLOCK_MS_MAX = 2_000
"""No read waits longer inside Redis (a group asks for less, never more)."""

# The memory engine.

RING_DELTAS_MAX = 4_096
RING_BYTES_MAX = 8 * 1024 * 1024
"""Beyond either: drop what every live reader has read, else append waits."""

DELTA_OVERHEAD_BYTES = 1_024
"""What a delta takes in memory beyond its packed size (measured: 1,239 bytes for 230 packed)."""

SEEN_IDS_MAX = 50_000
"""Ids remembered in memory; beyond, the oldest are forgotten before their time."""

PENDING_MAX = 10_000
"""Delivered to a group and not acked; beyond, the group is given nothing new."""

SIGNALS_MAX = 1_000
"""Not yet heard by one listener; beyond, all are dropped, and it is told that it missed some."""

NOTES_MAX = 1_000
"""On one topic, in either engine; beyond, those are forgotten whose time is over first."""

# The memory engine, served to another process.

REMOTE_READ_BYTES_MAX = 64 * 1024
"""A group's read gives no more at once, but for one delta of any size: about 0.1 ms of the loop."""

# The Redis engine.

STREAM_DELTAS_MAX = 500_000
"""Safety only, for the leading recorder trims: beyond, Redis drops the oldest, with an alarm."""

CALL_DELTAS_MAX = 500
CALL_BYTES_MAX = 2 * 1024 * 1024
"""One call of the append script carries no more, so that Redis is never held up for long."""

LANE_BYTES_MAX = 32 * 1024 * 1024
"""What waits to be written to one partition; beyond: BusUnavailable at once."""

WRITE_TIMEOUT_MS = 2_000
"""A write's answer; the write is tried again, with its id, until REPLY_MS_MAX."""

TAIL_BLOCK_MS = 1_000
"""A tail asks again after so long of silence, and then compares its position with the log's."""

SIGNAL_SILENCE_MS = 2_000
"""A listener pings after so long of silence, and comes anew after as much without an answer."""

READ_TIMEOUT_MS = BLOCK_MS_MAX + 3_000
"""A blocking read's answer: redis-py counts the time blocked as waiting for the answer."""

BACKOFF_MS_MIN = 20
BACKOFF_MS_MAX = 1_000
"""Pause before the next try, doubled each time, with jitter."""
