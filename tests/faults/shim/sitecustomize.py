"""A process that is hurt from inside: its clock is wrong, or SIGUSR2 holds its loop up.

Python loads this by itself where the folder is on its path; only roles of a scene have it there.
"""

import os
import signal
import time

AHEAD_NS = int(float(os.environ.get("FAULT_AHEAD_S", "0")) * 1e9)
HELD_S = float(os.environ.get("FAULT_HELD_S", "0"))

_real_ns = time.time_ns


def _time_ns() -> int:
    return _real_ns() + AHEAD_NS


def _time() -> float:
    return _time_ns() / 1e9


def _hold_up(_signal: int, _frame: object) -> None:
    """Nothing else runs in this process meanwhile."""
    until = time.monotonic() + HELD_S
    while time.monotonic() < until:
        pass


time.time_ns, time.time = _time_ns, _time
if HELD_S:
    signal.signal(signal.SIGUSR2, _hold_up)
