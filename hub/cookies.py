"""Cookies: a sign-in, signed. Bound to the tower's key, to the port, and to the token behind it.

Holds no right of its own: role and workspace are the token's, at each request. Called by the door.
"""

import base64
import hmac
import secrets

import msgspec
from msgspec import Struct

MAX_AGE_S = 30 * 86_400
_BYTES_MAX = 1_024


class SignIn(Struct, frozen=True):
    """What a cookie says. ``bound`` is of the token's hash: another token under its id is none."""

    id: str
    token: str
    expires_at: int
    bound: str


class Cookies:
    """Makes and reads the cookies of one port; ``key`` signs them."""

    def __init__(self, key: bytes, port: int) -> None:
        self.name = f"tower_{port}"
        self.key = key

    def sign(self, token_id: str, token_hash: str, now_ms: int) -> SignIn:
        """A new sign-in of a token."""
        expires_at = now_ms + MAX_AGE_S * 1_000
        return SignIn(secrets.token_hex(16), token_id, expires_at, self._bound(token_hash))

    def header(self, sign_in: SignIn, *, secure: bool) -> str:
        """The ``Set-Cookie`` value that carries a sign-in."""
        body = msgspec.json.encode(sign_in)
        value = f"{_b64(body)}.{_b64(self._signature(body))}"
        return f"{self.name}={value}; Max-Age={MAX_AGE_S}{_flags(secure)}"

    def gone(self, *, secure: bool) -> str:
        """The ``Set-Cookie`` value that takes it away."""
        return f"{self.name}=; Max-Age=0{_flags(secure)}"

    def read(self, header: str) -> SignIn | None:
        """The sign-in of a ``Cookie`` header, if we have signed it."""
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.name and len(value) <= _BYTES_MAX:
                return self._read(value)
        return None

    def is_bound(self, sign_in: SignIn, token_hash: str) -> bool:
        """Whether it was made of the token with that hash."""
        return hmac.compare_digest(sign_in.bound, self._bound(token_hash))

    def _read(self, value: str) -> SignIn | None:
        body_text, _, signature_text = value.partition(".")
        try:
            body, signature = _unb64(body_text), _unb64(signature_text)
        except ValueError:
            return None
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        try:
            return msgspec.json.decode(body, type=SignIn)
        except msgspec.MsgspecError:
            return None  # of an older release

    def _signature(self, body: bytes) -> bytes:
        return hmac.digest(self.key, b"cookie\x00" + self.name.encode() + body, "sha256")

    def _bound(self, token_hash: str) -> str:
        return hmac.digest(self.key, b"token\x00" + token_hash.encode(), "sha256").hex()[:32]


def _flags(secure: bool) -> str:
    return "; HttpOnly; SameSite=Strict; Path=/" + ("; Secure" if secure else "")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
