"""Scenes for the tests of assist: a desk with articles, resolved conversations with planted details, and a bot to try."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from conversations.model import Address, Agent, Conversation, HandoffReason, Message
from conversations.turn_model import Reply, TurnResult
from knowledge_base.articles import Article
from knowledge_base.edition import Edition
from knowledge_base.encoder import E5Encoder, UseEncoder
from knowledge_base.index import EdgeIndex
from knowledge_base.knowledge_base import KnowledgeBase
from tests.handoff.desk import Browser, Desk, open_desk
from tests.knowledge_base.builders import article, small_shop

#: Whatever of these turns up in another contact's suggestion has leaked.
PLANTED = (
    "Tamsin", "Okafor", "KT20261111", "TK482915", "SF1234567890", "tamsin@private.example", "020 7946 0958", "14 Privet Drive",
    "欧阳明月", "明月", "13812345678", "KT20262222", "浦东新区世纪大道1568号", "6222021234567890", "https://private.example/x",
)  # fmt: skip


def shop() -> list[Article]:
    """The small shop with an article that only staff may read."""
    return [
        *small_shop(),
        Article(
            id="goodwill",
            title="Goodwill refund for a scratched lens",
            language="en",
            body="Offer a goodwill refund of up to 20 pounds for a scratched lens.",
            questions=("The lens of my camera is scratched",),
            audience=("staff",),
        ),
        article(
            "parcel-lost",
            "What if my parcel is lost?",
            "A lost parcel is sent again free of charge after 10 days.",
            questions=["my parcel never came"],
        ),
    ]


class Bot:
    """What the bot would answer, as a test says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = TurnResult(
            (Reply("Parcels arrive within three days."),),
            {"intent": "ask_knowledge", "confidence": 0.91, "route": "knowledge", "retrieval": [{"score": 0.8}]},
        )

    async def __call__(self, conversation: Conversation, message: Message) -> TurnResult:
        self.asked.append(message.text)
        return self.answer


@cache
def encoders() -> tuple[UseEncoder, E5Encoder]:
    """The product's own, loaded once: scores are calibrated for them."""
    return UseEncoder(), E5Encoder()


@asynccontextmanager
async def assisted_desk(folder: Path, articles: list[Article] | None = None, **options: Any) -> AsyncIterator[Desk]:
    """A desk whose agents are assisted; the index is filled by ``catch_up``."""
    use, e5 = encoders()
    index = EdgeIndex(folder / "knowledge", {"use": use.dimensions, "e5": e5.dimensions})
    knowledge = KnowledgeBase(Edition(index, folder / "knowledge" / "ledger", use, e5))
    await knowledge.load(shop() if articles is None else articles)
    async with open_desk(folder, assist=knowledge, **options) as desk:
        yield desk
    await knowledge.close()


async def says(desk: Desk, contact: str, *texts: str, intent: str = "ask_knowledge", **more: Any) -> str:
    """A contact writes some messages that the bot takes for one intent; returns the conversation's id."""
    conversation_id = ""
    for text in texts:
        conversation_id = await desk.contact_writes(text, contact, **more)
        for claim in await desk.conversations.claim_turns(10):
            trace = {"language": more.get("language", "en"), "intent": intent, "confidence": 0.9, "route": "knowledge"}
            trace |= {"entities": more.get("entities", []), "slots_changed": {}}
            await desk.conversations.commit_turn(
                claim, TurnResult((Reply("Let me see."),), trace), desk.clock(), go_on=False
            )
    return conversation_id


async def handed_off(desk: Desk, contact: str, language: str = "en", **more: Any) -> str:
    """The contact asks for a person."""
    conversation_id = await desk.contact_writes(
        "human please" if language == "en" else "转人工", contact, language=language, **more
    )
    for claim in await desk.conversations.claim_turns(10):
        trace = {"language": language, "intent": "handoff", "confidence": 1.0, "route": "handoff"}
        reply = Reply("A person takes over.", handoff=HandoffReason.ASKED_FOR_PERSON.value)
        await desk.conversations.commit_turn(claim, TurnResult((reply,), trace), desk.clock(), go_on=False)
    return conversation_id


async def resolved(
    desk: Desk,
    agent: Agent,
    contact: str,
    request: str,
    replies: list[str],
    *,
    score: int | None = None,
    language: str = "en",
    name: str | None = None,
    intent: str = "ask_knowledge",
) -> str:
    """A conversation that an agent has settled with these replies."""
    more: dict[str, Any] = {"language": language, "contact_name": name}
    conversation_id = await says(desk, contact, request, intent=intent, **more)
    await handed_off(desk, contact, language, contact_name=name)
    await desk.conversations.assign(conversation_id, agent)
    for reply in replies:
        await desk.conversations.reply_as_agent(conversation_id, agent, reply)
    await desk.conversations.resolve(conversation_id, agent)
    if score is not None:
        await desk.conversations.rate(Address("web", "default", contact), conversation_id, score)
    return conversation_id


async def asks_agent(
    desk: Desk, browser: Browser, contact: str, request: str, language: str = "en", **more: Any
) -> str:
    """A contact asks something, wants a person, and the agent accepts."""
    await says(desk, contact, request, language=language, **more)
    conversation_id = await handed_off(desk, contact, language)
    await desk.conversations.assign(conversation_id, browser.member.agent)
    return conversation_id
