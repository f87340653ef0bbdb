"""Making a token, and how one is shown: the secret is told once, at its making, and never kept.

Pure but for randomness; the time is told. Called by the routes and by ``tower token``.
"""

import re
import secrets
from typing import Any

from history.credentials import ROLES, Token
from history.errors import BadQuery
from hub.keyring import hash_of

SECRET_BYTES = 32
PREFIX_CHARS = 10
NAME_CHARS_MAX = 100
DAYS_MAX = 3_650
DAY_MS = 86_400_000
_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": DAY_MS}
_WORKSPACE = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def make(
    role: str, workspace: str, name: str, expires: str | None, now_ms: int, created_by: str
) -> tuple[str, Token]:
    """A new token and its secret; raises BadQuery, which names the wrong part."""
    if role not in ROLES:
        raise BadQuery(f"role: expected one of {', '.join(ROLES)}")
    if not _WORKSPACE.fullmatch(workspace):
        raise BadQuery("workspace: expected a name such as team-a: a-z, 0-9, dot, - and _")
    if len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise BadQuery(f"name: expected at most {NAME_CHARS_MAX} printable characters")
    secret = f"tower_{role[0]}_{secrets.token_urlsafe(SECRET_BYTES)}"
    token = Token(
        id=f"t-{secrets.token_hex(6)}", hash=hash_of(secret), prefix=secret[:PREFIX_CHARS + 2],
        name=name, role=role, workspace=workspace, created_at=now_ms, created_by=created_by,
        expires_at=None if expires is None else now_ms + parse_span(expires),
    )  # fmt: skip
    return secret, token


def parse_span(told: str) -> int:
    """``30d``, ``12h`` or ``90m`` in ms; raises BadQuery."""
    found = re.fullmatch(r"([1-9][0-9]{0,6})([mhd])", told)
    span_ms = int(found[1]) * _UNITS_MS[found[2]] if found else 0
    if not 0 < span_ms <= DAYS_MAX * DAY_MS:
        raise BadQuery(f"expires: expected such as 30d, 12h or 90m, at most {DAYS_MAX}d")
    return span_ms


def shown(token: Token, now_ms: int) -> dict[str, Any]:
    """A token for people and scripts: neither its secret nor its hash."""
    state = "good" if token.is_good(now_ms) else "expired"
    return {
        "id": token.id, "prefix": token.prefix, "name": token.name, "role": token.role,
        "workspace": token.workspace, "state": "revoked" if token.revoked_at is not None else state,
        "created_at": token.created_at, "created_by": token.created_by,
        "expires_at": token.expires_at, "revoked_at": token.revoked_at,
    }  # fmt: skip
