"""What goes to the dialogue and comes back: one turn, with its trace. Standard library only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from conversations.model import Citation


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits for a turn: scores at or above ``answer`` act, below ``clarify`` go to knowledge; None: the model's own."""

    answer: float | None
    clarify: float | None
    retrieval: float | None  #: calibrated retrieval score needed to quote an article

    @property
    def given(self) -> dict[str, float]:
        """Those that are not left to the model, as they travel with a turn."""
        named = {"answer": self.answer, "clarify": self.clarify, "retrieval": self.retrieval}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a chat that is tried out: typed, or a button with its payload."""

    text: str
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One message of a contact on its way to the dialogue; ``turn_id`` makes a repeat harmless."""

    turn_id: str
    conversation_id: str
    text: str
    language_hint: str | None
    thresholds: dict[str, Thresholds]  #: by language
    payload: str | None = None  #: a trusted button payload; set only from our own button table
    customer_id: str | None = None
    agent_said: tuple[str, ...] = ()  #: what agents wrote since the bot last spoke
    sent_at: datetime | None = None  #: what “tomorrow” is reckoned from
    products: tuple[dict[str, Any], ...] = ()  #: taught product names in the text: ``product``, ``start``, ``end``
    audiences: tuple[str, ...] = ()  #: to whom this channel speaks besides customers: what articles they may be told
    told: dict[str, str] | None = None  #: what the contact was told unasked since the last turn: order or ticket
    misses: int = 2  #: at so many misses in a row the bot hands off; 0 is never
    dry_run: bool = False  #: say what would be answered and change nothing
    earlier: tuple[Said, ...] | None = None  #: of a dry run: the chat that the message continues, not a stored one
    sample_shop: bool = False  #: of a dry run: orders and customers are those of the sample shop
    model: str | None = None  #: the version that answers; None: what the bot serves by default


#: By conversation and the version it cannot go on with, the version of the bot's model it begins; None: the bot decides.
VersionOf = Callable[[str, str | None], str | None]


def bots_choice(_conversation_id: str, _gone: str | None) -> str | None:
    """Nobody here decides on the version."""
    return None


@dataclass(frozen=True, slots=True)
class ReplyButton:
    """A button as the dialogue offers it, with the payload that must stay on the server."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One thing the dialogue says, with what the service must do about it."""

    text: str
    buttons: tuple[ReplyButton, ...] = ()
    citations: tuple[Citation, ...] = ()
    handoff: str | None = None  #: a ``HandoffReason`` value: queue the conversation in the same transaction
    customer_id: str | None = None  #: the contact proved to be this customer
    proved_by: str | None = None  #: how: "code" or "last4"


@dataclass(frozen=True, slots=True)
class Feeling:
    """How a contact's message feels."""

    label: str  #: "negative", "neutral" or "positive"
    value: float  #: from -1 to 1
    anger: float  #: probability of anger or distress, from 0 to 1


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What the dialogue answered, and why."""

    replies: tuple[Reply, ...]
    trace: dict[str, Any] = field(default_factory=dict)
    feeling: Feeling | None = None  #: of the message that is answered


@dataclass(frozen=True, slots=True)
class Trace:
    """Why the bot answered as it did: the stored trace of one turn, and which messages it explains."""

    turn_id: str
    conversation_id: str
    in_seq: int  #: the contact's message
    out_seqs: tuple[int, ...]  #: what was said in answer
    trace: dict[str, Any]
    started_at: datetime
    finished_at: datetime
