"""The arithmetic of figures against plain ways to reckon the same."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.catalogue import Form
from reporting.facts import local
from reporting.periods import key_of_day, weekday_of
from reporting.significance import poisson, ranks, shares
from reporting.tallies import Tally, merged, percentile

_VALUES = st.lists(st.integers(0, 50), min_size=1, max_size=60)


def tally(values: list[int]) -> Tally:
    return Tally(count=len(values), spread=Counter(values))


@given(_VALUES)
def test_the_median_is_exact(values: list[int]) -> None:
    assert percentile(Counter(values), 0.5) == statistics.median(values)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=60))
def test_other_percentiles_are_those_of_the_standard_library(values: list[int]) -> None:
    tenths = statistics.quantiles(values, n=10, method="inclusive")
    assert percentile(Counter(values), 0.9) == pytest.approx(tenths[8])


@given(st.lists(_VALUES, max_size=6))
def test_merging_parts_is_counting_the_whole(parts: list[list[int]]) -> None:
    whole = merged(tally(part) for part in parts)
    everything = [value for part in parts for value in part]
    assert (whole.count, whole.spread) == (len(everything), Counter(everything))


@given(st.lists(st.integers(0, 9), min_size=8, max_size=20), st.lists(st.integers(0, 9), min_size=8, max_size=20))
def test_the_rank_sum_counts_every_pair(now: list[int], before: list[int]) -> None:
    wins = sum((one > other) + (one == other) / 2 for one, other in itertools.product(now, before))
    p, mirrored = ranks(tally(now), tally(before)), ranks(tally(before), tally(now))
    assert p is not None
    assert p == pytest.approx(mirrored)
    assert (p == pytest.approx(1.0)) == (wins == len(now) * len(before) / 2 or len({*now, *before}) == 1)


def test_what_textbooks_say() -> None:
    assert poisson(10, 20) == pytest.approx(0.0987, abs=1e-4)  # exact binomial of 10 in 30
    assert poisson(600, 500) == pytest.approx(0.0028, abs=2e-4)
    assert shares(50, 100, 30, 100) == pytest.approx(0.0039, abs=1e-4)
    assert ranks(tally(list(range(1, 11))), tally(list(range(11, 21)))) == pytest.approx(0.000157, abs=1e-5)


def test_too_little_says_nothing() -> None:
    assert shares(1, 3, 2, 3) is None
    assert ranks(tally([1, 2]), tally([3, 4])) is None
    assert poisson(0, 0) is None


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_counts_are_compared_the_same_either_way(one: int, other: int) -> None:
    p = poisson(one, other)
    assert p == poisson(other, one)
    assert p is None or 0 <= p <= 1.0000001


def test_few_answers_are_not_shown() -> None:
    assert Tally(4, 4).figure(Form.SHARE, tail=0.9, fewest=5).value is None
    assert Tally(5, 4).figure(Form.SHARE, tail=0.9, fewest=5).value == 0.8


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_days_know_their_week(day: date) -> None:
    assert weekday_of(day.toordinal()) == day.isoweekday()
    monday = date.fromisoformat(key_of_day(day.toordinal(), "week"))
    assert monday.isocalendar()[:2] == day.isocalendar()[:2]
    assert monday.isoweekday() == 1


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_days_are_those_on_the_wall_through_every_change_of_the_clocks(at: datetime) -> None:
    zone = ZoneInfo("Europe/Berlin")
    day, hour = local(at, zone)
    there = at.astimezone(zone)
    assert (date.fromordinal(day), hour) == (there.date(), there.hour)
