"""A proof run of several workers: hubs, ingest and recorder on one Redis, and one hub is killed.

``python -m tests.end_to_end.cluster --sessions 200 --clients 300`` runs it by hand and prints a
report as JSON; ``test_cluster`` runs a small one. Most clients ask for 5 Hz, because several
hundred clients in one Python process could not read 60 frames a second each.
"""

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.bus.conftest import Server
from tests.end_to_end.cluster_check import Truth, read, spread
from tests.end_to_end.cluster_crowd import Crowd, Spec
from tests.end_to_end.cluster_log import LogReader
from tests.end_to_end.cluster_story import Story
from tests.end_to_end.cluster_watchers import stalled
from tests.tower.processes import TOKEN, RoleProcess, role

Json = dict[str, Any]

SOON_S = 2.0  # attention is complete so soon after the last event
QUIET_S = 5.0  # and everything else so soon
BACK_S = 5.0
QUICK_EVERY = 30  # one client in so many asks for 60 Hz, the others for 5
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How large a run is."""

    sessions: int = 40
    clients: int = 40
    stalled: int = 4
    rate: int = 100
    seconds: float = 10.0
    seed: int = 1
    pin: bool = False


class Cluster:
    """Two hubs, an ingest and a recorder on one Redis."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.redis = Server(_made(folder / "redis"))
        stack.callback(self.redis.kill)
        self.redis.start()
        self.roles: dict[str, RoleProcess] = {}
        for name in ("ingest", "recorder", "hub-a", "hub-b"):
            command = name.partition("-")[0]
            started = role(folder / name, command, self.redis.url)
            self.roles[name] = stack.enter_context(started)
        for each in self.roles.values():
            each.become_ready()

    @property
    def hubs(self) -> list[str]:
        """Their addresses; the first one will be killed."""
        return [self.roles["hub-a"].address, self.roles["hub-b"].address]

    def kill_a_hub(self) -> None:
        """SIGKILL, as a crash would."""
        self.roles["hub-a"].process.kill()
        self.roles["hub-a"].process.wait()

    def usage(self) -> Json:
        """CPU seconds and MB of every process that lives."""
        told = {}
        for name, each in self.roles.items():
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{each.process.pid}/stat").read_text().rpartition(")")[2]
                parts = fields.split()
                cpu_s, rss = (int(parts[11]) + int(parts[12])) / TICKS, int(parts[21]) * PAGE
                told[name] = {"cpu_s": round(cpu_s, 1), "rss_mb": round(rss / 2**20, 1)}
        return told


def make_crowds(
    scale: Scale, hubs: list[str], folder: Path, stack: contextlib.ExitStack
) -> list[Crowd]:
    """Half of all watchers begin at each hub; some want few rows, some many frames."""
    chance, specs = random.Random(scale.seed), []
    for n in range(scale.clients - scale.stalled):
        hello: Json = {"rate_hz": 60 if n % QUICK_EVERY == 0 else 5}
        if n % 3 == 1:
            hello["view"] = {"status": ["running", "waiting"], "limit": 50}
        order = hubs if n % 2 == 0 else hubs[::-1]
        specs.append(Spec(f"c{n:03}", order, hello, chance.randrange(2**32)))
    core = max(os.sched_getaffinity(0)) if scale.pin else -1
    half = -(-len(specs) // 2)
    names = [f"s{n:03}" for n in range(scale.sessions)]
    made = []
    for some in (specs[:half], specs[half:]):
        made.append(Crowd(some, names, folder, core))
        stack.callback(made[-1].end)
    return made


def watch(scale: Scale, cluster: Cluster, story: Story, crowds: list[Crowd]) -> Json:
    """The run itself; gives what was measured while it went."""

    def tell(order: str) -> None:
        for crowd in crowds:
            crowd.tell(order)

    log = LogReader(cluster.redis.url)
    log.start()
    tell("watch")
    began = cluster.usage()
    telling = story.run(scale.rate, scale.seconds)
    time.sleep(scale.seconds / 2)
    killed_at, before = time.time(), cluster.usage()
    cluster.kill_a_hub()
    telling.join()
    ended_at = time.time()
    tell("settle")
    time.sleep(max(0.0, ended_at + SOON_S - time.time()))
    tell("items")
    time.sleep(max(0.0, ended_at + QUIET_S - time.time()))
    tell("save")
    log.end()
    usage = {"began": began, "before_kill": before, "end": cluster.usage()}
    return {"killed_at": killed_at, "log": log, "usage": usage}


def judge(scale: Scale, measured: Json, story: Story, folder: Path) -> Json:
    """The report."""
    log: LogReader = measured["log"]
    verdicts = list(read(folder, Truth(log.deltas)))
    complaints = [each for verdict in verdicts for each in verdict.violations]
    told = {delta.id for delta in log.deltas}
    if log.duplicates or log.gaps:
        complaints.append(f"the log has {log.gaps} gaps, {log.duplicates} duplicates")
    if story.doubled:
        complaints.append(f"{story.doubled} events were on the log before they were posted")
    missing = set(story.acknowledged) - told
    if missing:
        complaints.append(f"{len(missing)} acknowledged events are not on the log")
    killed = [v for v in verdicts if int(v.name[1:]) % 2 == 0]
    away = [v.away_s(measured["killed_at"]) for v in killed]
    back = [each for each in away if each is not None]
    late = [each for each in back if each > BACK_S]
    if late or len(back) < len(killed):
        complaints.append(f"{len(late)} clients were back late, {len(killed) - len(back)} never")
    frames = [verdict.state["frames"] for verdict in verdicts]
    return {
        "scale": msgspec.to_builtins(scale),
        "events": {"acknowledged": len(story.acknowledged), "on_the_log": len(log.deltas),
                   "refused_and_repeated": story.refused},
        "watchers": len(verdicts), "frames": sum(frames),
        "received_mb": round(sum(v.state["bytes"] for v in verdicts) / 1e6, 1),
        "back_s": spread(back),
        "resumed_by": {kind: sum(v.resumed_by.get(kind, 0) for v in verdicts)
                       for kind in ("session.patch", "session.snapshot")},
        "stale": _reasons(verdicts, "session.stale"),
        "evicted": _reasons(verdicts, "session.evicted"),
        "usage": measured["usage"], "load_average": os.getloadavg(),
        "violations": complaints,
    }  # fmt: skip


def _reasons(verdicts: list[Any], kind: str) -> Json:
    told: dict[str, int] = {}
    for note in (note for each in verdicts for note in each.recording if note["kind"] == kind):
        told[note["reason"]] = told.get(note["reason"], 0) + 1
    return told


def run(scale: Scale, folder: Path) -> Json:
    """One run in a folder of its own; gives the report."""
    with contextlib.ExitStack() as stack:
        cluster = Cluster(folder, stack)
        story = Story(cluster.roles["ingest"].address, scale.seed, scale.sessions)
        story.begin()
        names = [f"s{n:03}" for n in range(4)]
        for n in range(scale.stalled):
            stack.enter_context(stalled(cluster.hubs[n % 2], TOKEN, names))
        recordings = _made(folder / "recordings")
        crowds = make_crowds(scale, cluster.hubs, recordings, stack)
        measured = watch(scale, cluster, story, crowds)
    return judge(scale, measured, story, recordings)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def options() -> Iterator[tuple[str, Any]]:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in msgspec.to_builtins(Scale()).items():
        if isinstance(default, bool):
            parser.add_argument(f"--{name}", action="store_true")
        else:
            parser.add_argument(f"--{name}", type=type(default), default=default)
    yield from vars(parser.parse_args()).items()


def main() -> int:
    """Run it; exit code 1 if anything was violated."""
    scale = Scale(**dict(options()))
    with tempfile.TemporaryDirectory() as folder:
        report = run(scale, Path(folder))
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")
    return 1 if report["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
