"""The door: who may ask, from where, and the ways a credential arrives.

Checks Host and Origin on HTTP and WebSocket alike. Never logs a credential, never compares one
in a way that takes longer the more of it is right. Called by the apps and the WebSocket shell.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from history.credentials import OWNER as OWNER_ID
from history.credentials import Token
from hub.cookies import Cookies, SignIn
from hub.keyring import Keyring
from hub.limits import DoorLimits
from hub.throttle import Throttles

CODE_MAX_AGE_S = 15 * 60
CODES_MAX = 100
UNDECIDED_S = 2.0

Headers = Mapping[str, str]


class Grant(Struct, frozen=True, kw_only=True):
    """What a credential allows; ``expires_at`` in ms, 0 for never. ``sign_in`` is of a cookie."""

    role: str
    workspace: str
    token: str = OWNER_ID
    name: str = OWNER_ID
    expires_at: int = 0
    sign_in: SignIn | None = None

    @property
    def is_owner(self) -> bool:
        """Whether it is good for everything, whatever the workspace."""
        return self.token == OWNER_ID


OWNER = Grant(role="operator", workspace="default")


class Door:
    """Credentials of one tower. ``key`` signs cookies; ``token`` is the owner's.

    ``keys`` are all other tokens: none, unless somebody will tell them (``await_keys``).
    """

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
        self.hosts = {host.casefold() for host in hosts}
        self.origins = {origin.rstrip("/").casefold() for origin in origins}
        self.keys = Keyring(is_filled=True)
        self.limit(DoorLimits())
        self.cookies = Cookies(key, port)
        self._token = token.encode()
        self._lacks_key = False
        self._codes: dict[bytes, float] = {}
        self._settled = asyncio.Event()
        self.settle()

    def limit(self, limits: DoorLimits) -> None:
        """Begin to count anew, by these limits."""
        self.limits = limits
        self.throttles = Throttles(limits)

    def await_keys(self) -> None:
        """Tokens are still to be told."""
        self.keys = Keyring()
        self.settle()

    def await_key(self) -> None:
        """Cookies are signed with a key that is still to be told."""
        self._lacks_key = True
        self.settle()

    def use_key(self, key: str) -> None:
        """Sign with the key that all workers share."""
        self.cookies.key = key.encode()
        self._lacks_key = False
        self.settle()

    def settle(self) -> None:
        """Whoever waits looks again: keys were told."""
        if self.is_settled:
            self._settled.set()
        else:
            self._settled.clear()

    @property
    def is_settled(self) -> bool:
        """Whether a credential that is not known is none: all keys are known."""
        return not self.needs_credential or (self.keys.is_filled and not self._lacks_key)

    async def settled(self) -> bool:
        """Wait a moment for the keys; gives whether they are known."""
        try:
            async with asyncio.timeout(UNDECIDED_S):
                await self._settled.wait()
        except TimeoutError:
            return False
        return True

    # Credentials.

    def grant(self, headers: Headers) -> Grant | None:
        """The grant of a request's Bearer token or cookie, or None."""
        if not self.needs_credential:
            return OWNER
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme:
            return self.grant_token(token.strip()) if scheme.casefold() == "bearer" else None
        sign_in = self.cookies.read(headers.get("cookie", ""))
        return None if sign_in is None else self._grant_sign_in(sign_in)

    def is_shown(self, headers: Headers) -> bool:
        """Whether a request brings something that means to be a credential of ours."""
        cookies = headers.get("cookie", "")
        return bool(headers.get("authorization")) or f"{self.cookies.name}=" in cookies

    def grant_token(self, token: str) -> Grant | None:
        """The grant of a token, or None."""
        if not self.needs_credential:
            return OWNER
        told = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        if hmac.compare_digest(told, hashlib.sha256(self._token).digest()) and token:
            return OWNER
        known = self.keys.by_secret(token, now_ms())
        return None if known is None else grant_of(known)

    async def grant_token_soon(self, token: str) -> Grant | None:
        """The same; of a process that has just started, a moment later."""
        grant = self.grant_token(token)
        if grant is None and not self.is_settled:
            await self.settled()
            grant = self.grant_token(token)
        return grant

    def _grant_sign_in(self, sign_in: SignIn) -> Grant | None:
        grant = self._grant_id(sign_in.token)
        if grant is None or not self.cookies.is_bound(sign_in, self._hash(sign_in.token)):
            return None
        ends = [each for each in (grant.expires_at, sign_in.expires_at) if each]
        told = msgspec.structs.replace(grant, expires_at=min(ends), sign_in=sign_in)
        # Before all is known it may be one that was ended.
        return told if self.is_settled and self.holds(told) else None

    def _grant_id(self, token_id: str) -> Grant | None:
        if token_id == OWNER_ID:
            return OWNER
        known = self.keys.by_id(token_id, now_ms())
        return None if known is None else grant_of(known)

    def _hash(self, token_id: str) -> str:
        """Of a token that is good."""
        if token_id == OWNER_ID:
            return hashlib.sha256(self._token).hexdigest()
        known = self.keys.by_id(token_id, now_ms())
        return "" if known is None else known.hash

    def holds(self, grant: Grant) -> bool:
        """Whether a grant that was given is good still."""
        if not self.needs_credential:
            return True
        if 0 < grant.expires_at <= now_ms() or self._grant_id(grant.token) is None:
            return False
        sign_in = grant.sign_in
        return sign_in is None or not self.keys.has_ended(
            sign_in.id, sign_in.token, sign_in.expires_at
        )

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
        """The ``Set-Cookie`` value of a new sign-in by a grant that is good."""
        sign_in = self.cookies.sign(grant.token, self._hash(grant.token), now_ms())
        return self.cookies.header(sign_in, secure=secure)

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


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return int(time.time() * 1_000)


def grant_of(token: Token) -> Grant:
    """What a token that is good allows."""
    return Grant(
        role=token.role, workspace=token.workspace, token=token.id, name=token.name,
        expires_at=token.expires_at or 0,
    )  # fmt: skip


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The headers of an ASGI scope by lower-case name; of a repeated one the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def address_of(scope: Mapping[str, Any]) -> str:
    """Where a request comes from: the peer, or what a trusted proxy says of it."""
    return str((scope.get("client") or ("",))[0])[:64]


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
