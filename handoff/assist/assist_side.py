"""Agent assist of one service process: opened by the app, closed with the staff's side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from conversations.conversations import Conversations
from crm.port import Crm
from handoff.assist.assist_desk import AssistDesk, AudiencesOf, Sources, TryOut
from handoff.assist.assist_store import AssistStore, erase, forget, move
from handoff.assist.card_book import CardBook
from handoff.assist.precedents import Precedents
from handoff.assist.requests import DIGEST_VERSION
from handoff.assist.shop_words import ShopWords
from knowledge_base.digests import ConversationDigests
from knowledge_base.encoder import UseEncoder
from knowledge_base.generation.endpoint import ChatEndpoint
from knowledge_base.generation.translator import Translator, open_translator
from knowledge_base.generation.writer import AnswerWriter
from knowledge_base.knowledge_base import KnowledgeBase


@dataclass(frozen=True, slots=True)
class AssistSide:
    """The parts that the routes use."""

    desk: AssistDesk
    book: CardBook
    store: AssistStore
    precedents: Precedents
    digests: ConversationDigests
    translator: Translator | None = None

    async def start(self) -> None:
        """Keep the index of resolved conversations in step from now on."""
        await self.precedents.start()

    async def close(self) -> None:
        """Stop what runs in the background and let others open the index."""
        await self.precedents.stop()
        await self.digests.close()


def build_assist(
    conversations: Conversations,
    crm: Crm,
    digests: ConversationDigests,
    knowledge: KnowledgeBase,
    try_out: TryOut,
    writer: AnswerWriter | None = None,
    audiences_of: AudiencesOf = lambda _channel, _account: (),
    gate: Callable[[str], float] | None = None,
    translator: Translator | None = None,
) -> AssistSide:
    """The assist over digests that are open already; a contact that is erased is erased here, too."""
    store = AssistStore(conversations.database)
    precedents = Precedents(conversations, crm, store, digests, ShopWords(knowledge))
    sources = Sources(knowledge, precedents, digests.similarities, crm, try_out, writer, audiences_of, gate)
    conversations.erases_too.append(erase)
    conversations.forgets_too.append(forget)
    conversations.moves_too.append(move)
    desk, book = AssistDesk(conversations, sources), CardBook(store, conversations)
    return AssistSide(desk, book, store, precedents, digests, translator)


async def open_assist(
    conversations: Conversations,
    crm: Crm,
    knowledge: KnowledgeBase,
    data_dir: Path,
    qdrant_url: str | None,
    try_out: TryOut,
    writer: AnswerWriter | None,
    translates: ChatEndpoint | None,
    audiences_of: AudiencesOf,
    gate: Callable[[str], float] | None,
) -> AssistSide:
    """The assist with its index in ``data_dir`` or on the Qdrant server; ``translates`` is the model for translations, and
    ``gate`` says the score from which is quoted in a language."""
    digests = await ConversationDigests.open(
        data_dir, qdrant_url, knowledge.sentence_vectors, UseEncoder.name, DIGEST_VERSION
    )
    translator = open_translator(translates, knowledge.sentence_vectors)
    return build_assist(
        conversations, crm, digests, knowledge, try_out, writer, audiences_of, gate, translator=translator
    )
