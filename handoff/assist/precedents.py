"""Finds resolved conversations in which contacts asked for something similar, and what agents decided there.

Each resolved conversation gets a digest (what was asked) whose vector is kept in an index of its own. Conversations are
put in when they are resolved; whatever was missed, and everything after the encoder changed, is put in by ``catch_up``.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog

from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.errors import NotFound, SlowConsumer
from conversations.model import Author, Conversation, Message, MessageKind, Status
from crm.port import Crm
from handoff.assist.assist_store import AssistStore, Ended
from handoff.assist.masking import PLACEHOLDER, Private, masked_for_others, private_of
from handoff.assist.requests import TASKS, Asked, asks, what_is_asked
from handoff.assist.shop_words import ShopWords
from knowledge_base.digests import ConversationDigests
from knowledge_base.wording import language_of

SHOWN = 3
LEAST_SIMILARITY = 0.45  #: cosine; of pairs of different questions, 99 in 100 lie below (docs/assist.md)
_SAME_TASK = 0.1  #: what the same task is worth, beside the cosine
_LOOKED_AT = 24  #: nearest conversations of which the best are shown
_MESSAGES = 500
_CRM_SECONDS = 2.0
_BATCH = 50
_DECISIVE = 2  #: replies shown per conversation
_CATCH_UP_SECONDS = 30.0
_WORDS_KEPT = timedelta(days=7)  #: of cards whose fate nobody decided
log = structlog.get_logger()

#: Those of some conversations that exist for the one who asks.
Seen = Callable[[Sequence[str]], Awaitable[set[str]]]


@dataclass(frozen=True, slots=True)
class Precedent:
    """A resolved conversation; nothing in it names its contact."""

    conversation: Conversation
    similarity: float
    intent: str | None
    rating: int | None
    labels: tuple[str, ...]
    request: str
    replies: tuple[str, ...]  #: what agents said that mattered, the most telling first
    language: str  #: of the replies


class Precedents:
    """The index of resolved conversations, kept in step with the database."""

    def __init__(
        self,
        conversations: Conversations,
        crm: Crm,
        store: AssistStore,
        digests: ConversationDigests,
        words: ShopWords,
    ) -> None:
        self._conversations = conversations
        self._crm = crm
        self._store = store
        self._digests = digests
        self._words = words
        self._tasks: list[asyncio.Task[None]] = []
        self._resolved = asyncio.Event()  #: something was resolved or erased

    # -- keeping the index

    async def start(self) -> None:
        """Put in what is missing, and from now on what is resolved."""
        self._tasks = [asyncio.create_task(work, name="precedents") for work in (self._listen(), self._keep_up())]

    async def stop(self) -> None:
        """Stop; what is missing then is put in at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def catch_up(self) -> int:
        """Take out what was erased and put in what is missing; returns how many conversations were put in."""
        form = await self._digests.current_form()
        while gone := await self._store.erased_digests(form, _BATCH):
            await self._digests.forget(gone)
            await self._store.forget_digests(form, gone)
        done = 0
        while missing := await self._store.without_digest(form, _BATCH):
            done += await self._put_in(missing, form)
        return done

    async def _put_in(self, conversation_ids: Sequence[str], form: str) -> int:
        found: list[tuple[Conversation, Asked]] = []
        for conversation_id in conversation_ids:
            with contextlib.suppress(NotFound):
                conversation = await self._conversations.get_conversation(conversation_id)
                found.append((conversation, await self.asked_in(conversation)))
        await self._digests.put([(one.id, asked.digest) for one, asked in found if asked.texts])
        erased = []
        for one, asked in found:
            intent = (asked.intent or "") if asked.texts else None
            noted = await self._store.note_digest(one.id, one.contact_id, form, intent, self._conversations.now())
            if not noted:
                erased.append(one.id)
        await self._digests.forget(erased)
        return len(found)

    async def asked_in(self, conversation: Conversation) -> Asked:
        """What the contact asks for in a conversation."""
        messages, traces = await asyncio.gather(
            self._conversations.messages(conversation.id, limit=_MESSAGES), self._conversations.traces(conversation.id)
        )
        return what_is_asked(messages, traces, conversation.language)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._conversations.hub.subscribe(STAFF) as events:
                    self._resolved.set()
                    async for event in events:
                        if _ends_something(event):
                            self._resolved.set()
            except SlowConsumer:
                continue
            await asyncio.sleep(1.0)

    async def _keep_up(self) -> None:
        while True:
            self._resolved.clear()  # before looking: what is resolved meanwhile is looked for again
            try:
                await self.catch_up()
                await self._store.forget_words(self._conversations.now() - _WORDS_KEPT)
            except Exception as error:
                log.error("digests_not_kept_up", error=error, again_in_seconds=_CATCH_UP_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CATCH_UP_SECONDS):
                    await self._resolved.wait()

    # -- finding

    async def similar_to(self, asked: Asked, seen: Seen, without: str = "", most: int = SHOWN) -> list[Precedent]:
        """The most similar resolved conversations that may be seen, except ``without``; the most similar first."""
        texts = list(dict.fromkeys(text for text in (asked.last, asked.digest) if text))
        near = await self._digests.nearest(texts, _LOOKED_AT)
        ended = await self._store.how_they_ended(
            await self._digests.current_form(), [one for one, _ in near if one != without]
        )
        scored = [(one, _similarity(cosine, asked, ended[one])) for one, cosine in near if one in ended]
        scored = sorted((pair for pair in scored if pair[1] >= LEAST_SIMILARITY), key=lambda pair: -pair[1])
        await self._words.refresh()
        exist = await seen([one for one, _ in scored])
        scored = [pair for pair in scored if pair[0] in exist]
        found: list[Precedent] = []
        for conversation_id, similarity in scored:
            if len(found) == most:
                break
            with contextlib.suppress(NotFound):
                conversation = await self._conversations.get_conversation(conversation_id)
                if conversation.status is Status.RESOLVED:
                    found.append(await self._precedent(conversation, similarity, ended[conversation_id], asked))
        titles = {label.id: label.title for label in await self._conversations.labels()}
        return [
            _labelled(one, [titles[one_id] for one_id in one.conversation.label_ids if one_id in titles])
            for one in found
        ]

    async def _precedent(self, conversation: Conversation, similarity: float, ended: Ended, asked: Asked) -> Precedent:
        messages, traces, contact = await asyncio.gather(
            self._conversations.messages(conversation.id, limit=_MESSAGES),
            self._conversations.traces(conversation.id),
            self._conversations.find_contact(conversation.contact_id),
        )
        private = await self._private(conversation, contact, traces)
        theirs = what_is_asked(messages, traces, conversation.language)
        replies = await self._decisive(messages, theirs.digest or asked.last)
        language = language_of(replies[0]) if replies else conversation.language
        return Precedent(
            conversation,
            round(similarity, 4),
            ended.intent or None,
            ended.rating,
            (),
            self.masked(theirs.last, private, theirs.language),
            tuple(self.masked(reply, private, language_of(reply)) for reply in replies),
            language,
        )

    def masked(self, text: str, private: Private, language: str) -> str:
        """The text as another contact's agent may quote it."""
        return masked_for_others(text, private, language, self._words.knows).text

    async def _private(self, conversation: Conversation, contact: Any, traces: Any) -> Private:
        customer, orders, tickets = None, [], []
        if conversation.customer_id is not None:
            try:
                async with asyncio.timeout(_CRM_SECONDS):
                    customer = await self._crm.find_customer(conversation.customer_id)
                    orders = await self._crm.orders_of(conversation.customer_id, 50)
                    tickets = await self._crm.tickets_of(conversation.customer_id)
            except Exception as error:  # what looks personal is taken out all the same
                log.warning("crm_unavailable", conversation_id=conversation.id, error=error)
        return private_of(conversation, contact, customer, orders, tickets, traces)

    async def _decisive(self, messages: Sequence[Message], request: str) -> list[str]:
        """The replies of agents that settle the request best: near to it, and saying something."""
        said = [
            " ".join(one.text.split())
            for one in messages
            if one.author is Author.AGENT and one.kind is MessageKind.TEXT and settles(one.text)
        ]
        said = list(dict.fromkeys(said))
        if len(said) <= 1 or not request:
            return said[:_DECISIVE]
        near = (await self._digests.similarities([request, *said]))[0, 1:]
        scored = sorted(range(len(said)), key=lambda place: -(float(near[place]) + min(len(said[place]), 200) / 1000))
        return [said[place] for place in scored[:_DECISIVE]]


def settles(text: str) -> bool:
    """Whether an agent's line says something to the matter, rather than only being polite."""
    return asks(text) and len(text.strip()) >= 8


def usable(reply: str) -> bool:
    """Whether a masked reply can be said to somebody else as it is."""
    return PLACEHOLDER.search(reply) is None


def _similarity(cosine: float, asked: Asked, ended: Ended) -> float:
    same_task = asked.intent is not None and asked.intent == ended.intent and asked.intent in TASKS
    return min(1.0, cosine + (_SAME_TASK if same_task else 0.0))


def _labelled(precedent: Precedent, labels: Sequence[str]) -> Precedent:
    return replace(precedent, labels=tuple(labels))


def _ends_something(event: dict[str, Any]) -> bool:
    kind = event.get("type")
    return kind == "erased" or (kind == "conversation" and event["conversation"].get("status") == Status.RESOLVED.value)
