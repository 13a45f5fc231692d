"""Writes how contacts' messages feel, inside one transaction."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import Author
from conversations.tables import messages
from conversations.turn_model import Feeling


class FeelingStore:
    """The moods of messages."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def set_sentiment(self, message_id: str, feeling: Feeling) -> int | None:
        """Note how a contact's message feels; returns its seq, None if it is not there."""
        row = await self._connection.execute(
            update(messages)
            .where(messages.c.id == message_id, messages.c.author == Author.CONTACT.value)
            .values(sentiment=feeling.value, sentiment_label=feeling.label, anger=feeling.anger)
            .returning(messages.c.seq)
        )
        seq: int | None = row.scalar()
        return seq

    async def felt_after(self, conversation_id: str, seq: int) -> bool:
        """Whether it is known how a later message of the conversation feels."""
        row = await self._connection.execute(
            select(messages.c.seq)
            .where(
                messages.c.conversation_id == conversation_id, messages.c.seq > seq, messages.c.sentiment.is_not(None)
            )
            .limit(1)
        )
        return row.first() is not None
