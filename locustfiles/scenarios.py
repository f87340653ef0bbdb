"""A whole load by its name: sessions that work, people who watch, and the server's own figures.

``locust -f locustfiles/scenarios.py --scenario 20x5x5 --headless --host http://127.0.0.1:8787``;
the names stand in ``shapes``. It ends by itself, with exit code 1 if anything was violated.
"""

import time
from typing import Any

import agents
import gevent
import server_figures
import viewers
from locust import LoadTestShape, events
from shapes import SCENARIOS, Scenario

SPAWN_PER_S = 100.0


@events.init_command_line_parser.add_listener
def add_options(parser: Any, **_: Any) -> None:
    """Which one, and whether it is to take another time."""
    parser.add_argument("--scenario", choices=list(SCENARIOS), default="5x2x1", help="which load")
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="how long it takes in all (0: as usual)"
    )


def chosen(environment: Any) -> Scenario:
    """The scenario that the command line, or the page of locust, names."""
    told = environment.parsed_options
    return SCENARIOS[told.scenario].lasting(told.seconds)


class Agents(agents.AgentUser):
    """Sessions as busy as the scenario says."""

    fixed_count = 1  # the number is the scenario's; locust makes these before all others

    def events_per_second(self) -> float:
        """Of this session."""
        return chosen(self.environment).events_per_second


class Viewers(viewers.ViewerUser):
    """People who watch; in a storm they all lose their line at the same moments."""

    def on_start(self) -> None:
        """As every viewer, with the storm's clock."""
        super().on_start()
        if every_s := chosen(self.environment).storm_every_s:
            self._greenlets.append(gevent.spawn(self._storm, every_s))

    def _storm(self, every_s: float) -> None:
        while True:
            gevent.sleep(every_s - time.time() % every_s)  # the clock is the same for all processes
            self.lose_line()


class Shape(LoadTestShape):
    """As many users as the scenario has at this moment."""

    def tick(self) -> tuple[int, float] | None:
        """All users, and how many of them may come in a second; None at the end."""
        scenario = chosen(self.runner.environment)
        viewing = scenario.viewers_at(self.get_run_time())
        return None if viewing is None else (scenario.sessions + viewing, SPAWN_PER_S)


@events.init.add_listener
@events.test_start.add_listener
def set_up(environment: Any, **_: Any) -> None:
    """Tell locust how many of its users are sessions."""
    Agents.fixed_count = chosen(environment).sessions


server_figures.listen()
