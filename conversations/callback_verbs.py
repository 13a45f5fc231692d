"""Keeps the tickets of promised callbacks in step with their conversations."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from conversations import callbacks
from conversations.change import STAFF
from conversations.model import Author, Conversation, MessageKind, Status
from conversations.queue_store import QueueStore
from conversations.reading_store import ReadingStore
from conversations.verbs import Verbs

log = structlog.get_logger()

_FILINGS = 20
_FILING_SECONDS = 5.0
_WORDS = 3000  # characters of what the contact said that a ticket holds
_CLOSED_NOTE = {
    "zh": "客户已得到答复，回访工单 {ticket} 已关闭。",
    "en": "The contact has been answered; callback ticket {ticket} is closed.",
}


class Callbacks(Verbs):
    """What happens to callback tickets without anybody asking for it; several processes may run it at once."""

    async def file_callbacks(self) -> int:
        """Write on callback tickets what contacts said out of hours; what fails is tried again."""
        file_callback = self.surroundings.file_callback
        if file_callback is None:
            return 0
        async with self.database.read() as connection:
            due = await QueueStore(connection).callbacks_due(_FILINGS)

        async def file(one: Conversation) -> bool:
            try:
                async with asyncio.timeout(_FILING_SECONDS):
                    ticket = one.callback_ticket
                    if ticket is None and self._open_callback is not None:
                        ticket = await self._open_callback(one)
                    if ticket is not None:
                        await file_callback(one, ticket, await self._words_of(one))
            except Exception as error:
                log.error("callback_not_filed", conversation_id=one.id, error=error)
                return False
            async with self.database.write() as connection:
                await QueueStore(connection).callback_filed(one, ticket)
            await self.hub.publish(STAFF, _contact_event(one))
            return True

        # At once: one after the other, a shop that hangs would hold up all other housekeeping for minutes.
        return sum(await asyncio.gather(*map(file, due)))

    async def close_callbacks(self) -> int:
        """Close the tickets of contacts who were answered in the conversation; what fails is tried again."""
        file_callback, close_callback = self.surroundings.file_callback, self.surroundings.close_callback
        if close_callback is None:
            return 0
        async with self.database.read() as connection:
            due = await QueueStore(connection).callbacks_closing(_FILINGS)

        async def close(one: Conversation) -> bool:
            ticket = one.callback_ticket
            try:
                async with asyncio.timeout(_FILING_SECONDS):
                    if ticket is not None and file_callback is not None:
                        await file_callback(one, ticket, await self._words_of(one))
                    by_us = ticket is not None and await close_callback(one, ticket)
            except Exception as error:
                log.error("callback_not_closed", conversation_id=one.id, error=error)
                return False
            return await self._callback_closed(one.id, by_us=by_us)

        return sum(await asyncio.gather(*map(close, due)))

    async def _callback_closed(self, conversation_id: str, *, by_us: bool) -> bool:
        async with self._change(conversation_id) as change:
            conversation = change.conversation
            if conversation.callback_state != callbacks.CLOSING or conversation.status is not Status.RESOLVED:
                return False  # another process has noted it
            change.set(callback_state=callbacks.CLOSED, callback_due=False)
            if by_us:
                ticket = conversation.callback_ticket
                text = _CLOSED_NOTE["zh" if conversation.language == "zh" else "en"].format(ticket=ticket)
                change.say(Author.SYSTEM, text, MessageKind.NOTE)
                change.record("callback_closed", "system", {"ticket": ticket})
                change.events.append((STAFF, _contact_event(conversation)))
        return by_us

    async def _words_of(self, conversation: Conversation) -> str:
        async with self.database.read() as connection:
            said = await ReadingStore(connection).messages(conversation.id, 0, 500)
        words = [m.text for m in said if m.author is Author.CONTACT and m.kind is MessageKind.TEXT and m.text]
        return "\n".join(words)[-_WORDS:]


def _contact_event(conversation: Conversation) -> dict[str, Any]:
    """Consoles that show the contact read their tickets again."""
    return {"type": "contact", "contact_id": conversation.contact_id, "revision": None}
