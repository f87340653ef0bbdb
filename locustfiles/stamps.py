"""When the events happened that a frame shows: the stamps that ``payloads`` puts into texts.

Pure. Used by viewers and by the benchmark of the scenarios.
"""

import re
from typing import Any

STAMP = re.compile(r"ts=(\d{19})")

Frame = dict[str, Any]


def stamps_in(text: str) -> list[int]:
    """The times in a text, in ns."""
    return [int(each) for each in STAMP.findall(text)]


def first_shown(frame: Frame) -> list[tuple[str, int]]:
    """The lanes and times (ns) of the events that a frame of hub.v1 is the first to show.

    Snapshots, full sets and rows that come into view show what may have happened long ago.
    """
    kind = frame["type"]
    lane, texts = "", []
    if kind == "overview.patch":
        rows = (row for row in frame["set"] if "workspace" not in row)
        lane, texts = "overview", [row.get("title") or "" for row in rows]
    elif kind == "session.patch":
        lane, texts = "session", [frame.get("set", {}).get("title") or ""]
    elif kind == "attention" and not frame["full"]:
        lane, texts = "attention", [item["summary"] or "" for item in frame["open"]]
    return [(lane, stamp) for text in texts for stamp in stamps_in(text)[:1]]
