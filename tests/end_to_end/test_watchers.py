"""Who watches in a proof run follows the protocol also where a request is refused."""

import json
from typing import Any

from tests.end_to_end.cluster_watchers import Watcher


class Socket:
    """What was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send(self, text: str) -> None:
        """Keep it."""
        self.sent.append(json.loads(text))


async def opened(*sessions: str) -> tuple[Watcher, Socket]:
    """A watcher that has asked for these, and has heard nothing yet."""
    watcher, socket = Watcher("c", [""], "", {}, 1), Socket()
    watcher.socket = socket  # type: ignore[assignment]
    for each in sessions:
        await watcher._open(each)
    return watcher, socket


async def test_a_session_that_is_not_there_is_not_held() -> None:
    """The hub may not have heard of it yet: it is not called stale for ever."""
    watcher, _ = await opened("a", "b")
    watcher._refused("a", None)
    assert list(watcher.reference.opened) == ["b"]
    assert watcher._order == ["b"]


async def test_a_session_that_cannot_be_read_now_is_asked_for_again() -> None:
    """When its time has come, and as long as it is wanted."""
    watcher, socket = await opened("a", "b", "c")
    for each in ("a", "b"):
        watcher._refused(each, 0)
    watcher._refused("c", 600_000)
    watcher._order.remove("b")
    await watcher._ask_again()
    assert [each["session"] for each in socket.sent] == ["a", "b", "c", "a"]
    assert list(watcher._again) == ["c"]
