"""Asking a tower by urllib: no proxy on this machine, and nobody is sent on with the token."""

import urllib.request
from typing import Any


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """An answer that leads elsewhere is an answer."""


def make_opener(*, near: bool) -> urllib.request.OpenerDirector:
    """An opener for a tower on this machine, or for another one."""
    direct = [urllib.request.ProxyHandler({})] if near else []
    return urllib.request.build_opener(_Stay(), *direct)
