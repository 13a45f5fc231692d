"""What a conversation is: its states, messages, people, and what the dialogue answers. Standard library only."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Who speaks next in a conversation."""

    BOT = "bot"  #: the bot answers
    QUEUED = "queued"  #: the contact waits for an agent, the bot is silent
    ASSIGNED = "assigned"  #: an agent answers, the bot is silent
    RESOLVED = "resolved"  #: finished; the contact's next message opens a new conversation


#: Every allowed change of status; anything else raises ``IllegalTransition``.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.BOT: frozenset({Status.QUEUED, Status.RESOLVED}),
    Status.QUEUED: frozenset({Status.ASSIGNED, Status.BOT, Status.RESOLVED}),
    Status.ASSIGNED: frozenset({Status.BOT, Status.QUEUED, Status.RESOLVED}),
    Status.RESOLVED: frozenset({Status.QUEUED}),  # only where a merge is undone
}


class Author(StrEnum):
    """Who wrote a message."""

    CONTACT = "contact"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class MessageKind(StrEnum):
    """What a message is in the transcript."""

    TEXT = "text"
    NOTE = "note"  #: only staff see it
    ACTIVITY = "activity"  #: a change of state, told in the transcript
    RATING_REQUEST = "rating_request"  #: asks the contact what they think


class HandoffReason(StrEnum):
    """Why the bot gave the conversation to people."""

    ASKED_FOR_PERSON = "asked_for_person"
    TWO_MISSES = "two_misses"
    ACTION_FAILED = "action_failed"
    DIALOGUE_FAILED = "dialogue_failed"
    TAKEN_OVER = "taken_over"  #: an agent stepped in while the bot was speaking
    ANGRY = "angry"  #: the contact's message was angry or in distress
    LOW_CONFIDENCE = "low_confidence"  #: the bot was unsure too often in a row
    LOOP = "loop"  #: the contact repeated the request, or the bot its answer
    VIP = "vip"  #: the customer's tier asks for people


#: Three heartbeats without a sign: the process that sent them is gone, or the agent is.
HEARTBEATS_MISSED = timedelta(seconds=30)
LONGEST_OFFER = timedelta(seconds=300)
#: Begins what a machine wrote down of a voice message: staff see it, whoever takes the words as typed does without.
SPOKEN = "🎤 "
PRIORITIES = ("none", "low", "normal", "high", "urgent")


@dataclass(frozen=True, slots=True)
class Label:
    """What agents sort conversations by; an archived one stays on old conversations and is not offered any more."""

    id: str
    title: str
    colour: str
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """A conversation that goes on in another one, and who said so."""

    id: str
    source_id: str
    target_id: str
    by_id: str
    by_name: str
    at: datetime
    before: dict[str, Any]  #: status and holder of the source, for undoing
    told_at: datetime | None = None


def new_id() -> str:
    """A random 128-bit identifier, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def utc_now() -> datetime:
    """The current aware UTC time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a contact is reached: the channel, our account on it, and the contact's id there."""

    channel: str
    account: str
    contact: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.account}:{self.contact}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A stored file that belongs to a message; ``id`` names it in the attachment store."""

    id: str
    name: str
    media_type: str
    size: int  #: bytes


@dataclass(frozen=True, slots=True)
class Button:
    """A quick reply; ``id`` is opaque to the contact, the payload stays on the server."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Citation:
    """The passage an answer was quoted from."""

    passage_id: str
    article_id: str
    title: str
    quote: str
    url: str


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of staff who speaks with contacts."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether an agent is at the desk; ``state`` is "online", "away" or "offline"."""

    agent_id: str
    name: str
    state: str
    last_seen_at: datetime
    assigned: int = 0  #: conversations the agent holds now
    offered: int = 0  #: conversations the agent is invited to take
    online_at: datetime | None = None  #: when they last came to the desk
    taken_at: datetime | None = None  #: when they last got a conversation
    freed_at: datetime | None = None  #: when they last let go of one

    def state_at(self, now: datetime) -> str:
        """What to believe of it: nobody is at the desk without heartbeats."""
        return "offline" if now - self.last_seen_at > HEARTBEATS_MISSED else self.state


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message as a channel delivered it, before it belongs to a conversation."""

    address: Address
    external_id: str  #: the channel's id of this message; unique per channel account
    text: str = ""
    button_id: str | None = None
    attachments: tuple[Attachment, ...] = ()
    contact_name: str | None = None
    language: str | None = None  #: hint ("zh" or "en") such as the page's language
    sent_at: datetime | None = None
    contact_point: str | None = None  #: from a form: how to reach the contact, as typed; ``text`` says it as well
    vouched: str | None = None  #: phone number or e-mail address of the sender, by the word of the channel itself


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the transcript; ``seq`` is gap-free within its conversation, starting at 1."""

    id: str
    conversation_id: str
    seq: int
    author: Author
    kind: MessageKind
    text: str
    created_at: datetime
    author_id: str | None = None  #: the agent's id when an agent wrote it
    author_name: str | None = None
    buttons: tuple[Button, ...] = ()
    citations: tuple[Citation, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    external_id: str | None = None  #: for inbound messages
    turn_id: str | None = None  #: the turn whose trace explains this bot message
    delivery_failed: bool = False  #: the channel refused it for good; the contact has not seen it
    recalled_at: datetime | None = None  #: when its author took it back; only staff still read the text
    recalled_by: str | None = None  #: the name of the agent who did
    sentiment: float | None = None  #: of a contact's message, from -1 to 1; None until it is known
    sentiment_label: str | None = None  #: "negative", "neutral" or "positive"
    anger: float | None = None  #: probability that the writer is angry or in distress, from 0 to 1
    asks: dict[str, Any] | None = None  #: of a rating request: what a form can ask for

    @property
    def private(self) -> bool:
        """Whether the contact must never see this message."""
        return self.kind is MessageKind.NOTE


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """What a connector is asked to deliver to a contact."""

    outbox_id: str
    conversation_id: str
    seq: int
    author: Author
    kind: MessageKind
    text: str
    created_at: datetime
    author_name: str | None = None
    buttons: tuple[Button, ...] = ()
    citations: tuple[Citation, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    #: The channel's ids of the parts that are out already, in order; whoever sends adds to it.
    sent_parts: list[str] = field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """A customer; ``customer_id`` is set once the contact proved who they are."""

    id: str
    name: str | None
    language: str | None
    customer_id: str | None
    created_at: datetime
    origin_id: str | None = None  #: of a merged address: the contact it belonged to before
    home: Address | None = None  #: the linked address at which their conversations are kept, if it is not this one
    retired_at: datetime | None = None  #: since when nobody may write from this address


@dataclass(frozen=True, slots=True)
class Participant:
    """An agent who writes in a conversation that is somebody else's; never its assignee."""

    agent_id: str
    name: str
    role: str  #: "guest": invited by the assignee; "supervisor": came by themselves
    joined_at: datetime | None = None  #: None: invited, has not joined yet
    invited_until: datetime | None = None  #: when an invitation lapses


@dataclass(frozen=True, slots=True)
class Conversation:
    """One matter with one contact on one address, from its first message until it is resolved."""

    id: str
    address: Address
    contact_id: str
    status: Status
    language: str
    opened_at: datetime
    updated_at: datetime
    last_seq: int = 0
    agent_id: str | None = None
    handoff_reason: str | None = None
    queued_at: datetime | None = None
    assigned_at: datetime | None = None
    resolved_at: datetime | None = None
    priority: int = 0  #: higher is served first; a conversation an agent lost goes back with 1
    agent_name: str | None = None
    contact_name: str | None = None
    customer_id: str | None = None
    resolved_by: str | None = None  #: "agent", "merged", or "idle" when the contact stopped writing to the bot
    callback_ticket: str | None = None  #: the ticket promised to a contact who asked for a person out of hours
    preview: str = ""  #: the beginning of the last message both sides see
    preview_author: str | None = None
    team_id: str | None = None  #: whose queue it waits in, or last waited in
    required_skills: tuple[str, ...] = ()
    tier: str = "standard"  #: how much the customer is worth to the shop, as it was at the handoff
    sla_due_at: datetime | None = None  #: when an agent must have answered; None once one has
    rank_at: datetime | None = None  #: its place in the queue: the earliest is served first
    previous_agent: str | None = None  #: the agent who served the contact last
    offered_to: str | None = None  #: the agent who is invited to take it
    offered_name: str | None = None
    offered_until: datetime | None = None
    asked: Mapping[str, str] = field(default_factory=dict)  #: agent id and when they did not take it
    participants: tuple[Participant, ...] = ()
    told_place: int | None = None  #: what the waiting contact heard last; None: that the desk is closed
    told_seconds: int | None = None
    told_at: datetime | None = None
    callback_state: str | None = None  #: what became of a callback, see ``conversations/callbacks.py``
    callback_due: bool = False  #: the callback ticket does not hold yet what the contact said
    contact_point: str | None = None  #: phone or e-mail the contact left

    manual_priority: str = "none"  #: one of ``PRIORITIES``, as agents set it
    label_ids: tuple[str, ...] = ()
    snoozed_until: datetime | None = None  #: out of the lists of open work until then
    snoozed_by: str | None = None
    snooze_reason: str | None = None
    waiting_since: datetime | None = None  #: the contact's first message that nobody has answered
    merged_into: str | None = None  #: the conversation in which this one goes on
    revision: int = 0  #: counts saved changes, so that readers can tell which state is newer
    contact_read_seq: int = 0  #: how far the contact has read, where the channel tells
    contact_read_at: datetime | None = None
    contact_received_seq: int = 0  #: how far it came to the contact's device, where the channel tells
    agent_read_seq: int = 0  #: how far the agent who holds it has read
    agent_read_at: datetime | None = None
    sentiment: float | None = None  #: of the contact's latest message, from -1 to 1; None until it is known
    sentiment_label: str | None = None
    handoff_summary: dict[str, Any] | None = None  #: what an agent needs to know; see ``handoff_summary``
    origin_id: str | None = None  #: whose key seals its audit entries, where its contact was merged into another
    reply_to: Address | None = None  #: the linked address at which the contact wrote last, if it is not ``address``
    told: dict[str, str] | None = None  #: what the contact was told unasked since the last turn: order, ticket
    model: str | None = None  #: the version of the bot's model that it stays on until it ends

    @property
    def reached_at(self) -> Address:
        """Where the contact is now, and answers go."""
        return self.reply_to or self.address

    def participant(self, agent_id: str) -> Participant | None:
        """The agent's part in this conversation besides the assignee's."""
        return next((one for one in self.participants if one.agent_id == agent_id), None)

    def offered(self, now: datetime) -> str | None:
        """Whose turn it is to accept, while the offer stands; one that seems to end far ahead met a clock set back."""
        left = self.offered_until - now if self.offered_until is not None else timedelta()
        return self.offered_to if self.status is Status.QUEUED and timedelta() < left <= LONGEST_OFFER else None

    def moved_to(self, status: Status, **changes: Any) -> Conversation:
        """This conversation in another status; raises ``IllegalTransition`` if the table forbids it."""
        from conversations.errors import IllegalTransition

        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(self.status, status)
        return replace(self, status=status, **changes)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a message is stored; ``duplicate`` says that it already was."""

    conversation_id: str
    message_id: str
    seq: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a contact's transcript, written ``conversation_id:seq``."""

    conversation_id: str
    seq: int

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """The cursor that ``str`` wrote, or None for anything else."""
        conversation_id, _, seq = text.partition(":")
        if not conversation_id or not seq.isascii() or not seq.isdigit() or len(seq) > 9:
            return None
        return cls(conversation_id, int(seq))

    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.seq}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some conversations of a list; ``cursor`` asks for the next ones and is None at the end."""

    items: tuple[Conversation, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """What the contact thought of one episode of a conversation; what they did not say is None."""

    conversation_id: str
    score: int | None  #: 1 is worst, 5 is best
    comment: str
    rated_at: datetime
    episode_id: str = ""
    solved: bool | None = None
    nps: int | None = None  #: how likely they recommend us, 0 to 10
    corrected_at: datetime | None = None
