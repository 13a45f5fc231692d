"""What counts as a sudden rise: never chance, found when it is planted, and one alert however it flickers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import comb, exp, factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.anomalies import false_alarms_per_week, hours_until_found
from reporting.anomalies import (
    BARS,
    CALM,
    EXPECTED_FOR,
    Judged,
    Kind,
    Sensitivity,
    Series,
    Standing,
    State,
    Tally,
    contributions,
    judge,
    likeness,
    overdispersion,
    step,
)
from reporting.tails import count_tail, discoveries, share_tail

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NORMAL = dict.fromkeys(Kind, BARS[Sensitivity.NORMAL])


def counted(now: int, before: list[int], kind: Kind = Kind.INTENT, key: str = "refund") -> Series:
    return Series(kind, key, "hour", Tally(now), [Tally(one) for one in before])


@given(st.integers(1, 60), st.floats(0.05, 40))
def test_without_overdispersion_the_chance_is_poissons(seen: int, mean: float) -> None:
    exact = 1 - sum(exp(-mean) * mean**k / factorial(k) for k in range(seen))
    assert count_tail(seen, mean, mean) == pytest.approx(max(exact, 0), abs=1e-9)


@given(st.integers(1, 40), st.integers(0, 40), st.floats(0.02, 0.98))
def test_without_likeness_the_chance_is_binomial(part: int, more: int, share: float) -> None:
    whole = part + more
    exact = sum(comb(whole, k) * share**k * (1 - share) ** (whole - k) for k in range(part, whole + 1))
    assert share_tail(part, whole, share, 0) == pytest.approx(exact, rel=1e-3, abs=1e-9)


@given(st.integers(0, 200), st.floats(0.1, 50), st.floats(0, 5))
def test_more_is_never_likelier_and_spread_never_makes_the_rare_rarer(seen: int, mean: float, spread: float) -> None:
    variance = mean + spread * mean * mean
    chance = count_tail(seen, mean, variance)
    assert 0 <= chance <= 1
    assert count_tail(seen + 1, mean, variance) <= chance + 1e-12
    if seen > 4 * mean + 20:
        assert chance >= count_tail(seen, mean, mean) - 1e-12


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.001, 0.5))
def test_discoveries_are_the_smallest_chances_and_at_least_what_bonferroni_finds(
    chances: list[float], rate: float
) -> None:
    found = discoveries(chances, rate)
    hits = [chance for chance, hit in zip(chances, found, strict=True) if hit]
    missed = [chance for chance, hit in zip(chances, found, strict=True) if not hit]
    assert all(hit <= rate for hit in hits)
    assert not hits or not missed or max(hits) <= min(missed)
    assert all(chance > rate / len(chances) for chance in missed)


def test_a_rise_of_one_intent_among_many_is_found_and_only_it() -> None:
    others = [counted(5, [4, 6, 5, 5, 4, 6], key=f"other-{n}") for n in range(30)]
    found = judge([counted(40, [4, 6, 5, 5, 4, 6]), *others], NORMAL)
    assert [one.series.key for one in found if one.rises] == ["refund"]


@given(st.integers(0, 9), st.lists(st.integers(0, 3), min_size=3, max_size=8))
def test_a_handful_never_alerts(now: int, before: list[int]) -> None:
    assert not any(one.rises for one in judge([counted(now, before)], NORMAL))


@given(st.integers(0, 10_000), st.lists(st.integers(0, 50), max_size=2))
def test_a_young_desk_does_not_know_what_is_usual(now: int, before: list[int]) -> None:
    assert judge([counted(now, before)], NORMAL) == []


def test_a_kind_that_is_off_is_not_looked_at() -> None:
    assert judge([counted(900, [1, 1, 1, 1])], {Kind.MISSES: BARS[Sensitivity.HIGH]}) == []


def test_weeks_that_differ_wildly_make_the_same_number_unremarkable() -> None:
    calm = counted(45, [14, 15, 16, 15, 14, 16])
    wild = counted(45, [2, 40, 3, 35, 1, 9])
    assert overdispersion([wild]) > 0.5 > overdispersion([calm])
    assert judge([calm], NORMAL)[0].rises
    assert not judge([wild], NORMAL)[0].rises


def test_a_share_rises_by_its_part_and_not_because_more_was_asked() -> None:
    before = [Tally(10, 100), Tally(12, 100), Tally(9, 100), Tally(11, 100)]
    busy = Series(Kind.MISSES, "", "hour", Tally(42, 400), before)
    worse = Series(Kind.MISSES, "", "hour", Tally(40, 100), before)
    assert not judge([busy], NORMAL)[0].rises
    assert judge([worse], NORMAL)[0].rises
    assert likeness(before) < 0.02


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40), st.booleans())
def test_an_alert_opens_at_the_bar_and_closes_only_after_a_calm(looks: list[int], expected: bool) -> None:
    """0: as usual, 1: still high, 2: rises."""
    standing: Standing | None = None
    high = NOW
    for number, look in enumerate(looks):
        now = NOW + timedelta(minutes=15 * number)
        judged = Judged(counted(1, [1]), 1.0, 0.5, look == 2, look >= 1)
        before, standing = standing, step(standing, [judged], now)
        if look >= 1:
            high = now
        opened = standing is not None and standing.state is State.OPEN
        was_open = before is not None and before.state is not State.CLOSED
        if opened and not was_open:
            assert look == 2
        if was_open and standing is not None and standing.state is State.CLOSED:
            assert now - high >= CALM
    if standing is not None and standing.state is State.CLOSED and standing.closed_at and expected:
        muted = Standing(State.CLOSED, closed_at=standing.closed_at, expected=True)
        rise = Judged(counted(99, [1]), 1.0, 0.0, True, True)
        assert step(muted, [rise], standing.closed_at + EXPECTED_FOR / 2) == muted
        again = step(muted, [rise], standing.closed_at + EXPECTED_FOR)
        assert again is not None
        assert again.state is State.OPEN


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_two_windows_are_one_alert_which_lasts_as_long_as_either_would_alone(looks: list[tuple[int, int]]) -> None:
    """0: as usual, 1: still high, 2: rises."""
    both: Standing | None = None
    alone: dict[str, Standing | None] = {"hour": None, "day": None}
    for number, seen in enumerate(looks):
        now = NOW + timedelta(minutes=15 * number)
        judged = [
            Judged(Series(Kind.INTENT, "refund", name, Tally(1), [Tally(1)]), 1.0, 0.5, look == 2, look >= 1)
            for name, look in zip(alone, seen, strict=True)
        ]
        both = step(both, judged, now)
        for one in judged:
            alone[one.series.window] = step(alone[one.series.window], [one], now)
        live = [one is not None and one.state is not State.CLOSED for one in (both, *alone.values())]
        if 2 in seen:
            assert live[0]
        assert live[0] or not any(
            one is not None and one.state is not State.CLOSED and one.calm_since is None for one in alone.values()
        )
        if both is not None and live[0] and both.calm_since is None:
            assert set(both.windows) == {one.series.window for one in judged if one.rises} | {
                one.series.window for one in judged if one.still and one.series.window in both.windows
            }


def test_contributions_name_what_rose_most_beyond_what_is_usual() -> None:
    now = {("channel", "wechat"): 30, ("channel", "webchat"): 12, ("language", "zh"): 3}
    before = [
        {("channel", "wechat"): 4, ("channel", "webchat"): 10},
        {("channel", "wechat"): 6, ("channel", "webchat"): 12},
    ]
    first, *rest = contributions(now, before)
    assert (first.value, first.now, first.usual) == ("wechat", 30, 5.0)
    assert [one.value for one in rest] == ["zh", "webchat"]


def test_stationary_desks_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    rate = false_alarms_per_week(Sensitivity.NORMAL, scale=1.0, seeds=2, weeks=1)
    with capsys.disabled():
        print(f"\nfalse alarms per week, 35 things watched, normal sensitivity: {rate:.2f}")
    assert rate <= 2


def test_planted_rises_are_found_within_hours() -> None:
    found = hours_until_found(Sensitivity.NORMAL, times=4.0, seeds=4)
    hours = sorted(one for one in found if one is not None)
    assert len(hours) == len(found), found
    assert hours[len(hours) // 2] <= 3, found
