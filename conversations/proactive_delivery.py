"""The last look at a message that nobody asked for, right before it goes out: opted out, too old, out of hours, or sent already?

Where a channel cannot tell a repeated message from a new one, a send whose end nobody saw is not repeated.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations import opting
from conversations.conversation_store import ConversationStore
from conversations.conversations import Conversations
from conversations.errors import DeliveryUnknown, MessageRejected, SendError
from conversations.model import Address, Author, MessageKind, OutboundMessage
from conversations.proactive import Proactive
from conversations.proactive_aiming import Ways
from conversations.proactive_outcomes import Outcomes
from conversations.proactive_sending import Hours
from conversations.proactive_store import EVERY_KIND, Place, ProactiveStore, Told


class ProactiveDelivery:
    """Stands between the outbox and the channels; ordinary messages pass."""

    def __init__(self, proactive: Proactive, ways: Ways, hours: Hours) -> None:
        self._proactive = proactive
        self._hours = hours
        self._conversations: Conversations = proactive.conversations
        self._ways = ways
        self._outcomes = Outcomes(proactive.conversations)

    async def deliver(self, address: Address, message: OutboundMessage) -> str:
        """Send a message; raises a ``SendError``."""
        told: Told | None = None
        database = self._conversations.database
        if message.author is Author.SYSTEM and message.kind is MessageKind.TEXT:
            async with database.read() as connection:
                told = await ProactiveStore(connection).at(message.conversation_id, message.seq)
        if told is None:
            return await self._ways.deliver(address, message)
        return await self._tell(address, message, told.id)

    async def _tell(self, address: Address, message: OutboundMessage, id: str) -> str:
        async with self._conversations.database.write() as connection:
            store = ProactiveStore(connection)
            told = await store.find(id, lock=True)
            stopped = await self._stopped(connection, address, message, told)
            if stopped is None:
                await store.change(id, begun_at=self._conversations.now())
            place = await store.place(address) or Place(address, "", None, None)
            spoken = (await ConversationStore(connection).find(message.conversation_id)).conversation.language
        if stopped is not None or told is None:
            raise MessageRejected(stopped or "it is gone")
        try:
            external_id = await self._ways.tell(address, message, self._proactive.form_of(told, place, spoken))
        except DeliveryUnknown:
            raise
        except SendError:
            async with self._conversations.database.write() as connection:
                await ProactiveStore(connection).change(id, begun_at=None)
            raise
        if self._proactive.sender is not None:
            self._proactive.sender.wake()
        return external_id

    async def _stopped(
        self, connection: AsyncConnection, address: Address, message: OutboundMessage, told: Told | None
    ) -> str | None:
        """Why a message must not go out any more; then that is noted."""
        here = (message.conversation_id, message.seq)
        if told is None or told.state != "sending" or (told.conversation_id, told.seq) != here:
            return "it was taken back before it went out"
        people = await opting.people_of(connection, told.contact_id) if told.contact_id else set()
        if told.begun_at is not None and not self._ways.repeatable(address):
            await self._outcomes.settle(connection, told, "unknown")
            return "it may have arrived already, and this channel would show it twice"
        if await ProactiveStore(connection).is_off(people, EVERY_KIND, told.kind):
            await self._outcomes.settle(connection, told, "not_sent", "opted_out")
            return "the contact does not want it any more"
        now = self._conversations.now()
        if now >= told.expires_at:
            await self._outcomes.settle(connection, told, "not_sent", "expired")
            return "it is too old to be of use"
        if told.begun_at is None and not message.sent_parts and not self._hours.is_open(now):
            # Out of the outbox: left in it until the morning, it would hold up every answer to the same contact.
            opens = self._hours.opens_at(now) or told.expires_at
            again = {"state": "waiting", "reason": "quiet_hours", "due_at": min(opens, told.expires_at)}
            await ProactiveStore(connection).change(told.id, **again)
            return "it is said again when contacts may be disturbed"
        return None
