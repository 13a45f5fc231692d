"""What the reports answer: figures, their rows, how they changed, and the things that were counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reporting.query import Query


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with what it is made of; ``value`` is None where nothing was counted, or where it is hidden."""

    value: float | None
    part: int | float | None = None  #: of a share, how many of the whole; of points, those for less those against
    whole: int | None = None  #: how many things were counted
    low: float | None = None  #: of the 95 % interval
    high: float | None = None
    tail: float | None = None  #: of durations, the 90th or 95th percentile


@dataclass(frozen=True, slots=True)
class Row:
    """The figure of one part: of a team, an intent, a day; the key is empty where that is not known."""

    key: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Change:
    """Against the period of the same length right before; ``significant`` is None where there is too little to say."""

    previous: Figure
    difference: float | None
    significant: bool | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The figure that was asked for, as a whole and in parts."""

    query: Query
    total: Figure
    rows: tuple[Row, ...] = ()
    other: Figure | None = None  #: the rows beyond the first ``top``
    change: Change | None = None
    behind: int = 0  #: entries of the audit chain that are not in the figures yet
    hidden: str | None = None  #: why there is no number: "few"


@dataclass(frozen=True, slots=True)
class CountedUnit:
    """One thing that was counted."""

    conversation_id: str
    at: datetime
    channel: str
    language: str
    intent: str
    team: str
    agent: str
    status: str  #: of the conversation, now
    contact_id: str  #: names who has no name
    contact_name: str | None = None
    seq: int | None = None  #: of a message, or of the message whose turn it is
    value: float | None = None  #: 1 and 0 for part and rest of a share; the duration, the score, the points


@dataclass(frozen=True, slots=True)
class Units:
    """Some of the things that a figure counts, the newest first; ``total`` is all of them."""

    total: int
    units: tuple[CountedUnit, ...]


@dataclass(frozen=True, slots=True)
class Costs:
    """What a conversation costs the company, as it says itself: with people, and with the bot alone."""

    human_per_conversation: float = 15.0
    bot_per_conversation: float = 1.0
    currency: str = "CNY"
    changed_by: str | None = None
    changed_at: datetime | None = None

    @property
    def saved(self) -> float:
        """What one conversation saves that the bot ends without people."""
        return self.human_per_conversation - self.bot_per_conversation
