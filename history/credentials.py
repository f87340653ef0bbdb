"""Who may come in, as it is kept: tokens, sign-ins that were ended, and the record of who did what.

Plain values, without a secret: of a token only its hash is here. Imports no SQL, for every role
imports this. Times in ms, None for never.
"""

from msgspec import Struct

ROLES = ("viewer", "operator", "agent")
OWNER = "owner"
"""Who has the owner's token; no token has this id."""


class Token(Struct, frozen=True, kw_only=True, tag="token"):
    """One credential. ``hash`` is SHA-256 in hex; ``prefix`` is how it begins, to be recognised."""

    id: str
    hash: str
    prefix: str
    name: str
    role: str
    workspace: str
    created_at: int
    created_by: str
    expires_at: int | None = None
    revoked_at: int | None = None

    def is_good(self, now_ms: int) -> bool:
        """Whether it opens anything now."""
        return self.revoked_at is None and (self.expires_at is None or now_ms < self.expires_at)


class Logout(Struct, frozen=True, tag="logout"):
    """A sign-in that was ended: its cookie is nothing any more. Forgotten once it would be past."""

    id: str
    token: str
    expires_at: int


class Act(Struct, frozen=True, kw_only=True):
    """Who did what. ``actor`` is OWNER or a token's id, empty where nobody knows who it was.

    ``workspace`` is empty where it is of none; ``detail`` is what else is to be known, never a text
    of an agent.
    """

    at: int
    actor: str
    name: str
    workspace: str
    action: str
    session: str | None = None
    address: str = ""
    detail: str | None = None


class Acts(Struct):
    """A page of them, the latest first; ``next`` is the cursor of the page behind it."""

    acts: list[tuple[int, Act]]
    next: int | None
