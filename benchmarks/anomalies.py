"""How often alerts are false on data where nothing happens, and how soon planted rises are found.

``python -m benchmarks.anomalies`` prints one JSON object last.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from reporting.anomalies import (
    BARS,
    SHARES,
    Bar,
    Judged,
    Kind,
    Sensitivity,
    Series,
    Standing,
    State,
    Tally,
    judge,
    step,
)

START = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
_BEFORE = 8


@dataclass(frozen=True, slots=True)
class Made:
    """Hours of one thing: how often, and of how many."""

    kind: Kind
    key: str
    hours: list[Tally]


def poisson(dice: Random, mean: float) -> int:
    """A count by chance."""
    if mean > 50:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    left, count = math.exp(-mean), 0
    chance = dice.random()
    while chance > left:
        chance *= dice.random()
        count += 1
    return count


def rhythm(hour: int) -> float:
    """How busy an hour of a week is, from 0 to 1: days and nights, quieter weekends."""
    day, of_day = divmod(hour % 168, 24)
    busy = 0.05 + 0.95 * max(0.0, math.sin(math.pi * (of_day - 7) / 15)) if 7 <= of_day <= 22 else 0.05
    return busy * (0.6 if day >= 5 else 1.0)


def stationary(dice: Random, weeks: int, intents: int, scale: float, spread: float = 0.1) -> list[Made]:
    """A desk whose weeks are alike but for chance, which varies more than Poisson (gamma with variance ``spread``)."""

    def counts(mean: float) -> list[int]:
        return [
            poisson(dice, mean * rhythm(hour) * dice.gammavariate(1 / spread, spread)) for hour in range(weeks * 168)
        ]

    made = [
        Made(Kind.INTENT, f"intent-{number}", [Tally(one) for one in counts(scale * 10 / (number + 1))])
        for number in range(intents)
    ]
    for kind, mean in ((Kind.HANDOFFS, 4.0), (Kind.FAILED_ACTIONS, 1.0), (Kind.SIGN_INS, 1.0)):
        made.append(Made(kind, "", [Tally(one) for one in counts(scale * mean)]))
    for kind, share in ((Kind.MISSES, 0.12), (Kind.NEGATIVE, 0.08)):
        wholes = counts(scale * 40)
        made.append(Made(kind, "", [Tally(sum(dice.random() < share for _ in range(one)), one) for one in wholes]))
    return made


def planted(made: Made, at: int, hours: int, times: float, dice: Random) -> Made:
    """The same with a rise from one hour on."""
    changed = list(made.hours)
    for hour in range(at, at + hours):
        one = changed[hour]
        extra = poisson(dice, (times - 1) * max(1.0, one.part))
        part = min(one.part + extra, one.whole) if made.kind in SHARES else one.part + extra
        changed[hour] = Tally(part, one.whole)
    return Made(made.kind, made.key, changed)


def window(made: Made, end: int, length: int) -> Tally:
    """The sum of the hours before ``end``."""
    hours = made.hours[end - length : end]
    return Tally(sum(one.part for one in hours), sum(one.whole for one in hours))


def series_at(desk: list[Made], end: int) -> list[Series]:
    """What would be looked at at the end of this hour: the last hour, and the day so far."""
    found = []
    for name, length in (("hour", 1), ("day", (end - 1) % 24 + 1)):
        weeks = min(_BEFORE, (end - length) // 168)
        for one in desk:
            before = [window(one, end - 168 * back, length) for back in range(1, weeks + 1)]
            found.append(Series(one.kind, one.key, name, window(one, end, length), before))
    return found


def run(
    desk: list[Made], since: int, until: int, bars: dict[Kind, Bar], opened: Callable[[int, Kind, str], None]
) -> None:
    """Look at the end of every hour, as the desk would, and tell of every alert that opens."""
    standing: dict[tuple[Kind, str], Standing] = {}
    for end in range(since, until):
        now = START + timedelta(hours=end)
        looks: dict[tuple[Kind, str], list[Judged]] = {}
        for one in judge(series_at(desk, end), bars):
            looks.setdefault((one.series.kind, one.series.key), []).append(one)
        for name, judged in looks.items():
            old = standing.get(name)
            new = step(old, judged, now)
            if new is not None:
                standing[name] = new
                if new.state is State.OPEN and (old is None or old.state is State.CLOSED):
                    opened(end, *name)


def bars_of(sensitivity: Sensitivity) -> dict[Kind, Bar]:
    """The same sensitivity for every kind."""
    return dict.fromkeys(Kind, BARS[sensitivity])


def false_alarms_per_week(sensitivity: Sensitivity, scale: float, seeds: int, weeks: int = 2) -> float:
    """Alerts for each week of a desk where nothing happens."""
    alarms = 0

    def count(_end: int, _kind: Kind, _key: str) -> None:
        nonlocal alarms
        alarms += 1

    for seed in range(seeds):
        desk = stationary(Random(seed), _BEFORE + weeks, 30, scale)  # the same each time
        run(desk, _BEFORE * 168 + 24, (_BEFORE + weeks) * 168, bars_of(sensitivity), count)
    return alarms / (seeds * weeks)


def hours_until_found(sensitivity: Sensitivity, times: float, seeds: int, scale: float = 1.0) -> list[int | None]:
    """For rises of an intent of about ten an hour from 10 o'clock on: after how many hours each was found."""
    found: list[int | None] = []
    for seed in range(seeds):
        dice = Random(seed + 1000)
        desk = stationary(dice, _BEFORE + 1, 30, scale)
        at = _BEFORE * 168 + 24 + 10
        desk[0] = planted(desk[0], at, 8, times, dice)
        when: list[int] = []
        run(
            desk, at + 1, at + 9, bars_of(sensitivity),
            lambda end, _kind, key, when=when, at=at: when.append(end - at) if key == "intent-0" else None,  # type: ignore[misc]
        )  # fmt: skip
        found.append(min(when) if when else None)
    return found


def main() -> None:
    """Print both, for every sensitivity."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    result: dict[str, dict[str, object]] = {}
    for sensitivity in Sensitivity:
        alarms = {
            f"false_per_week_x{scale:g}": false_alarms_per_week(sensitivity, scale, seeds) for scale in (0.2, 1, 5)
        }
        rises = {}
        for times in (2.5, 4.0):
            found = hours_until_found(sensitivity, times, seeds)
            hits = sorted(one for one in found if one is not None)
            rises[f"found_x{times:g}"] = f"{len(hits)}/{len(found)}"
            rises[f"hours_x{times:g}"] = str(hits[len(hits) // 2]) if hits else "-"
        result[sensitivity.value] = {**alarms, **rises}
        print(sensitivity.value, result[sensitivity.value])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
