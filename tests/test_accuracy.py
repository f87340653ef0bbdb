"""docs/accuracy.md says what is so: every test that it names exists, every number is computed."""

import re
from pathlib import Path

import pytest

from tests.ingest.adapters.test_claude_totals import EXPECTED
from tests.naive import priced_at_once, recorded_rows, small_rows, table

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "accuracy.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_the_page_names_exists(path: str, name: str) -> None:
    """Under this name, in this file."""
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_every_small_transcript_stands_on_the_page() -> None:
    """With what each way of counting says of it, and beside the trap that it is for."""
    assert table(small_rows()) in PAGE
    rest = PAGE.split("## Traps in transcripts of Claude Code")[1]
    assert [name for name in EXPECTED if f"`{name}`" not in rest] == []


@pytest.mark.parametrize("name", ["one_hour_cache", "long_context_tier"])
def test_what_a_price_of_sums_would_be_is_as_the_page_says(name: str) -> None:
    """And it is another one than the right one."""
    wrong, right = priced_at_once(name), EXPECTED[name]["cost_usd"]
    assert f"| `{name}` | {wrong:.3f} | {right:.3f} |" in PAGE
    assert wrong != pytest.approx(right)


@pytest.mark.fixtures
def test_the_recorded_sessions_say_what_the_page_says(shared_fixtures: Path) -> None:
    """Tower and ccusage are one; the other ways are as far off as it says."""
    rows = recorded_rows(shared_fixtures)
    assert table(rows) in PAGE
    assert [ours for *_, ours, _ in rows] == [theirs for *_, theirs in rows]
