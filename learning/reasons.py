"""What can go wrong with a message: the reasons by which it comes to the inbox, and the facts that are kept of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag


class Reason(IntFlag):
    """Why a message is in the inbox; several at once are the rule. The numbers are stored."""

    LOW_CONFIDENCE = 1  #: the model was less sure than the threshold that was in force
    CLARIFIED = 2  #: the bot had to ask back
    MISSED = 4  #: the bot had nothing to say to it
    HANDED_OFF = 8  #: people had to take over, or the contact asked for one right after
    DISLIKED = 16  #: the contact said that it did not help, or scolded the bot
    CORRECTED = 32  #: an agent turned down or rewrote what the bot would have said
    LOW_RATING = 64  #: the contact gave this part of the conversation one or two stars
    REVIEWER = 128  #: a reviewer asked for it


REASONS = tuple(Reason)


def names_of(reasons: int) -> list[str]:
    """The reasons in words, the first of the list first."""
    return [str(one.name).lower() for one in REASONS if reasons & one]


def reasons_of(names: Iterable[str]) -> Reason:
    """The reasons behind such words; raises ``KeyError`` for another one."""
    found = Reason(0)
    for name in names:
        found |= Reason[name.upper()]
    return found


@dataclass(frozen=True, slots=True)
class Mishap:
    """A message that went wrong: where it stands and what is known of it, but none of its words."""

    message_id: str
    conversation_id: str
    seq: int
    contact_id: str
    channel: str
    language: str
    at: datetime
    reasons: Reason
    episode_id: str | None = None
    intent: str | None = None  #: what the bot took it for
    confidence: float | None = None
    answer_limit: float | None = None  #: the thresholds that were in force
    clarify_limit: float | None = None
    route: str | None = None
    model_id: str | None = None
    rating: int | None = (
        None  #: what the contact gave for this part of the conversation, or for the next that was rated
    )
    handed_off: bool = False  #: whether people took this part over
