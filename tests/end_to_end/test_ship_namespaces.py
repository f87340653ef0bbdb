"""Two machines and a cable that is pulled: all that transcripts hold is on the board, and once."""

from pathlib import Path

import pytest

from tests.end_to_end.ship_story import story
from tests.history.exact import expected_of

CUT_S = 3.0


@pytest.mark.fixtures
@pytest.mark.namespaces
def test_a_cut_line_loses_nothing_and_tells_nothing_twice(
    shared_fixtures: Path, tmp_path: Path
) -> None:
    """Of 48 recorded sessions, over TLS; what a hook said in the cut is lost, and nothing else."""
    expected = expected_of(shared_fixtures / "expected_totals.json")
    seen = story(shared_fixtures / "claude_home", expected, tmp_path, CUT_S)
    assert seen["wrong"] == {}
    for name in ("input", "output", "cache_read", "cache_write"):
        counted, wanted = seen[name]
        assert counted == wanted, name
    assert (seen["hook_before"], seen["hook_in_the_cut"], seen["hook_after"]) == (True, False, True)
    assert seen["hooks_heard"] == ["before", "after"]
    assert (seen["dropped"], seen["exit_code"]) == (0, 0)
    assert seen["sent"] > seen["sent_before"] > 0
