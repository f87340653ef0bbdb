"""The table of faults: number, name, how it is injected, what must hold, and how it is shown.

Numbers are those of the plan of faults, with a letter where one has several forms. Every row is
run by ``python -m tests.faults NUMBER``; those of ``OTHERS`` are shown by tests of their own.
"""

from tests.faults.fault import (
    DISK_MB,
    Fault,
    clocks_apart,
    forgetful,
    may_be_held_up,
    on_postgres,
    on_slow_disk,
    on_small_disk,
    on_two_machines,
    synced,
)  # fmt: skip
from tests.faults.injuries import client, hub, ingest, network, recorder, redis, soak

FAULTS = [
    Fault(
        number="1",
        name="Redis killed, and back with its file",
        hurt=redis.killed,
        is_short=True,
        shape=synced,
        injected="SIGKILL, started again after 3 s (AOF, `appendfsync always`)",
        must_hold="nothing acknowledged is lost (I1 I2 I10 I12); a new epoch and one snapshot for "
        "each opened session, on the same WebSockets",
    ),
    Fault(
        number="1b",
        name="Redis killed while its disk is slow",
        hurt=redis.killed,
        shape=on_slow_disk,
        may_lose=True,
        injected="the same with `appendfsync everysec`, on a disk that needs 0.9 s to sync",
        must_hold="a new epoch; nobody shows what neither log nor SQL holds (I3 I11 I13)",
    ),
    Fault(
        number="2",
        name="Redis back without its tail",
        hurt=redis.lost_tail,
        may_lose=True,
        injected="SIGKILL, the last 64 KiB of the AOF cut off, started again",
        must_hold="a new epoch; nobody shows what neither log nor SQL holds (I3 I11 I13)",
        is_short=True,
    ),
    Fault(
        number="3",
        name="Redis back empty",
        hurt=redis.emptied,
        may_lose=True,
        injected="SIGKILL, its AOF deleted, started again",
        must_hold="the board comes back from history, is never silently empty (I3 I4 I11 I13)",
    ),
    Fault(
        number="4",
        name="Failover to a replica that is behind",
        hurt=redis.failed_over,
        injected="the replica's line silent for 2 s, REPLICAOF NO ONE, every line to the replica",
        must_hold="the other lineage is noticed; no mixed history (I2 I3 I11 I13)",
        shape=forgetful,
        may_lose=True,
    ),
    Fault(
        number="5",
        name="Split brain",
        hurt=redis.split_brain,
        injected="min-replicas-to-write 1; the replica's line silent, the replica made a primary; "
        "6 s later every line to it",
        must_hold="the old primary takes nothing after 4 s (I12); no mixed history (I2 I3 I11 I13)",
        shape=forgetful,
        may_lose=True,
    ),
    Fault(
        number="6",
        name="Redis hangs",
        hurt=redis.hung,
        is_short=True,
        injected="SIGSTOP for 10 s",
        must_hold="producers get 503 in 4 s, hubs answer meanwhile (I9); no duplicate after "
        "SIGCONT (I12)",
    ),
    Fault(
        number="7",
        name="Replies of Redis lost",
        hurt=redis.replies_lost,
        injected="the ingest's line forwards 20 appends and resets the connection before the reply",
        must_hold="each event exactly once (I10 I12)",
    ),
    Fault(
        number="8",
        name="A hub's line to Redis half open",
        hurt=redis.line_half_open,
        live_s=9.0,
        injected="what is open is dead without a word, new connections work",
        must_hold="the hub comes anew and misses nothing (I1 I2)",
        after_s=14.0,
    ),
    Fault(
        number="8b",
        name="Nobody reaches Redis",
        hurt=redis.lines_cut,
        injected="every line reset, and refusing for 5 s",
        must_hold="nothing lost, no gap, the same WebSockets (I1 I2 I10 I12)",
    ),
    Fault(
        number="9",
        name="Slow Redis",
        hurt=redis.slow,
        injected="200 ms on each piece in both directions, for 10 s",
        must_hold="nothing lost, no spurious epoch (I1 I2 I14)",
    ),
    Fault(
        number="9b",
        name="Redis byte by byte",
        hurt=redis.in_slices,
        injected="the hubs' lines pass on single bytes, for 6 s",
        must_hold="nothing lost, no spurious epoch (I1 I2 I14)",
    ),
    Fault(
        number="10",
        name="Redis out of memory",
        hurt=redis.full,
        injected="CONFIG SET maxmemory 1 for 5 s, noeviction",
        must_hold="503 to producers, hubs go on (I14); what was refused comes once (I12)",
    ),
    Fault(
        number="11",
        name="Log trimmed past a hub",
        hurt=redis.trimmed_past_a_hub,
        injected="one hub stopped for 14 s, XTRIM up to the checkpoints meanwhile",
        must_hold="it notices, folds anew from the checkpoint, no silent gap (I1 I2 I3)",
    ),
    Fault(
        number="12",
        name="Log trimmed past the recorder",
        hurt=recorder.trimmed_past,
        injected="SIGKILL, after 3 s XTRIM to ten entries, started again",
        must_hold="it tells how many are lost (I11), and records what comes; the board is whole",
        excused=("I10",),
    ),
    Fault(
        number="13",
        name="FLUSHALL",
        hurt=redis.flushed,
        may_lose=True,
        injected="FLUSHALL while everybody is connected",
        must_hold="nobody waits for a position of before; what comes next is shown (I3 I11 I13)",
    ),
    Fault(
        number="14",
        name="Ids from the future",
        hurt=redis.from_the_future,
        injected="a foreign entry in every partition, under an id a minute ahead of the clock",
        must_hold="all later ids follow it, and nobody minds (I1 I2 I10)",
    ),
    Fault(
        number="14b",
        name="Clocks an hour off",
        hurt=hub.clock_set,
        shape=clocks_apart,
        injected="one hub an hour ahead, the other and the recorder an hour behind; then the first "
        "comes back an hour behind as well",
        must_hold="nobody minds: no position, no deadline is by the clock on the wall (I1 I2 I4)",
    ),
    Fault(
        number="15",
        name="Hub killed",
        hurt=hub.killed,
        is_short=True,
        injected="SIGKILL of one of two, back after 4 s",
        must_hold="its clients go on at the other one, no gap, no lost question (I1 I2 I4 I13)",
    ),
    Fault(
        number="16",
        name="Hub told to end",
        hurt=hub.ended,
        injected="SIGTERM with six clients that take nothing",
        must_hold="it ends in 8 s with exit code 0 (I15); nobody loses anything (I1 I4)",
    ),
    Fault(
        number="17",
        name="Hub hangs for 3 s",
        hurt=hub.stopped_for_3_s,
        injected="SIGSTOP for 3 s",
        must_hold="no client loses its connection (I1 I9)",
    ),
    Fault(
        number="17b",
        name="Hub hangs for 30 s",
        hurt=hub.stopped_for_30_s,
        injected="SIGSTOP for 30 s",
        must_hold="clients leave it after 25 s of silence and go on at the other (I1 I2 I4 I9)",
    ),
    Fault(
        number="17c",
        name="Hub busy for 40 s",
        hurt=hub.held_up,
        shape=may_be_held_up,
        injected="a busy loop of 40 s in the hub's own",
        must_hold="no health check is answered, so that whoever checks may end it; its clients "
        "leave after 25 s of silence and go on at the other (I1 I2 I4 I9)",
    ),
    Fault(
        number="18",
        name="Two hubs apart",
        hurt=hub.in_pulses,
        injected="one hub runs a fifth of the time, in pulses, for 10 s",
        must_hold="hubs agree afterwards, no client goes back (I2 I13)",
    ),
    Fault(
        number="19",
        name="Recorder killed",
        hurt=recorder.killed,
        is_short=True,
        injected="SIGKILL five times under load, started again at once",
        must_hold="each entry and call in SQL exactly once (I10)",
    ),
    Fault(
        number="20",
        name="A recorder comes back as a ghost",
        hurt=recorder.ghost,
        injected="SIGSTOP until a second one leads, then SIGCONT",
        must_hold="one leads; no row lost or twice (I10)",
    ),
    Fault(
        number="21",
        harms_nobody=True,
        name="PostgreSQL restarted",
        hurt=recorder.database_restarted,
        injected="SIGQUIT, started again after 10 s",
        shape=on_postgres,
        must_hold="the board goes on as before (I8), all is recorded soon after (I10)",
    ),
    Fault(
        number="22",
        name="The history's disk is full",
        hurt=recorder.disk_full,
        injected=f"SQLite on a tmpfs of {DISK_MB} MB, filled up for 8 s",
        shape=on_small_disk("history"),
        must_hold="the board goes on, nothing is acknowledged unwritten, all is recorded (I10 I14)",
    ),
    Fault(
        number="22b",
        name="Redis' disk is full",
        hurt=redis.disk_full,
        injected=f"its AOF on a tmpfs of {DISK_MB} MB, filled up for 6 s",
        shape=on_small_disk("redis"),
        must_hold="503 to producers, nothing acknowledged is lost (I12)",
    ),
    Fault(
        number="23",
        name="Ingest killed",
        hurt=ingest.killed,
        is_short=True,
        injected="SIGKILL five times under load, back after 1 s; producers post again",
        must_hold="each event exactly once (I10 I12)",
    ),
    Fault(
        number="24",
        harms_nobody=True,
        name="Clients that never read",
        hurt=client.never_reading,
        injected="six clients with a small buffer that open sessions and read nothing",
        must_hold="at most 384 KiB wait for each (I7), the others are as fast as before (I8), gone "
        "in 36 s (I9)",
    ),
    Fault(
        number="25",
        name="A narrow line",
        hurt=client.narrow,
        live_s=10.0,
        injected="16 KiB/s for each client of one hub, for 20 s",
        must_hold="values instead of a queue; right again soon after (I1 I3 I4)",
    ),
    Fault(
        number="26",
        harms_nobody=True,
        name="Clients that never answer",
        hurt=client.never_answering,
        injected="six clients that read everything and acknowledge nothing",
        must_hold="gone in 36 s (I9), the others unharmed (I1 I8)",
    ),
    Fault(
        number="27",
        name="A client's line half open",
        hurt=client.line_half_open,
        is_short=True,
        injected="the line to one hub is dead without a word",
        must_hold="its clients go elsewhere after 25 s, the hub frees them in 36 s (I1 I4 I9)",
    ),
    Fault(
        number="27b",
        name="Packets dropped for 10 s",
        hurt=network.dropped_for_10_s,
        injected="iptables DROP between clients and hubs in a network namespace, for 10 s",
        must_hold="the same connections go on (I1 I2 I4)",
        shape=on_two_machines,
        live_s=14.0,
        after_s=16.0,
    ),
    Fault(
        number="27c",
        name="Packets dropped for 60 s",
        hurt=network.dropped_for_60_s,
        injected="the same for 60 s",
        must_hold="hubs free their clients in 36 s, who are back soon afterwards (I1 I4 I9)",
        shape=on_two_machines,
        live_s=14.0,
        after_s=16.0,
    ),
    Fault(
        number="29",
        name="All connections reset at once",
        hurt=client.all_reset,
        injected="every client's connection is reset",
        must_hold="all are back and right (I1 I2 I4)",
    ),
    Fault(
        number="30",
        harms_nobody=True,
        name="A storm of subscriptions",
        hurt=client.subscribing,
        injected="one client opens a hundred sessions a second for 5 s",
        must_hold="it is held back, the others are unharmed (I1 I6 I8 I14)",
    ),
    Fault(
        number="33",
        harms_nobody=True,
        name="Malformed bodies",
        hurt=ingest.malformed,
        injected="nine kinds of nonsense, ten times each, on two routes",
        must_hold="4xx, memory grows by less than 32 MB, nobody else minds (I8 I14)",
    ),
    Fault(
        number="34",
        harms_nobody=True,
        name="Garbage on the log",
        hurt=redis.garbage,
        injected="two entries in every partition that are none of ours",
        must_hold="they are counted, their neighbours are untouched (I1 I2 I8 I14)",
    ),
    Fault(
        number="37",
        harms_nobody=True,
        name="Half-said requests",
        hurt=hub.half_said_requests,
        after_s=4.0,
        injected="500 connections that say half a request or nothing",
        must_hold="each is ended in 15 s, real clients are unharmed (I1 I8 I9)",
    ),
    Fault(
        number="38",
        name="Out of descriptors",
        hurt=hub.no_descriptors,
        injected="RLIMIT_NOFILE four above what is open, 40 connections, for 5 s",
        must_hold="the hub lives, and takes clients again afterwards (I14)",
    ),
    Fault(
        number="40",
        name="A soak",
        hurt=soak.soaked,
        shape=synced,
        injected="for four minutes, every 10 s one of: all connections reset, ingest, recorder, a "
        "hub or Redis killed and back, the other hub hung for 2 s, replies lost, garbage on the "
        "log, a storm of subscriptions",
        must_hold="every invariant at the end, and the hub that lives does not grow (I7)",
    ),
]

# Shown by tests that were there already: number, name, what must hold, where.
OTHERS = [
    ("19b", "Recorder killed at each point of its work", "exactly once (I10)",
     "tests/history/test_exact.py tests/history/test_recorder.py"),
    ("21b", "The database is locked, slow or away", "nothing lost (I10)",
     "tests/history/test_database_faults.py"),
    ("28", "Frames lost, doubled or out of order above TCP", "every loss is noticed (I2 I3)",
     "tests/simulation"),
    ("31", "Interleavings of opening, evicting, activating", "I3 I6",
     "tests/hub/live/test_switchboard_machine.py tests/hub/live/test_opening_machine.py"),
    ("32", "Questions while evicted, mid-snapshot, reconnecting, behind", "0 lost (I4)",
     "tests/hub/live/test_attention.py tests/end_to_end/test_attention.py"),
    ("35", "Malformed frames and handshakes", "only that connection ends (I9 I14)",
     "tests/hub/test_malformed.py tests/end_to_end/test_hostile.py"),
    ("36", "A compression bomb", "inflated to 64 KiB at most, then 4500 (I14)",
     "tests/hub/test_deflate.py"),
    ("39", "Foreign origins, spent codes, bad tokens", "refused, no secret is logged",
     "tests/end_to_end/test_door.py tests/hub/test_auth.py"),
]  # fmt: skip


def chosen(names: list[str]) -> list[Fault]:
    """Those of these numbers, ``all`` or ``short``; raises KeyError for another one."""
    if names == ["all"]:
        return FAULTS
    if names == ["short"]:
        return [each for each in FAULTS if each.is_short]
    known = {each.number: each for each in FAULTS}
    return [known[name] for name in names if name not in {each[0] for each in OTHERS}]


def looked_at(names: list[str]) -> list[tuple[str, str, str, str]]:
    """Those of these numbers that tests of their own show."""
    return [each for each in OTHERS if names == ["all"] or each[0] in names]
