"""The door: who may ask, from where, and the ways a credential arrives.

Checks Host and Origin on HTTP and WebSocket alike. Never logs a credential, never compares one
in a way that takes longer the more of it is right. Called by the apps and the WebSocket shell.
"""

import base64
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

COOKIE_MAX_AGE_S = 30 * 86_400
CODE_MAX_AGE_S = 15 * 60
CODES_MAX = 100

Headers = Mapping[str, str]


class Grant(Struct, frozen=True, kw_only=True):
    """What a credential allows."""

    role: str
    workspace: str
    expires_at: int = 0


OWNER = Grant(role="operator", workspace="default")


class Door:
    """Credentials of one tower. ``key`` signs cookies; ``token`` is the owner's."""

    def __init__(
        self,
        *,
        token: str,
        key: bytes,
        port: int,
        needs_credential: bool = True,
        on_loopback: bool = True,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
    ) -> None:
        self.needs_credential = needs_credential
        self.on_loopback = on_loopback
        self.cookie_name = f"tower_{port}"
        self.hosts = {host.casefold() for host in hosts}
        self.origins = {origin.rstrip("/").casefold() for origin in origins}
        self._token = token.encode()
        self._key = key
        self._codes: dict[bytes, float] = {}

    def use_key(self, key: str) -> None:
        """Sign with the key that all workers share."""
        self._key = key.encode()

    # Credentials.

    def grant(self, headers: Headers) -> Grant | None:
        """The grant of a request's Bearer token or cookie, or None."""
        if not self.needs_credential:
            return OWNER
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme:
            return self.grant_token(token.strip()) if scheme.casefold() == "bearer" else None
        return self._grant_cookie(headers.get("cookie", ""))

    def grant_token(self, token: str) -> Grant | None:
        """The grant of a token, or None."""
        if not self.needs_credential:
            return OWNER
        same = hmac.compare_digest(token.encode("utf-8", "replace"), self._token)
        return OWNER if same and token else None

    def issue_code(self) -> str:
        """A one-time code, good for a quarter of an hour."""
        code = secrets.token_urlsafe(24)
        if len(self._codes) >= CODES_MAX:
            del self._codes[next(iter(self._codes))]
        self._codes[_digest(code)] = time.monotonic() + CODE_MAX_AGE_S
        return code

    def redeem_code(self, code: str) -> Grant | None:
        """The grant of a one-time code; it is used up by this."""
        expires_at = self._codes.pop(_digest(code), None)
        if expires_at is None or expires_at < time.monotonic():
            return None
        return OWNER

    def cookie(self, grant: Grant, *, secure: bool) -> str:
        """The ``Set-Cookie`` value that carries a grant."""
        expires_at = int(time.time()) + COOKIE_MAX_AGE_S
        body = msgspec.json.encode(msgspec.structs.replace(grant, expires_at=expires_at))
        value = f"{_b64(body)}.{_b64(self._sign(body))}"
        flags = "; HttpOnly; SameSite=Strict; Path=/" + ("; Secure" if secure else "")
        return f"{self.cookie_name}={value}; Max-Age={COOKIE_MAX_AGE_S}{flags}"

    def _grant_cookie(self, header: str) -> Grant | None:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.cookie_name:
                return self._read_cookie(value)
        return None

    def _read_cookie(self, value: str) -> Grant | None:
        body_text, _, signature_text = value.partition(".")
        try:
            body, signature = _unb64(body_text), _unb64(signature_text)
        except ValueError:
            return None
        if not hmac.compare_digest(signature, self._sign(body)):
            return None
        grant = msgspec.json.decode(body, type=Grant)
        return grant if grant.expires_at > time.time() else None

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, b"cookie\x00" + self.cookie_name.encode() + body, "sha256")

    # Where a request comes from.

    def host_is_allowed(self, headers: Headers) -> bool:
        """A name that we do not know is an attack by DNS rebinding; an address cannot be."""
        name = _host_name(headers.get("host", ""))
        return name in self.hosts or name == "localhost" or _is_address(name)

    def origin_is_allowed(self, headers: Headers) -> bool:
        """No Origin (not a browser), our own, or one that was allowed by name."""
        origin = headers.get("origin")
        if origin is None:
            return True
        scheme, _, authority = origin.rstrip("/").casefold().partition("://")
        own = headers.get("host", "").casefold()
        is_own = scheme in ("http", "https") and authority == own
        return is_own or origin.rstrip("/").casefold() in self.origins


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an ASGI scope by lower-case name; of a repeated one the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _host_name(host: str) -> str:
    host = host.casefold()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
