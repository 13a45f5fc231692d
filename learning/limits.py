"""What thresholds would bring: outcomes and their cost at every setting, and the setting that costs least.

Five things can become of a message: a right answer, a wrong one, a question back, an admitted miss, a person. What each
costs is for people to say; in these costs the cheapest thresholds are found, exactly, over all settings in hundredths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.limit_cases import Case
from learning.limit_curves import CELLS, DRAWS, STEPS, Counted, Floats, Limits, Treated, cell_of, counted

OUTCOMES = ("right", "wrong", "clarified", "missed", "handed_off")
#: Percentiles of a 95 % interval. Those of 2.5 and 97.5 held the truth in 91 to 98 of 100 simulated logs only.
_LOW, _HIGH = 1.0, 99.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What an outcome costs, in handoffs; right answers are free. ``silence`` is no cost: how much an answer that nobody
    said anything about counts as a right one."""

    wrong: float = 4.0
    clarified: float = 0.3
    handed_off: float = 1.0
    missed: float = 0.6
    silence: float = 0.5


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of messages, each as a share, with the cost of one message and how much of it was never seen."""

    right: Figure
    wrong: Figure
    clarified: Figure
    missed: Figure
    handed_off: Figure
    cost: Figure
    reckoned: float


class Reckoning:
    """What one language's log says, for as many questions as are asked of it."""

    def __init__(
        self,
        cases: Sequence[Case],
        silence: float = 0.5,
        draws: int = DRAWS,
        seed: int = 7,
        own: Limits | None = None,
    ) -> None:
        self._treated = Treated(cases)
        self.seen: Counted = counted(cases, silence, draws, seed, own)

    def outcome(self, limits: Limits, costs: Costs) -> Outcome:
        """What these thresholds would bring."""
        shares = _shares(self.seen, *limits.cells)
        cost = _cost(self.seen, shares, *limits.cells, costs)
        figures = {name: _figure(share) for name, share in zip(OUTCOMES, shares, strict=True)}
        return Outcome(**figures, cost=_figure(cost), reckoned=self._treated.differs(limits))

    def cheapest(self, costs: Costs) -> tuple[Limits, dict[str, Figure]]:
        """The thresholds that cost least, and an interval for each."""
        cells = _cheapest(self.seen, costs)
        figures = {
            name: _figure(STEPS[cells[:, place]]) for place, name in enumerate(("answer", "clarify", "retrieval"))
        }
        return Limits(*(float(STEPS[cell]) for cell in cells[0])), figures

    def curve(self, which: str, limits: Limits, costs: Costs, every: int = 2) -> list[dict[str, Any]]:
        """The outcomes at every setting of one threshold, with the other two as they are."""
        points = []
        for cell in range(0, CELLS, every):
            at = float(STEPS[cell])
            moved = Limits(**(asdict(limits) | {which: at}))
            if which == "clarify":
                moved = Limits(max(limits.answer, at), at, limits.retrieval)
            shares = _shares(self.seen, *moved.cells)
            cost = _figure(_cost(self.seen, shares, *moved.cells, costs))
            shown = {name: round(float(share[0]), 5) for name, share in zip(OUTCOMES, shares, strict=True)}
            points.append(
                {"at": at}
                | shown
                | {"cost": round(cost.value, 5), "cost_low": round(cost.low, 5), "cost_high": round(cost.high, 5)}
                | {"reckoned": round(self._treated.differs(moved), 4)}
            )
        return points

    def calibration(self) -> list[dict[str, float]]:
        """How likely acting is right at a score, with its interval, beside what was seen."""
        right = self.seen.right
        low, high = np.percentile(right[1:], [_LOW, _HIGH], axis=0) if len(right) > 1 else (right[0], right[0])
        return [
            {"at": float(STEPS[cell]), "right": round(float(right[0, cell]), 4)}
            | {"low": round(float(low[cell]), 4), "high": round(float(high[cell]), 4)}
            for cell in range(0, CELLS, 5)
        ]


def held_out_curve(scored: Sequence[tuple[float, bool]]) -> list[dict[str, float]]:
    """Of labelled lines: which share would be acted on at each threshold, and which share wrongly."""
    if not scored:
        return []
    cells = np.array([cell_of(score) for score, _ in scored])
    right = np.array([right for _, right in scored])
    return [
        {
            "at": float(STEPS[cell]),
            "acted": round(float((cells >= cell).mean()), 4),
            "wrong": round(float(((cells >= cell) & ~right).mean()), 4),
        }
        for cell in range(0, CELLS, 2)
    ]


def _shares(seen: Counted, answer: int, clarify: int, retrieval: int) -> tuple[Floats, ...]:
    """The share of each outcome, in the order of ``OUTCOMES``, by draw."""
    acted, asked = seen.scored[:, answer:], seen.scored[:, clarify:answer].sum(1)
    by_act, by_ask = seen.handed[:, 2], seen.handed[:, 1]
    kept = 1 - by_act
    right = kept * (acted * seen.right[:, answer:]).sum(1)
    wrong = kept * (acted * (1 - seen.right[:, answer:])).sum(1)
    looked = _looked_up(seen, clarify)
    quoted = looked[:, retrieval:]
    right = right + (quoted * seen.answers[:, retrieval:]).sum(1)
    wrong = wrong + (quoted * (1 - seen.answers[:, retrieval:])).sum(1)
    missed = looked[:, :retrieval].sum(1)
    handed = by_act * acted.sum(1) + by_ask * asked + seen.missed_to_person * missed
    clarified, admitted = (1 - by_ask) * asked, (1 - seen.missed_to_person) * missed
    return tuple(np.asarray(one / seen.total) for one in (right, wrong, clarified, admitted, handed))


def _looked_up(seen: Counted, clarify: int) -> Floats:
    """Messages for which the articles are searched, by the cell of the article's score."""
    unknown = seen.unsearched[:, :clarify].sum(1, keepdims=True) * seen.articles
    return np.asarray(seen.searched[:, :clarify].sum(1) + unknown + seen.alone)


def _cost(seen: Counted, shares: tuple[Floats, ...], answer: int, clarify: int, _: int, costs: Costs) -> Floats:
    _right, wrong, clarified, missed, handed = shares
    # A question that does not help is a miss as well.
    helpless = (seen.scored[:, clarify:answer] * (1 - seen.helps[:, clarify:answer])).sum(1) / seen.total
    return np.asarray(
        wrong * costs.wrong
        + clarified * costs.clarified
        + missed * costs.missed
        + handed * costs.handed_off
        + (1 - seen.handed[:, 1]) * helpless * costs.missed
    )


def _cheapest(seen: Counted, costs: Costs) -> NDArray[np.int_]:
    """The cells of the three thresholds that cost least, by draw: every setting is compared, by sums of sums."""
    by_act, by_ask = seen.handed[:, 2:], seen.handed[:, 1:2]
    act = seen.scored * (by_act * costs.handed_off + (1 - by_act) * (1 - seen.right) * costs.wrong)
    ask = seen.scored * (by_ask * costs.handed_off + (1 - by_ask) * (costs.clarified + (1 - seen.helps) * costs.missed))
    miss = seen.missed_to_person * costs.handed_off + (1 - seen.missed_to_person) * costs.missed
    # Acting from a on and asking below it, asking from c on: the best a for each c does not depend on the articles.
    asked = _before(ask)
    above = _from(act) + asked
    best_above = np.flip(np.minimum.accumulate(np.flip(above, -1), -1), -1) - asked
    unknown = _before(seen.unsearched)
    chosen = []
    for draw in range(len(act)):
        # What is looked up below c, by the cell of the article's score, and what each gate makes of it.
        looked = _before(seen.searched[draw], axis=0) + unknown[draw, :, None] * seen.articles[draw] + seen.alone[draw]
        articles = _from(looked * ((1 - seen.answers[draw]) * costs.wrong)) + _before(looked) * miss[draw]
        clarify, retrieval = divmod(int((best_above[draw, :, None] + articles).argmin()), CELLS)
        chosen.append((clarify + int(above[draw, clarify:].argmin()), clarify, retrieval))
    return np.array(chosen, int)


def _from(values: Floats) -> Floats:
    """Sums from each cell of the last axis to its end."""
    return np.asarray(np.flip(np.cumsum(np.flip(values, -1), -1), -1))


def _before(values: Floats, axis: int = -1) -> Floats:
    """Sums of what lies before each cell."""
    return np.asarray(np.cumsum(values, axis) - values)


def _figure(drawn: Floats) -> Figure:
    value = float(drawn[0])
    if len(drawn) == 1:
        return Figure(value, value, value)
    low, high = np.percentile(drawn[1:], [_LOW, _HIGH])
    return Figure(value, float(min(low, value)), float(max(high, value)))
