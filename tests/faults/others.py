"""Faults that tests show which were there already: number, name, what must hold, where.

The table of the others is ``tests/faults/matrix.py``.
"""

OTHERS = [
    ("19b", "Recorder killed at each point of its work", "exactly once (I10)",
     "tests/history/test_exact.py tests/history/test_recorder.py"),
    ("21b", "The database is locked, slow or away", "nothing lost (I10)",
     "tests/history/test_database_faults.py"),
    ("28", "Frames lost, doubled or out of order above TCP", "every loss is noticed (I2 I3)",
     "tests/simulation"),
    ("31", "Interleavings of opening, evicting, activating", "I3 I6",
     "tests/hub/live/test_switchboard_machine.py tests/hub/live/test_opening_machine.py"),
    ("32", "Questions while evicted, mid-snapshot, reconnecting, behind", "0 lost (I4)",
     "tests/hub/live/test_attention.py tests/end_to_end/test_attention.py"),
    ("35", "Malformed frames and handshakes", "only that connection ends (I9 I14)",
     "tests/hub/test_malformed.py tests/end_to_end/test_hostile.py"),
    ("36", "A compression bomb", "inflated to 64 KiB at most, then 4500 (I14)",
     "tests/hub/test_deflate.py"),
    ("39", "Foreign origins, spent codes, bad tokens", "refused, no secret is logged",
     "tests/end_to_end/test_door.py tests/hub/test_auth.py"),
]  # fmt: skip


def looked_at(names: list[str]) -> list[tuple[str, str, str, str]]:
    """Those of these numbers that tests of their own show."""
    return [each for each in OTHERS if names == ["all"] or each[0] in names]
