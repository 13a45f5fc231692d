"""Scorecards and what their answers add up to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewing.default_cards import default_card
from reviewing.scorecards import (
    BadCard,
    Card,
    Question,
    Section,
    Words,
    card_form,
    card_of,
    check_answers,
    check_card,
    score_of,
)
from tests.reviewing.builders import filled

W = Words("问", "Asked")


def card(*questions: Question, pass_mark: int = 80) -> Card:
    return Card("c", 1, W, "both", pass_mark, (Section(W, questions),))


def test_the_card_that_a_desk_begins_with_can_be_used_and_is_in_both_languages() -> None:
    first = default_card()
    check_card(first)
    assert card_of(card_form(first)) == first
    for question in first.questions:
        assert question.text.zh
        assert question.text.en
        assert question.text.zh != question.text.en
    assert score_of(first, filled()).value == 100


def test_a_weighted_mean_leaves_out_what_did_not_apply() -> None:
    made = card(Question("a", W, "yes_no", 3), Question("b", W, "scale", 1), Question("c", W, "yes_no", 6))
    score = score_of(made, {"a": "yes", "b": 3, "c": "na"})
    assert (score.value, score.passed) == (87.5, True)
    assert score_of(made, {"a": "na", "b": "na", "c": "na"}).value is None


def test_one_critical_no_fails_everything() -> None:
    made = card(Question("a", W, "scale", 9), Question("b", W, "yes_no", 1, critical=True), pass_mark=0)
    score = score_of(made, {"a": 5, "b": "no"})
    assert (score.value, score.passed, score.failed_by) == (0, False, ("b",))
    assert score_of(made, {"a": 5, "b": "na"}).passed


@given(st.data())
def test_a_better_answer_never_makes_a_worse_score(data: st.DataObject) -> None:
    first = default_card()
    answers = {one.key: data.draw(st.integers(1, 5)) if one.form == "scale" else "yes" for one in first.questions}
    key = data.draw(st.sampled_from([one.key for one in first.questions if one.form == "scale"]))
    better = answers | {key: min(5, int(answers[key]) + 1)}
    low, high = score_of(first, answers).value, score_of(first, better).value
    assert low is not None
    assert high is not None
    assert 0 <= low <= high <= 100


@pytest.mark.parametrize(
    "answers", [{"a": "maybe"}, {"b": 6}, {"b": 0}, {"b": True}, {"b": "yes"}, {"a": 1}, {"x": "yes"}]
)
def test_answers_that_the_card_does_not_ask_for_are_refused(answers: dict[str, object]) -> None:
    made = card(Question("a", W, "yes_no"), Question("b", W, "scale"))
    with pytest.raises(BadCard):
        check_answers(made, answers, whole=False)


def test_what_is_handed_in_is_whole() -> None:
    made = card(Question("a", W, "yes_no"), Question("b", W, "scale"))
    check_answers(made, {"a": "yes"}, whole=False)
    with pytest.raises(BadCard, match="1 questions are not answered"):
        check_answers(made, {"a": "yes"}, whole=True)


@pytest.mark.parametrize(
    "bad",
    [
        card(),
        card(Question("a", W, "yes_no"), Question("a", W, "scale")),
        card(Question("a", W, "scale", critical=True)),
        card(*(Question(f"q{number}", W, "yes_no") for number in range(61))),
    ],
)
def test_a_card_that_could_not_be_filled_in_is_refused(bad: Card) -> None:
    with pytest.raises(BadCard):
        check_card(bad)
