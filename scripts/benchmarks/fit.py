"""Lines through measured points: by least squares, and robustly. Pure.

Used for slopes of memory and for the model of what capacity costs.
"""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Fit(NamedTuple):
    """What each factor costs, and by how much the model misses each point."""

    costs: list[float]
    residuals: list[float]
    share: float  # of the variation that the model explains, at most 1

    def at(self, factors: Sequence[float]) -> float:
        """What the model says of a point."""
        return sum(cost * factor for cost, factor in zip(self.costs, factors, strict=True))


def robust_slope(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between any two points (Theil and Sen); 0 where there are none.

    A third of the points may be anything at all without moving it far.
    """
    slopes = [
        (y - before_y) / (x - before_x)
        for at, (x, y) in enumerate(points)
        for before_x, before_y in points[:at]
        if x != before_x
    ]
    return median(slopes) if slopes else 0.0


def least_squares(
    rows: Sequence[Sequence[float]], values: Sequence[float], weights: Sequence[float] = ()
) -> Fit:
    """Costs of the factors by which the values are missed least; none is below nothing.

    ``rows`` has the factors of each point, a constant 1 among them where one is meant. A factor
    whose cost would be negative is left out. Raises ValueError where there are too few points.
    """
    kept = [at for at in range(len(rows[0])) if any(row[at] for row in rows)]
    weighted = weights or [1.0] * len(rows)
    while True:
        if len(rows) < len(kept):
            raise ValueError(f"{len(rows)} points are too few for {len(kept)} factors")
        found = _solve(*_normal([[row[at] for at in kept] for row in rows], values, weighted))
        worst = min(range(len(kept)), key=found.__getitem__, default=-1)
        if worst < 0 or found[worst] >= 0:
            break
        del kept[worst]
    costs = [0.0] * len(rows[0])
    for at, cost in zip(kept, found, strict=True):
        costs[at] = cost
    told = [sum(c * f for c, f in zip(costs, row, strict=True)) for row in rows]
    residuals = [value - each for value, each in zip(values, told, strict=True)]
    return Fit(costs, residuals, _explained(values, residuals))


def _normal(
    rows: list[list[float]], values: Sequence[float], weights: Sequence[float]
) -> tuple[list[list[float]], list[float]]:
    size = range(len(rows[0]) if rows else 0)
    each = list(zip(weights, rows, values, strict=True))
    matrix = [[sum(w * row[i] * row[j] for w, row, _ in each) for j in size] for i in size]
    return matrix, [sum(w * row[i] * value for w, row, value in each) for i in size]


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """By elimination with pivots. Raises ValueError where factors cannot be told apart."""
    size = len(matrix)
    table = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(size):
        best = max(range(at, size), key=lambda row: abs(table[row][at]))
        table[at], table[best] = table[best], table[at]
        if abs(table[at][at]) < 1e-12:
            raise ValueError("two factors cannot be told apart by these points")
        for row in range(size):
            if row != at:
                part = table[row][at] / table[at][at]
                table[row] = [a - part * b for a, b in zip(table[row], table[at], strict=True)]
    return [table[at][size] / table[at][at] for at in range(size)]


def _explained(values: Sequence[float], residuals: Sequence[float]) -> float:
    middle = sum(values) / len(values)
    around = sum((value - middle) ** 2 for value in values)
    return 1 - sum(each**2 for each in residuals) / around if around else 1.0
