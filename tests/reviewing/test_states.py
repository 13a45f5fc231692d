"""The life of a review, by whatever anybody tries in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from conversations.model import Agent
from reviewing.default_cards import default_card
from reviewing.states import DECIDED, DISPUTED_WITHIN, TRANSITIONS, ReviewRefused, Said, State
from tests.reviewing.builders import ADA, BEN, LIN, NOON, a_review, filled

CARD = default_card()
PEOPLE = st.sampled_from([ADA, BEN, LIN, Agent("other", "Other")])
ANSWERS = st.sampled_from([filled(), filled(scale=1), filled(correct="no"), {"understood": "no"}, {}])


class Life(RuleBasedStateMachine):
    """Anybody tries anything; what is refused changes nothing, what is done follows the table."""

    def __init__(self) -> None:
        super().__init__()
        self.review, self.now = a_review(), NOON
        self.disputes = 0

    def attempt(self, verb, *given) -> bool:  # type: ignore[no-untyped-def]
        before = self.review
        try:
            after = getattr(before, verb)(*given)
        except ReviewRefused:
            return False
        assert after.state is before.state is State.DRAFT or after.state in TRANSITIONS[before.state]
        assert after.revision == before.revision + 1
        self.review = after
        return True

    @rule(days=st.integers(0, 8))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(by=PEOPLE, answers=ANSWERS)
    def write(self, by: Agent, answers: dict[str, object]) -> None:
        if self.attempt("write", by, CARD, answers, Said("x")):
            assert by == ADA

    @rule(by=PEOPLE, answers=ANSWERS)
    def submit(self, by: Agent, answers: dict[str, object]) -> None:
        if self.attempt("submit", by, CARD, answers, Said("x"), self.now):
            assert by == ADA
            assert len(self.review.answers) == len(list(CARD.questions))

    @rule(by=PEOPLE, reason=st.sampled_from(["No.", " "]))
    def dispute(self, by: Agent, reason: str) -> None:
        if self.attempt("disputed", by, reason, self.now):
            self.disputes += 1
            assert (by, reason) == (LIN, "No.")
            assert self.review.submitted_at is not None
            assert self.now - self.review.submitted_at <= DISPUTED_WITHIN

    @rule(by=PEOPLE, reason=st.sampled_from(["Because.", ""]), answers=st.none() | ANSWERS)
    def decide(self, by: Agent, reason: str, answers: dict[str, object] | None) -> None:
        before = self.review
        if self.attempt("decide", by, reason, self.now, CARD, answers):
            assert by not in (ADA, LIN)
            assert reason == "Because."
            if self.review.state is State.CHANGED:
                assert self.review.answers_before == before.answers != self.review.answers
                assert self.review.score_before == before.score.value
            else:
                assert self.review.score == before.score

    @invariant()
    def it_is_disputed_once_at_most(self) -> None:
        assert self.disputes <= 1

    @precondition(lambda self: self.review.state in DECIDED)
    @invariant()
    def what_is_decided_says_by_whom_and_why(self) -> None:
        assert self.review.decided_by is not None
        assert self.review.decision
        assert self.review.dispute


TestLife = Life.TestCase


def submitted():  # type: ignore[no-untyped-def]
    return a_review().submit(ADA, CARD, filled(), Said(), NOON)


def test_a_dispute_that_comes_on_the_fifteenth_day_is_too_late() -> None:
    assert submitted().disputed(LIN, "No.", NOON + timedelta(days=14)).state is State.DISPUTED
    with pytest.raises(ReviewRefused) as refused:
        submitted().disputed(LIN, "No.", NOON + timedelta(days=14, seconds=1))
    assert refused.value.code == "too_late"


def test_what_compares_reviewers_cannot_be_disputed() -> None:
    with pytest.raises(ReviewRefused):
        replace(submitted(), calibrates=True).disputed(LIN, "No.", NOON)


def test_a_change_changes_something() -> None:
    disputed = submitted().disputed(LIN, "No.", NOON)
    with pytest.raises(ReviewRefused) as refused:
        disputed.decide(BEN, "Because.", NOON, CARD, filled())
    assert refused.value.code == "nothing"
    changed = disputed.decide(BEN, "Because.", NOON, CARD, filled(correct="no"))
    assert (changed.score_before, changed.score.value) == (100, 0)
