"""Which lines of the product a corpus reaches: it is checked again, slowly, under a tracer.

Lines inside of functions alone: those of a module run when it is imported. Started by run.py.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("ingest/adapters", "session", "hub/live", "hub/inlet.py")
FILES_MAX = 1_500  # of one corpus, the smallest

reached: dict[str, set[int]] = defaultdict(set)
names = {str(ROOT / room) for room in ROOMS}


def trace(frame: FrameType, _kind: str, _told: Any) -> Any:
    """Follow calls into the rooms, and note each line there."""
    path = frame.f_code.co_filename
    if not path.startswith(tuple(names)):
        return None
    lines = reached[path]

    def note(inner: FrameType, kind: str, _: Any) -> Any:
        if kind == "line":
            lines.add(inner.f_lineno)
        return note

    return note


def lines_of(code: CodeType, *, is_module: bool = True) -> Iterator[int]:
    """Lines of all functions in a module; the line of a ``def`` belongs to whoever runs it."""
    if not is_module:
        yield from (line for _, _, line in code.co_lines() if line and line > code.co_firstlineno)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            is_class = "__qualname__" in inner.co_names
            yield from lines_of(inner, is_module=is_class)


def main() -> None:
    """Writes room → [lines reached, lines there are] as JSON."""
    corpus = Path(sys.argv[1])
    for target in TARGETS.values():
        files = sorted(
            (corpus / f"{target.name}-bytes").glob("*"), key=lambda at: at.stat().st_size
        )
        sys.settrace(trace)
        for each in files[:FILES_MAX]:
            target.check(each.read_bytes())
        sys.settrace(None)
    told = {}
    for room in ROOMS:
        at = ROOT / room
        files = sorted(at.rglob("*.py")) if at.is_dir() else [at]
        whole = {
            str(file): set(lines_of(compile(file.read_text(), str(file), "exec"))) for file in files
        }
        told[room] = [
            sum(len(lines & reached[path]) for path, lines in whole.items()),
            sum(map(len, whole.values())),
        ]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
