"""What befalls Redis: it dies, hangs, forgets, fills up, or another one takes its place."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from redis import Redis

from bus import keys
from bus.limits import PARTITIONS
from bus.position import parse
from tests.bus.conftest import Server
from tests.faults.proxy import Proxy, line_to
from tests.faults.scene import ROLES, Scene
from tests.tower.processes import ask

DEAD_S = 3.0
CUT_S = FULL_S = 5.0
BEHIND_S = 2.0
REFUSES_S = 4.0  # min-replicas-max-lag, and a moment
SLOW_S = 10.0
SLICED_S = DISK_FULL_S = 6.0
STOPPED_S = 14.0  # a checkpoint is made meanwhile
HUNG_S = 10.0
TAIL_BYTES = 64 * 1024
REFUSED_S_MAX = 4.0
APPEND = b"EVALSHA"
AHEAD_MS = 60_000


def killed(scene: Scene) -> None:
    """SIGKILL, and the same again 3 s later, with everything that it wrote."""
    scene.redis.kill()
    time.sleep(DEAD_S)
    scene.redis.start()


def lost_tail(scene: Scene) -> None:
    """SIGKILL, and the last 64 KiB of its append-only file are gone."""
    scene.redis.kill()
    for path in _aof(scene).glob("*.incr.aof"):
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.truncate(max(0, size - TAIL_BYTES))
        scene.seen["truncated_bytes"] = min(size, TAIL_BYTES)
    scene.redis.start()


def emptied(scene: Scene) -> None:
    """SIGKILL, and it comes again without anything."""
    scene.redis.kill()
    shutil.rmtree(_aof(scene))
    scene.redis.start()


def flushed(scene: Scene) -> None:
    """FLUSHALL by somebody."""
    scene.redis.ask("FLUSHALL")


def _aof(scene: Scene) -> Path:
    return scene.redis.folder / "appendonlydir"


def hung(scene: Scene) -> None:
    """SIGSTOP for 10 s: producers are refused in time, and hubs go on answering."""
    with scene.redis.hung():
        began = time.monotonic()
        slowest = 0.0
        while time.monotonic() - began < HUNG_S:
            asked = time.monotonic()
            for name in ("hub-a", "hub-b"):
                scene.demand(scene.roles[name].ask("/healthz")[0] == 200, f"I9 {name} hangs too")
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.05)
    scene.seen["healthz_slowest_s"] = round(slowest, 2)
    slowest_s = scene.story.slowest_s
    in_time = slowest_s <= REFUSED_S_MAX * scene.shape.patience
    scene.demand(in_time, f"I12 an answer took {slowest_s:.1f} s")
    scene.demand(scene.story.refused > 0, "I12 nobody was refused")


def failed_over(scene: Scene) -> None:
    """A replica whose line has been silent for 2 s becomes the primary."""
    link = scene.stack.enter_context(line_to(scene.redis.port))
    replica = _replica(scene, link)
    with link.half_open():
        time.sleep(BEHIND_S)
        replica.ask("REPLICAOF", "NO", "ONE")
    _move(scene, replica)


def split_brain(scene: Scene) -> None:
    """A replica becomes a second primary; the first one, left without replicas, takes nothing."""
    link = scene.stack.enter_context(line_to(scene.redis.port))
    replica = _replica(scene, link)
    scene.redis.ask("CONFIG", "SET", "min-replicas-max-lag", "2")
    scene.redis.ask("CONFIG", "SET", "min-replicas-to-write", "1")
    with link.half_open():
        replica.ask("REPLICAOF", "NO", "ONE")
        time.sleep(REFUSES_S)
        taken = len(scene.story.acknowledged)
        time.sleep(BEHIND_S)
        scene.demand(len(scene.story.acknowledged) == taken, "I12 the old primary takes events")
    _move(scene, replica)


def _move(scene: Scene, to: Server) -> None:
    """Everybody goes to another server, and the first one is gone."""
    for name in ROLES:
        scene.lines[name].go_to(to.port)
    scene.log.url = to.url
    scene.redis.kill()


def _replica(scene: Scene, link: Proxy) -> Server:
    replica = Server(
        scene.place("replica"), "--replicaof", "127.0.0.1", str(link.port),
        "--repl-diskless-sync-delay", "0",
    )  # fmt: skip
    scene.stack.callback(replica.kill)
    replica.start()
    scene.until(
        lambda: _info(replica)["master_link_status"] == "up", 20, "the replica is not in step"
    )
    return replica


def _info(server: Server) -> dict[str, object]:
    with contextlib.closing(Redis.from_url(server.url, protocol=2)) as redis:
        return dict(redis.info("replication"))  # type: ignore[arg-type]


def replies_lost(scene: Scene) -> None:
    """20 appends are done, and the ingest hears of none of them: its connection is reset."""
    line = scene.lines["ingest"]
    with line.losing(APPEND, 20):
        scene.until(lambda: line.lose_count == 0, 60, "20 replies were not lost")
    scene.seen["replies_lost"] = line.lost


def replies_lost_for_a_moment(scene: Scene) -> None:
    """The same for two appends."""
    line = scene.lines["ingest"]
    with line.losing(APPEND, 2):
        scene.until(lambda: line.lose_count == 0, 60, "2 replies were not lost")


def line_half_open(scene: Scene) -> None:
    """A hub's connections to Redis are dead, and neither side is told."""
    with scene.lines["hub-a"].half_open(also_new=False):
        pass


def lines_cut(scene: Scene) -> None:
    """Nobody reaches Redis for 5 s."""
    with contextlib.ExitStack() as stack:
        for line in scene.lines.values():
            stack.enter_context(line.cut())
        time.sleep(CUT_S)


def slow(scene: Scene) -> None:
    """Each piece to and from Redis takes 200 ms more, for 10 s."""
    with contextlib.ExitStack() as stack:
        for line in scene.lines.values():
            stack.enter_context(line.slow(delay_s=0.2))
        time.sleep(SLOW_S)


def in_slices(scene: Scene) -> None:
    """Everything to and from the hubs' Redis comes byte by byte, for 6 s."""
    with contextlib.ExitStack() as stack:
        for name in ("hub-a", "hub-b"):
            stack.enter_context(scene.lines[name].slow(slice_bytes=1))
        time.sleep(SLICED_S)


def full(scene: Scene) -> None:
    """Out of memory for 5 s: refused at once, and the board goes on."""
    scene.redis.ask("CONFIG", "SET", "maxmemory", "1")
    with contextlib.ExitStack() as stack:
        stack.callback(scene.redis.ask, "CONFIG", "SET", "maxmemory", "0")
        refused = scene.story.refused
        scene.until(lambda: scene.story.refused > refused, 5, "I12 nobody was refused")
        for name in ("hub-a", "hub-b"):
            scene.demand(ask(scene.roles[name].address, "/readyz")[0] == 200, f"I14 {name}")
        time.sleep(FULL_S)


def trimmed_past_a_hub(scene: Scene) -> None:
    """One hub is stopped for 14 s, and the log is trimmed up to the checkpoints meanwhile."""
    with scene.stopped("hub-a"):
        time.sleep(STOPPED_S)
        scene.log.look()
        scene.seen["trimmed"] = sum(_trim(scene, partition) for partition in range(PARTITIONS))


def _trim(scene: Scene, partition: int) -> int:
    with contextlib.closing(Redis.from_url(scene.redis.url, protocol=2)) as redis:
        position = redis.hget(keys.checkpoint(partition), "position")
        if position is None:
            return 0
        start = parse(position.decode()).id  # type: ignore[union-attr]
        return int(redis.xtrim(keys.deltas(partition), minid=start, approximate=False))  # type: ignore[arg-type]


def garbage(scene: Scene) -> None:
    """Two entries in every partition that are none of ours."""
    for partition in range(PARTITIONS):
        scene.redis.ask("XADD", keys.deltas(partition), "*", "foreign", "entry")
        scene.redis.ask("XADD", keys.deltas(partition), "*", "d", "no delta", "o", "x")


def from_the_future(scene: Scene) -> None:
    """A foreign entry in every partition, under an id that is a minute ahead of the clock."""
    ahead = f"{round(time.time() * 1000) + AHEAD_MS}-0"
    for partition in range(PARTITIONS):
        scene.redis.ask("XADD", keys.deltas(partition), ahead, "foreign", "entry")


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No room is left on the disk below a folder."""
    ballast = folder / "ballast"
    try:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            for size in (64 * 1024, 4_096, 512):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass
        yield
    finally:
        ballast.unlink(missing_ok=True)


def disk_full(scene: Scene) -> None:
    """Its disk is full for 6 s: what it cannot keep it does not take."""
    refused = scene.story.refused
    with filled(scene.redis.folder):
        scene.until(lambda: scene.story.refused > refused, 20, "I12 nobody was refused")
        time.sleep(DISK_FULL_S)
