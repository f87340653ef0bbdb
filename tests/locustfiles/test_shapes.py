"""The loads by name: the five are the promised ones, and time can be pressed without a change."""

import re
from pathlib import Path

import pytest

from locustfiles.shapes import SCENARIOS, Scenario, Stage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "load.md"


def test_the_five_are_what_their_names_say() -> None:
    """Sessions × events a second × viewers."""
    five = {name: each for name, each in SCENARIOS.items() if name[0].isdigit()}
    assert len(five) == 5
    for name, each in five.items():
        told = (each.sessions, each.events_per_second, each.stages[0].viewers)
        assert "x".join(f"{number:g}" for number in told) == name


def test_every_scenario_is_explained() -> None:
    """The page names those that there are, and no others."""
    table = PAGE.read_text().partition("## Scenarios")[2].partition("## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    }
    assert named == set(SCENARIOS)


def test_viewers_come_and_go_in_stages() -> None:
    """Each stage holds until its end, and after the last one it is over."""
    scenario = Scenario(1, 1.0, (Stage(10, 5), Stage(20, 2)))
    assert [scenario.viewers_at(at) for at in (0, 9.9, 10, 19.9, 20)] == [5, 5, 2, 2, None]


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_a_scenario_can_be_pressed(name: str) -> None:
    """It takes as long as it is told, with the same sessions and viewers; 0 changes nothing."""
    usual, pressed = SCENARIOS[name], SCENARIOS[name].lasting(3)
    assert pressed.seconds == pytest.approx(3)
    assert [each.viewers for each in pressed.stages] == [each.viewers for each in usual.stages]
    assert pressed.sessions == usual.sessions
    assert usual.lasting(0) == usual


def test_a_fleet_is_a_thousand_sessions() -> None:
    """And a storm is one: everybody loses the line more than once."""
    storm = SCENARIOS["reconnect-storm"]
    assert SCENARIOS["fleet"].sessions == 1_000
    assert storm.seconds >= 2 * storm.storm_every_s > 0
