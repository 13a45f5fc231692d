"""The inbox of one service process: opened by the app, started and closed with the staff's side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.model import Address, Agent, Author, Conversation, Message, MessageKind, Status, new_id
from conversations.work_leases import WorkLeases
from handoff.assist.assist_desk import TryOut
from handoff.assist.masking import Private, masked_for_others
from handoff.assist.shop_words import ArticleSource, ShopWords
from knowledge_base.encoder import UseEncoder
from learning import inbox_store
from learning.entity_types import EntityType, read_entity_types
from learning.example_book import ExampleBook
from learning.following import Encode, Follower
from learning.inbox import Inbox
from learning.suggesting import Suggestions, Understand

MENDED_EVERY_SECONDS = 30.0
log = structlog.get_logger()

#: A text and its language in, the text without personal data out.
Mask = Callable[[str, str], str]


@dataclass(slots=True)
class InboxSide:
    """The parts that the routes use."""

    inbox: Inbox
    suggestions: Suggestions
    follower: Follower
    mask: Mask
    entity_types: Sequence[EntityType] = ()
    words: ShopWords | None = None  #: what the mask leaves alone, read again when articles change
    _mending: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Follow the conversations, and finish what a process that died began."""
        await self.follower.start()
        self._mending = asyncio.create_task(self._mend(), name="mend inbox")

    async def close(self) -> None:
        """Stop what runs in the background."""
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)
        await self.follower.stop()

    async def masked(self, text: str, language: str) -> str:
        """The text as it may become an example."""
        if self.words is not None:
            with contextlib.suppress(Exception):  # with fewer words of the shop, more is taken out
                await self.words.refresh()
        return await asyncio.to_thread(self.mask, text, language)

    async def _mend(self) -> None:
        while True:
            try:
                await self.inbox.mend()
            except Exception as error:
                log.warning("inbox_not_mended", error=repr(error))
            await asyncio.sleep(MENDED_EVERY_SECONDS)


def open_inbox(
    conversations: Conversations,
    leases: WorkLeases,
    encode: Encode,
    articles: ArticleSource,
    try_out: TryOut,
    nlu_data: Path,
    book: ExampleBook | None = None,
    mask: Mask | None = None,
) -> InboxSide:
    """The inbox over a desk's conversations; ``book`` holds the examples, and ``mask`` takes personal data out."""
    words = ShopWords(articles)

    async def tell(groups: Sequence[str], kind: str, by: Agent | None) -> None:
        who = {"by_id": None, "by_name": None} if by is None else {"by_id": by.id, "by_name": by.name}
        await conversations.hub.publish(STAFF, {"type": "mishaps", "groups": list(groups)[:200], "change": kind} | who)

    async def came(groups: Sequence[str]) -> None:
        await tell(groups, "came", None)

    conversations.erases_too.append(inbox_store.erase)
    conversations.forgets_too.append(inbox_store.forget)
    conversations.moves_too.append(inbox_store.move)
    return InboxSide(
        Inbox(conversations.database, encode, book, tell=tell, now=conversations.now),
        Suggestions(book, encode, understood_by(try_out, conversations)),
        Follower(
            conversations.database,
            leases,
            encode,
            UseEncoder.name,
            tell=came,
            now=conversations.now,
            give_way=conversations.give_way,
        ),
        mask or (lambda text, language: masked_for_others(text, Private(), language, words.knows).text),
        read_entity_types(nlu_data / "entities"),
        words,
    )


def understood_by(try_out: TryOut, conversations: Conversations) -> Understand:
    """What the live bot takes a message for, said first in a conversation that there is not."""

    async def understand(text: str, language: str) -> Sequence[tuple[str, float]]:
        now, nowhere = conversations.now(), new_id()
        alone = Conversation(nowhere, Address("webchat", "inbox", nowhere), nowhere, Status.BOT, language, now, now)
        message = Message(new_id(), nowhere, 1, Author.CONTACT, MessageKind.TEXT, text, now)
        async with asyncio.timeout(5.0):
            result = await try_out(alone, message)
        ranking = result.trace.get("ranking") or []
        return [(str(one["name"]), float(one["confidence"])) for one in ranking]

    return understand
