"""The tower that hooks are sent to, and who sends them. Pure but for the names of this machine."""

import socket
from urllib.parse import urlsplit

from msgspec import Struct

from hub.auth import is_loopback
from tower import settings
from tower.setting import SettingsError
from tower.settings import Settings
from tower.users import user_name

LABEL_MAX = 100


class Target(Struct, frozen=True):
    """A tower's ``url`` without a slash at its end; ``host`` and ``user`` are this machine's."""

    url: str
    near: bool  # on this machine
    needs_token: bool
    host: str
    user: str

    @property
    def address(self) -> str:
        """What two URLs of the same tower have in common."""
        return address_of(self.url)


def make_target(chosen: Settings, to: str | None) -> Target:
    """Where ``--to`` says, else the tower of these settings. Raises SettingsError."""
    url = to or f"http://{chosen.address}"
    checked = _checked(url)
    near = is_loopback(urlsplit(checked).hostname or "")
    # A tower that listens beyond loopback wants the token from everybody, also from here.
    open_to_all = near and (to is not None or is_loopback(chosen["host"]))
    return Target(checked, near, not open_to_all, label(socket.gethostname()), label(user_name()))


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"--to {url}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"--to {url}: expected a URL such as https://tower.example.org")
    if parts.username is not None or parts.password is not None:
        raise SettingsError("--to: no name or password in the URL; the token is $TOWER_TOKEN")
    if parts.query or parts.fragment:
        raise SettingsError(f"--to {url}: expected the tower's address alone, without ? or #")
    if not url.isascii() or not url.isprintable() or set(url) & set(" \"'\\$`<>"):
        raise SettingsError(f"--to {url!r}: has characters that a URL has not")
    return url.rstrip("/")


def label(name: str) -> str:
    """A name as a header may have it."""
    return "".join(each for each in name if each.isprintable()).strip()[:LABEL_MAX]


def address_of(url: str) -> str:
    """A URL as it is compared: with the port that goes without saying, and one name for here."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    host = parts.hostname or ""
    told = settings.address_of("127.0.0.1" if host == "localhost" else host, port)
    return f"{parts.scheme}://{told}{parts.path.rstrip('/')}"
