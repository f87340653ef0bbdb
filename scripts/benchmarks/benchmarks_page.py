"""The page that benchmarks are published on: a section each, replaced when measured anew."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def write(heading: str, section: str) -> None:
    """Put it in the place of the last one under its heading; what is said below the table stays."""
    page = PAGE.read_text()
    last = re.compile(rf"{re.escape(heading)}\n(?:[^|#\n].*\n|\n)*(?:\|.*\n)*")
    if found := last.search(page):
        rest = page[found.end() :]
        gap = "\n" if rest and not rest.startswith("\n") else ""
        PAGE.write_text(page[: found.start()] + section + gap + rest)
    else:
        PAGE.write_text(page.rstrip("\n") + "\n\n" + section)
