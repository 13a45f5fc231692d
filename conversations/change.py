"""One change of one conversation: collected in memory, written in one transaction, told to the hub afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import notices
from conversations.audit import AuditEntry, AuditLog
from conversations.conversation_store import ConversationStore, Locked
from conversations.delivery_store import DeliveryStore
from conversations.handoff_summary import summary_of
from conversations.json_form import conversation_json, message_json
from conversations.model import (
    Address,
    Attachment,
    Author,
    Button,
    Citation,
    Conversation,
    Feeling,
    InboundMessage,
    Message,
    MessageKind,
    Status,
    new_id,
)
from conversations.reading_store import ReadingStore
from conversations.rule_store import RuleStore

STAFF = "staff"
PREVIEW_LENGTH = 120
_ACCEPTS_WINDOW = timedelta(hours=2)
_USUAL_GAP_SECONDS = 120.0  # between two accepts, until the desk has seen some
_LONGEST_WAIT_SECONDS = 3600.0
_SUMMARISED_MESSAGES, _SUMMARISED_TURNS = 400, 60


def contact_topic(address: Address) -> str:
    """The hub topic of the contact's side."""
    return f"contact:{address}"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the desk as a whole decides: time, opening hours, the audit log, and which channels are pushed to."""

    audit: AuditLog
    now: Callable[[], datetime]
    is_open: Callable[[datetime], bool]
    opens_at: Callable[[datetime], datetime | None]
    pushes: Callable[[Address], bool]  #: False for channels that read the transcript themselves


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
        self.pushed = False  #: whether something waits in the outbox now
        self.queued = (
            False  #: whether this change put the conversation in the queue or gave it to an agent who stepped in
        )
        self._messages: list[tuple[Message, str | None]] = []
        self._buttons: list[dict[str, str]] = []
        self._arrived: list[tuple[InboundMessage, Message, dict[str, Any]]] = []
        self._entries: list[AuditEntry] = []
        self._state_changed = before is None

    @classmethod
    async def of(cls, desk: Desk, connection: AsyncConnection, conversation_id: str) -> Change:
        """Lock a conversation to change it; raises ``NotFound``."""
        before = await ConversationStore(connection).lock(conversation_id)
        return cls(desk, connection, _after(desk.now(), before.conversation), before)

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
        self.conversation = self.conversation.moved_to(status, **changes)
        self._state_changed = True
        self.record("status", actor, {"from": source.value, "to": status.value, "why": why})

    def record(
        self, kind: str, actor: str, data: dict[str, Any] | None = None, personal: dict[str, Any] | None = None
    ) -> None:
        """Add an audit entry about this conversation."""
        conversation = self.conversation
        self._entries.append(AuditEntry(kind, actor, conversation.id, conversation.contact_id, data or {}, personal))

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
    ) -> Message:
        """Add a line to the transcript; ``buttons`` are titles with the payloads that stay here."""
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
        )
        self._messages.append((message, client_msg_id))
        self._buttons += [
            {"id": button.id, "conversation_id": conversation.id, "title": button.title, "payload": payload}
            for button, payload in made
        ]
        changes: dict[str, Any] = {"last_seq": message.seq, "updated_at": self.now}
        if kind is MessageKind.TEXT:
            preview = text or " ".join(attachment.name for attachment in attachments)
            changes |= {"preview": preview[:PREVIEW_LENGTH], "preview_author": author.value}
        self.conversation = replace(conversation, **changes)
        if author is not Author.CONTACT and kind is not MessageKind.NOTE:
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

    def tell(self, text: str, kind: MessageKind = MessageKind.ACTIVITY, **more: Any) -> Message:
        """Let the service itself say something to the contact."""
        return self.say(Author.SYSTEM, text, kind, **more)

    def notice(self, name: str, **values: str | int) -> Message:
        """Tell the contact one of the texts of ``notices`` in their language."""
        return self.tell(notices.notice(name, self.conversation.language, **values))

    async def feel(self, message_id: str, feeling: Feeling) -> None:
        """Note how a contact's message feels; the conversation feels like its latest message."""
        seq = await self.store.set_sentiment(message_id, feeling)
        if seq is None:
            return
        values = {"sentiment": feeling.value, "sentiment_label": feeling.label, "anger": feeling.anger}
        place = {"conversation_id": self.conversation.id, "message_id": message_id, "seq": seq}
        self.events.append((STAFF, {"type": "sentiment", **place, **values}))
        if not await self.store.felt_after(self.conversation.id, seq):
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
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Put the conversation in the queue and tell the contact what happens next."""
        self.move(
            Status.QUEUED,
            actor,
            why,
            handoff_reason=why,
            queued_at=self.now,
            priority=priority,
            agent_id=None,
            agent_name=None,
            callback_ticket=ticket or self.conversation.callback_ticket,
        )
        await self.summarise(why, detail)
        self.queued = True
        language = self.conversation.language
        if self.desk.is_open(self.now):
            ahead = await self.store.count_ahead(priority, self.now, self.conversation.id)
            said = notices.waiting(text, language, ahead, (ahead + 1) * await self._accept_gap_seconds())
        else:
            opens_at, ticket = self.desk.opens_at(self.now), self.conversation.callback_ticket
            said = notices.closed(text, language, opens_at, self.now, ticket)
        self.tell(said, buttons=((notices.notice("leave_queue", language), notices.LEAVE_QUEUE),))

    async def hand_to_people(self) -> None:
        """Take waiting messages from the bot: they stay visible, and an answer the bot still works on is not said."""
        await self.deliveries.finish_all(self.conversation.id)
        self.values |= {"fence": self.fence + 1, "lease_until": None}

    async def _accept_gap_seconds(self) -> float:
        accepts = await self.store.recent_accepts(self.now - _ACCEPTS_WINDOW)
        if len(accepts) < 2:
            return _USUAL_GAP_SECONDS
        gap = (accepts[0] - accepts[-1]).total_seconds() / (len(accepts) - 1)
        return min(max(gap, 15.0), _LONGEST_WAIT_SECONDS)

    async def save(self) -> None:
        """Write everything; call it once, last in the transaction."""
        conversation = self.conversation
        if self.before is None:
            await self.store.add_conversation(conversation, self.values)
        if self._messages:
            await self.store.add_messages(self._messages)
        if self._buttons:
            await self.store.add_buttons(self._buttons)
        for inbound, message, values in self._arrived:
            await self.deliveries.add_inbound(inbound, message, **values)
        address = conversation.address
        visible = [message for message, _ in self._messages if not message.private]
        outbound = [message for message in visible if message.author is not Author.CONTACT]
        if outbound and self.desk.pushes(address):
            await self.deliveries.add_outbound([(address, message) for message in outbound])
            self.pushed = True
        if self.before is not None and (self.values or conversation != self.before.conversation):
            await self.store.save_conversation(self.before, conversation, self.values)
        await self.desk.audit.append(self.connection, self.now, self._entries)
        self._announce(visible)

    def _announce(self, visible: list[Message]) -> None:
        contact = contact_topic(self.conversation.address)
        for message, _ in self._messages:
            event = {"type": "message", "conversation_id": message.conversation_id}
            self.events.append((STAFF, event | {"message": message_json(message)}))
            if message in visible:
                self.events.append((contact, event | {"message": message_json(message, for_contact=True)}))
        if self._state_changed:
            self.events.append((STAFF, {"type": "conversation", "conversation": conversation_json(self.conversation)}))
            form = conversation_json(self.conversation, for_contact=True)
            self.events.append((contact, {"type": "conversation", "conversation": form}))


def _after(now: datetime, conversation: Conversation) -> datetime:
    """``now``, or just after the last change where the clock was set back: times in a transcript never decrease."""
    return max(now, conversation.updated_at)
