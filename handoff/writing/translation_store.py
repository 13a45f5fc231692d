"""Keeps what was translated: messages by model and language, and what agents wrote before it was translated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from conversations.conversation_rows import owner_of
from conversations.model import Conversation, Message
from conversations.sealing_store import SealingStore
from conversations.store import Database
from conversations.tables import contacts, messages
from handoff.assist.assist_tables import originals, translations


@dataclass(frozen=True, slots=True)
class Original:
    """What an agent wrote, of which the contact got a translation."""

    message_id: str
    text: str
    language: str
    model: str


class TranslationStore:
    """Translations in the service's database; they go with the contact they belong to."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    async def find(self, message_id: str, language: str, model: str) -> str | None:
        """The translation of a message by this model."""
        query = select(translations.c.text).where(
            translations.c.message_id == message_id, translations.c.language == language, translations.c.model == model
        )
        async with self._database.read() as connection:
            found: str | None = (await connection.execute(query)).scalar()
        return found

    async def of_conversation(self, conversation_id: str, model: str) -> dict[str, dict[str, str]]:
        """Every translation by this model, by message id and language."""
        query = (
            select(translations.c.message_id, translations.c.language, translations.c.text)
            .join(messages, messages.c.id == translations.c.message_id)
            .where(messages.c.conversation_id == conversation_id, translations.c.model == model)
        )
        found: dict[str, dict[str, str]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                found.setdefault(row.message_id, {})[row.language] = row.text
        return found

    async def add(self, message: Message, contact_id: str, language: str, model: str, text: str, at: datetime) -> None:
        """Keep a translation, unless the contact was erased meanwhile."""
        values: dict[str, Any] = {"message_id": message.id, "language": language, "model": model}
        values |= {"contact_id": contact_id, "text": text, "created_at": at}
        async with self._database.write() as connection:
            known = select(contacts.c.erased_at).where(contacts.c.id == contact_id).with_for_update()
            row = (await connection.execute(known)).first()
            if row is not None and row.erased_at is None:
                sealed = await SealingStore(connection).sealed(translations, message.id, contact_id, values)
                await connection.execute(self._insert(translations).values(sealed).on_conflict_do_nothing())

    async def add_original(
        self, conversation: Conversation, message: Message, text: str, language: str, model: str
    ) -> None:
        """Keep what the agent wrote before it was translated; the first time counts."""
        values = {"message_id": message.id, "conversation_id": conversation.id, "contact_id": conversation.contact_id}
        values |= {"text": text, "language": language, "model": model}
        async with self._database.write() as connection:
            sealed = await SealingStore(connection).sealed(originals, message.id, owner_of(conversation), values)
            await connection.execute(self._insert(originals).values(sealed).on_conflict_do_nothing())

    async def originals_of(self, conversation_id: str) -> list[Original]:
        """What agents wrote in this conversation before it was translated."""
        query = select(originals).where(originals.c.conversation_id == conversation_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Original(row.message_id, row.text, row.language, row.model) for row in rows]
