"""The longest of everything that the door lets in, at once, fits the frames of those who watch."""

from typing import Any

from session import shapes
from tests.fuzz import checks
from tests.fuzz.grammar import written
from tests.session.made import NOW

ESCAPED = "\x00"  # six bytes of JSON for one of text
NAME, LABEL = ESCAPED * shapes.NAME_CHARS_MAX, ESCAPED * shapes.LABEL_CHARS_MAX
SOURCE = ESCAPED * shapes.SOURCE_CHARS_MAX
TEXT = ESCAPED * 3_000
FIELDS = {
    "tool": NAME, "title": TEXT, "cwd": f"/{TEXT}", "branch": TEXT, "phase": TEXT,
    "event_id": TEXT, "model": NAME,
}  # fmt: skip


def test_a_row_of_the_longest_names_fits_its_frame() -> None:
    """Sixteen sources, and every text that a row has; the reference client measures the frames."""
    lines: list[bytes] = []
    for number in range(20):
        told: dict[str, Any] = {
            "type": "event", "id": f"e{number}", "session": NAME, "received_at": NOW,
            "kind": "tool_start", "source": f"{SOURCE[:-2]}{number}", "agent": LABEL,
            "host": LABEL, "user": LABEL, "fields": {**FIELDS, "call": f"c{number}"},
        }  # fmt: skip
        lines.append(written(told))
        assert checks.taken(lines[-1]), "it is refused, and proves nothing"
    checks.deltas(b"\n".join(lines))
