"""The heap of a page that is watched for long, as the benchmark of the dashboard tells it."""

import itertools

import dashboard_heap
import pytest
from dashboard_heap import heap_rows, sampled


class Made:
    """A page that keeps so much, and has so much more at hand now and then."""

    def __init__(self, kept: list[float]) -> None:
        self._kept = iter(kept)
        self._spare = itertools.cycle([2e6, 0.0, 1e6])
        self._looks = itertools.count()
        self._now = 0.0

    async def collected(self) -> dict[str, float]:
        """Another value every sixth time."""
        if next(self._looks) % dashboard_heap.LOOKS == 0:
            self._now = next(self._kept)
        heap = self._now + next(self._spare)
        return {"JSHeapUsedSize": heap, "Nodes": 10, "JSEventListeners": 3}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes that take no time."""
    monkeypatch.setattr(dashboard_heap, "EVERY_S", 0.0)
    monkeypatch.setattr(dashboard_heap, "LOOK_S", 0.0)


@pytest.mark.parametrize(("growth", "is_flat"), [(0.0, True), (0.02e6, True), (0.1e6, False)])
async def test_a_heap_is_flat_by_what_stays_whatever_is_on_its_way(
    growth: float, is_flat: bool
) -> None:
    """Megabytes that have just come, and are gone at the next look, are no growth."""
    samples = await sampled(Made([10e6 + growth * each for each in range(31)]), 30)
    assert [each["heap_bytes"] for each in samples] == [10e6 + growth * n for n in range(31)]
    what, told, target, reached = heap_rows(samples)[0]
    assert what == "heap over 30 minutes, first third → last"
    assert told.startswith("10.")
    assert target == "flat (5 %)"
    assert reached is is_flat


async def test_a_heap_that_nobody_watched_is_not_told() -> None:
    """Without minutes there is no row."""
    assert heap_rows(await sampled(Made([]), 0)) == []
