"""Translates what contacts write, and what agents answer, where a language model is set up."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from conversations.conversations import Conversations
from conversations.model import Conversation, Message
from handoff.writing.translation_store import TranslationStore
from knowledge_base.generation.translator import Translator


class TranslationDesk:
    """One translator, and what it has translated already; without a translator only what was kept is read."""

    def __init__(
        self, conversations: Conversations, store: TranslationStore, translator: Translator | None = None
    ) -> None:
        self._conversations = conversations
        self._store = store
        self._translator = translator

    @property
    def model(self) -> str | None:
        """The model's name; None where nothing can be translated."""
        return self._translator.model if self._translator else None

    async def known(self, conversation: Conversation) -> dict[str, Any]:
        """Every translation of a conversation, and what agents wrote before theirs was translated."""
        kept = await self._store.of_conversation(conversation.id, self.model) if self.model else {}
        originals = await self._store.originals_of(conversation.id)
        return {
            "model": self.model,
            "translations": kept,
            "originals": {one.message_id: {"text": one.text, "language": one.language} for one in originals},
        }

    async def message(self, conversation: Conversation, message: Message, to: str) -> dict[str, Any]:
        """A message in another language; ``reason`` says why there is none, and then the original is shown."""
        assert self._translator is not None, "asked only where there is a model"
        kept = await self._store.find(message.id, to, self._translator.model)
        if kept is not None:
            return {"text": kept, "reason": None, "cached": True, "model": self._translator.model}
        made = await self._translator.translate(message.text, to, _names(conversation, message.author_name))
        if made.text is not None:
            await self._store.add(
                message, conversation.contact_id, to, self._translator.model, made.text, self._conversations.now()
            )
        return {"text": made.text, "reason": made.reason, "cached": False, "model": self._translator.model}

    async def reply(self, conversation: Conversation, text: str, to: str, agent_name: str) -> dict[str, Any]:
        """What an agent wrote, as the contact would get it; nothing is sent or kept."""
        assert self._translator is not None, "asked only where there is a model"
        made = await self._translator.translate(text, to, _names(conversation, agent_name))
        return {"text": made.text, "reason": made.reason, "model": self._translator.model}

    async def keep_original(self, conversation: Conversation, message: Message, text: str, language: str) -> None:
        """Remember what the agent wrote of a reply that was sent translated."""
        await self._store.add_original(conversation, message, text, language, self.model or "")

    async def close(self) -> None:
        """Close the connections to the endpoint."""
        if self._translator is not None:
            await self._translator.close()


def _names(conversation: Conversation, *more: str | None) -> Collection[str]:
    return [name for name in (conversation.contact_name, conversation.agent_name, *more) if name]
