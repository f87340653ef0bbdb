"""Figures of many values. Pure."""

from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which so large a share lies; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
