"""The file that hooks stand in: read whole, kept aside, and replaced in one step.

Mode and owner stay, and a link stays a link. Never writes over what somebody else wrote meanwhile.
"""

import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tower.hooks.errors import HooksError

BACKUP = ".tower-"
BOM = "\ufeff"
BYTES_MAX = 4 * 1024 * 1024


def read(path: Path) -> str | None:
    """The whole text; None where there is no file. Raises HooksError."""
    try:
        with path.open("rb") as file:
            told = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HooksError(f"{path}: {error.strerror}; nothing was written.") from error
    if len(told) > BYTES_MAX:
        raise HooksError(f"{path}: over {BYTES_MAX:,} bytes; is it a file of settings?")
    try:
        return told.decode()
    except UnicodeDecodeError as error:
        line = told[: error.start].count(b"\n") + 1
        raise HooksError(
            f"{path}, line {line}: not UTF-8. Correct it, then try again; nothing was written."
        ) from error


def write(path: Path, before: str | None, after: str | None) -> Path | None:
    """Replace what was read by ``after`` (None: take the file away); gives the backup's path."""
    try:
        # A file that goes has nothing in it but what we wrote.
        backup = None if before is None or after is None else _kept_aside(path, before)
        if read(path) != before:
            raise HooksError(f"{path}: somebody else has just changed it. Try again.")
        if after is None:
            path.resolve().unlink()
        else:
            _replace(path, after)
    except OSError as error:
        where = error.filename or path
        raise HooksError(f"{where}: {error.strerror}; {path} is as it was.") from error
    return backup


def backups(path: Path) -> list[Path]:
    """What was kept aside of a file, the newest first."""
    found = path.parent.glob(f"{path.name}{BACKUP}*.bak") if path.parent.is_dir() else ()
    return sorted(found, reverse=True)


def _kept_aside(path: Path, text: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    backup = path.with_name(f"{path.name}{BACKUP}{stamp}.bak")
    mode = path.stat().st_mode & 0o777
    with os.fdopen(os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text.encode())
        os.fchmod(file.fileno(), mode)
    return backup


def _replace(path: Path, text: str) -> None:
    """By a file beside the real one, so that there is never half a file."""
    real = path.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    known = real.stat() if real.exists() else None
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            if known is not None:
                os.fchmod(handle, known.st_mode & 0o7777)
                if (known.st_uid, known.st_gid) != (os.geteuid(), os.fstat(handle).st_gid):
                    os.fchown(handle, known.st_uid, known.st_gid)
            file.flush()
            os.fsync(handle)
        Path(name).replace(real)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
