"""How far both sides have read a conversation: stored, and told to the other side as it happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from conversations.change import STAFF, contact_topic
from conversations.hub import Hub
from conversations.json_form import moment
from conversations.model import Address, Agent, Conversation, Cursor
from conversations.receipt_store import ReceiptStore
from conversations.transcripts import Transcripts


class Receipts(Transcripts):
    """The half of ``Conversations`` that knows who has read what; marks only ever move forward."""

    hub: Hub
    now: Callable[[], datetime]

    async def read_by_contact(self, address: Address, conversation_id: str, seq: int) -> bool:
        """The contact has seen everything up to ``seq``; False when that is no news or not their conversation."""
        now = self.now()
        async with self.database.write() as connection:
            moved = await ReceiptStore(connection).contact_read(address, conversation_id, seq, now)
        if moved:
            event = {"type": "read", "conversation_id": conversation_id, "seq": seq, "by": "contact", "at": moment(now)}
            await self.hub.publish(STAFF, event)
        return moved

    async def reached(
        self,
        channel: str,
        account: str,
        contact: str,
        *,
        read: bool,
        outbox_id: str = "",
        until: datetime | None = None,
        at: datetime | None = None,
    ) -> bool:
        """A channel tells that the contact received (or ``read``) a message and all before it; False when that is no news.

        The message is named by its outbox id, or is the last one sent up to a moment. Channels tell it in any order.
        """
        now = self.now()
        at = now if at is None else min(at, now)
        async with self.database.read() as connection:
            receipts = ReceiptStore(connection)
            if outbox_id:
                place = await receipts.find_message(channel, account, outbox_id)
            else:
                place = await receipts.find_last_sent(Address(channel, account, contact), until or now)
        if place is None:
            return False
        async with self.database.write() as connection:
            moved = await ReceiptStore(connection).contact_reached(place, read=read, at=at)
        if moved:
            event = {"conversation_id": place.conversation_id, "seq": place.seq, "by": "contact", "at": moment(at)}
            await self.hub.publish(STAFF, {"type": "read" if read else "received"} | event)
        return moved

    async def read_by_agent(self, conversation: Conversation, agent: Agent, seq: int) -> bool:
        """A member of staff has seen everything up to ``seq``.

        The contact is told only of the agent who holds the conversation: a glance into the queue is no promise to
        answer. Returns whether that was news to the contact.
        """
        now = self.now()
        event = {"type": "read", "conversation_id": conversation.id, "seq": seq, "at": moment(now)}
        moved = False
        if conversation.agent_id == agent.id and conversation.agent_read_seq < seq:
            async with self.database.write() as connection:
                moved = await ReceiptStore(connection).agent_read(conversation.id, agent.id, seq, now)
        if moved:
            await self.hub.publish(contact_topic(conversation.reached_at), event | {"by": "agent"})
        await self.hub.publish(STAFF, event | {"by": agent.id, "holder": moved})
        return moved

    async def recalled_since(self, address: Address, since: datetime | None) -> list[Cursor]:
        """The contact's messages that were taken back after a moment (or ever), newest first, at most 50."""
        async with self.database.read() as connection:
            return await ReceiptStore(connection).recalled(address, since)
