"""Parts of a running system die, hang and forget, and no invariant breaks.

These are the faults of the short set, on a small scene; the whole is ``scripts/bench faults``.
"""

import pytest

from tests.faults.fault import Fault
from tests.faults.matrix import FAULTS, chosen
from tests.faults.others import OTHERS
from tests.faults.run import BRIEF, run


@pytest.mark.redis_server
@pytest.mark.parametrize("fault", chosen(["short"]), ids=lambda fault: fault.number)
def test_no_invariant_breaks(fault: Fault) -> None:
    """Whoever watches holds the truth afterwards, and what was acknowledged is there, once."""
    report = run(fault, more=BRIEF)
    assert report["violations"] == []
    assert report["seen"]["acknowledged"] > 100


def test_every_number_stands_for_one_fault() -> None:
    """Both lists name each fault once, and the short set is a part of the whole."""
    numbers = [each.number for each in FAULTS] + [each[0] for each in OTHERS]
    assert len(numbers) == len(set(numbers))
    assert {int(number.rstrip("abc")) for number in numbers} == set(range(1, 41))
    assert 5 <= len(chosen(["short"])) < len(FAULTS)
    with pytest.raises(KeyError):
        chosen(["99"])
