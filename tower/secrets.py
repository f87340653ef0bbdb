"""The service's own secrets: files that only their owner can read, made at the first start."""

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
    fresh = secrets.token_urlsafe(32)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text("ascii").strip()
        if kept:
            return kept
        path.write_text(fresh + "\n", "ascii")
        return fresh
    with os.fdopen(handle, "w") as file:
        file.write(fresh + "\n")
    return fresh
