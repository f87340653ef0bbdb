"""The file of an agent's settings: kept aside, replaced in one step, and left as it was else."""

import os
from pathlib import Path

import pytest

from tower.hooks import files
from tower.hooks.errors import HooksError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of settings that only its owner may read."""
    made = tmp_path / "settings.json"
    made.write_text("old")
    made.chmod(0o640)
    return made


def test_mode_and_owner_stay(path: Path) -> None:
    """Of the file, and of what is kept aside."""
    before = path.stat()
    backup = files.write(path, "old", "new")
    assert backup is not None
    assert (path.read_text(), backup.read_text()) == ("new", "old")
    for each in (path, backup):
        assert each.stat().st_mode == before.st_mode
        assert each.stat().st_uid == before.st_uid


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """What it leads to is written, and kept aside beside the link."""
    link = tmp_path / "home" / "settings.json"
    link.parent.mkdir()
    link.symlink_to(Path("..") / path.name)
    backup = files.write(link, "old", "new")
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert backup is not None
    assert backup.parent == link.parent


def test_a_link_to_nothing_becomes_a_file(tmp_path: Path) -> None:
    """Where it leads."""
    link = tmp_path / "settings.json"
    link.symlink_to(tmp_path / "dotfiles" / "claude.json")
    assert files.read(link) is None
    assert files.write(link, None, "new") is None
    assert link.is_symlink()
    assert (tmp_path / "dotfiles" / "claude.json").read_text() == "new"
    files.write(link, "new", None)
    assert link.is_symlink()
    assert files.read(link) is None


def test_a_new_file_is_the_owners_alone(tmp_path: Path) -> None:
    """In a folder that is made for it."""
    path = tmp_path / "new" / "settings.json"
    files.write(path, None, "new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_somebody_wrote_meanwhile_is_kept(path: Path) -> None:
    """Nothing is written over it."""
    path.write_text("theirs")
    with pytest.raises(HooksError, match="somebody else"):
        files.write(path, "old", "new")
    assert path.read_text() == "theirs"


def test_a_failed_write_leaves_no_trace(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is as it was, and none beside it is left over but what was kept aside."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HooksError, match=r"No space left.*as it was"):
        files.write(path, "old", "new")
    assert path.read_text() == "old"
    assert {each.name for each in path.parent.iterdir()} == {
        path.name, *(each.name for each in files.backups(path)),
    }  # fmt: skip


def test_backups_come_newest_first(path: Path) -> None:
    """Each has its time in its name."""
    made = [files.write(path, "old", "new"), files.write(path, "new", "newer")]
    assert files.backups(path) == made[::-1]
    assert files.backups(path.parent / "none" / "x.json") == []


@pytest.mark.parametrize(
    ("told", "words"),
    [(b"a\nb\xff", "line 2: not UTF-8"), (b"x" * (files.BYTES_MAX + 1), "over 4,194,304 bytes")],
)
def test_what_is_no_text_is_refused(path: Path, told: bytes, words: str) -> None:
    """With the place."""
    path.write_bytes(told)
    with pytest.raises(HooksError, match=words):
        files.read(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The system's reason is told with the path."""
    with pytest.raises(HooksError, match=str(tmp_path)):
        files.read(tmp_path)
