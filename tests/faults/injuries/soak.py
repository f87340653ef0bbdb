"""Everything a little, for a long time: what grows, and what is not given back."""

import itertools
import time
from collections.abc import Callable

from tests.faults.injuries import client, redis
from tests.faults.scene import Scene

EVERY_S = 8.0
WARM = 0.25  # of the time goes by before memory is looked at
HANGS_S = 2.0


def soaked(scene: Scene) -> None:
    """One hurt after the other; the hub that nobody kills must not grow by it."""
    began = time.monotonic()
    warm: dict[str, float] = {}
    count = 0
    for hurt in itertools.cycle(HURTS):
        hurt(scene)
        count += 1
        time.sleep(EVERY_S)
        spent_s = time.monotonic() - began
        if not warm and spent_s > WARM * scene.shape.soak_s:
            warm = {"at": spent_s, "rss_mb": scene.usage()["hub-b"]["rss_mb"]}
        if spent_s > scene.shape.soak_s:
            break
    grown_mb = scene.usage()["hub-b"]["rss_mb"] - warm["rss_mb"]
    scene.seen["hurts"], scene.seen["soaked_s"] = count, round(spent_s)
    scene.seen["grown_mb"] = round(grown_mb, 1)
    scene.seen["grown_mb_per_min"] = round(60 * grown_mb / (spent_s - warm["at"]), 2)


def _kill(name: str) -> Callable[[Scene], None]:
    def killed(scene: Scene) -> None:
        scene.kill(name)
        scene.begin(name).become_ready()

    return killed


def _hub_hangs(scene: Scene) -> None:
    with scene.stopped("hub-b"):
        time.sleep(HANGS_S)


HURTS: tuple[Callable[[Scene], None], ...] = (
    client.all_reset, _kill("ingest"), redis.garbage, _kill("recorder"), _hub_hangs,
    redis.killed, _kill("hub-a"), redis.replies_lost_for_a_moment, client.subscribing,
)  # fmt: skip
