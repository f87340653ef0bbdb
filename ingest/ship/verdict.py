"""What an answer of a tower means for what was sent to it. Pure. Used by the shipper."""

import enum
from email.utils import parsedate_to_datetime

NO_ANSWER = 0
_NAMES_A_LINE = "line "  # so begins what a tower says of a delta; a proxy's 400 says something else
_LATER = (408, 425, 429)


class Verdict(enum.Enum):
    """What to do with a batch."""

    TAKEN = enum.auto()  # it is on the log
    SPLIT = enum.auto()  # something in it is refused: find it, and let its neighbours pass
    LATER = enum.auto()  # the same again, after a pause
    REFUSED = enum.auto()  # a person must do something first


def judge(status: int, detail: str, lines: int) -> Verdict:
    """By the status of an answer to so many lines, ``NO_ANSWER`` for none, and by its reason.

    Only a tower that names a line has refused a delta: nothing is left out for anybody else. One
    line is never too large for a tower, so whoever says that stands before it.
    """
    if 200 <= status < 300:
        return Verdict.TAKEN
    if (status == 413 and lines > 1) or (status == 400 and detail.startswith(_NAMES_A_LINE)):
        return Verdict.SPLIT
    if status == NO_ANSWER or status >= 500 or status in _LATER:
        return Verdict.LATER
    return Verdict.REFUSED


def advice(status: int, detail: str) -> str:
    """What a person is told of an answer that refuses everything."""
    if status == 401:
        return "the tower does not know this token (401): set TOWER_TOKEN, or --token-file"
    if status == 403:
        return f"the tower forbids it (403): {detail}"
    if 300 <= status < 400:
        return f"the tower is elsewhere ({status}): give --to {detail}"
    if status == 413:
        return "what stands before the tower takes only small bodies (413): raise its limit"
    if status in (404, 405):
        return f"there is no ingest at this URL ({status}): look at --to"
    return f"the answer is {status}: {detail}"


def retry_after_ms(value: str | None, now_ms: int) -> int:
    """What a ``Retry-After`` asks for, in seconds or as a date; 0 if it asks for nothing."""
    if not value:
        return 0
    if value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:9]) * 1_000
    try:
        return max(0, int(parsedate_to_datetime(value).timestamp() * 1_000) - now_ms)
    except (ValueError, OverflowError):
        return 0
