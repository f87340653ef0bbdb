"""``tower export``: out of the database itself, with a tower beside it or without one."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from history.database import Database
from tests.history.recording import Recording
from tests.hub.made import report, said, tokens
from tower.cli import app

runner = CliRunner()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder with the history of two sessions."""

    async def record() -> None:
        database = Database(f"sqlite:///{tmp_path / 'history.db'}")
        await database.upgrade()
        told = [report(each, to=3, entries=said(3), calls=tokens(7)) for each in ("a", "b")]
        await Recording(database).log(*told)
        await database.close()

    asyncio.run(record())
    return tmp_path


def export(data_dir: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    told = runner.invoke(app, ["export", "--data-dir", str(data_dir), *words])
    return told.exit_code, told.stdout, told.stderr


def test_it_prints_json_unless_told_otherwise(data_dir: Path) -> None:
    """Every session, for whatever reads standard input."""
    code, out, _ = export(data_dir)
    assert code == 0
    assert {each["id"] for each in json.loads(out)["sessions"]} == {"a", "b"}


@pytest.mark.parametrize("format_", ["csv", "json", "html"])
def test_a_file_is_written_whole(data_dir: Path, format_: str) -> None:
    """Under the name that was given, with nothing left beside it."""
    path = data_dir / f"told.{format_}"
    code, out, _ = export(data_dir, "--format", format_, "--output", str(path), "--id", "a")
    assert (code, out) == (0, "")
    assert b"opus" in path.read_bytes() or format_ == "csv"
    assert [each.name for each in data_dir.glob("*told*")] == [path.name]


def test_filters_are_options(data_dir: Path) -> None:
    """As those of the list of sessions."""
    words = ["--status", "idle", "--agent", "claude-code", "--since", "2026-01-01", "--archived"]
    code, out, _ = export(data_dir, *words, "--sort", "cost")
    assert (code, len(json.loads(out)["sessions"])) == (0, 2)
    code, out, _ = export(data_dir, "--project", "none")
    assert json.loads(out)["sessions"] == []


@pytest.mark.parametrize(
    "words", [["--format", "pdf"], ["--sort", "x"], ["--since", "x"], ["--status", "x"]]
)
def test_wrong_usage_is_2(data_dir: Path, words: list[str]) -> None:
    """And says which option."""
    code, _, err = export(data_dir, *words)
    assert code == 2
    assert words[0].removeprefix("--") in err


def test_a_session_that_is_not_there_fails_and_leaves_no_file(data_dir: Path) -> None:
    """Exit code 1, with its name."""
    path = data_dir / "told.csv"
    path.write_text("before")
    code, _, err = export(data_dir, "--id", "none", "--output", str(path))
    assert code == 1
    assert "'none'" in err
    assert path.read_text() == "before"


def test_where_nothing_was_recorded_nothing_is_made(tmp_path: Path) -> None:
    """It only reads: no database comes into being."""
    code, _, err = export(tmp_path / "none")
    assert code == 1
    assert "no history" in err
    assert not (tmp_path / "none").exists()


def test_tables_of_another_release_are_told(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "history.db").touch()
    code, _, err = export(tmp_path)
    assert code == 1
    assert "tower db upgrade" in err


def test_a_file_that_cannot_be_written_fails(data_dir: Path) -> None:
    """Exit code 1, with the reason."""
    code, _, err = export(data_dir, "--output", str(data_dir / "none" / "told.csv"))
    assert code == 1
    assert "none" in err
