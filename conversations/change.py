"""One change of one conversation: collected in memory, written in one transaction, told to the hub afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import episodes, notices, queueing
from conversations.audit import AuditEntry, AuditLog
from conversations.conversation_rows import owner_of
from conversations.conversation_store import ConversationStore, Locked
from conversations.delivery_store import DeliveryStore
from conversations.episodes import RatingRules
from conversations.feeling_store import FeelingStore
from conversations.handoff_summary import summary_of
from conversations.json_form import conversation_json, message_json
from conversations.model import (
    Address,
    Attachment,
    Author,
    Button,
    Citation,
    Conversation,
    InboundMessage,
    Message,
    MessageKind,
    Status,
    new_id,
)
from conversations.organising_store import OrganisingStore, StaffNotice
from conversations.queue_store import QueueStore
from conversations.reading_store import ReadingStore
from conversations.rule_store import RuleStore
from conversations.sight_store import SightStore
from conversations.teams import Roster, Team
from conversations.turn_model import Feeling, VersionOf, bots_choice

STAFF = "staff"
AWAKE: dict[str, Any] = {"snoozed_until": None, "snoozed_by": None, "snooze_reason": None}
PREVIEW_LENGTH = 120
_SUMMARISED_MESSAGES, _SUMMARISED_TURNS = 400, 60


def _standard(_customer_id: str | None) -> str:
    return "standard"


def _no_contact_point(_text: str) -> str | None:
    return None


def contact_topic(address: Address) -> str:
    """The hub topic of the contact's side."""
    return f"contact:{address}"


#: Others who keep a contact's id beside a conversation's: they are told which conversations go to which contact.
MovesToo = Callable[[AsyncConnection, Sequence[str], str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk as a whole decides: time, opening hours, the audit log, and which channels are pushed to."""

    audit: AuditLog
    now: Callable[[], datetime]
    is_open: Callable[[datetime], bool]
    opens_at: Callable[[datetime], datetime | None]
    pushes: Callable[[Address], bool]  #: False for channels that read the transcript themselves
    roster: Callable[[], Roster] = Roster.plain  #: teams, people and rules as they are set up now
    tier: Callable[[str | None], str] = _standard  #: how much a customer is worth, as far as it is known here
    contact_point: Callable[[str], str | None] = _no_contact_point  #: the phone number or e-mail address in a text
    ratings: RatingRules = field(default_factory=RatingRules)
    process: str | None = None  #: whose turns these are, where several processes share the database
    moves_too: list[MovesToo] = field(default_factory=list)  #: told of conversations that go to another contact
    version_of: VersionOf = bots_choice


class Change:
    """Messages, state, deliveries and audit entries of one transaction on one conversation."""

    def __init__(
        self,
        desk: Desk,
        connection: AsyncConnection,
        now: datetime,
        before: Locked | None,
        new: Conversation | None = None,
    ) -> None:
        assert (before is None) != (new is None)
        self.desk = desk
        self.connection = connection
        self.now = now
        self.store = ConversationStore(connection)
        self.deliveries = DeliveryStore(connection)
        self.before = before
        self.conversation: Conversation = before.conversation if before else new  # type: ignore[assignment]
        self.values: dict[str, Any] = {}  #: columns only the service knows: bot_seq, queued_by, fence, lease_until
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.sent_to: dict[str, Address] = {}  #: by message, where it goes instead of where the contact wrote last
        self.pushed = False  #: whether something waits in the outbox now
        self.queued = (
            False  #: whether this change put the conversation in the queue or gave it to an agent who stepped in
        )
        self._messages: list[tuple[Message, str | None]] = []
        self._buttons: list[dict[str, str]] = []
        self._arrived: list[tuple[InboundMessage, Message, dict[str, Any]]] = []
        self._entries: list[AuditEntry] = []
        self._notices: list[StaffNotice] = []
        self._state_changed = before is None
        self.intent: str | None = None  #: what the message that led here is about, for the routing
        self.answers: Message | None = None  #: the message whose turn this change commits
        self.stay: dict[str, Any] | None = None  #: a wait that begins with this change
        self._stay_outcome: str | None = None

    @classmethod
    async def of(cls, desk: Desk, connection: AsyncConnection, conversation_id: str) -> Change:
        """Lock a conversation to change it; raises ``NotFound``."""
        before = await ConversationStore(connection).lock(conversation_id)
        return cls(desk, connection, _after(desk.now(), before.conversation), before)

    @property
    def said(self) -> tuple[Message, ...]:
        """The lines this change adds to the transcript."""
        return tuple(message for message, _ in self._messages)

    @property
    def told_staff(self) -> tuple[StaffNotice, ...]:
        """The notices this change leaves."""
        return tuple(self._notices)

    @property
    def entries(self) -> tuple[AuditEntry, ...]:
        """What it adds to the audit chain."""
        return tuple(self._entries)

    @property
    def fence(self) -> int:
        """The fencing number as it will be."""
        fence: int = self.values.get("fence", self.before.fence if self.before else 0)
        return fence

    def set(self, **changes: Any) -> None:
        """Change fields of the conversation other than its status."""
        self.conversation = replace(self.conversation, **changes)
        self._state_changed = True

    def move(self, status: Status, actor: str, why: str, **changes: Any) -> None:
        """Change the status and note it in the audit chain; raises ``IllegalTransition``."""
        source = self.conversation.status
        if source is Status.QUEUED:
            changes = queueing.leaving(self.conversation) | changes
            self._stay_outcome = why
        elif source is Status.ASSIGNED:
            changes = {"previous_agent": self.conversation.agent_id, "participants": ()} | changes
        if self.conversation.snoozed_until is not None:
            changes = AWAKE | changes
        if status in (Status.RESOLVED, Status.BOT):
            changes = {"waiting_since": None} | changes
        if status is Status.RESOLVED and changes.get("resolved_by") != "merged":  # a merge can be taken back
            changes = {"model": None} | changes
        self.conversation = self.conversation.moved_to(status, **changes)
        self._state_changed = True
        self.record("status", actor, {"from": source.value, "to": status.value, "why": why})

    def pin(self, model: str | None) -> None:
        """Let the conversation stay on a version of the bot's model until it ends; nobody needs to be told."""
        self.conversation = replace(self.conversation, model=model)

    def record(
        self, kind: str, actor: str, data: dict[str, Any] | None = None, personal: dict[str, Any] | None = None
    ) -> None:
        """Add an audit entry about this conversation."""
        conversation = self.conversation
        self._entries.append(AuditEntry(kind, actor, conversation.id, owner_of(conversation), data or {}, personal))

    def say(
        self,
        author: Author,
        text: str,
        kind: MessageKind = MessageKind.TEXT,
        *,
        author_id: str | None = None,
        author_name: str | None = None,
        buttons: tuple[tuple[str, str], ...] = (),
        citations: tuple[Citation, ...] = (),
        attachments: tuple[Attachment, ...] = (),
        external_id: str | None = None,
        client_msg_id: str | None = None,
        turn_id: str | None = None,
        stays: bool = False,
        asks: dict[str, Any] | None = None,
    ) -> Message:
        """Add a line to the transcript; ``buttons`` are titles with the payloads that stay here.

        With ``stays`` the buttons shown before can still be chosen.
        """
        conversation = self.conversation
        made = tuple((Button(new_id(), title), payload) for title, payload in buttons)
        message = Message(
            id=new_id(),
            conversation_id=conversation.id,
            seq=conversation.last_seq + 1,
            author=author,
            kind=kind,
            text=text,
            created_at=self.now,
            author_id=author_id,
            author_name=author_name,
            buttons=tuple(button for button, _ in made),
            citations=citations,
            attachments=attachments,
            external_id=external_id,
            turn_id=turn_id,
            asks=asks,
        )
        self._messages.append((message, client_msg_id))
        self._buttons += [
            {"id": button.id, "conversation_id": conversation.id, "title": button.title, "payload": payload}
            for button, payload in made
        ]
        changes: dict[str, Any] = {"last_seq": message.seq, "updated_at": self.now}
        if author is Author.CONTACT and conversation.status is not Status.RESOLVED:
            changes["waiting_since"] = conversation.waiting_since or self.now
        elif author in (Author.BOT, Author.AGENT) and kind is MessageKind.TEXT:
            changes["waiting_since"] = None
        if kind is MessageKind.TEXT:
            preview = text or " ".join(attachment.name for attachment in attachments)
            changes |= {"preview": preview[:PREVIEW_LENGTH], "preview_author": author.value}
        self.conversation = replace(conversation, **changes)
        if author is not Author.CONTACT and kind is not MessageKind.NOTE and not stays:
            self._show(message.buttons)
        if author is Author.BOT:
            self.values["bot_seq"] = message.seq
        return message

    def _show(self, shown: tuple[Button, ...]) -> None:
        if shown or self.values.get("shown_buttons", self.before.shown_buttons if self.before else None):
            self.values["shown_buttons"] = [{"id": button.id, "title": button.title} for button in shown] or None

    def arrived(self, inbound: InboundMessage, message: Message, **values: Any) -> None:
        """Note that a message came through a channel, with its state in the inbox."""
        self._arrived.append((inbound, message, values))

    def notify(self, kind: str, staff_id: str, seq: int, by_name: str | None = None) -> None:
        """Leave a notice for a member of staff: they were mentioned, or what they snoozed is back."""
        self._notices.append(StaffNotice(kind, staff_id, self.conversation.id, seq, by_name))

    def tell(self, text: str, kind: MessageKind = MessageKind.ACTIVITY, **more: Any) -> Message:
        """Let the service itself say something to the contact."""
        return self.say(Author.SYSTEM, text, kind, **more)

    def notice(self, name: str, *, stays: bool = False, **values: str | int) -> Message:
        """Tell the contact one of the texts of ``notices`` in their language."""
        return self.tell(notices.notice(name, self.conversation.language, **values), stays=stays)

    async def feel(self, message_id: str, feeling: Feeling) -> None:
        """Note how a contact's message feels; the conversation feels like its latest message."""
        feelings = FeelingStore(self.connection)
        seq = await feelings.set_sentiment(message_id, feeling)
        if seq is None:
            return
        values = {"sentiment": feeling.value, "sentiment_label": feeling.label, "anger": feeling.anger}
        place = {"conversation_id": self.conversation.id, "message_id": message_id, "seq": seq}
        self.events.append((STAFF, {"type": "sentiment", **place, **values}))
        if not await feelings.felt_after(self.conversation.id, seq):
            self.set(sentiment=feeling.value, sentiment_label=feeling.label)

    async def summarise(self, reason: str | None = None, detail: dict[str, Any] | None = None) -> None:
        """Renew what agents are told of the conversation, with a new reason if it is handed off."""
        last = self.conversation.last_seq
        stored = await ReadingStore(self.connection).messages(
            self.conversation.id, max(0, last - _SUMMARISED_MESSAGES), _SUMMARISED_MESSAGES
        )
        known = {message.id for message in stored}
        said = [*stored, *(message for message, _ in self._messages if message.id not in known)]
        rows = await RuleStore(self.connection).latest_turns(self.conversation.id, _SUMMARISED_TURNS)
        turns = [(row.in_seq, row.trace) for row in rows]
        self.set(handoff_summary=summary_of(self.conversation, said, turns, self.now, reason=reason, detail=detail))

    async def queue(
        self,
        actor: str,
        why: str,
        *,
        text: str = "queued",
        priority: int = 0,
        ticket: str | None = None,
        team: Team | None = None,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Put the conversation in the queue (of ``team``, or else where it is routed) and tell the contact what happens next."""
        await queueing.queue(self, actor, why, text=text, priority=priority, ticket=ticket, team=team)
        await self.summarise(why, detail)
        self.queued = True

    async def hand_to_people(self) -> None:
        """Take waiting messages from the bot: they stay visible, and an answer the bot still works on is not said."""
        await self.deliveries.finish_all(self.conversation.id)
        self.values |= {"fence": self.fence + 1, "lease_until": None}

    async def save(self) -> None:
        """Write everything; call it once, last in the transaction."""
        if self.conversation.status is Status.QUEUED:
            self.conversation = replace(self.conversation, rank_at=queueing.rank_of(self.conversation))
        if self.before is None or self.values or self.conversation != self.before.conversation:
            self.conversation = replace(self.conversation, revision=self.conversation.revision + 1)
        conversation = self.conversation
        if self.before is None:
            await self.store.add_conversation(conversation, self.values)
        if self._messages:
            await self.store.add_messages(self._messages, owner_of(conversation))
        if self._buttons:
            await self.store.add_buttons(self._buttons)
        for inbound, message, values in self._arrived:
            await self.deliveries.add_inbound(inbound, message, owner_of(conversation), **values)
        visible = [message for message, _ in self._messages if not message.private]
        said = [message for message in visible if message.author is not Author.CONTACT]
        outbound = [(self.sent_to.get(message.id, conversation.reached_at), message) for message in said]
        outbound = [one for one in outbound if self.desk.pushes(one[0])]
        if outbound:
            await self.deliveries.add_outbound(outbound)
            self.pushed = True
        if self.before is not None and (self.values or conversation != self.before.conversation):
            await self.store.save_conversation(self.before, conversation, self.values)
        await self._note_hands()
        await episodes.follow(self)
        if self._notices:
            await OrganisingStore(self.connection).add_notices(self._notices, self.now)
        await SightStore(self.connection).note(conversation.id, _newly_concerned(self))
        await self.desk.audit.append(self.connection, self.now, self._entries)
        self._announce(visible)

    async def _note_hands(self) -> None:
        if self._stay_outcome is not None:
            await QueueStore(self.connection).end_stay(self.conversation.id, self._stay_outcome, self.now)
        if self.stay is not None:
            await QueueStore(self.connection).begin_stay(self.conversation.id, **self.stay)
        held = _holder(self.before.conversation) if self.before else None
        holds = _holder(self.conversation)
        if held is not None and held != holds:
            await self.deliveries.note_agent(held, freed_at=self.now)
        if holds is not None and held != holds:
            await self.deliveries.note_agent(holds, taken_at=self.now)

    @property
    def routable(self) -> bool:
        """Whether this change gave the routing something to do: somebody waits, or an agent became free."""
        before = self.before.conversation if self.before else None
        waits = self.conversation.status is Status.QUEUED and self.conversation.offered_to is None
        return self._state_changed and (waits or (before is not None and _holder(before) != _holder(self.conversation)))

    def _announce(self, visible: list[Message]) -> None:
        for one in self._notices:
            news = {"type": one.kind, "conversation_id": one.conversation_id, "staff_id": one.staff_id, "seq": one.seq}
            self.events.append((STAFF, news | {"by_name": one.by_name}))
        # A page that is open where they wrote before goes on showing what is said.
        shown_at = (self.conversation.address, self.conversation.reached_at, *self.sent_to.values())
        topics = {contact_topic(one) for one in shown_at}
        for message, _ in self._messages:
            event = {"type": "message", "conversation_id": message.conversation_id}
            self.events.append((STAFF, event | {"message": message_json(message)}))
            if message in visible:
                shown = event | {"message": message_json(message, for_contact=True)}
                self.events += [(topic, shown) for topic in sorted(topics)]
        if self._state_changed:
            self.events.append((STAFF, {"type": "conversation", "conversation": conversation_json(self.conversation)}))
            form = conversation_json(self.conversation, for_contact=True)
            self.events += [(topic, {"type": "conversation", "conversation": form}) for topic in sorted(topics)]


def _newly_concerned(change: Change) -> set[str]:
    """Who has something to do with the conversation since this change; those see it from now on."""
    known = _concerned(change.before.conversation) if change.before else set()
    named = {one.staff_id for one in change.told_staff}
    wrote = {one.author_id for one in change.said if one.author is Author.AGENT and one.author_id}
    return (_concerned(change.conversation) | named | wrote) - known


def _concerned(conversation: Conversation) -> set[str]:
    others = (conversation.agent_id, conversation.offered_to, conversation.snoozed_by)
    return {one for one in others if one} | {one.agent_id for one in conversation.participants}


def _holder(conversation: Conversation) -> str | None:
    return conversation.agent_id if conversation.status is Status.ASSIGNED else None


def _after(now: datetime, conversation: Conversation) -> datetime:
    """``now``, or just after the last change where the clock was set back: times in a transcript never decrease."""
    return max(now, conversation.updated_at)
