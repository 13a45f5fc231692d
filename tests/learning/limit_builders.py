"""Logs of turns whose outcomes one knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from learning.limit_cases import Band, Case, Done
from learning.limit_curves import Limits

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
IN_FORCE = Limits(0.5, 0.3, 0.5)


def case(number: int, done: Done = Done.ACTED, **more: Any) -> Case:
    """One message, each in a conversation of its own unless told otherwise."""
    more.setdefault("conversation_id", f"conversation-{number}")
    return Case(message_id=f"message-{number}", at=AT, language="en", done=done, **more)


def acted(number: int, score: float, *, wrong: bool | None = None, **more: Any) -> Case:
    """A message the bot acted on."""
    return case(number, Done.ACTED, score=score, band=Band.ACT, act_wrong=wrong, **more)


def asked_back(number: int, score: float, *, helped: bool | None = None, **more: Any) -> Case:
    """A message the bot asked back about."""
    return case(number, Done.CLARIFIED, score=score, band=Band.CLARIFY, helped=helped, **more)


def looked_up(number: int, article: float, *, score: float | None = None, wrong: bool | None = None) -> Case:
    """A message for which the articles were searched, with the gate at one half."""
    done = Done.ANSWERED if article >= IN_FORCE.retrieval else Done.MISSED
    band = None if score is None else Band.KNOWLEDGE
    return case(number, done, score=score, band=band, retrieval=article, answer_wrong=wrong)


class World:
    """Customers of whom the truth is known: how likely the bot is right at a score, and how scores lie."""

    def __init__(self, offset: float, slope: float, labelled: float = 0.35) -> None:
        self.offset, self.slope, self.labelled = offset, slope, labelled

    def right(self, score: Any) -> Any:
        """How likely acting, or quoting, is right at a score."""
        return _logistic(self.offset + self.slope * _logit(score))

    def helps(self, score: Any) -> Any:
        """How likely asking back helps."""
        return _logistic(0.4 + 0.6 * _logit(score))

    def log(self, seed: int, messages: int = 4000) -> list[Case]:
        """What the desk logged while its thresholds were those in force."""
        random = np.random.default_rng(seed)
        found: list[Case] = []
        for number, (score, article, chance, told) in enumerate(
            zip(
                random.beta(2.0, 1.3, messages).tolist(), random.beta(1.6, 1.4, messages).tolist(),
                random.random(messages).tolist(), (random.random(messages) < self.labelled).tolist(), strict=True,
            )
        ):  # fmt: skip
            if number % 3 == 0:
                wrong = bool(chance > self.right(article))
                shown = told and article >= IN_FORCE.retrieval
                found.append(looked_up(number, article, wrong=wrong if shown else None))
            elif score >= IN_FORCE.answer:
                found.append(acted(number, score, wrong=bool(chance > self.right(score)) if told else None))
            elif score >= IN_FORCE.clarify:
                found.append(asked_back(number, score, helped=bool(chance < self.helps(score)) if told else None))
            else:
                found.append(looked_up(number, article, score=score))
        return found


def _logit(score: Any) -> Any:
    clipped = np.clip(score, 0.005, 0.995)
    return np.log(clipped / (1 - clipped))


def _logistic(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))
