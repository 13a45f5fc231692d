"""The live comparison of two versions: each figure with its interval, their difference, and whether that says anything yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from conversations.store import Database
from learning.comparison_store import CONTAINED, HANDED_OFF, RUNNING, ComparisonStore, Counts
from learning.estimates import (
    Difference,
    Estimate,
    Moments,
    mean,
    mean_difference,
    needed,
    share,
    share_difference,
)

POINTS = 0.05  #: the difference of shares that a comparison should be able to show
STARS = 0.2  #: and of mean ratings
#: What is counted: whether more of it is better, and how small a difference matters.
METRICS: dict[str, tuple[bool, float]] = {
    "containment": (True, POINTS),
    "handoffs": (False, POINTS),
    "rating": (True, STARS),
    "satisfied": (True, POINTS),
    "missed": (False, POINTS),
    "turns": (False, 0.5),
}
_SATISFIED = 4


@dataclass(frozen=True, slots=True)
class Arm:
    """One version's side."""

    model: str
    conversations: int
    running: int
    reasons: dict[str, int]  #: of handoffs
    figures: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a figure says about the candidate: better, worse, close or too_few."""

    word: str
    difference: Difference | None
    more: int = 0  #: conversations, of both, until a difference that matters would show; 0 where it would already


@dataclass(frozen=True, slots=True)
class Comparison:
    """The live version against the candidate since the comparison began."""

    since: datetime
    share: int
    live: Arm
    candidate: Arm
    verdicts: dict[str, Verdict]


@dataclass(frozen=True, slots=True)
class _Shares:
    """The counts behind the shares, as successes of n."""

    containment: tuple[int, int]
    handoffs: tuple[int, int]
    satisfied: tuple[int, int]
    missed: tuple[int, int]


async def compared(database: Database, live: str, candidate: str, since: datetime, percent: int) -> Comparison:
    """The comparison as it stands now."""
    async with database.read() as connection:
        counts = await ComparisonStore(connection).counts((live, candidate), since)
    return comparison_of(live, candidate, counts[live], counts[candidate], since, percent)


def comparison_of(
    live: str, candidate: str, of_live: Counts, of_candidate: Counts, since: datetime, percent: int
) -> Comparison:
    """The comparison that counts add up to."""
    verdicts = {name: _verdict(name, of_live, of_candidate, percent / 100) for name in METRICS}
    return Comparison(since, percent, _arm(live, of_live), _arm(candidate, of_candidate), verdicts)


def _arm(model: str, counts: Counts) -> Arm:
    shares = _shares(counts)
    figures = {name: share(*getattr(shares, name)) for name in ("containment", "handoffs", "satisfied", "missed")}
    figures |= {name: mean(_moments(name, counts)) for name in ("rating", "turns")}
    reasons = dict(sorted(counts.reasons.items(), key=lambda one: (-one[1], one[0])))
    return Arm(model, sum(counts.outcomes.values()), counts.outcomes[RUNNING], reasons, figures)


def _shares(counts: Counts) -> _Shares:
    contained, handed = counts.outcomes[CONTAINED], counts.outcomes[HANDED_OFF]
    rated = sum(counts.scores.values())
    satisfied = sum(often for score, often in counts.scores.items() if score >= _SATISFIED)
    conversations = sum(counts.misses.values())
    missed = conversations - counts.misses[0]
    over = contained + handed
    return _Shares((contained, over), (handed, over), (satisfied, rated), (missed, conversations))


def _moments(name: str, counts: Counts) -> Moments:
    numbers = counts.scores if name == "rating" else counts.turns
    return Moments.of({float(number): often for number, often in numbers.items()})


def _verdict(name: str, live: Counts, candidate: Counts, part: float) -> Verdict:
    more_is_better, matters = METRICS[name]
    if name in ("rating", "turns"):
        ours, theirs = _moments(name, candidate), _moments(name, live)
        difference, known = mean_difference(ours, theirs), ours.n + theirs.n
        # Before anybody rated, as if the answers varied by a star.
        variance = max(ours.variance, theirs.variance) or 1.0
    else:
        counted, against = getattr(_shares(candidate), name), getattr(_shares(live), name)
        difference, known = share_difference(counted, against), counted[1] + against[1]
        both = (counted[0] + against[0] + 1) / (known + 2)  # never quite none or all, however few
        variance = both * (1 - both)
    more = max(0, needed(variance, matters, part) - known)
    if difference is None:
        return Verdict("too_few", None, more)
    if difference.seen:
        return Verdict("better" if (difference.value > 0) is more_is_better else "worse", difference)
    return Verdict("too_few" if more else "close", difference, more)
