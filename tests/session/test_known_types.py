"""Threads that convert to the same type for the first time, at the same moment, crash nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TURNS = 12  # a crash came in a third of them
TOGETHER = """
import sys, threading
{0}
sys.setswitchinterval(1e-6)
start = threading.Barrier(4)
def work():
    start.wait()
    {1}
threads = [threading.Thread(target=work) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
"""
DELTA = """
from session.delta import Event
from session.shapes import check
delta = Event(id="a", session="s", kind="prompt", source="hooks", received_at=1,
              fields={"text": "x", "hash": "h"})
"""
NATIVE = """
import msgspec
from ingest.adapters.native_kinds import Native
told = {"kind": "usage", "id": "1", "session": "s", "agent": "a", "model": "m", "input": 1}
"""
OTLP = """
from ingest.adapters.otlp_wire import records_of_json
body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"x"}]}]}]}'
"""


@pytest.mark.parametrize(
    ("before", "work"),
    [
        (DELTA, "check(delta)"),
        (NATIVE, "msgspec.convert(told, type=Native)"),
        (OTLP, "list(records_of_json(body))"),
    ],
    ids=["deltas", "native", "otlp"],
)
def test_the_first_bodies_may_come_together(before: str, work: str) -> None:
    """As after a start under load, where producers post again what was not answered."""
    source = TOGETHER.format(before, work)
    for _ in range(TURNS):
        done = subprocess.run(
            [sys.executable, "-c", source], env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
