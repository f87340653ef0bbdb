"""Several workers on one Redis, one of which is killed: what every client holds is the log's fold.

The same by hand and at any size: ``python -m tests.end_to_end.cluster --help``.
"""

from pathlib import Path

import pytest

from tests.end_to_end.cluster import Scale, run

pytestmark = pytest.mark.redis_server


def test_nobody_loses_anything_when_a_hub_is_killed(tmp_path: Path) -> None:
    """Clients come back to the other hub, without a gap, a duplicate or a lost open item."""
    report = run(Scale(), tmp_path)
    assert report["violations"] == []
    assert report["events"]["acknowledged"] == report["events"]["on_the_log"] > 500
    assert report["watchers"] == 36
    assert report["back_s"]["count"] == 18
