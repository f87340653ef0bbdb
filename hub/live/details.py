"""What a session's snapshot and patches carry: members and sections as encoded JSON.

Values are read late, from the session as it is now: changes only name them. Pure.
Called by channels.
"""

from collections.abc import Iterable
from typing import Any

from hub.live.frames import Member, Section, encode
from session.changes import Changes
from session.state import (
    MAP_NAMES,
    SMALL_DETAIL_NAMES,
    SUMMARY_NAMES,
    Session,
    bucket,
    detail,
    series_is_merged,
    token_series,
)

_SET_NAMES = frozenset(SUMMARY_NAMES + SMALL_DETAIL_NAMES)


def pair(name: str, value: Any) -> bytes:
    """One member of a JSON object."""
    return encode(name) + b":" + encode(value)


def detail_members(session: Session, *, is_partial: bool) -> list[Member]:
    """Everything of a snapshot's ``detail``: maps and series member by member.

    ``is_partial`` says that the older timeline could not be read.
    """
    told = detail(session)
    told["timeline_partial"] = told["timeline_partial"] or is_partial
    members: list[Member] = []
    for name, value in told.items():
        if name in MAP_NAMES:
            members.append(Member(b"", name, b"{}"))
            members += [Member(pair(key, each), name, b"{}") for key, each in value.items()]
        elif isinstance(value, list):
            members.append(Member(b"", name, b"[]"))
            members += [Member(encode(each), name, b"[]") for each in value]
        else:
            members.append(Member(pair(name, value)))
    return members


def everything(session: Session) -> Changes:
    """Changes that mark every name and every key."""
    changes = Changes()
    changes.name(*SUMMARY_NAMES, *SMALL_DETAIL_NAMES)
    for name in MAP_NAMES:
        changes.key(name, *getattr(session, name))
    changes.key("token_series", *session.minutes)
    changes.key("errors_list", *(error["seq"] for error in session.errors))
    changes.key("timeline", *(entry.seq for entry in session.timeline))
    return changes


def patch_sections(session: Session, changes: Changes) -> list[Section]:
    """The parts of a session patch: present values of everything that changed.

    Of the series, minutes are merged or taken back at times: then it goes whole.
    """
    minutes = changes.keys.get("token_series", set())
    whole = series_is_merged(session) or any(at not in session.minutes for at in minutes)
    values = [
        Member(pair(name, getattr(session, name))) for name in sorted(changes.names & _SET_NAMES)
    ]
    if minutes and whole:
        values.append(Member(pair("token_series", token_series(session))))
    maps = [
        Member(pair(key, getattr(session, name).get(key)), name, b"{}")
        for name in MAP_NAMES
        for key in _in_order(getattr(session, name), changes.keys.get(name, ()))
    ]
    series = {
        "token_series": [] if whole else _minutes(session, minutes),
        "errors_list": _by_seq(session.errors, changes.keys.get("errors_list", ())),
        "timeline": _entries(session, changes.keys.get("timeline", ())),
    }
    appended = [Member(item, name, b"[]") for name, held in series.items() for item in held]
    return [
        Section("set", b"{}", values),
        Section("maps", b"{}", maps),
        Section("append", b"{}", appended),
    ]


def _in_order(held: dict[str, Any], keys: Iterable[str | int]) -> list[str]:
    """Changed keys in the map's own order (objectives are a plan), then those that are gone."""
    changed = set(map(str, keys))
    return [key for key in held if key in changed] + sorted(changed - held.keys())


def _minutes(session: Session, keys: Iterable[str | int]) -> list[bytes]:
    known = sorted(int(at) for at in keys if at in session.minutes)
    return [encode(bucket(session, at)) for at in known]


def _by_seq(errors: list[dict[str, Any]], keys: Iterable[str | int]) -> list[bytes]:
    wanted = set(keys)
    return [encode(error) for error in errors if error["seq"] in wanted]


def _entries(session: Session, keys: Iterable[str | int]) -> list[bytes]:
    """Changed entries; one that the ring has dropped since is beyond what a client keeps."""
    wanted = set(keys)
    if not wanted:
        return []
    first = min(int(key) for key in wanted)
    tail: list[bytes] = []
    for entry in reversed(session.timeline.entries):
        if entry.seq < first:
            break
        if entry.seq in wanted:
            tail.append(encode(entry))
    tail.reverse()
    return tail
