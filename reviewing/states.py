"""The life of a review: draft → submitted → disputed → upheld or changed. Nothing leads back, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from conversations.model import Agent
from reviewing.scorecards import Answer, BadCard, Card, Score, Subject, check_answers, score_of

DISPUTED_WITHIN = timedelta(days=14)


class State(StrEnum):
    """How far a review is."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    DISPUTED = "disputed"
    UPHELD = "upheld"
    CHANGED = "changed"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.SUBMITTED}),
    State.SUBMITTED: frozenset({State.DISPUTED}),
    State.DISPUTED: frozenset({State.UPHELD, State.CHANGED}),
    State.UPHELD: frozenset(),
    State.CHANGED: frozenset(),
}
DECIDED = frozenset({State.UPHELD, State.CHANGED})


class ReviewRefused(Exception):
    """Something that cannot be done with a review; ``code`` is one of not_found, changed, state, not_yours, own, too_late,
    incomplete, erased, bad_card, no_reason, nothing or not_a_question."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reviewer says about a single message."""

    message_id: str
    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a reviewer wrote; it may quote the contact, so it is sealed with the contact's key."""

    comment: str = ""
    tags: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)  #: by the question's key
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """One conversation reviewed by one person."""

    id: str
    sample_id: str
    conversation_id: str
    contact_id: str
    subject: Subject
    reviewer: Agent
    card_id: str
    card_version: int
    created_at: datetime
    agent_id: str | None = None  #: who is reviewed; nobody where it is the bot
    agent_name: str | None = None
    team_id: str | None = None  #: of the conversation when it was drawn
    people: frozenset[str] = frozenset()  #: who took part in the conversation
    calibrates: bool = False  #: part of a comparison between reviewers: counts in no figure, cannot be disputed
    state: State = State.DRAFT
    answers: Mapping[str, Answer] = field(default_factory=dict)
    said: Said = field(default_factory=Said)
    score: Score = field(default_factory=Score)
    revision: int = 0
    submitted_at: datetime | None = None
    dispute: str = ""
    disputed_at: datetime | None = None
    decision: str = ""
    decided_at: datetime | None = None
    decided_by: Agent | None = None
    answers_before: Mapping[str, Answer] | None = None  #: as they were submitted, where a dispute changed them
    score_before: float | None = None

    def write(self, by: Agent, card: Card, answers: Mapping[str, Any], said: Said) -> Review:
        """Keep a draft."""
        self._is(State.DRAFT)
        if by.id != self.reviewer.id:
            raise ReviewRefused("not_yours", "Somebody else reviews this conversation.")
        _check(card, answers, whole=False)
        return replace(
            self, answers=dict(answers), said=said, score=score_of(card, answers), revision=self.revision + 1
        )

    def submit(self, by: Agent, card: Card, answers: Mapping[str, Any], said: Said, now: datetime) -> Review:
        """Hand it in; every question has to be answered, and nothing can be changed any more."""
        written = self.write(by, card, answers, said)
        _check(card, answers, whole=True)
        return replace(written, state=State.SUBMITTED, submitted_at=now)

    def disputed(self, by: Agent, reason: str, now: datetime) -> Review:
        """The reviewed agent disagrees: once, with a reason, and in time."""
        if self.agent_id != by.id or self.calibrates:
            raise ReviewRefused("not_yours", "Only whoever was reviewed can dispute a review.")
        self._is(State.SUBMITTED)
        assert self.submitted_at is not None
        if now > self.submitted_at + DISPUTED_WITHIN:
            raise ReviewRefused("too_late", "A review can be disputed within 14 days. Talk to your supervisor.")
        if not reason.strip():
            raise ReviewRefused("no_reason", "Say what you disagree with.")
        return replace(self, state=State.DISPUTED, dispute=reason.strip(), disputed_at=now, revision=self.revision + 1)

    def decide(
        self, by: Agent, reason: str, now: datetime, card: Card, changed: Mapping[str, Any] | None = None
    ) -> Review:
        """Uphold it, or change its answers; not whoever reviewed, nor who was reviewed."""
        self._is(State.DISPUTED)
        if by.id in (self.reviewer.id, self.agent_id) or by.id in self.people:
            raise ReviewRefused("own", "Somebody who has no part in this review must decide about it.")
        if not reason.strip():
            raise ReviewRefused("no_reason", "Say why; the agent reads it.")
        decided = replace(self, decision=reason.strip(), decided_at=now, decided_by=by, revision=self.revision + 1)
        if changed is None:
            return replace(decided, state=State.UPHELD)
        _check(card, changed, whole=True)
        if dict(changed) == dict(self.answers):
            raise ReviewRefused("nothing", "No answer was changed. Change one, or uphold the review.")
        return replace(
            decided,
            state=State.CHANGED,
            answers=dict(changed),
            score=score_of(card, changed),
            answers_before=self.answers,
            score_before=self.score.value,
        )

    def _is(self, state: State) -> None:
        if self.state is not state:
            raise ReviewRefused("state", f"This review is {self.state.value} already. Reload the page.")


def _check(card: Card, answers: Mapping[str, Any], *, whole: bool) -> None:
    try:
        check_answers(card, answers, whole=whole)
    except BadCard as bad:
        raise ReviewRefused("incomplete" if "not answered" in str(bad) else "bad_answer", str(bad)) from None
