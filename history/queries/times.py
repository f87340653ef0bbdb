"""Points in time as people give them: milliseconds, a day, or a time of ISO 8601. Pure.

A day is a day of UTC, and a time without an offset is UTC as well. Called by the filters.
"""

from datetime import UTC, date, datetime, timedelta

from history.errors import BadQuery
from history.rows import TIME_MAX_MS, day_of


def moment(name: str, told: str, *, is_end: bool = False) -> int:
    """Milliseconds since the epoch; of a day its first, or its last where it is an end.

    Raises BadQuery, which names the parameter.
    """
    try:
        at = int(told) if told.lstrip("-").isdigit() else _parsed(told, is_end)
    except (ValueError, OverflowError):
        at = -1
    if not 0 <= at <= TIME_MAX_MS:
        raise BadQuery(f"{name}: expected milliseconds, a day (2026-11-20) or a time of ISO 8601")
    return at


def day(name: str, told: str) -> str:
    """The day of a point in time, as ``2026-11-20``; raises BadQuery."""
    return day_of(moment(name, told))


def _parsed(told: str, is_end: bool) -> int:
    try:
        whole = date.fromisoformat(told)
    except ValueError:
        at = datetime.fromisoformat(told)
        return _ms(at if at.tzinfo else at.replace(tzinfo=UTC))
    start = datetime(whole.year, whole.month, whole.day, tzinfo=UTC)
    return _ms(start + timedelta(days=1)) - 1 if is_end else _ms(start)


def _ms(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
