"""What befalls clients and their lines: cut, half open, narrow, or nobody reads at the far end."""

import contextlib
import socket
import threading
import time

from tests.end_to_end.cluster_watchers import masked, stalled
from tests.faults.scene import Scene
from tests.tower.processes import BEARER, TOKEN

FREED_S = 36.0
IN_FLIGHT_BYTES_MAX = (256 + 64 + 64) * 1024
STALLED = 6
LOOK_S = 0.25
NARROW_S = 20.0
STORM_S = 5.0


def line_half_open(scene: Scene) -> None:
    """The line to one hub is dead, and nobody is told: it frees its clients, they go elsewhere."""
    with scene.doors["hub-a"].half_open():
        scene.seen["freed_s"] = scene.until(
            lambda: not _clients(scene), FREED_S, "I9 dead clients are held"
        )


def _clients(scene: Scene) -> list[dict[str, object]]:
    told: list[dict[str, object]] = scene.roles["hub-a"].get("/api/clients")["clients"]
    return told


def never_reading(scene: Scene) -> None:
    """Six clients open sessions and read nothing: they cost little, and are let go."""
    sessions = [agent.name for agent in scene.story.agents[:4]]
    most = 0
    with contextlib.ExitStack() as stack:
        for _ in range(STALLED):
            stack.enter_context(stalled(scene.roles["hub-a"].address, TOKEN, sessions))
        began = time.monotonic()
        while held := [each for each in _clients(scene) if not each["client"]]:
            most = max(most, *(_bytes(each) for each in held))
            if time.monotonic() - began > FREED_S * scene.shape.patience:
                scene.demand(False, "I9 clients that read nothing are held")
                break
            time.sleep(LOOK_S)
        scene.seen["freed_s"] = round(time.monotonic() - began, 1)
    scene.seen["bytes_each_max"] = most
    scene.demand(0 < most <= IN_FLIGHT_BYTES_MAX, f"I7 {most} bytes wait for one client")


def _bytes(client: dict[str, object]) -> int:
    return int(str(client["in_flight_bytes"])) + int(str(client["queued_bytes"]))


def never_answering(scene: Scene) -> None:
    """Six clients read everything and say nothing any more: they are let go."""
    sessions = [agent.name for agent in scene.story.agents[:4]]
    with contextlib.ExitStack() as stack:
        readers = []
        for _ in range(STALLED):
            made = stack.enter_context(stalled(scene.roles["hub-a"].address, TOKEN, sessions))
            readers.append(threading.Thread(target=_read, args=(made,), daemon=True))
            readers[-1].start()
        began = time.monotonic()
        for each in readers:
            rest_s = FREED_S * scene.shape.patience - (time.monotonic() - began)
            each.join(max(0.0, rest_s))
        scene.seen["freed_s"] = round(time.monotonic() - began, 1)
        held = sum(each.is_alive() for each in readers)
        scene.demand(not held, f"I9 {held} clients that say nothing are held")


def _read(made: socket.socket) -> None:
    made.settimeout(None)
    with contextlib.suppress(OSError):
        while made.recv(65_536):
            pass


def narrow(scene: Scene) -> None:
    """16 KiB/s for each client of one hub, for 20 s."""
    with scene.doors["hub-a"].slow(bytes_per_s=16 * 1024, slice_bytes=1_024):
        time.sleep(NARROW_S)


def all_reset(scene: Scene) -> None:
    """Every client's connection is reset at once."""
    scene.seen["reset"] = sum(door.reset() for door in scene.doors.values())


def subscribing(scene: Scene) -> None:
    """One client opens a hundred sessions a second for 5 s: it is held back, the others are not."""
    names = [agent.name for agent in scene.story.agents]
    sent = 0
    with stalled(scene.roles["hub-a"].address, TOKEN, []) as made:
        threading.Thread(target=_read, args=(made,), daemon=True).start()
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < STORM_S:
                told = {"type": "subscribe", "session": names[sent % len(names)]}
                made.sendall(masked(told))
                sent += 1
                time.sleep(0.01)
    scene.seen["subscribes_sent"] = sent
    scene.seen["closed_after_s"] = round(time.monotonic() - began, 1)
    status = scene.roles["hub-a"].ask("/readyz", **BEARER)[0]
    scene.demand(status == 200, f"I14 the hub answers {status}")
