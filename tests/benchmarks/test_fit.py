"""Lines through points: what is true of them is found again, and wild points change little."""

import pytest
from fit import least_squares, robust_slope
from hypothesis import given
from hypothesis import strategies as st

costs = st.floats(0.1, 100.0)


@given(st.floats(-50, 50), st.floats(-1000, 1000))
def test_a_straight_line_has_its_slope(slope: float, first: float) -> None:
    """Whatever it is."""
    points = [(float(x), first + slope * x) for x in range(20)]
    assert robust_slope(points) == pytest.approx(slope, abs=1e-6)


@given(st.lists(st.integers(0, 29), max_size=6, unique=True), st.floats(-1e6, 1e6))
def test_a_few_wild_points_do_not_move_the_slope(places: list[int], wild: float) -> None:
    """A fifth of them may be anything at all."""
    points = [(float(x), wild if x in places else 3.0 * x) for x in range(30)]
    assert robust_slope(points) == pytest.approx(3.0, abs=1.5)


def test_no_points_have_no_slope() -> None:
    """Neither none nor one, nor two at one place."""
    assert [robust_slope(each) for each in ([], [(1.0, 2.0)], [(1.0, 2.0), (1.0, 9.0)])] == [
        0.0
    ] * 3


@given(costs, costs, costs)
def test_costs_are_found_again(a: float, b: float, c: float) -> None:
    """Of points that a model made, the model's own costs, and nothing is missed."""
    rows = [(1.0, float(x), float(x * x % 7)) for x in range(12)]
    fit = least_squares(rows, [a + b * x + c * y for _, x, y in rows])
    assert fit.costs == pytest.approx([a, b, c], rel=1e-6)
    assert max(map(abs, fit.residuals)) < 1e-6 * (a + 12 * b + 7 * c)
    assert fit.at((1.0, 2.0, 3.0)) == pytest.approx(a + 2 * b + 3 * c, rel=1e-6)
    assert fit.share == pytest.approx(1.0)


def test_no_cost_is_below_nothing() -> None:
    """A factor that would have to be negative costs nothing, and the rest is fitted without it."""
    rows = [(1.0, float(x), float(x % 3)) for x in range(9)]
    fit = least_squares(rows, [5.0 + 2 * x - 1.0 * y for _, x, y in rows])
    assert fit.costs[2] == 0.0
    assert fit.costs[1] == pytest.approx(2.0, rel=0.1)


def test_a_factor_that_is_nowhere_costs_nothing() -> None:
    """It cannot be told, and hinders nobody."""
    assert least_squares([(1.0, 0.0), (2.0, 0.0)], [3.0, 6.0]).costs == pytest.approx([3.0, 0.0])


def test_weights_decide_between_points_that_disagree() -> None:
    """The heavier one is missed less."""
    fit = least_squares([(1.0,), (1.0,)], [1.0, 2.0], [9.0, 1.0])
    assert fit.costs == pytest.approx([1.1])


def test_what_cannot_be_told_apart_is_an_error() -> None:
    """Two factors that always come together, and fewer points than factors."""
    with pytest.raises(ValueError, match="told apart"):
        least_squares([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="too few"):
        least_squares([(1.0, 2.0)], [1.0])
