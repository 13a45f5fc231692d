"""What a judged sample says about all changes, and when the gate opens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.rating_report import wilson
from learning.replay_estimate import (
    RISKY,
    Budget,
    Estimate,
    Replayed,
    Stratum,
    estimate,
    ranked,
    sample_size,
    verdict,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MADE = NOW - timedelta(days=3)

_counts = st.integers(0, 12)


@st.composite
def strata(draw: st.DrawFn) -> list[Stratum]:
    found = []
    for _ in range(draw(st.integers(1, 5))):
        judged: dict[Any, int] = {"better": draw(_counts), "worse": draw(_counts), "same": draw(_counts)}
        found.append(Stratum(sum(judged.values()) + draw(st.integers(0, 60)), judged))
    return found


@given(strata(), st.integers(400, 5000))
def test_an_interval_holds_its_share_and_lies_between_none_and_all(found: list[Stratum], turns: int) -> None:
    reckoned = estimate(found, turns)
    for one in (reckoned.better, reckoned.worse, reckoned.same, reckoned.worse_turns):
        assert 0 <= one.low <= one.share + 1e-9
        assert one.share <= one.high + 1e-9 <= 1 + 1e-6
    assert reckoned.judged == sum(one.seen for one in found)


@given(strata())
def test_with_everything_judged_nothing_is_uncertain(found: list[Stratum]) -> None:
    whole = [Stratum(one.seen, one.judged) for one in found]
    reckoned = estimate(whole, 5000)
    changes = sum(one.size for one in whole)
    if changes:
        worse = sum(one.judged["worse"] for one in whole) / changes
        assert reckoned.worse.low == pytest.approx(worse)
        assert reckoned.worse.high == pytest.approx(worse)
        assert reckoned.better.share + reckoned.worse.share + reckoned.same.share == pytest.approx(1)


def test_a_stratum_weighs_as_many_changes_as_it_has() -> None:
    reckoned = estimate([Stratum(900, {"worse": 0, "same": 10}), Stratum(100, {"worse": 10})], 10_000)
    assert reckoned.worse.share == pytest.approx(0.1)
    assert reckoned.worse_turns.share == pytest.approx(0.01)
    assert reckoned.net == pytest.approx(-100)


def test_what_nobody_has_judged_may_be_anything() -> None:
    reckoned = estimate([Stratum(50, {"better": 50}), Stratum(50, {})], 1000)
    assert reckoned.worse.high >= 0.5
    assert estimate([Stratum(5, {})], 1000).worse.high == 1


def test_wilson_agrees_with_the_book() -> None:
    low, high = wilson(5, 50)
    assert (round(low, 4), round(high, 4)) == (0.0435, 0.2136)
    assert wilson(0.0, 40)[0] == 0


@given(st.dictionaries(st.sampled_from(["route", "slots", RISKY]), st.integers(1, 40), min_size=1))
def test_everything_has_its_place_once_and_always_the_same(sizes: dict[str, int]) -> None:
    found = {name: [f"{name}{number}" for number in range(size)] for name, size in sizes.items()}
    order = ranked(found, "seed")
    assert sorted(order) == sorted(one for members in found.values() for one in members)
    assert order == ranked({name: list(reversed(members)) for name, members in found.items()}, "seed")
    risky = min(20, sizes.get(RISKY, 0))
    assert all(one.startswith(RISKY) for one in order[:risky])


def test_a_sample_is_drawn_in_proportion() -> None:
    order = ranked({"route": [f"r{n}" for n in range(90)], "slots": [f"s{n}" for n in range(30)]}, "x")
    assert sum(one.startswith("r") for one in order[:40]) == 30


def test_a_sample_is_as_large_as_its_precision_needs() -> None:
    assert sample_size(100_000, 0.15) == 43
    assert sample_size(20, 0.15) < 20
    assert sample_size(0, 0.15) == 0
    assert sample_size(10_000_000, 0.05) == 385


def replayed(found: Estimate, **values: Any) -> Replayed:
    known = {"state": "done", "at": NOW - timedelta(days=1), "whole": True, "turns": 5000, "open_failures": 0}
    return Replayed("r1", **(known | values), estimate=found)


def judged(changes: int, better: int, worse: int, same: int = 0, turns: int = 5000) -> Estimate:
    return estimate([Stratum(changes, {"better": better, "worse": worse, "same": same})], turns)


GOOD = judged(60, 50, 2, 8)


@pytest.mark.parametrize(("found", "reason"), [
    (None, "no_replay"),
    (replayed(GOOD, state="running"), "running"),
    (replayed(GOOD, state="failed"), "not_done"),
    (replayed(GOOD, at=MADE - timedelta(hours=1)), "before_model"),
    (replayed(GOOD, at=NOW - timedelta(days=15)), "too_old"),
    (replayed(GOOD, whole=False), "only_a_part"),
    (replayed(GOOD, turns=20), "too_few_turns"),
    (replayed(judged(60, 5, 0)), "judge_more"),
    (replayed(judged(600, 40, 10)), "too_many_worse"),
    (replayed(judged(900, 0, 20)), "too_many_worse"),
    (replayed(GOOD, open_failures=3), "failures"),
])  # fmt: skip
def test_the_gate_stays_shut(found: Replayed | None, reason: str) -> None:
    made = MADE - timedelta(days=30) if reason == "too_old" else MADE
    gate = verdict(found, Budget(), made, NOW)
    assert (gate.passed, gate.reason) == (False, reason)


def test_the_gate_opens_within_the_budget_or_where_nothing_differs() -> None:
    gate = verdict(replayed(GOOD), Budget(), MADE, NOW)
    assert (gate.passed, gate.reason, gate.replay_id) == (True, "within_budget", "r1")
    assert gate.numbers["upper"] <= 1.0
    same = verdict(replayed(judged(0, 0, 0)), Budget(), MADE, NOW)
    assert (same.passed, same.reason) == (True, "no_difference")


def test_what_is_worse_for_certain_shuts_the_gate_before_the_sample_is_complete() -> None:
    gate = verdict(replayed(judged(2000, 0, 12)), Budget(), MADE, NOW)
    assert gate.reason == "too_many_worse"


@given(st.integers(0, 60), st.integers(0, 60))
def test_one_more_worse_never_opens_the_gate(worse: int, better: int) -> None:
    def passes(bad: int) -> bool:
        return verdict(replayed(judged(200, better, bad)), Budget(least_judged=0), MADE, NOW).passed

    assert passes(worse) or not passes(worse + 1)
