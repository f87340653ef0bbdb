"""The service's own secrets: files that only their owner can read, made at the first start."""

import fcntl
import os
import secrets
from pathlib import Path

TOKEN_NAME = "token"  # noqa: S105 - a file's name
COOKIE_KEY_NAME = "cookie.key"


def owner_token(data_dir: Path) -> str:
    """The owner's token, kept in the data folder."""
    return _kept(data_dir / TOKEN_NAME)


def cookie_key(data_dir: Path) -> bytes:
    """The key that signs cookies: the same after a restart, so nobody is logged out."""
    return _kept(data_dir / COOKIE_KEY_NAME).encode()


def _kept(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # of several starts at once one writes, and all read that
        path.chmod(0o600)
        kept = file.read().strip()
        if not kept:
            kept = secrets.token_urlsafe(32)
            file.seek(0)
            file.write(kept + "\n")
    return kept
