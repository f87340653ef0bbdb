"""The first frame of a client, and later changes of its view: parsed, checked, with defaults.

Raises Refused for what must end the connection and BadRequest for what need not. Pure.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hub.errors import BadRequest, Refused
from hub.limits import Limits
from hub.live.client import Client, bucket_hz
from hub.live.frames import PROTOCOL
from hub.live.views import View, parse_view

_RESUME_MAX = 64
_NAME_MAX = 100


class Hello(Struct, kw_only=True):
    """What a client asked for. ``resume`` is least recently opened first."""

    name: str = ""
    token: str | None = None
    rate_hz: int = 60
    cap: int = 4
    view: View = View()
    pinned: tuple[str, ...] = ()
    resume: list[tuple[str, str]] = []
    active: str | None = None

    def configure(self, client: Client) -> None:
        """Give the client what it asked for."""
        client.name = self.name
        client.rate_hz = self.rate_hz
        client.view, client.pinned = self.view, self.pinned
        client.subscriptions.cap = self.cap

    def parted(self, lacks: Callable[[str], bool]) -> "tuple[Hello, Hello]":
        """The same with what can be resumed now, and with what must be read first.

        All of more than may be open must be, for they leave in their order.
        """
        late = [each for each in self.resume if lacks(each[0])]
        if late and len(self.resume) > self.cap:
            late = self.resume
        here = [each for each in self.resume if each not in late]
        return replace(self, resume=here), replace(self, resume=late)


def parse_hello(told: Any, limits: Limits) -> Hello:
    """Read ``hello``; raises Refused with the close code where it is none."""
    if not isinstance(told, dict) or told.get("type") != "hello":
        raise Refused(4502, "the first frame must be hello")
    if told.get("protocol") != PROTOCOL:
        raise Refused(4503, f"this hub speaks protocol {PROTOCOL}")
    try:
        view, pinned = parse_view(told.get("view"), limits.view_rows_max)
        hello = Hello(
            name=_text(told, "client")[:_NAME_MAX],
            token=_text(told, "token") or None,
            rate_hz=parse_rate(told.get("rate_hz"), limits),
            cap=_cap(told.get("subscriptions"), limits),
            view=view,
            pinned=pinned,
            resume=_resume(told.get("resume")),
            active=_text(told, "active") or None,
        )
    except BadRequest as error:
        raise Refused(4500, error.message) from error
    return hello


def parse_rate(hz: Any, limits: Limits) -> int:
    """The rate of the group that this wish falls into; raises BadRequest."""
    if hz is None:
        return bucket_hz(limits.rate_hz)
    if isinstance(hz, bool) or not isinstance(hz, int | float) or not hz > 0:
        raise BadRequest("bad_frame", "rate: expected hz from 1 to 1000")
    return bucket_hz(int(min(max(hz, 1), 1000)))


def _cap(told: Any, limits: Limits) -> int:
    if told is None:
        return limits.subscriptions
    if isinstance(told, bool) or not isinstance(told, int):
        raise BadRequest("bad_frame", "subscriptions: expected a whole number")
    return min(max(told, limits.subscriptions_min), limits.subscriptions_max)


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest("bad_frame", f"{name}: expected a text")
    return value or ""


def _resume(told: Any) -> list[tuple[str, str]]:
    if told is None:
        return []
    if not isinstance(told, list) or len(told) > _RESUME_MAX:
        raise BadRequest("bad_frame", f"resume: expected a list of at most {_RESUME_MAX}")
    pairs: dict[str, str] = {}
    for each in told:
        session = each.get("session") if isinstance(each, dict) else None
        if not isinstance(session, str) or not session:
            raise BadRequest("bad_frame", "resume: expected objects with session and cursor")
        cursor = each.get("cursor")
        pairs.pop(session, None)
        pairs[session] = cursor if isinstance(cursor, str) else ""
    return list(pairs.items())
