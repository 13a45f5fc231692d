"""From a judged sample to all changes of a replay: which to judge first, shares with intervals, and the gate's verdict.

No input or output. The sample is stratified by the kind of change; the shares are weighted by the strata, and the
intervals are Wilson's for the number of judgements that the weighted sample is worth.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from conversations.rating_report import wilson

Verdict = Literal["better", "worse", "same"]
VERDICTS: tuple[Verdict, ...] = ("better", "worse", "same")
RISKY = "risky"  #: the stratum of changes in conversations that went well
_Z = 1.959964  # 95 %
#: How many risky changes are judged before all others; the rest wait their turn, so that they cannot be the whole sample.
_RISKY_FIRST = 20


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with what it may be, at 95 %."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a sample says about all changes; shares are of the changes, ``worse_turns`` of all turns that were replayed."""

    changes: int
    judged: int
    better: Interval
    worse: Interval
    same: Interval
    worse_turns: Interval
    net: float  #: better minus worse, in changes


@dataclass(frozen=True, slots=True)
class Stratum:
    """The changes of one kind and what was judged of them."""

    size: int
    judged: Mapping[Verdict, int]

    @property
    def seen(self) -> int:
        """How many were judged."""
        return sum(self.judged.values())


def ranked(strata: Mapping[str, Sequence[str]], seed: str) -> list[str]:
    """All changes in the order in which they are judged: some risky ones first, then the strata in proportion."""
    chance = random.Random(seed)  # noqa: S311  (a sample that can be drawn again, no secret)
    shuffled = {name: chance.sample(sorted(strata[name]), len(strata[name])) for name in sorted(strata)}
    first = shuffled.get(RISKY, [])[:_RISKY_FIRST]
    if first:
        shuffled[RISKY] = shuffled[RISKY][len(first) :]
    placed = [
        ((place + 0.5) / len(members), name, one)
        for name, members in shuffled.items()
        for place, one in enumerate(members)
    ]
    return [*first, *(one for _, _, one in sorted(placed))]


def sample_size(changes: int, precision: float) -> int:
    """How many to judge for a share that is known to within ``precision`` at 95 %, whatever it is."""
    if changes <= 0:
        return 0
    wanted = _Z**2 * 0.25 / precision**2
    return min(changes, math.ceil(wanted / (1 + (wanted - 1) / changes)))


def estimate(strata: Iterable[Stratum], turns: int) -> Estimate:
    """The shares of better, worse and different among all changes."""
    known = [one for one in strata if one.size > 0]
    changes = sum(one.size for one in known)
    shares = {verdict: _share(known, verdict, changes) for verdict in VERDICTS}
    worse = shares["worse"]
    by = changes / turns if turns > 0 else 0.0
    return Estimate(
        changes,
        sum(one.seen for one in known),
        shares["better"],
        worse,
        shares["same"],
        Interval(worse.share * by, worse.low * by, worse.high * by),
        (shares["better"].share - worse.share) * changes,
    )


def _share(strata: Sequence[Stratum], verdict: Verdict, changes: int) -> Interval:
    if changes == 0:
        return Interval(0.0, 0.0, 0.0)
    seen = [one for one in strata if one.seen]
    unseen = sum(one.size for one in strata if not one.seen) / changes  # may be anything
    if not seen:
        return Interval(0.0, 0.0, 1.0)
    covered = sum(one.size for one in seen)
    share, variance, middle = 0.0, 0.0, 0.0
    for one in seen:
        weight, hits = one.size / covered, one.judged.get(verdict, 0)
        share += weight * hits / one.seen
        # A stratum of which nothing was judged so has a share that is small, not none.
        smoothed = (hits + _Z**2 / 2) / (one.seen + _Z**2)
        middle += weight * smoothed
        variance += weight**2 * smoothed * (1 - smoothed) / one.seen * (1 - one.seen / one.size)
    if variance <= 0:  # all of them were judged
        return Interval(share * (1 - unseen), share * (1 - unseen), share * (1 - unseen) + unseen)
    worth = middle * (1 - middle) / variance
    low, high = wilson(share * worth, worth)
    return Interval(share * (1 - unseen), low * (1 - unseen), high * (1 - unseen) + unseen)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may get worse before a model is not let through."""

    worse_percent: float = 1.0  #: of the turns, at the upper end of the interval
    least_judged: int = 30
    least_turns: int = 100
    most_days: int = 14


_PROVE_NOTHING = frozenset({"running", "not_done", "before_model", "too_old", "only_a_part", "too_few_turns"})


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a model may be promoted; ``reason`` is a code, with the numbers that belong to it."""

    passed: bool
    replay_id: str | None  #: None: the version was never replayed
    reason: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def proves(self) -> bool:
        """Whether the replay says something of the model; one of a few turns or of last month does not."""
        return self.replay_id is not None and self.reason not in _PROVE_NOTHING


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the gate looks at in the newest replay of a model."""

    replay_id: str
    state: str
    at: datetime
    whole: bool  #: not only some channels or languages
    turns: int  #: that could be compared
    open_failures: int  #: turns that the model could not answer at all
    estimate: Estimate


def verdict(found: Replayed | None, budget: Budget, made_at: datetime | None, now: datetime) -> Gate:
    """Whether a model passes by its newest replay."""
    if found is None:
        return Gate(False, None, "no_replay", {})

    def gate(passed: bool, reason: str, **numbers: float) -> Gate:
        return Gate(passed, found.replay_id, reason, numbers)

    if found.state != "done":
        return gate(False, "running" if found.state in ("queued", "running") else "not_done")
    if made_at is not None and found.at < made_at:
        return gate(False, "before_model")
    if found.at < now - timedelta(days=budget.most_days):
        return gate(False, "too_old", days=budget.most_days)
    if not found.whole:
        return gate(False, "only_a_part")
    if found.turns < budget.least_turns:
        return gate(False, "too_few_turns", turns=found.turns, needed=budget.least_turns)
    judged, reckoned = found.estimate.judged, found.estimate
    if reckoned.changes == 0:
        return gate(True, "no_difference", turns=found.turns)
    percent = {
        "worse": round(reckoned.worse_turns.share * 100, 2),
        "upper": round(reckoned.worse_turns.high * 100, 2),
        "budget": budget.worse_percent,
    }
    # What is worse even at the lower end stays so, however much more is judged.
    if judged and reckoned.worse_turns.low * 100 > budget.worse_percent:
        return gate(False, "too_many_worse", **percent)
    needed = min(budget.least_judged, reckoned.changes)
    if judged < needed:
        return gate(False, "judge_more", judged=judged, needed=needed)
    if found.open_failures:
        return gate(False, "failures", failures=found.open_failures)
    if percent["upper"] > budget.worse_percent:
        return gate(False, "too_many_worse", **percent)
    return gate(True, "within_budget", **percent)
