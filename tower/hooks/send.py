"""``tower hooks send``: posts one hook payload, for machines that have no curl.

Says nothing and fails never: whatever becomes of it, the agent shall not hear of it.
"""

import contextlib
import http.client
import os
import sys
import urllib.request
from urllib.parse import urlsplit

from hub.auth import is_loopback
from tower.hooks.opener import make_opener

TIMEOUT_S = 8
BYTES_MAX = 8 * 1024 * 1024


def send(url: str, host: str, user: str) -> None:
    """Standard input to this URL, with the token where one is set."""
    body = sys.stdin.buffer.read(BYTES_MAX + 1)
    near = is_loopback(urlsplit(url).hostname or "")
    token = os.environ.get("TOWER_TOKEN")
    told = {"X-Tower-Host": host, "X-Tower-User": user}
    headers = {name: value.encode().decode("latin-1") for name, value in told.items() if value}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
        asked = urllib.request.Request(  # noqa: S310 - the installer took only http and https
            url, body, {"Content-Type": "application/json", **headers}
        )
        make_opener(near=near).open(asked, timeout=TIMEOUT_S).close()
