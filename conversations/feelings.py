"""Notes how messages feel and keeps the summary of a handoff complete."""

from __future__ import annotations

from typing import Any

from conversations.model import Status
from conversations.turn_model import Feeling
from conversations.verbs import Verbs


class Feelings(Verbs):
    """The part of ``Conversations`` that is told how messages feel."""

    async def note_sentiment(self, conversation_id: str, message_id: str, feeling: Feeling | None) -> None:
        """Note how a message feels that people were shown, and renew the summary while the contact waits."""
        async with self._change(conversation_id) as change:
            if feeling is not None:
                await change.feel(message_id, feeling)
            if change.conversation.status is Status.QUEUED:
                await change.summarise()

    async def complete_summary(self, conversation_id: str, **parts: dict[str, Any]) -> None:
        """Add what was looked up for a summary (``record``), or its wording by a language model (``rewritten``)."""
        async with self._change(conversation_id) as change:
            if change.conversation.handoff_summary is not None and change.conversation.status is not Status.RESOLVED:
                change.set(handoff_summary=change.conversation.handoff_summary | parts)
