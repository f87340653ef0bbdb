"""The board that a service on SQLite begins with, before anything of history is imported."""

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from history.database import Database
from history.first_board import PAST_MAX, first_board
from tests.history.recording import Recording
from tests.hub.made import NOW, event, past, permission

ROOT = Path(__file__).resolve().parents[2]
DAY_MS = 86_400_000


@pytest.fixture
async def recording(tmp_path: Path) -> AsyncIterator[Recording]:
    """An empty history in a file."""
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    await database.upgrade()
    yield Recording(database)
    await database.close()


async def test_it_is_what_lives_and_the_latest_of_what_is_past(
    recording: Recording, tmp_path: Path
) -> None:
    """With the fold's own memory, as a log sees it that has told nothing yet."""
    count = PAST_MAX + 5
    await recording.log(*(past(f"p{each}", (each + 2) * DAY_MS) for each in range(count)))
    await recording.log(event("prompt", "a"), permission("b"))
    board = {each.id: each for each in first_board(tmp_path / "history.db") or ()}
    assert set(board) == {"a", "b", *(f"p{each}" for each in range(PAST_MAX))}
    assert board["a"].status == "running"
    assert len(board["b"].items) == 1
    assert {each.number for each in board.values()} == {0}


def test_a_history_that_is_not_there_has_no_board(tmp_path: Path) -> None:
    """It is a new one, and nothing needs to be waited for."""
    assert first_board(tmp_path / "history.db") == []
    assert not (tmp_path / "history.db").exists()


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_tables_of_another_release_must_be_brought_up_to_date_first(
    tmp_path: Path, content: bytes | None
) -> None:
    """As must a file that is none of ours: whoever opens it properly says why."""
    path = tmp_path / "history.db"
    if content is not None:
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as made:
            made.execute("CREATE TABLE alembic_version (version_num TEXT)")
            made.execute("INSERT INTO alembic_version VALUES ('0000')")
    assert first_board(path) is None


async def test_a_state_that_cannot_be_read_costs_no_other(
    recording: Recording, tmp_path: Path
) -> None:
    """It is left out, and told in the log."""
    await recording.log(event("prompt", "a"), event("prompt", "b", at=NOW))
    with sqlite3.connect(tmp_path / "history.db") as opened:
        opened.execute("UPDATE session_states SET state = x'00' WHERE session_pk = 1")
    assert [each.id for each in first_board(tmp_path / "history.db") or ()] == ["b"]


def test_a_start_imports_no_sqlalchemy() -> None:
    """It takes longer than all the rest: the service is there before it."""
    code = (
        "import sys, tower.service; print([each for each in sys.modules if 'sqlalchemy' in each])"
    )
    told = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert told.strip() == "[]"
