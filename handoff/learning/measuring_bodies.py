"""What the routes of tests and trials accept."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from conversations.turn_model import Said, Thresholds
from handoff.bodies import Body, Prose
from learning.changes import MAX_WHY
from learning.saved_tests import MAX_MESSAGES, MAX_TEXT, MAX_TITLE, Line, Message, Question, Story

MAX_BYTES = 512 * 1024
Language = Literal["zh", "en"]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
Payload = Annotated[str, StringConstraints(pattern=r"^/[a-z_]+\s*(\{[\s\S]*\})?\s*$", max_length=2000)]
Words = Annotated[Prose, Field(max_length=MAX_TEXT)]
Name = Annotated[Prose, Field(min_length=1, max_length=100)]
Share = Annotated[float, Field(ge=0, le=1)]


class SaidBody(Body):
    """A message of a chat, typed or pressed."""

    text: Words = ""
    payload: Payload | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip() and self.payload is None:
            raise ValueError("text must not be empty")
        return self

    def said(self) -> Said:
        """For the bot."""
        return Said(self.text, self.payload)


class LimitsBody(Body):
    """Thresholds of a trial instead of those in force; what is left out stays as it is."""

    answer: Share | None = None
    clarify: Share | None = None
    retrieval: Share | None = None

    def thresholds(self) -> Thresholds:
        """For the bot."""
        return Thresholds(self.answer, self.clarify, self.retrieval)


class TrialBody(Body):
    """A chat whose last message is to be answered, by one version or by two."""

    language: Language
    messages: Annotated[tuple[SaidBody, ...], Field(min_length=1, max_length=MAX_MESSAGES)]
    models: Annotated[tuple[ModelName | None, ...], Field(min_length=1, max_length=2)] = (None,)
    thresholds: LimitsBody | None = None


class RunBody(Body):
    """What is to be measured."""

    kind: Literal["test", "cross_validate"]
    model: ModelName
    folds: Annotated[int, Field(ge=2, le=5)] = 3


class CompareQuery(Body):
    """The two versions whose tests are compared."""

    one: ModelName
    other: ModelName


class ExpectBody(Body):
    """What is expected of an answer; what is left out is not looked at."""

    intent: Name | None = None
    route: Name | None = None
    language: Language | None = None
    entities: Annotated[dict[str, Prose], Field(max_length=20)] | None = None
    actions: Annotated[tuple[Name, ...], Field(max_length=20)] | None = None
    article: Name | None = None
    handoff: Name | None = None
    would: Annotated[tuple[Name, ...], Field(max_length=5)] | None = None

    def expected(self) -> dict[str, Any]:
        """What was named, null as well: no article, no handoff."""
        named = self.model_dump(mode="json", exclude_unset=True)
        nothing = {name for name, value in named.items() if value is None and name not in ("article", "handoff")}
        return {name: value for name, value in named.items() if name not in nothing}


class StepBody(SaidBody):
    """A message of a saved chat."""

    expect: ExpectBody = ExpectBody()


class StoryBody(Body):
    """A chat to be saved as a test."""

    title: Annotated[Prose, Field(min_length=1, max_length=MAX_TITLE)]
    language: Language
    messages: Annotated[tuple[StepBody, ...], Field(min_length=1, max_length=MAX_MESSAGES)]
    why: Annotated[Prose, Field(max_length=MAX_WHY)] = ""

    def story(self) -> Story:
        """For the folder."""
        steps = tuple(Message(one.text or "", one.payload, one.expect.expected()) for one in self.messages)
        return Story(self.title, self.language, steps, self.why)


class LineBody(Body):
    """A line to be saved or deleted."""

    language: Language
    intent: Name
    text: Annotated[Prose, Field(min_length=1, max_length=MAX_TEXT)]
    why: Annotated[Prose, Field(max_length=MAX_WHY)] = ""

    def line(self) -> Line:
        """For the folder."""
        return Line(self.language, self.intent, self.text)


class QuestionBody(Body):
    """A question to be saved; without articles nothing should answer it."""

    language: Language
    text: Annotated[Prose, Field(min_length=1, max_length=MAX_TEXT)]
    articles: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    why: Annotated[Prose, Field(max_length=MAX_WHY)] = ""

    def question(self) -> Question:
        """For the folder."""
        return Question(self.language, self.text, self.articles)


class DropBody(Body):
    """Why a saved test is deleted."""

    why: Annotated[Prose, Field(max_length=MAX_WHY)] = ""
