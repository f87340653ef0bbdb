"""Every door under hostile input, within bounds: the same cases at every run.

``scripts/fuzz`` runs the same properties for as long as one likes (docs/fuzzing.md).
"""

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz.targets import TARGETS, Target

EXAMPLES = 60

bounded = settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_comes_in_is_read_or_refused_and_harms_nobody(target: Target) -> None:
    """No other exception, no neighbour lost, no state that cannot be shown, kept or sent."""
    bounded(target.prop)()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_is_really_sent_passes(target: Target) -> None:
    """The corpus that a coverage-guided run begins with; and its bytes choose cases."""
    for body in target.corpus:
        target.check(body)
    assert target.prop.hypothesis.fuzz_one_input(b"\x00" * 4_096) is not None
