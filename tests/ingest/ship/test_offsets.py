"""Offsets: kept durably and alone, by nobody else readable, and never worth a failure."""

import stat
from pathlib import Path

import pytest

from ingest.ship.offsets import Offsets, Taken, opened, path_for
from session.mark import Mark


def mark(path: str = "/made/s.jsonl", offset: int = 10) -> Mark:
    """How far a file is."""
    return Mark(path=path, session="s", source="main", offset=offset, size=offset, inode=7)


def test_what_was_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    """The latest of each file, to the last field."""
    path = path_for(tmp_path, "https://tower.example.org")
    offsets = Offsets(path)
    assert offsets.load() == []
    offsets.save([mark(offset=1), mark("/made/t.jsonl")])
    offsets.save([mark(offset=2)])
    offsets.close()
    again = Offsets(path)
    assert sorted(again.load(), key=lambda each: each.path) == [
        mark(offset=2),
        mark("/made/t.jsonl"),
    ]
    again.close()


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The file, what SQLite puts beside it, and the folder."""
    path = path_for(tmp_path / "state", "https://tower.example.org")
    offsets = Offsets(path)
    offsets.save([mark()])
    modes = {
        each: stat.S_IMODE(each.stat().st_mode) for each in (path.parent, *path.parent.iterdir())
    }
    assert all(mode & 0o077 == 0 for mode in modes.values()), modes
    offsets.close()


def test_one_process_at_a_time_has_it(tmp_path: Path) -> None:
    """Another tower has another file."""
    path = path_for(tmp_path, "https://one.example.org")
    offsets = Offsets(path)
    with pytest.raises(Taken):
        Offsets(path)
    Offsets(path_for(tmp_path, "https://two.example.org")).close()
    offsets.close()
    Offsets(path).close()


@pytest.mark.parametrize("damage", [b"no database", b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_broken_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    """It says so; everything is told again, which is no harm."""
    path = path_for(tmp_path, "https://tower.example.org")
    offsets, is_anew = opened(path)
    assert not is_anew
    offsets.save([mark()])
    offsets.close()
    path.write_bytes(damage)
    offsets, is_anew = opened(path)
    assert is_anew
    assert offsets.load() == []
    offsets.save([mark()])
    offsets.close()


def test_a_mark_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    """Its file is told again, and its neighbours are not."""
    offsets = Offsets(tmp_path / "offsets.db")
    offsets.save([mark()])
    with offsets._connection as changing:
        changing.execute("INSERT INTO marks VALUES ('/made/odd.jsonl', X'C1')")
    assert offsets.load() == [mark()]
    offsets.close()
