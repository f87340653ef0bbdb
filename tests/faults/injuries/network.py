"""What befalls the network between clients and hubs: packets are dropped for a while.

Needs a scene on two machines, which are network namespaces.
"""

import contextlib
import time
from collections.abc import Iterator

from tests.end_to_end.namespaces import run
from tests.faults.injuries.client import FREED_S
from tests.faults.scene import HUBS, Scene

SHORT_S, LONG_S = 10.0, 60.0


@contextlib.contextmanager
def dropping(scene: Scene) -> Iterator[None]:
    """Every packet of the clients' machine is dropped, in both directions."""
    machines = scene.shape.machines
    assert machines is not None
    for chain in ("INPUT", "OUTPUT"):
        run(*machines.here("iptables", "-A", chain, "-j", "DROP"))
    try:
        yield
    finally:
        for chain in ("INPUT", "OUTPUT"):
            run(*machines.here("iptables", "-D", chain, "-j", "DROP"))


def dropped_for_10_s(scene: Scene) -> None:
    """Shorter than anybody's patience: the same connections go on."""
    with dropping(scene):
        time.sleep(SHORT_S)


def dropped_for_60_s(scene: Scene) -> None:
    """Longer than anybody's patience: hubs free their clients, who come back afterwards."""
    with dropping(scene):
        began = time.monotonic()
        for name in HUBS:
            scene.seen["freed_s"] = scene.until(
                lambda: not scene.roles[name].get("/api/clients")["clients"],  # noqa: B023
                FREED_S, f"I9 {name} holds clients that nothing reaches",
            )  # fmt: skip
        time.sleep(max(0.0, LONG_S - (time.monotonic() - began)))
