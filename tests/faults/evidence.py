"""What a run leaves for the checker: the log, acknowledgements, SQL rows, recordings, both boards.

Collected once the load has ended and everything may come to rest; judges nothing.
"""

import asyncio
import contextlib
import itertools
import json
import time
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from bus import keys
from bus.base import partition_of
from bus.limits import PARTITIONS
from history.database import Database
from history.store import Store
from session.delta import Delta, Event
from tests.end_to_end.cluster_story import now_ms
from tests.faults.scene import HUBS, Scene
from tests.history.looking import rows_of
from tests.history.told import Told, check
from tests.tower.processes import BEARER

Json = dict[str, Any]

SOON_S, QUIET_S = 2.0, 5.0  # attention is complete so soon after the last event, and the rest
RECORDED_S = 30.0
RELEASED_S = 36.0
AGREED_S = 5.0
COUNTERS = (
    "tower_bus_gaps_total", "tower_bus_epoch_changes_total", "tower_bus_poison_entries_total",
    "tower_recorder_lost_entries_total", "tower_recorder_failures_total",
    "tower_recorder_reclaimed_total", "tower_recorder_rejected_sessions_total",
)  # fmt: skip


@dataclass
class Evidence:
    """All of it. ``entries``: session → the ids of its rows in SQL."""

    acknowledged: dict[str, float]
    deltas: list[Delta] = field(default_factory=list)
    lost: list[Delta] = field(default_factory=list)
    gaps: int = 0
    duplicates: int = 0
    recordings: dict[str, list[Json]] = field(default_factory=dict)
    rows_wrong: str = ""
    entries: dict[str, list[str]] = field(default_factory=dict)
    boards: dict[str, dict[str, Json]] = field(default_factory=dict)
    counters: dict[str, dict[str, float]] = field(default_factory=dict)
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    marks: list[tuple[float, str]] = field(default_factory=list)
    is_timed: bool = True  # whether it may be asked how soon everything was

    @property
    def missing(self) -> list[str]:
        """Ids that were acknowledged and are not on the log."""
        told = {delta.id for delta in self.deltas}
        return [each for each in self.acknowledged if each not in told]

    @property
    def lost_count(self) -> int:
        """How many entries Redis took and has no more."""
        return len({each.id for each in self.lost}.union(self.missing))

    def when(self, kind: str) -> float:
        """When it was done last."""
        return next(at for at, each in reversed(self.marks) if each == kind)


def collect(scene: Scene) -> Evidence:
    """Bring the load to its end, and keep what is to be seen."""
    found = Evidence(scene.story.acknowledged, is_timed=scene.shape.patience <= 1)
    scene.crowd.tell("settle")
    if found.is_timed:
        _wait_as_promised(scene)
    else:
        _wait_for_rest(scene)
    scene.crowd.tell("save")
    for name, each in scene.roles.items():
        code = each.process.poll()
        scene.demand(code is None, f"I14 {name} has ended by {code}: {each.errors[-300:]}")
    scene.log.end()
    found.deltas, found.lost = scene.log.deltas, scene.log.lost
    found.gaps, found.duplicates = scene.log.gaps, scene.log.duplicates
    found.boards = _boards(scene, sorted({each.session for each in found.deltas}))
    (scene.folder / "boards.json").write_text(json.dumps(found.boards))
    for path in sorted(scene.place("recordings").glob("*.jsonl")):
        lines = path.read_text().splitlines()
        found.recordings[path.stem] = [json.loads(line) for line in lines]
    scene.seen["recorded_s"] = scene.until(
        lambda: is_recorded(scene.log.url), RECORDED_S, "I10 the recorder has not caught up"
    )
    scene.log.look()
    asyncio.run(_read_rows(found, scene.database_url, scene.log.deltas))
    for name in HUBS:
        scene.until(partial(_is_left, scene, name), RELEASED_S, f"I9 {name} holds clients")
    found.counters = {name: _counters(scene, name) for name in scene.roles}
    found.before, found.after = scene.seen.pop("before"), scene.usage()
    found.marks = scene.marks
    return found


def _wait_as_promised(scene: Scene) -> None:
    """Attention is complete so soon, and everything else a little later."""
    ended_s = scene.when("ended")
    time.sleep(max(0.0, ended_s + SOON_S - time.time()))
    scene.crowd.tell("items")
    time.sleep(max(0.0, ended_s + QUIET_S - time.time()))


def _wait_for_rest(scene: Scene) -> None:
    """The hubs have folded a last word in every partition, and nobody is told anything more."""
    words: dict[int, Event] = {}
    for name in (f"last-{n}" for n in itertools.count()):
        word = Event(id=name, session=name, kind="prompt", source="hooks", at=now_ms(),
                     received_at=0, fields={"text": name, "hash": name})  # fmt: skip
        words.setdefault(partition_of(*word.key, PARTITIONS), word)
        if len(words) == PARTITIONS:
            break
    scene.story.tell(list(words.values()))
    names = [each.session for each in words.values()]
    for hub in HUBS:
        scene.until(
            lambda: all("cursor" in _live(scene, hub, each) for each in names),  # noqa: B023
            RECORDED_S, f"I1 {hub} has not caught up",
        )  # fmt: skip
    scene.crowd.tell("rest")
    scene.crowd.tell("items")


def is_recorded(url: str) -> bool:
    """Whether everything on the log was delivered and acknowledged."""
    with contextlib.closing(Redis.from_url(url, protocol=2, socket_timeout=2)) as redis:
        try:
            return all(_is_drained(redis, partition) for partition in range(PARTITIONS))
        except RedisError:
            return False


def _is_drained(redis: Redis, partition: int) -> bool:
    name = keys.deltas(partition)
    if not redis.exists(name):
        return True
    stream: Any = redis.xinfo_stream(name)
    groups: Any = redis.xinfo_groups(name)
    last = stream["last-generated-id"]
    return all(not each["pending"] and each["last-delivered-id"] == last for each in groups)


async def _read_rows(found: Evidence, url: str, deltas: list[Delta]) -> None:
    """Every table against one fold of the log, and the ids of all entries."""
    told = Told()
    for delta in deltas:
        told.fold(delta)
    database = Database(url)
    store = Store(database)
    try:
        names = {row["pk"]: row["id"] for row in await rows_of(store, "sessions")}
        entries: dict[str, list[str]] = defaultdict(list)
        for row in await rows_of(store, "session_events"):
            entries[names[row["session_pk"]]].append(row["entry_id"])
        found.entries = entries
        await check(store, told)
    except AssertionError as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        found.rows_wrong = f"{place.line}: {str(error)[:300]}"
    finally:
        await database.close()


def _boards(scene: Scene, sessions: list[str]) -> dict[str, dict[str, Json]]:
    """What each hub answers of each session; what differs is asked for again for a moment."""
    hubs = [name for name in HUBS if scene.roles[name].process.poll() is None]
    told: dict[str, dict[str, Json]] = {name: {} for name in hubs}
    deadline = time.monotonic() + AGREED_S * scene.shape.patience
    for session in sessions:
        while True:
            for name in hubs:
                told[name][session] = _live(scene, name, session)
            views = [told[name][session] for name in hubs]
            if all(each == views[0] for each in views) or time.monotonic() > deadline:
                break
    return told


def _live(scene: Scene, name: str, session: str) -> Json:
    try:
        status, _, body = scene.roles[name].ask(f"/api/live/{session}", **BEARER)
    except OSError:
        return {"status": 0}  # no answer in time
    return json.loads(body) if status == 200 else {"status": status}


def _is_left(scene: Scene, name: str) -> bool:
    """Whether a hub holds no client any more."""
    hub = scene.roles[name]
    return hub.process.poll() is not None or not hub.get("/api/clients")["clients"]


def _counters(scene: Scene, name: str) -> dict[str, float]:
    """What a living role has counted of what matters here, without what is 0."""
    if scene.roles[name].process.poll() is not None:
        return {}
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = scene.roles[name].ask("/metrics", **BEARER)[2].decode().splitlines()
    told: dict[str, float] = {}
    for line in lines:
        metric, _, value = line.partition(" ")
        if metric.partition("{")[0] in COUNTERS and float(value.split()[0]):
            told[metric] = float(value.split()[0])
    return told
