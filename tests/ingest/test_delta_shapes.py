"""Deltas that no adapter makes are refused at the door, before they are on any worker's board."""

import pytest

from ingest.limits import Limits
from tests.ingest.calls import Bench, refusal
from tests.ingest.test_app import ndjson, report


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("report", b'"to":9,"values":{"calls":{"m":7}}'),
        ("report", b'"to":9,"values":{"branch":["x"]}'),
        ("report", b'"to":9,"values":{"signal":{"status":"running"}}'),
        ("event", b'"kind":"tool_start","source":"hooks","fields":{"call":"c","tool":5}'),
        ("event", b'"kind":"tool_end","source":"hooks","fields":{}'),
        ("event", b'"kind":"prompt","source":""'),
    ],
)
async def test_a_delta_that_no_board_could_show_is_refused_with_its_line(
    kind: str, told: bytes
) -> None:
    """It would have failed in every worker, or broken the frames of those who look at it."""
    bench = Bench(Limits())
    line = b'{"type":"%b","id":"a","session":"s","received_at":1,%b}\n' % (kind.encode(), told)
    assert refusal(await bench.deltas(ndjson(report("r1")) + line), 400).startswith("line 2: ")
    assert bench.bus.taken == []
