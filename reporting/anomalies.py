"""What rises suddenly: a window of time against the same hours of earlier weeks; pure arithmetic.

The windows before are what is usual; how much they differ from each other beyond chance says how much a difference means.
As in the surveillance of outbreaks (Farrington et al. 1996, JRSS A 159:547; Noufaily et al. 2013, Statistics in Medicine
32:1206), overdispersion is estimated, the uncertainty of the mean adds to the variance, and a few cases never alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reporting.tails import count_tail, discoveries, share_tail

FEWEST_BEFORE = 3  #: windows; with fewer nobody knows what is usual
CALM = timedelta(minutes=45)  #: so long an alert must be over before it closes
EXPECTED_FOR = timedelta(hours=24)  #: so long what was said to be expected does not alert again


class Kind(StrEnum):
    """What can rise."""

    INTENT = "intent"
    MISSES = "misses"
    NEGATIVE = "negative"
    HANDOFFS = "handoffs"
    FAILED_ACTIONS = "failed_actions"
    SIGN_INS = "sign_ins"


#: Kinds that are a part of a whole; of the others there is only how many.
SHARES = frozenset({Kind.MISSES, Kind.NEGATIVE})


class Sensitivity(StrEnum):
    """How little it takes."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Bar:
    """What must be reached: the false-discovery rate, how many at least, and how many times what is usual."""

    rate: float
    fewest: int
    times: float


BARS = {
    Sensitivity.LOW: Bar(1e-4, 20, 3.0),
    Sensitivity.NORMAL: Bar(3e-4, 10, 2.0),
    Sensitivity.HIGH: Bar(5e-3, 6, 1.6),
}
_STILL = 0.75  #: of the distance to what is usual; an open alert goes on above it


@dataclass(frozen=True, slots=True)
class Tally:
    """How often in one window, and of how many; ``whole`` is 0 where there is no whole."""

    part: int
    whole: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that is watched: now, and in the windows before."""

    kind: Kind
    key: str  #: the intent; empty for all others
    window: str  #: hour | day
    now: Tally
    before: Sequence[Tally]


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a series: whether it rises, and whether it is still high enough for an alert that is open."""

    series: Series
    usual: float  #: how many there would be
    chance: float  #: of as many or more, were everything as usual
    rises: bool
    still: bool

    @property
    def times(self) -> float:
        """How many times what is usual; what never was counts as half a case."""
        return self.series.now.part / max(self.usual, 0.5)


def overdispersion(series: Sequence[Series]) -> float:
    """How much counts differ from window to window beyond chance (alpha of variance = mean + alpha * mean squared), by
    the method of moments over all series of a kind; 0 is Poisson."""
    above = below = 0.0
    for one in series:
        counts = [tally.part for tally in one.before]
        if len(counts) < 2 or not any(counts):
            continue
        mean = sum(counts) / len(counts)
        variance = sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)
        above += variance - mean
        below += mean * mean - variance / len(counts)  # without the error of the mean itself
    return max(0.0, above / below) if below > 0 else 0.0


def likeness(before: Sequence[Tally]) -> float:
    """The intra-class correlation of a share from window to window, by moments (Kleinman 1973, JASA 68:46)."""
    filled = [one for one in before if one.whole > 0]
    total = sum(one.whole for one in filled)
    if len(filled) < 2 or total <= len(filled):
        return 0.0
    share = sum(one.part for one in filled) / total
    if not 0 < share < 1:
        return 0.0
    spread = sum(one.whole * (one.part / one.whole - share) ** 2 for one in filled)
    chance = share * (1 - share)
    even = total - sum(one.whole**2 for one in filled) / total
    found = (spread - chance * (len(filled) - 1)) / (chance * (even - (len(filled) - 1)))
    return min(0.5, max(0.0, found))


def judge(series: Sequence[Series], bars: Mapping[Kind, Bar]) -> list[Judged]:
    """What rises among everything that is watched; kinds without a bar are not looked at.

    All looks of one kind and window are one family for the false-discovery rate.
    """
    found: list[Judged] = []
    families: dict[tuple[Kind, str], list[Series]] = {}
    for one in series:
        if one.kind in bars and len(one.before) >= FEWEST_BEFORE:
            families.setdefault((one.kind, one.window), []).append(one)
    for (kind, _), family in families.items():
        bar = bars[kind]
        spread = overdispersion(family)
        looks = [_look(one, spread) for one in family]
        for one, (usual, chance), hit in zip(
            family, looks, discoveries([chance for _, chance in looks], bar.rate), strict=True
        ):
            judged = Judged(one, usual, chance, False, False)
            rises = hit and one.now.part >= bar.fewest and judged.times >= bar.times
            still_times = 1 + (bar.times - 1) * _STILL
            still = rises or (
                chance <= bar.rate * 10 and one.now.part >= bar.fewest * _STILL and judged.times >= still_times
            )
            found.append(replace(judged, rises=rises, still=still))
    return found


def _look(one: Series, spread: float) -> tuple[float, float]:
    count = len(one.before)
    if one.kind in SHARES:
        part, whole = sum(tally.part for tally in one.before), sum(tally.whole for tally in one.before)
        share = (part + 0.5) / (whole + 1)
        # The share itself is known only so well: its own variance counts as more likeness.
        known = min(0.9, likeness(one.before) + 1 / (whole + 1))
        return one.now.whole * share, share_tail(one.now.part, one.now.whole, share, known)
    mean = (sum(tally.part for tally in one.before) + 0.5) / count
    variance = (mean + spread * mean * mean) * (1 + 1 / count)
    return mean, count_tail(one.now.part, mean, variance)


class State(StrEnum):
    """What an alert is in."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Standing:
    """What hysteresis needs to know of an alert."""

    state: State
    calm_since: datetime | None = None
    closed_at: datetime | None = None
    expected: bool = False
    windows: tuple[str, ...] = ()  #: in which it stands out, or stood out last


def standing_out(judged: Sequence[Judged], before: Collection[str]) -> list[Judged]:
    """Of one thing in several windows, those in which it rises, or stood out before and is still high."""
    return [one for one in judged if one.rises or (one.still and one.series.window in before)]


def step(standing: Standing | None, judged: Sequence[Judged], now: datetime) -> Standing | None:
    """The alert of one thing after one more look at all its windows; None where there is none. It opens at the bar of any
    window, goes on while it is not far below one at which it was, and closes once it has been below all of them for
    ``CALM``: what flickers around the bar, or stands out in two windows, is one alert."""
    live = standing is not None and standing.state is not State.CLOSED
    if not live:
        rising = standing_out(judged, ())
        if not rising:
            return standing
        muted = standing is not None and standing.expected and standing.closed_at is not None
        if (
            muted
            and standing is not None
            and standing.closed_at is not None
            and now - standing.closed_at < EXPECTED_FOR
        ):
            return standing
        return Standing(State.OPEN, windows=tuple(one.series.window for one in rising))
    assert standing is not None
    if high := standing_out(judged, standing.windows):
        return replace(standing, calm_since=None, windows=tuple(one.series.window for one in high))
    since = standing.calm_since or now
    if now - since >= CALM:
        return replace(standing, state=State.CLOSED, calm_since=since, closed_at=now)
    return replace(standing, calm_since=since)


@dataclass(frozen=True, slots=True)
class Contribution:
    """A value that contributes to a rise: how many of it now, how many there would be."""

    dimension: str
    value: str
    now: int
    usual: float


def contributions(
    now: Mapping[tuple[str, str], int], before: Sequence[Mapping[tuple[str, str], int]], most: int = 6
) -> list[Contribution]:
    """The values (by dimension) that rose most beyond what is usual, the largest excess first."""
    found = []
    for (dimension, value), count in now.items():
        usual = sum(one.get((dimension, value), 0) for one in before) / max(1, len(before))
        if count - usual > 0:
            found.append(Contribution(dimension, value, count, round(usual, 2)))
    return sorted(found, key=lambda one: (one.usual - one.now, one.dimension, one.value))[:most]
