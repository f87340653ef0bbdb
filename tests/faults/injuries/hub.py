"""What befalls a hub: it dies, is told to end, hangs, or runs out of descriptors."""

import contextlib
import resource
import signal
import socket
import time
from pathlib import Path

from tests.end_to_end.cluster_watchers import stalled
from tests.faults.scene import Scene
from tests.tower.processes import TOKEN, RoleProcess

END_S = 8.0
STALLED = 6
PULSES = 20
STOPPED_S, RUNNING_S = 0.4, 0.1  # of each pulse
AWAY_S = 4.0
SHORT_S, LONG_S = 3.0, 30.0
PRESSED_S = 5.0
ENDED_S = 15.0
BEHIND_S = 2.0


def killed(scene: Scene) -> None:
    """SIGKILL; its clients go to the other one; it comes again 4 s later."""
    scene.kill("hub-a")
    time.sleep(AWAY_S)
    _again(scene)


def _again(scene: Scene) -> None:
    began = time.monotonic()
    scene.begin("hub-a").become_ready()
    scene.seen["ready_again_s"] = round(time.monotonic() - began, 2)


def ended(scene: Scene) -> None:
    """SIGTERM, while six of its clients take nothing any more; then it comes again."""
    sessions = [agent.name for agent in scene.story.agents[:4]]
    with contextlib.ExitStack() as stack:
        for _ in range(STALLED):
            stack.enter_context(stalled(scene.roles["hub-a"].address, TOKEN, sessions))
        time.sleep(BEHIND_S)
        began = time.monotonic()
        code = scene.roles["hub-a"].end(60)
        took_s = time.monotonic() - began
    scene.seen["exit_s"] = round(took_s, 2)
    scene.demand(code == 0, f"I15 it ended by {code}")
    scene.demand(took_s <= END_S * scene.shape.patience, f"I15 it took {took_s:.1f} s to end")
    _again(scene)


def stopped_for_3_s(scene: Scene) -> None:
    """SIGSTOP for 3 s: nobody loses the connection."""
    with scene.stopped("hub-a"):
        time.sleep(SHORT_S)


def stopped_for_30_s(scene: Scene) -> None:
    """SIGSTOP for 30 s: clients hear nothing for 25 s, and go to the other one."""
    with scene.stopped("hub-a"):
        time.sleep(LONG_S)


def held_up(scene: Scene) -> None:
    """Its loop is busy for 40 s: no health check is answered, so that whoever checks ends it."""
    hub = scene.roles["hub-a"]
    hub.process.send_signal(signal.SIGUSR2)
    began = time.monotonic()
    scene.until(lambda: not _is_alive(hub), 5, "it is not held up")
    scene.seen["held_s"] = scene.until(lambda: _is_alive(hub), 60, "I9 it does not go on")
    scene.seen["held_s"] = round(time.monotonic() - began, 1)


def _is_alive(hub: RoleProcess) -> bool:
    with contextlib.suppress(OSError):
        return hub.ask("/healthz")[0] == 200
    return False


def clock_set(scene: Scene) -> None:
    """The clocks are wrong all the time; now the hub that was ahead comes back an hour behind."""
    scene.kill("hub-a")
    scene.shape.shims["hub-a"].update(FAULT_AHEAD_S="-3600")
    _again(scene)
    time.sleep(AWAY_S)


def in_pulses(scene: Scene) -> None:
    """One hub runs a fifth of the time, for 10 s: it is always behind the other one."""
    for _ in range(PULSES):
        with scene.stopped("hub-a"):
            time.sleep(STOPPED_S)
        time.sleep(RUNNING_S)


def no_descriptors(scene: Scene) -> None:
    """Room for four more descriptors, and 40 who want one; 5 s later there is room again."""
    pid = scene.roles["hub-a"].process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    host, _, port = scene.roles["hub-a"].address.partition(":")
    with contextlib.ExitStack() as stack:
        stack.callback(resource.prlimit, pid, resource.RLIMIT_NOFILE, before)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 4, before[1]))
        for _ in range(40):
            stack.enter_context(socket.create_connection((host, int(port)), timeout=2))
        time.sleep(PRESSED_S)
    scene.until(lambda: scene.roles["hub-a"].is_ready, 15, "I14 it does not recover")


def half_said_requests(scene: Scene) -> None:
    """500 connections that say half a request and no more: each is ended."""
    host, _, port = scene.roles["hub-a"].address.partition(":")
    with contextlib.ExitStack() as stack:
        opened = []
        for n in range(500):
            made = stack.enter_context(socket.create_connection((host, int(port)), timeout=2))
            made.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\n" if n % 2 else b"")
            opened.append(made)
        began = time.monotonic()
        for made in opened:
            rest_s = ENDED_S * scene.shape.patience - (time.monotonic() - began)
            made.settimeout(max(0.01, rest_s))
            try:
                while made.recv(4_096):
                    pass
            except TimeoutError:
                scene.demand(False, "I9 a silent connection is still held")
                break
            except OSError:
                pass
        scene.seen["ended_s"] = round(time.monotonic() - began, 1)
