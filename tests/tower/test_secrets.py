"""The service's own secrets: made once, readable by their owner alone, equal for everybody."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tower.secrets import cookie_key, owner_token

ROOT = Path(__file__).resolve().parents[2]
READ = (
    "import sys; from pathlib import Path; from tower.secrets import owner_token, cookie_key;"
    "sys.stdin.read(1); folder = Path(sys.argv[1]);"
    "print(owner_token(folder), cookie_key(folder).decode())"
)


def mode(path: Path) -> int:
    """Who may do what."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask says."""
    old = os.umask(0)
    try:
        owner_token(tmp_path / "data")
        cookie_key(tmp_path / "data")
    finally:
        os.umask(old)
    assert mode(tmp_path / "data") == 0o700
    assert {mode(path) for path in (tmp_path / "data").iterdir()} == {0o600}


def test_a_secret_stays_the_same(tmp_path: Path) -> None:
    """After a restart nobody is logged out, and scripts go on."""
    token, key = owner_token(tmp_path), cookie_key(tmp_path)
    assert (owner_token(tmp_path), cookie_key(tmp_path)) == (token, key)
    assert (tmp_path / "token").read_text().strip() == token


def test_secrets_are_long_and_never_the_same(tmp_path: Path) -> None:
    """256 bits each; another folder, another secret."""
    told = [owner_token(tmp_path / name) for name in "ab"] + [cookie_key(tmp_path / "a").decode()]
    assert len(set(told)) == 3
    assert min(map(len, told)) >= 43


def test_an_empty_file_is_filled(tmp_path: Path) -> None:
    """A disk that was full leaves one; it is no secret."""
    (tmp_path / "token").touch(0o600)
    token = owner_token(tmp_path)
    assert len(token) >= 43
    assert owner_token(tmp_path) == token


def test_a_secret_that_others_may_read_is_closed(tmp_path: Path) -> None:
    """A copied or restored file keeps its value, but not its openness."""
    (tmp_path / "token").write_text("kept-secret\n")
    (tmp_path / "token").chmod(0o644)
    assert owner_token(tmp_path) == "kept-secret"
    assert mode(tmp_path / "token") == 0o600


def test_two_processes_agree(tmp_path: Path) -> None:
    """Several towers and commands may start at once."""
    command = [sys.executable, "-c", READ, str(tmp_path)]
    processes = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    told = {process.communicate(timeout=20)[0] for process in processes}
    assert len(told) == 1


def test_starts_at_the_same_moment_agree(tmp_path: Path) -> None:
    """Nobody may see a secret that is not written yet, nor write a second one over it."""
    disagreed = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for attempt in range(300):
            told = raced(tmp_path / str(attempt))
            if len(told) != 1:
                disagreed.append(attempt)
    finally:
        sys.setswitchinterval(interval)
    assert disagreed == []


def raced(folder: Path) -> set[str]:
    """What several starts at once take for the token, and what is kept."""
    folder.mkdir()
    told: list[str] = []
    barrier = threading.Barrier(4)

    def start() -> None:
        barrier.wait()
        told.append(owner_token(folder))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {*told, owner_token(folder)}


def test_a_folder_that_cannot_be_made_is_an_error_of_the_system(tmp_path: Path) -> None:
    """The commands turn it into a sentence; nothing is invented instead of a kept secret."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        owner_token(tmp_path / "file" / "data")
