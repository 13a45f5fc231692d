"""Takes back what an agent said: hidden where the contact's page reads the transcript, else stopped before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from conversations import callbacks
from conversations.change import PREVIEW_LENGTH, STAFF, Change, contact_topic
from conversations.errors import AlreadyDelivered, AnsweredMeanwhile, NotFound, NotYours, TooLate
from conversations.json_form import message_json
from conversations.model import Agent, Author, Message, MessageKind
from conversations.receipt_store import ReceiptStore


@dataclass(frozen=True, slots=True)
class Recall:
    """A message that was taken back, and how.

    ``effect`` is "hidden" (the contact's page takes it off the screen), "cancelled" (it had not been sent yet) or
    "repeated" (it had been taken back before).
    """

    message: Message
    effect: str


async def recall(change: Change, agent: Agent, seq: int, within: timedelta) -> Recall:
    """Take back the agent's own message ``seq``; raises ``NotFound``, ``NotYours`` or ``TooLate`` (``AlreadyDelivered``).

    A channel that is pushed to decides by its row in the outbox: the transaction that cancels it and the one that sends
    it want the same row, so one of them comes first and the other finds it gone.
    """
    found = await change.store.find_message(change.conversation.id, seq)
    if found is None:
        raise NotFound("there is no such message; reload the conversation")
    if found.author is not Author.AGENT or found.kind is not MessageKind.TEXT or found.author_id != agent.id:
        raise NotYours("only the agent who wrote a reply can take it back")
    if found.recalled_at is not None:
        return Recall(found, "repeated")
    if change.now - found.created_at > within:
        raise TooLate(f"a reply can be taken back for {_spoken(within)}; write a correction instead")
    effect = "hidden"
    if await change.deliveries.has_delivery(found.id):
        if not await change.deliveries.cancel_delivery(found.id):
            raise AlreadyDelivered(
                "the channel has delivered it already and cannot take it back; write a correction instead"
            )
        effect = "cancelled"
    message = await change.store.recall_message(found, agent.name, change.now)
    said = await change.store.last_said(change.conversation.id)
    change.set(
        preview=(said.text or " ".join(file.name for file in said.attachments))[:PREVIEW_LENGTH] if said else "",
        preview_author=said.author.value if said else None,
    )
    if change.conversation.callback_state == callbacks.ANSWERED:
        since = change.conversation.queued_at or change.conversation.opened_at
        if not await ReceiptStore(change.connection).answered_since(change.conversation.id, since):
            change.set(callback_state=None)
    change.record("recalled", f"agent:{agent.id}", {"seq": seq, "effect": effect}, {"text": found.text})
    event = {"type": "recalled", "conversation_id": message.conversation_id, "seq": seq}
    whole = {"type": "message", "conversation_id": message.conversation_id, "message": message_json(message)}
    change.events += [
        (contact_topic(change.conversation.reached_at), event),
        (STAFF, event | {"agent_id": agent.id, "name": agent.name}),
        (STAFF, whole),
    ]
    return Recall(message, effect)


async def check_unanswered(change: Change, agent: Agent, read_seq: int) -> None:
    """Raise ``AnsweredMeanwhile`` if a colleague has answered the contact after the place the agent had read."""
    receipts = ReceiptStore(change.connection)
    name = await receipts.answered_by_others(change.conversation.id, agent.id, read_seq)
    if name is not None:
        raise AnsweredMeanwhile(f"{name} has answered meanwhile; read it, then send yours anyway or not")


def _spoken(within: timedelta) -> str:
    seconds = round(within.total_seconds())
    return f"{seconds // 60} minutes" if seconds % 60 == 0 and seconds > 60 else f"{seconds} seconds"
