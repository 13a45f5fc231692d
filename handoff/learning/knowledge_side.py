"""The knowledge of one service process as its editors see it: articles, their use, their health, and the gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from conversations.conversations import Conversations
from conversations.errors import NotFound
from handoff.assist.masking import Private, masked_for_others, private_of
from handoff.assist.precedents import settles, usable
from handoff.learning.inbox_side import InboxSide
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library import Library
from knowledge_base.wording import language_of
from learning.article_health import Contradictions
from learning.article_usage import ArticleUsage
from learning.gaps import Gaps

_PRIVATE_KEPT = 500  #: conversations of which it is remembered what is private in them


@dataclass(slots=True)
class KnowledgeSide:
    """The parts that the routes use."""

    library: Library
    usage: ArticleUsage
    contradictions: Contradictions
    gaps: Gaps
    inbox: InboxSide
    zone: ZoneInfo
    gate: Callable[[str], float]  #: by language

    @property
    def kb(self) -> KnowledgeBase:
        """The knowledge base that answers."""
        return self.library.kb

    def today(self) -> date:
        """The day in the desk's own time zone."""
        return self.gaps.now().astimezone(self.zone).date()

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.contradictions.close()


def open_knowledge(
    library: Library,
    conversations: Conversations,
    inbox: InboxSide,
    time_zone: str,
    gate: Callable[[str], float],
) -> KnowledgeSide:
    """The knowledge side over a desk's conversations; ``inbox`` has the groups of what was asked in vain."""
    kb = library.kb
    private: dict[str, Private] = {}

    async def private_in(conversation_id: str) -> Private:
        if conversation_id not in private:
            if len(private) >= _PRIVATE_KEPT:
                private.clear()
            try:
                conversation = await conversations.get_conversation(conversation_id)
                contact = await conversations.find_contact(conversation.contact_id)
                traces = await conversations.traces(conversation_id)
                private[conversation_id] = private_of(conversation, contact, None, (), (), traces)
            except NotFound:
                return Private()
        return private[conversation_id]

    async def mask(conversation_id: str, text: str, language: str) -> str:
        known = inbox.words.knows if inbox.words is not None else (lambda _word: False)
        return masked_for_others(text, await private_in(conversation_id), language or language_of(text), known).text

    gaps = Gaps(
        conversations.database,
        kb,
        kb.sentence_vectors,
        mask,
        lambda text: usable(text) and settles(text),
        gate,
        conversations.now,
    )
    usage = ArticleUsage(conversations.database, conversations.now)
    return KnowledgeSide(library, usage, Contradictions(kb, library.store), gaps, inbox, ZoneInfo(time_zone), gate)
