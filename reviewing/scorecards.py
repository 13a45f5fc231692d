"""Scorecards: what a reviewer answers about a conversation, and what the answers add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Form = Literal["yes_no", "scale"]
Subject = Literal["bot", "human"]
Serves = Literal["bot", "human", "both"]
Answer = int | str
YES, NO, NOT_APPLICABLE = "yes", "no", "na"
LOWEST, HIGHEST = 1, 5
MOST_QUESTIONS = 60


class BadCard(ValueError):
    """A scorecard, or answers to one, that cannot be used; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question; a critical one that is answered with no fails the whole review."""

    key: str
    text: Words
    form: Form
    weight: int = 1
    critical: bool = False
    hint: Words = Words("", "")


@dataclass(frozen=True, slots=True)
class Section:
    """Questions that belong together."""

    title: Words
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One version of a scorecard; a version is never changed, so reviews keep what they were made by."""

    id: str
    version: int
    title: Words
    serves: Serves
    pass_mark: int  #: out of 100, from which a review has passed
    sections: tuple[Section, ...]

    @property
    def questions(self) -> Iterator[Question]:
        """Every question, in order."""
        return (question for section in self.sections for question in section.questions)

    def is_for(self, subject: str) -> bool:
        """Whether it is made for the bot, or for people."""
        return self.serves in (subject, "both")


@dataclass(frozen=True, slots=True)
class Score:
    """What answers add up to: out of 100, None where no question applied."""

    value: float | None = None
    passed: bool | None = None
    failed_by: tuple[str, ...] = ()  #: critical questions that were answered with no


def check_card(card: Card) -> None:
    """Raises ``BadCard`` for a card that could not be filled in."""
    questions = list(card.questions)
    if not questions:
        raise BadCard("A scorecard needs at least one question.")
    if len(questions) > MOST_QUESTIONS:
        raise BadCard(f"A scorecard has at most {MOST_QUESTIONS} questions.")
    if len({one.key for one in questions}) != len(questions):
        raise BadCard("Two questions have the same key.")
    for one in questions:
        if one.critical and one.form != "yes_no":
            raise BadCard(f"“{one.text.en}” is critical, so it must be answered with yes or no.")


def check_answers(card: Card, answers: Mapping[str, Any], *, whole: bool) -> None:
    """Raises ``BadCard`` for answers that are none of the card's; ``whole`` ones leave no question out."""
    questions = {one.key: one for one in card.questions}
    for key, value in answers.items():
        question = questions.get(key)
        if question is None:
            raise BadCard("There is no such question on this version of the scorecard. Reload the page.")
        if value == NOT_APPLICABLE:
            continue
        if question.form == "yes_no":
            fits = value in (YES, NO)
        else:
            fits = isinstance(value, int) and not isinstance(value, bool) and LOWEST <= value <= HIGHEST
        if not fits:
            raise BadCard(f"“{question.text.en}” cannot be answered like this.")
    missing = [one for one in questions if one not in answers]
    if whole and missing:
        raise BadCard(f"{len(missing)} questions are not answered yet. Answer them, or say that they do not apply.")


def share_of(answer: Answer) -> float | None:
    """How good an answer is, 0 to 1; None where the question did not apply."""
    if answer == NOT_APPLICABLE:
        return None
    if isinstance(answer, int):
        return (answer - LOWEST) / (HIGHEST - LOWEST)
    return 1.0 if answer == YES else 0.0


def score_of(card: Card, answers: Mapping[str, Answer]) -> Score:
    """The weighted mean of the questions that applied; any critical one that failed makes it nothing."""
    failed = tuple(one.key for one in card.questions if one.critical and answers.get(one.key) == NO)
    weighed = [
        (one.weight, share)
        for one in card.questions
        if one.key in answers and (share := share_of(answers[one.key])) is not None
    ]
    whole = sum(weight for weight, _ in weighed)
    if not whole:
        return Score()
    value = 0.0 if failed else 100 * sum(weight * share for weight, share in weighed) / whole
    return Score(round(value, 2), not failed and round(value, 2) >= card.pass_mark, failed)


# -- as JSON ------------------------------------------------------------------------------------------------------


def card_form(card: Card) -> dict[str, Any]:
    """A version as it is stored and shown."""
    return {
        "id": card.id,
        "version": card.version,
        "title": _words_form(card.title),
        "serves": card.serves,
        "pass_mark": card.pass_mark,
        "sections": [
            {
                "title": _words_form(section.title),
                "questions": [
                    {
                        "key": one.key,
                        "text": _words_form(one.text),
                        "form": one.form,
                        "weight": one.weight,
                        "critical": one.critical,
                        "hint": _words_form(one.hint),
                    }
                    for one in section.questions
                ],
            }
            for section in card.sections
        ],
    }


def card_of(form: Mapping[str, Any]) -> Card:
    """The version behind its stored form."""
    return Card(
        form["id"],
        form["version"],
        Words(**form["title"]),
        form["serves"],
        form["pass_mark"],
        tuple(
            Section(
                Words(**section["title"]),
                tuple(
                    Question(
                        one["key"],
                        Words(**one["text"]),
                        one["form"],
                        one["weight"],
                        one["critical"],
                        Words(**one["hint"]),
                    )
                    for one in section["questions"]
                ),
            )
            for section in form["sections"]
        ),
    )


def _words_form(words: Words) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}
