"""Rows rebuilt from patches against the truth, for clients with different views and rates."""

from pathlib import Path

from tests.conftest import FIXTURES
from tests.end_to_end import views

SMALL = Path(__file__).resolve().parents[1] / "fixtures" / "transcripts"
FOR_S = 15.0


def recordings() -> list[str]:
    """The real recordings where they are, else the small made-up ones."""
    found = [FIXTURES / "growth", FIXTURES / "claude_home"]
    return [str(path) for path in (found if FIXTURES.is_dir() else [SMALL])]


async def test_rows_equal_the_board_at_every_heartbeat() -> None:
    """Twenty clients, some late, some restless, some deflated: each has its view's rows."""
    tally = await views.run(recordings(), FOR_S, heartbeat_ms=150)
    assert tally.wrong == []
    assert len(tally.heartbeats) == len(views.WATCHES)
    assert min(tally.heartbeats.values()) > 3
    assert tally.rows > 1_000
    assert tally.deltas > 300
    assert tally.passed > 0
