"""Whether a figure changed, or only fluctuated: tests that say nothing where there is too little to say."""

from __future__ import annotations

import math

from reporting.catalogue import Form
from reporting.tallies import Tally

CERTAIN = 0.05  #: a change is significant below this
_FEWEST = 8  #: durations on each side, below which the normal approximation of ranks does not hold
_EXACT_UP_TO = 1000


def p_of(form: Form, now: Tally, before: Tally) -> float | None:
    """The probability of a difference at least as large if nothing had changed; None where there is too little."""
    if form in (Form.COUNT, Form.MONEY):
        return poisson(now.count, before.count)
    if form is Form.SHARE:
        return shares(now.part, now.count, before.part, before.count)
    if form is Form.POINTS:
        return means(now, before)
    if form in (Form.SECONDS, Form.MILLISECONDS):
        return ranks(now, before)
    return None


def poisson(one: int, other: int) -> float | None:
    """Two counts of equally long periods: given their sum, each event falls on either with probability one half.

    Przyborowski and Wilenski, "Homogeneity of Results in Testing Samples from Poisson Series", Biometrika 31 (1940).
    What comes in bursts fluctuates more than that.
    """
    both, less = one + other, min(one, other)
    if not both:
        return None
    if both > _EXACT_UP_TO:
        return _two_sided((abs(one - other) - 1) / math.sqrt(both)) if one != other else 1.0
    tail = sum(math.comb(both, k) for k in range(less + 1))
    return min(1.0, float(2 * tail / 2**both))


def shares(part: int, whole: int, part_before: int, whole_before: int) -> float | None:
    """Two shares: the two-proportion z test with the pooled share, if each outcome is to be expected five times.

    Newcombe, "Interval Estimation for the Difference Between Independent Proportions", Statistics in Medicine 17
    (1998), compares it with its rivals; Cochran (1954) gives the rule of five.
    """
    if not whole or not whole_before:
        return None
    pooled = (part + part_before) / (whole + whole_before)
    if min(whole, whole_before) * min(pooled, 1 - pooled) < 5:
        return None
    error = math.sqrt(pooled * (1 - pooled) * (1 / whole + 1 / whole_before))
    return _two_sided((part / whole - part_before / whole_before) / error)


def means(now: Tally, before: Tally) -> float | None:
    """Points, which are the mean of 1, 0 and -1: the z test of two means (Welch, Biometrika 34, 1947, for many)."""
    if min(now.count, before.count) < 5:
        return None
    (one, error), (other, error_before) = now.points(), before.points()
    spread = math.hypot(error, error_before)
    if not spread:
        return None
    return _two_sided((one - other) / spread)


def ranks(now: Tally, before: Tally) -> float | None:
    """Durations: the rank sum test, with its correction for ties, since neither mean nor spread of them is normal.

    Mann and Whitney, "On a Test of Whether one of Two Random Variables is Stochastically Larger than the Other", Annals
    of Mathematical Statistics 18 (1947).
    """
    many, many_before = now.count, before.count
    if min(many, many_before) < _FEWEST:
        return None
    whole, seen, rank_sum, ties = many + many_before, 0, 0.0, 0.0
    for value in sorted(now.spread.keys() | before.spread.keys()):
        here = now.spread.get(value, 0)
        tied = here + before.spread.get(value, 0)
        rank_sum += here * (seen + (tied + 1) / 2)
        ties += float(tied) ** 3 - tied
        seen += tied
    statistic = rank_sum - many * (many + 1) / 2
    variance = many * many_before / 12 * (whole + 1 - ties / (whole * (whole - 1)))
    if variance <= 0:
        return 1.0
    return _two_sided((statistic - many * many_before / 2) / math.sqrt(variance))


def _two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
