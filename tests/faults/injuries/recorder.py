"""What befalls the recorder: it dies, comes back as a ghost, or its database is away or full."""

import contextlib
import time

from redis import Redis

from bus import keys
from bus.limits import PARTITIONS
from tests.faults.injuries.redis import filled
from tests.faults.scene import Scene

LEASE_S = 15.0
PAUSE_S, TAKEN_OVER_S, GHOST_S = 1.5, 2.0, 3.0
FULL_S, AWAY_S = 8.0, 10.0


def killed(scene: Scene) -> None:
    """SIGKILL several times in its work; each time it comes again at once."""
    for _ in range(scene.shape.times):
        scene.kill("recorder")
        scene.begin("recorder").become_ready()
        time.sleep(PAUSE_S)


def trimmed_past(scene: Scene) -> None:
    """It dies, and the log is trimmed before it comes again: it says how much is lost."""
    scene.kill("recorder")
    time.sleep(GHOST_S)
    scene.log.look()
    with contextlib.closing(Redis.from_url(scene.redis.url, protocol=2)) as redis:
        trimmed = sum(_trim(redis, partition) for partition in range(PARTITIONS))
    scene.begin("recorder").become_ready()
    scene.seen["trimmed"] = trimmed
    scene.until(lambda: _lost(scene) > 0, LEASE_S + 10, "I11 the recorder tells of no loss")
    scene.seen["told_lost"] = _lost(scene)
    scene.demand(_lost(scene) <= trimmed, "I11 more is told lost than was trimmed")


def _trim(redis: Redis, partition: int) -> int:
    return int(redis.xtrim(keys.deltas(partition), maxlen=10, approximate=False))  # type: ignore[arg-type]


def _lost(scene: Scene) -> float:
    lines = scene.roles["recorder"].ask("/metrics")[2].decode().splitlines()
    told = [line for line in lines if line.startswith("tower_recorder_lost_entries_total ")]
    return float(told[0].split()[1]) if told else 0.0


def ghost(scene: Scene) -> None:
    """SIGSTOP until another one has taken over, then SIGCONT: it must write nothing more."""
    other = scene.begin("recorder-b", "recorder").become_ready()
    with scene.stopped("recorder"):
        scene.seen["taken_over_s"] = scene.until(
            lambda: _leads(scene, "recorder-b"), LEASE_S + 10, "I10 nobody takes over"
        )
        time.sleep(TAKEN_OVER_S)
    time.sleep(GHOST_S)
    leading = [name for name in ("recorder", "recorder-b") if _leads(scene, name)]
    scene.demand(len(leading) == 1, f"I10 {leading} lead")
    scene.demand(other.process.poll() is None, "I10 the second recorder has ended")


def _leads(scene: Scene, name: str) -> bool:
    metrics = scene.roles[name].ask("/metrics")[2].decode()
    return "tower_recorder_leading 1.0" in metrics.splitlines()


def disk_full(scene: Scene) -> None:
    """The disk of its database is full for 8 s: it tries again, and the board goes on."""
    with filled(scene.place("history")):
        time.sleep(FULL_S)


def database_restarted(scene: Scene) -> None:
    """PostgreSQL falls, and comes again 10 s later."""
    assert scene.postgres is not None
    scene.postgres.stop()
    try:
        time.sleep(AWAY_S)
    finally:
        scene.postgres.start()
