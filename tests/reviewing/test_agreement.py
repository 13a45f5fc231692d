"""Agreement between reviewers, against the published example of Krippendorff's alpha and by its own laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewing.agreement import Level, agreement, alpha

#: Four observers, twelve units: K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C; 0 is missing.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)
UNITS = [[one[unit] for one in OBSERVERS if one[unit]] for unit in range(12)]
answers = st.lists(st.lists(st.integers(1, 5), max_size=4), max_size=12)


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_it_is_what_was_published(level: Level, published: float) -> None:
    assert alpha(UNITS, level) == pytest.approx(published, abs=0.0006)


def test_two_observers_and_yes_or_no_are_what_was_published() -> None:
    """The same paper, section A: ten units, alpha 0.095."""
    one, other = "0100000001", "1110010000"
    assert alpha(list(zip(one, other, strict=True)), "nominal") == pytest.approx(0.095, abs=0.0006)


def test_where_nothing_can_be_compared_or_told_apart_it_is_not_defined() -> None:
    assert alpha([], "nominal") is None
    assert alpha([["yes"], ["no"]], "nominal") is None
    same = agreement([["yes", "yes"], ["yes", "yes"]], "nominal")
    assert (same.percent, same.alpha, same.pairs) == (1.0, None, 2)
    nothing = agreement([["yes"]], "nominal")
    assert (nothing.percent, nothing.alpha, nothing.pairs) == (None, None, 0)


@given(answers, st.sampled_from(["nominal", "ordinal"]))
def test_it_is_at_most_one_and_one_only_where_all_agree(units: list[list[int]], level: Level) -> None:
    found = agreement(units, level)
    if found.alpha is not None:
        assert found.alpha <= 1
        assert (found.alpha == 1) == (found.percent == 1)


@given(answers, st.sampled_from(["nominal", "ordinal"]), st.randoms())
def test_the_order_of_reviewers_and_of_conversations_is_nothing(units, level, shuffling) -> None:  # type: ignore[no-untyped-def]
    before = agreement(units, level)
    for unit in units:
        shuffling.shuffle(unit)
    shuffling.shuffle(units)
    after = agreement(units, level)
    assert (after.percent, after.pairs) == (pytest.approx(before.percent), before.pairs)
    assert after.alpha == (None if before.alpha is None else pytest.approx(before.alpha))
