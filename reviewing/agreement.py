"""How far reviewers agree who answered the same questions about the same conversations.

Percent agreement counts pairs of answers that are the same. Krippendorff's alpha also counts what chance would bring:
alpha = 1 − D_observed / D_expected over the coincidences of answers within a unit, after K. Krippendorff, "Computing
Krippendorff's Alpha-Reliability" (2011). 1 is agreement, 0 is chance. Where nothing can be compared, or everybody always
gave the same answer so that nothing could have been told apart, it is not defined: None, not 1.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeVar

Level = Literal["nominal", "ordinal"]
Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers agree about one question; ``pairs`` is how many pairs of answers were compared."""

    percent: float | None
    alpha: float | None
    pairs: int


def agreement(units: Iterable[Sequence[Value]], level: Level) -> Agreement:
    """Of the answers of each unit; ordinal answers must be numbers."""
    compared = [list(unit) for unit in units if len(unit) > 1]
    pairs = [pair for unit in compared for pair in combinations(unit, 2)]
    if not pairs:
        return Agreement(None, None, 0)
    same = sum(one == other for one, other in pairs) / len(pairs)
    return Agreement(same, alpha(compared, level), len(pairs))


def alpha(units: Iterable[Sequence[Value]], level: Level) -> float | None:
    """Krippendorff's alpha; units with fewer than two answers say nothing."""
    weights: dict[tuple[Value, Value], float] = {}
    for unit in units:
        if len(unit) < 2:
            continue
        for place, one in enumerate(unit):
            for other_place, other in enumerate(unit):
                if place != other_place:
                    weights[one, other] = weights.get((one, other), 0.0) + 1 / (len(unit) - 1)
    totals: dict[Value, float] = {}
    for (one, _), weight in weights.items():
        totals[one] = totals.get(one, 0.0) + weight
    n = sum(totals.values())
    if n <= 1:
        return None
    distance = _distance(totals, level)
    observed = sum(weight * distance(one, other) for (one, other), weight in weights.items())
    expected = sum(totals[one] * totals[other] * distance(one, other) for one in totals for other in totals) / (n - 1)
    return None if expected == 0 else 1 - observed / expected


def _distance(totals: dict[Value, float], level: Level) -> Callable[[Value, Value], float]:
    if level == "nominal":
        return lambda one, other: float(one != other)
    order = sorted(totals)  # type: ignore[type-var]

    def ordinal(one: Value, other: Value) -> float:
        low, high = sorted((order.index(one), order.index(other)))
        between = sum(totals[order[place]] for place in range(low, high + 1))
        return float((between - (totals[one] + totals[other]) / 2) ** 2)

    return ordinal
