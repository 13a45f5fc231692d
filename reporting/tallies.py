"""What is added up before it becomes a figure: exact for counts, shares, medians and percentiles, whatever is merged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from conversations.rating_report import wilson
from reporting.answers import Figure
from reporting.catalogue import Form

BINS = 10  #: of the calibration error


@dataclass(slots=True)
class Tally:
    """Sums of one group; those of two groups are the sums of both."""

    count: int = 0
    part: int = 0
    against: int = 0
    spread: Counter[int] = field(default_factory=Counter)  #: durations and how often each was
    bins: dict[int, tuple[int, int, float]] = field(default_factory=dict)  #: by bin: how many, right ones, confidence

    def add(self, other: Tally) -> None:
        """Add another group to this one."""
        self.count += other.count
        self.part += other.part
        self.against += other.against
        self.spread.update(other.spread)
        for place, (many, right, confidence) in other.bins.items():
            mine = self.bins.get(place, (0, 0, 0.0))
            self.bins[place] = (mine[0] + many, mine[1] + right, mine[2] + confidence)

    def figure(self, form: Form, *, tail: float, fewest: int = 0, each: float = 1.0) -> Figure:
        """The number that these sums make; ``each`` is what one counts of money."""
        if form is Form.COUNT:
            return Figure(self.count, whole=self.count)
        if form is Form.MONEY:
            return Figure(self.count * each, whole=self.count)
        if not self.count or self.count < fewest:
            return Figure(None, whole=self.count)
        if form is Form.SHARE:
            low, high = wilson(self.part, self.count)
            return Figure(self.part / self.count, self.part, self.count, low, high)
        if form is Form.POINTS:
            mean, error = self.points()
            low, high = max(-100.0, 100 * (mean - 1.96 * error)), min(100.0, 100 * (mean + 1.96 * error))
            return Figure(100 * mean, self.part - self.against, self.count, low, high)
        if form is Form.ERROR:
            off = sum(abs(right - confidence) for _, right, confidence in self.bins.values())
            return Figure(off / self.count, self.part, self.count)
        return Figure(percentile(self.spread, 0.5), whole=self.count, tail=percentile(self.spread, tail))

    def points(self) -> tuple[float, float]:
        """The mean of 1, 0 and -1, and its standard error."""
        mean = (self.part - self.against) / self.count
        variance = (self.part + self.against) / self.count - mean * mean
        return mean, math.sqrt(max(0.0, variance) / self.count)


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sums of all of them."""
    whole = Tally()
    for one in tallies:
        whole.add(one)
    return whole


def percentile(spread: Mapping[int, int], share: float) -> float | None:
    """The exact percentile of values with their counts, between two neighbours as far as it lies between them.

    It is definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50
    (1996), which at one half is the usual median.
    """
    many = sum(spread.values())
    if not many:
        return None
    place = (many - 1) * share
    below = math.floor(place)
    seen, lower = 0, None
    for value in sorted(spread):
        seen += spread[value]
        if lower is None and seen > below:
            lower = value
        if lower is not None and seen > min(below + 1, many - 1):
            return lower + (value - lower) * (place - below)
    return lower
