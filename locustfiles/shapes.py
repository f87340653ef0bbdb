"""The loads by name: how many sessions and viewers there are, how busy, and for how long.

Pure. The first five are the ones of docs/benchmarks.md: sessions × events a second × viewers.
Used by ``scenarios``.
"""

from typing import NamedTuple

STEADY_S = 60.0


class Stage(NamedTuple):
    """So many viewers, until so many seconds after the start."""

    until_s: float
    viewers: int


class Scenario(NamedTuple):
    """Sessions are there from the start; viewers come and go in stages."""

    sessions: int
    events_per_second: float  # of each session
    stages: tuple[Stage, ...]
    storm_every_s: float = 0.0  # all viewers lose their line at once, so often; 0: never

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.stages[-1].until_s

    def viewers_at(self, now_s: float) -> int | None:
        """How many there are so long after the start; None where it is over."""
        return next((each.viewers for each in self.stages if now_s < each.until_s), None)

    def lasting(self, seconds: float) -> "Scenario":
        """The same, drawn out or pressed into so many seconds; 0 leaves it as it is."""
        if not seconds:
            return self
        by = seconds / self.seconds
        stages = tuple(Stage(each.until_s * by, each.viewers) for each in self.stages)
        return self._replace(stages=stages, storm_every_s=self.storm_every_s * by)


def steady(sessions: int, events_per_second: float, viewers: int) -> Scenario:
    """A load that does not change."""
    return Scenario(sessions, events_per_second, (Stage(STEADY_S, viewers),))


SCENARIOS = {
    "5x2x1": steady(5, 2, 1),
    "10x3x1": steady(10, 3, 1),
    "15x5x1": steady(15, 5, 1),
    "10x3x3": steady(10, 3, 3),
    "20x5x5": steady(20, 5, 5),
    "steps": Scenario(
        100, 1.0, (Stage(30, 5), Stage(60, 20), Stage(90, 50), Stage(120, 100), Stage(150, 20))
    ),
    "reconnect-storm": Scenario(100, 1.0, (Stage(120.0, 200),), storm_every_s=30.0),
    "fleet": Scenario(1_000, 0.5, (Stage(180.0, 50),)),
}
