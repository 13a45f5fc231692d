"""Intervals agree with published examples and tables, and with what they mean when tried out many times."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning.estimates import (
    Moments,
    mean,
    mean_difference,
    needed,
    share,
    share_difference,
    student_cdf,
    student_quantile,
)


@pytest.mark.parametrize(
    ("probability", "freedom", "value"),
    [  # tables of Student's distribution
        (0.975, 1, 12.7062047364), (0.975, 2, 4.30265272991), (0.975, 5, 2.57058183661), (0.975, 10, 2.22813885196),
        (0.975, 30, 2.04227245630), (0.975, 120, 1.97993040505), (0.95, 5, 2.01504837267), (0.995, 10, 3.16927267261),
    ],
)  # fmt: skip
def test_students_quantiles_are_those_of_the_tables(probability: float, freedom: float, value: float) -> None:
    assert student_quantile(probability, freedom) == pytest.approx(value, rel=1e-9)
    assert student_cdf(value, freedom) == pytest.approx(probability, rel=1e-9)


@given(st.floats(0.001, 0.999), st.floats(1, 5000))
def test_a_quantile_is_the_inverse_and_symmetric(probability: float, freedom: float) -> None:
    value = student_quantile(probability, freedom)
    assert student_cdf(value, freedom) == pytest.approx(probability, abs=1e-9)
    assert student_quantile(1 - probability, freedom) == pytest.approx(-value, abs=1e-6)


@pytest.mark.parametrize(
    ("candidate", "live", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_differences_of_shares_are_those_newcombe_published(
    candidate: tuple[int, int], live: tuple[int, int], low: float, high: float
) -> None:
    found = share_difference(candidate, live)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_welchs_interval_is_the_one_worked_out_by_hand() -> None:
    """Means 20 and 15 with variances 9 and 16 of 10 and 12: Satterthwaite's freedom is 19.823, the quantile 2.087."""
    found = mean_difference(Moments(10, 20.0, 9.0), Moments(12, 15.0, 16.0))
    assert found is not None
    spread = math.sqrt(9 / 10 + 16 / 12)
    freedom = (9 / 10 + 16 / 12) ** 2 / ((9 / 10) ** 2 / 9 + (16 / 12) ** 2 / 11)
    assert freedom == pytest.approx(19.823, abs=1e-3)
    assert (found.high - found.low) / 2 / spread == pytest.approx(2.0870, abs=1e-3)
    assert found.value == 5.0
    assert found.seen


def test_a_mean_of_ratings_has_students_interval() -> None:
    """1 to 5 once each: mean 3, variance 2.5, 2.7764 times the root of a half to either side."""
    found = mean(Moments.of({1.0: 1, 2.0: 1, 3.0: 1, 4.0: 1, 5.0: 1}))
    assert found.value == 3.0
    assert found.low == pytest.approx(3 - 2.7764451 * math.sqrt(0.5))
    assert mean(Moments.of({4.0: 1})).low is None
    assert mean(Moments.of({})).value is None


def test_how_many_are_needed_is_the_textbooks_number() -> None:
    """Half against half, five points of 50 %: 2 times 1570 with the variance of a half."""
    assert needed(0.25, 0.05, 0.5) == pytest.approx(2 * 1570, abs=2)
    assert needed(0.25, 0.05, 0.1) > needed(0.25, 0.05, 0.5)


counts = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(lambda pair: (min(pair), max(pair)))


@given(counts, counts)
def test_an_interval_holds_its_figure_and_turns_round_with_the_sides(
    candidate: tuple[int, int], live: tuple[int, int]
) -> None:
    found, other = share_difference(candidate, live), share_difference(live, candidate)
    if not candidate[1] or not live[1]:
        assert found is None
        return
    assert found is not None
    assert other is not None
    assert -1 - 1e-9 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1 + 1e-9
    assert (found.low, found.high) == (pytest.approx(-other.high), pytest.approx(-other.low))
    one = share(*candidate)
    assert one.low is not None
    assert one.high is not None
    assert one.value is not None
    assert 0 <= one.low <= one.value + 1e-12
    assert one.value - 1e-12 <= one.high <= 1


def test_nineteen_of_twenty_intervals_hold_what_is_true() -> None:
    drawn = random.Random(7)  # repeatable
    held = 0
    for _ in range(2000):
        ours = sum(drawn.random() < 0.35 for _ in range(60))
        theirs = sum(drawn.random() < 0.30 for _ in range(300))
        found = share_difference((ours, 60), (theirs, 300))
        assert found is not None
        held += found.low <= 0.05 <= found.high
    assert 0.935 <= held / 2000 <= 0.97


@given(st.dictionaries(st.integers(1, 5).map(float), st.integers(0, 50)))
def test_moments_are_those_of_the_numbers_one_by_one(often: dict[float, int]) -> None:
    numbers = [number for number, count in often.items() for _ in range(count)]
    found = Moments.of(often)
    assert found.n == len(numbers)
    if len(numbers) > 1:
        middle = math.fsum(numbers) / len(numbers)
        assert found.mean == pytest.approx(middle)
        assert found.variance == pytest.approx(sum((one - middle) ** 2 for one in numbers) / (len(numbers) - 1))
