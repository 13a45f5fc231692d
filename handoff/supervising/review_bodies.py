"""What the routes of reviews accept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StrictInt, model_validator

from conversations.model import Agent
from handoff.bodies import Body, Identifier, Prose
from reviewing.reviews import Wish
from reviewing.sampling import Criteria
from reviewing.scorecards import Card, Question, Section, Words
from reviewing.states import Remark, Said

_Key = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
_Line = Annotated[Prose, Field(max_length=300)]
_Named = Annotated[str, Field(min_length=1, max_length=128)]
_Id = Annotated[str, Field(pattern=r"^[a-z0-9]{1,32}$")]
_Answers = Annotated[dict[_Key, StrictInt | Literal["yes", "no", "na"]], Field(max_length=60)]
_Revision = Annotated[int, Field(ge=0, le=2**31)]
_DAYS = Annotated[str, Field(pattern=r"^\d{1,3}$")]


class WordsBody(Body):
    """The same in both languages; neither may be empty."""

    zh: Annotated[Prose, Field(min_length=1, max_length=300)]
    en: Annotated[Prose, Field(min_length=1, max_length=300)]

    def words(self) -> Words:
        """As the scorecard has them."""
        return Words(self.zh.strip(), self.en.strip())


class HintBody(Body):
    """An explanation, which may be missing."""

    zh: _Line = ""
    en: _Line = ""


class QuestionBody(Body):
    """One question of a scorecard."""

    key: _Key
    text: WordsBody
    form: Literal["yes_no", "scale"]
    weight: Annotated[int, Field(ge=1, le=10)] = 1
    critical: bool = False
    hint: HintBody = HintBody()


class SectionBody(Body):
    """Questions that belong together."""

    title: WordsBody
    questions: Annotated[tuple[QuestionBody, ...], Field(min_length=1, max_length=30)]


class CardBody(Body):
    """A version of a scorecard; ``based_on`` is the version that it was edited from, 0 for a new scorecard."""

    id: _Id | None = None
    based_on: Annotated[int, Field(ge=0, le=100_000)] = 0
    title: WordsBody
    serves: Literal["bot", "human", "both"]
    pass_mark: Annotated[int, Field(ge=0, le=100)]
    sections: Annotated[tuple[SectionBody, ...], Field(min_length=1, max_length=12)]

    def card(self) -> Card:
        """The version; its number is given when it is saved."""
        return Card(
            self.id or "",
            0,
            self.title.words(),
            self.serves,
            self.pass_mark,
            tuple(
                Section(
                    one.title.words(),
                    tuple(
                        Question(
                            q.key, q.text.words(), q.form, q.weight, q.critical, Words(q.hint.zh.strip(), q.hint.en.strip())
                        )
                        for q in one.questions
                    ),
                )
                for one in self.sections
            ),
        )  # fmt: skip


class CriteriaBody(Body):
    """What a targeted sample is about."""

    rating_to: Annotated[int, Field(ge=1, le=5)] | None = None
    refuted: bool = False
    misses_from: Annotated[int, Field(ge=1, le=50)] | None = None
    waited_from_seconds: Annotated[int, Field(ge=1, le=864_000)] | None = None
    negative: bool = False
    handed_off: bool = False
    agent_id: Identifier | None = None
    team_id: _Named | None = None
    channel: _Named | None = None
    language: _Named | None = None
    intent: _Named | None = None


class SampleBody(Body):
    """A sample to be drawn: from whom, for whom, how many for each reviewer; of the criteria a random one heeds the team."""

    title: Annotated[Prose, Field(min_length=1, max_length=120)]
    kind: Literal["random", "targeted", "calibration"]
    subject: Literal["bot", "human"]
    card_id: _Id
    reviewers: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=50)]
    each: Annotated[int, Field(ge=1, le=100)]
    since: AwareDatetime
    until: AwareDatetime
    seed: Annotated[Prose, Field(max_length=64)] = ""
    stratum: Literal["none", "agent", "channel"] = "none"
    criteria: CriteriaBody = CriteriaBody()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.title.strip():
            raise ValueError("give the sample a name")
        if self.since >= self.until:
            raise ValueError("the period ends before it begins")
        if len(set(self.reviewers)) != len(self.reviewers):
            raise ValueError("name every reviewer once")
        return self

    def wish(self, reviewers: tuple[Agent, ...]) -> Wish:
        """As the reviews take it."""
        wanted = Criteria(**self.criteria.model_dump())
        criteria = wanted if self.kind != "random" else Criteria(team_id=wanted.team_id)
        since, until = (at.astimezone(UTC) for at in (self.since, self.until))
        return Wish(
            self.title.strip(), self.kind, self.subject, self.card_id, reviewers, self.each, since, until,
            self.seed.strip(), self.stratum, criteria,
        )  # fmt: skip


class RemarkBody(Body):
    """About a single message."""

    message_id: Identifier
    seq: Annotated[int, Field(ge=1, le=2**31 - 1)]
    text: Annotated[Prose, Field(min_length=1, max_length=1000)]


class ReviewBody(Body):
    """The form as far as it is filled in; with ``submit`` it is handed in."""

    revision: _Revision
    answers: _Answers
    comment: Annotated[Prose, Field(max_length=4000)] = ""
    tags: Annotated[tuple[Annotated[Prose, Field(min_length=1, max_length=40)], ...], Field(max_length=20)] = ()
    notes: Annotated[dict[_Key, Annotated[Prose, Field(max_length=1000)]], Field(max_length=60, default_factory=dict)]
    remarks: Annotated[tuple[RemarkBody, ...], Field(max_length=100)] = ()
    submit: bool = False

    def said(self) -> Said:
        """The words of it."""
        notes = {key: text for key, text in self.notes.items() if text.strip()}
        tags = tuple(dict.fromkeys(one.strip() for one in self.tags if one.strip()))
        return Said(self.comment, tags, notes, tuple(Remark(one.message_id, one.seq, one.text) for one in self.remarks))


class InboxBody(Body):
    """Where the contact's message stands that the bot misunderstood."""

    seq: Annotated[int, Field(ge=1, le=2**31 - 1)]


class DisputeBody(Body):
    """What the agent disagrees with."""

    reason: Annotated[Prose, Field(min_length=1, max_length=2000)]


class VerdictBody(Body):
    """Why the review stays, or how its answers change; without ``answers`` it stays."""

    revision: _Revision
    reason: Annotated[Prose, Field(min_length=1, max_length=2000)]
    answers: _Answers | None = None


class ReviewsQuery(Body):
    """Which reviews: those to be written, those about oneself, those disputed, or all that were submitted; of one team."""

    view: Literal["mine", "about", "disputes", "all"] = "mine"
    team_id: _Named | None = None


class ResultsQuery(Body):
    """What was submitted in the last days, today included; of one team."""

    days: _DAYS = "90"
    team_id: _Named | None = None

    @property
    def whole(self) -> int:
        """The days as a number, at least one and at most two years."""
        return min(max(int(self.days), 1), 731)


def beginning(now: datetime, days: int) -> datetime:
    """Midnight of the first of so many days that end with this one, in the zone of ``now``."""
    return (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
