"""Agents that ask a person, a new one each second, and are answered after a while.

The workload's own questions are answered within moments; these stay open long enough that every
client must have been told of them. Posts to a real ingest until each is taken.
"""

import contextlib
import threading
from collections import deque

from session.delta import Delta, Event
from tests.end_to_end.cluster_story import Posting, Story, now_ms

EVERY_S = 1.0
OPEN_ASKS = 7


class Asker(threading.Thread):
    """Asks until the story has ended; the last questions stay open."""

    def __init__(self, story: Story) -> None:
        super().__init__(daemon=True)
        self._story = story
        self._open: deque[tuple[str, str]] = deque()
        self._count = 0

    def run(self) -> None:
        """One question each second; a batch that is not taken is posted again."""
        with contextlib.closing(Posting(self._story)) as connection:
            while not self._story.ended.wait(EVERY_S):
                connection.post(self._next())

    def _next(self) -> list[Delta]:
        session = call = f"ask-{self._count}"
        told = {"tool": "Bash", "call": call, "input_hash": call, "summary": f"make {call}"}
        events: list[Delta] = [
            self._event(session, "prompt", text=call, hash=call),
            self._event(session, "tool_start", **told),
            self._event(session, "permission", request={"command": "make"}, **told),
        ]
        self._open.append((session, call))
        if len(self._open) > OPEN_ASKS:
            session, call = self._open.popleft()
            events.append(self._event(session, "tool_end", call=call, tool="Bash", status="ok"))
        return events

    def _event(self, session: str, kind: str, **fields: object) -> Event:
        self._count += 1
        return Event(
            id=f"{session}:{self._count}", session=session, kind=kind, source="hooks",
            at=now_ms(), received_at=0, fields=fields,
        )  # fmt: skip
