"""What every role holds at one moment, and what the hubs say of themselves: one line of a long run.

Used by the benchmark of endurance.
"""

import contextlib
from typing import Any, NamedTuple

from kernel import Held
from roles import Role, Roles

TOLD = {
    "tower_hub_clients": "clients", "tower_hub_sessions": "sessions",
    "tower_hub_subscriptions": "subscriptions", "tower_hub_evictions_total": "evictions",
    "tower_hub_conflated_updates_total": "conflated", "tower_bus_lag_entries": "lag",
}  # fmt: skip


class Sample(NamedTuple):
    """``held`` and ``told`` by the name of a role; one that is gone is not there."""

    minute: float
    held: dict[str, Held]
    told: dict[str, dict[str, float]]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON has it."""
        held = {name: each._asdict() for name, each in self.held.items()}
        return {"minute": self.minute, "held": held, "told": self.told}


def sample(roles: Roles, minute: float) -> Sample:
    """Look at all of them; takes some milliseconds."""
    held, told = {}, {}
    for name, role in list(roles.by_name.items()):
        with contextlib.suppress(OSError):
            held[name] = role.held()
        with contextlib.suppress(OSError):  # one that is gone, or too busy to answer
            if name.startswith("hub"):
                told[name] = _summed(role)
    return Sample(minute, held, told)


def _summed(role: Role) -> dict[str, float]:
    """Of each name that is told the sum over its labels, and clients by their state."""
    sums: dict[str, float] = {}
    for (name, labels), value in role.metrics().items():
        if name in TOLD:
            sums[TOLD[name]] = sums.get(TOLD[name], 0.0) + value
            if name == "tower_hub_clients":
                sums[f"clients {dict(labels)['state']}"] = value
    return sums
