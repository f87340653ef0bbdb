"""Tokens and ended sign-ins as this process knows them, so that no request waits for a database.

What is revoked stays so, whatever an older copy says. Holds hashes, never a token. Filled by
``hub.mirror``, asked by the door.
"""

import hashlib
from collections.abc import Iterable

from history.credentials import Logout, Token


def hash_of(secret: str) -> str:
    """SHA-256 in hex: secrets are random and long, so nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def line_of(token: str) -> str:
    """The id that ends all sign-ins of a token that end no later than it does itself."""
    return f"{token}@"


class Keyring:
    """``is_filled`` once everything was told: until then, what is not known may be good."""

    def __init__(self, *, is_filled: bool = False) -> None:
        self.is_filled = is_filled
        self._tokens: dict[str, Token] = {}
        self._by_hash: dict[str, Token] = {}
        self._ended: dict[str, Logout] = {}
        self._learned: dict[str, int] = {}  # tokens that were told one by one, and as which change
        self.changes = 0

    def fill(
        self, tokens: Iterable[Token], ended: Iterable[Logout], since: int | None = None
    ) -> bool:
        """Everything there is; tokens that are not among it are none any more.

        ``since``: how many ``changes`` there were when it was read; later ones stay. Gives whether
        anything is another way now.
        """
        before = (self._tokens, len(self._ended), self.is_filled)
        since = self.changes if since is None else since
        self._learned = {name: at for name, at in self._learned.items() if at > since}
        told = {name: self._tokens[name] for name in self._learned}
        told |= {token.id: self._still(token) for token in tokens}
        self._tokens = told
        self._by_hash = {token.hash: token for token in told.values()}
        for logout in ended:
            self.end(logout)
        self.is_filled = True
        return before != (self._tokens, len(self._ended), True)

    def learn(self, token: Token) -> None:
        """One more, or one that is revoked by now."""
        token = self._still(token)
        self.changes += 1
        self._learned[token.id] = self.changes
        self._tokens[token.id] = self._by_hash[token.hash] = token

    def _still(self, token: Token) -> Token:
        known = self._tokens.get(token.id)
        return known if known is not None and known.revoked_at is not None else token

    def end(self, logout: Logout) -> None:
        """A sign-in is over; a line makes what it covers needless."""
        known = self._ended.get(logout.id)
        if known is None or known.expires_at < logout.expires_at:
            self._ended[logout.id] = logout
        if logout.id == line_of(logout.token):
            for each in self.ended_of(logout.token):
                if each.expires_at <= logout.expires_at:
                    del self._ended[each.id]

    def tidy(self, now_ms: int) -> None:
        """Forget sign-ins that would be past by now."""
        self._ended = {name: e for name, e in self._ended.items() if e.expires_at > now_ms}

    @property
    def tokens(self) -> list[Token]:
        """All that are known."""
        return list(self._tokens.values())

    @property
    def ended(self) -> dict[str, Logout]:
        """Ended sign-ins by their id."""
        return dict(self._ended)

    def ended_of(self, token: str) -> list[Logout]:
        """Sign-ins of a token that were ended one by one."""
        line = line_of(token)
        return [e for e in self._ended.values() if e.token == token and e.id != line]

    def by_secret(self, secret: str, now_ms: int) -> Token | None:
        """The token that somebody shows, if it is good: found by its hash, compared with none."""
        token = self._by_hash.get(hash_of(secret))
        return token if token is not None and token.is_good(now_ms) else None

    def by_id(self, token_id: str, now_ms: int) -> Token | None:
        """A token, if it is good."""
        token = self._tokens.get(token_id)
        return token if token is not None and token.is_good(now_ms) else None

    def has_ended(self, sign_in: str, token: str, expires_at: int) -> bool:
        """Whether a sign-in was ended."""
        line = self._ended.get(line_of(token))
        return sign_in in self._ended or (line is not None and expires_at <= line.expires_at)
