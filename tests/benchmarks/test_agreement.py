"""Who is late with open items, by a log that is itself read a moment later."""

from types import SimpleNamespace
from typing import Any

import agreement
import pytest
from agreement import Items

WINDOW_S, LOOK_S = 2.0, 0.25


class World:
    """What one client shows, what the log says, and the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.shown: set[str] = set()
        self.told: set[str] = set()
        self.was_open: set[str] = set()
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(agreement, "time", clock)
        seen = SimpleNamespace(items=self.shown)
        self.client = SimpleNamespace(
            name="c", is_whole=True, whole_at=0.0, is_behind=False, seen=seen
        )
        crowd: Any = SimpleNamespace(quick=[self.client])
        truth: Any = SimpleNamespace(
            items=lambda: dict.fromkeys(self.told), open_since=lambda _at: self.was_open
        )
        self.items = Items(crowd, truth, WINDOW_S)

    def go_on(self, seconds: float) -> None:
        """Look as often as the benchmarks do."""
        for _ in range(int(seconds / LOOK_S)):
            self.now += LOOK_S
            self.items.look()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """At rest, with one item that is open everywhere."""
    made = World(monkeypatch)
    made.shown.add("i")
    made.told.add("i")
    made.was_open.add("i")
    made.go_on(10)
    assert made.items.looked > 10
    assert made.items.late == 0
    return made


def test_a_client_that_hears_of_an_end_before_the_log_is_read_is_not_late(world: World) -> None:
    """By half a second, as in every run."""
    world.shown.clear()
    world.go_on(0.5)
    world.told.clear()
    world.go_on(10)
    assert world.items.late == 0


def test_a_client_that_does_not_show_what_is_open_is_late(world: World) -> None:
    """At each look; of those the ones are told apart whose client had not read what had come."""
    world.shown.clear()
    world.go_on(WINDOW_S)
    world.client.is_behind = True
    world.go_on(2 * WINDOW_S)
    assert world.items.late > world.items.unread > 0
    assert world.items.first_late[0] == "c does not show ['i']"


def test_a_client_that_still_shows_what_was_closed_long_ago_is_late(world: World) -> None:
    """Longer than it may take."""
    world.told.clear()
    world.go_on(WINDOW_S)
    world.was_open.clear()
    world.go_on(3 * WINDOW_S)
    assert world.items.first_late[0] == "c still shows ['i']"


def test_an_item_of_a_moment_ago_need_not_be_shown(world: World) -> None:
    """Nobody can be late with it yet."""
    world.told.add("new")
    world.was_open.add("new")
    world.go_on(WINDOW_S - 2 * LOOK_S)
    world.shown.add("new")
    world.go_on(10)
    assert world.items.late == 0
