"""How sure a comparison of two versions is: shares and means with 95 % intervals, and how much more is needed.

Shares: Wilson's score interval (Wilson 1927); their difference: Newcombe's hybrid score interval (Newcombe 1998, method
10). Means: Student's t; their difference: Welch's t with Satterthwaite's degrees of freedom (Welch 1947). How many
conversations are needed to see a difference: the usual normal approximation, 80 % power.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from conversations.rating_report import wilson

LEVEL = 0.95
_Z_TWO_SIDED, _Z_POWER = 1.959963984540054, 0.8416212335729143


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; without anything to go by, only the interval of what is possible."""

    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The candidate's figure minus the live one's."""

    value: float
    low: float
    high: float

    @property
    def seen(self) -> bool:
        """Whether it is more than chance may explain."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Moments:
    """What is needed of many numbers: how many, their mean, and how they vary."""

    n: int
    mean: float
    variance: float  #: the sample's, by n - 1; 0 of fewer than two

    @classmethod
    def of(cls, counts: Mapping[float, int]) -> Moments:
        """Of numbers given by how often each occurs."""
        n = sum(counts.values())
        if n == 0:
            return cls(0, 0.0, 0.0)
        mean = math.fsum(number * often for number, often in counts.items()) / n
        squares = math.fsum(often * (number - mean) ** 2 for number, often in counts.items())
        return cls(n, mean, squares / (n - 1) if n > 1 else 0.0)


def share(successes: int, n: int) -> Estimate:
    """A share with Wilson's interval."""
    low, high = wilson(successes, n)
    return Estimate(n, successes / n if n else None, low, high)


def mean(of: Moments) -> Estimate:
    """A mean with Student's interval, which takes two numbers at least."""
    if of.n < 2:
        return Estimate(of.n, of.mean if of.n else None, None, None)
    reach = student_quantile(0.5 + LEVEL / 2, of.n - 1) * math.sqrt(of.variance / of.n)
    return Estimate(of.n, of.mean, of.mean - reach, of.mean + reach)


def share_difference(candidate: tuple[int, int], live: tuple[int, int]) -> Difference | None:
    """Newcombe's interval of the difference of two shares, each given as successes of n; None without either."""
    if not candidate[1] or not live[1]:
        return None
    p, q = candidate[0] / candidate[1], live[0] / live[1]
    (p_low, p_high), (q_low, q_high) = wilson(*candidate), wilson(*live)
    below = math.sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    above = math.sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return Difference(p - q, p - q - below, p - q + above)


def mean_difference(candidate: Moments, live: Moments) -> Difference | None:
    """Welch's interval of the difference of two means; None with fewer than two numbers on either side."""
    if candidate.n < 2 or live.n < 2:
        return None
    difference = candidate.mean - live.mean
    parts = candidate.variance / candidate.n, live.variance / live.n
    if sum(parts) == 0:
        return Difference(difference, difference, difference)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (candidate.n - 1) + parts[1] ** 2 / (live.n - 1))
    reach = student_quantile(0.5 + LEVEL / 2, freedom) * math.sqrt(sum(parts))
    return Difference(difference, difference - reach, difference + reach)


def needed(variance: float, difference: float, candidate_share: float) -> int:
    """How many conversations of both versions together are needed to see such a difference four times of five.

    ``variance`` is that of one conversation (p(1-p) of a share); the candidate gets ``candidate_share`` of them.
    """
    each = 1 / candidate_share + 1 / (1 - candidate_share)
    return math.ceil((_Z_TWO_SIDED + _Z_POWER) ** 2 * variance * each / difference**2)


def student_quantile(probability: float, freedom: float) -> float:
    """Below which value this share of Student's distribution lies; by halving, to twelve digits."""
    if probability < 0.5:
        return -student_quantile(1 - probability, freedom)
    low, high = 0.0, 2.0
    while student_cdf(high, freedom) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if student_cdf(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def student_cdf(value: float, freedom: float) -> float:
    """The share of Student's distribution below a value."""
    tail = _incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5) / 2
    return 1 - tail if value > 0 else tail


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    tiny, c = 1e-300, 1.0
    d = 1 / _off_zero(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 10_000):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _off_zero(1 + factor * d, tiny)
            c = _off_zero(1 + factor / c, tiny)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return math.exp(log_front) * value / a


def _off_zero(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
