"""What a hub begins with where the log has no checkpoint. Holds values and does nothing.

Made by ``history.kept``; imported by the hub, which imports nothing else of history but errors.
"""

from typing import NamedTuple

from session.state import Session


class Standing(NamedTuple):
    """What is not past and the latest of what is, of one partition, without timelines.

    ``place`` is where the log goes on from it: None where it is another log than was recorded.
    Until it ``is_settled`` more of what the log has lost may still come to stand in history.
    """

    sessions: list[Session]
    place: str | None
    is_settled: bool = True
