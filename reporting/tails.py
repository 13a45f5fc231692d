"""Chances of seeing so many or more, where counts vary more than chance alone makes them; and of many such looks at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

_NEGLIGIBLE = 1e-17
_MOST_TERMS = 100_000


def count_tail(seen: int, mean: float, variance: float) -> float:
    """The chance of at least ``seen`` where counts have this mean and variance: negative binomial, Poisson where the
    variance is no larger than the mean (Cameron and Trivedi, Regression Analysis of Count Data, 2nd ed. 2013, ch. 3)."""
    if seen <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if variance <= mean * (1 + 1e-9):
        return _sum_up(-mean + seen * math.log(mean) - math.lgamma(seen + 1), seen, lambda k: mean / (k + 1), mean)
    size = mean * mean / (variance - mean)
    chance = mean / variance  # of each success
    first = math.lgamma(seen + size) - math.lgamma(size) - math.lgamma(seen + 1)
    first += size * math.log(chance) + seen * math.log1p(-chance)
    return _sum_up(first, seen, lambda k: (k + size) / (k + 1) * (1 - chance), mean)


def share_tail(part: int, whole: int, share: float, likeness: float) -> float:
    """The chance of at least ``part`` of ``whole`` where each is one with a chance that itself varies from time to time:
    beta-binomial with intra-class correlation ``likeness`` (Skellam 1948; Prentice 1986, JASA 81:321), binomial at 0."""
    if part <= 0:
        return 1.0
    if part > whole or share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    total = 1 / max(likeness, 1e-9) - 1
    a, b = share * total, (1 - share) * total
    first = _log_choose(whole, part) + _log_beta(part + a, whole - part + b) - _log_beta(a, b)

    def next_to(k: int) -> float:
        return (whole - k) / (k + 1) * (k + a) / (whole - k - 1 + b) if k < whole else 0.0

    return _sum_up(first, part, next_to, whole * share)


def _sum_up(first_log: float, start: int, ratio: Callable[[int], float], peak: float) -> float:
    """The sum of a series whose terms fall beyond its peak; below the peak it goes on past it."""
    # Scaled by the first term, so that tiny chances keep their digits.
    term, total, k = 1.0, 1.0, start
    for _ in range(_MOST_TERMS):
        term *= ratio(k)
        k += 1
        total += term
        if term == 0 or (term < total * _NEGLIGIBLE and k > peak):
            break
        if total > 1e290:  # far below the peak: nearly everything is above
            return 1.0
    return min(1.0, math.exp(min(0.0, first_log + math.log(total))))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def discoveries(chances: Sequence[float], rate: float) -> list[bool]:
    """Which of these looks are discoveries, so that at most a share ``rate`` of all discoveries is expected to be false
    (Benjamini and Hochberg 1995, JRSS B 57:289; it holds under positive dependence: Benjamini and Yekutieli 2001)."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    last = max((rank for rank, one in enumerate(order, 1) if chances[one] <= rate * rank / len(chances)), default=0)
    found = [False] * len(chances)
    for one in order[:last]:
        found[one] = True
    return found
