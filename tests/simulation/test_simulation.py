"""Whole worlds, each on a seed of its own: what clients show is what the log says.

``SIMULATION_SEEDS=10000`` runs so many of them, ``SIMULATION_SEED=17`` that one alone. A seed that
ever failed stands in ``seeds.txt`` and is run first from then on.
"""

import os
from pathlib import Path

import pytest

from locustfiles import reference_client
from session import timeline
from tests.simulation.world import World

SEEDS = 200
# Small, so that rings run over; no ring holds less than what a checkpoint knows of it.
RING_ENTRIES, RING_BYTES, KNOWN_IDS = 60, 16_384, 8


def kept_seeds() -> list[int]:
    """Those that have failed once; behind each stands why."""
    lines = (Path(__file__).parent / "seeds.txt").read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def seeds() -> list[int]:
    """What is to be run, in its order."""
    if only := os.environ.get("SIMULATION_SEED"):
        return [int(only)]
    count = int(os.environ.get("SIMULATION_SEEDS") or SEEDS)
    return list(dict.fromkeys([*kept_seeds(), *range(count)]))


@pytest.mark.parametrize("seed", seeds())
def test_every_client_shows_what_the_log_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or has it marked stale; and once nothing happens any more, everybody agrees."""
    monkeypatch.setattr(timeline, "RING_ENTRIES_MAX", RING_ENTRIES)
    monkeypatch.setattr(reference_client, "TIMELINE_MAX", RING_ENTRIES)
    monkeypatch.setattr(timeline, "RING_BYTES_MAX", RING_BYTES)
    monkeypatch.setattr(timeline, "KNOWN_IDS_MAX", KNOWN_IDS)
    world = World(seed)
    try:
        world.run()
    except Exception as error:
        error.add_note(world.told())
        raise
