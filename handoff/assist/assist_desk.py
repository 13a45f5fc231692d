"""What an agent is offered for the contact's last message, put together from articles, resolved conversations and the bot.

Computed only when a console asks, once for everybody who looks at the same message, and stopped when the contact writes
again. The parts do not wait for each other: ``look`` needs neither the bot nor a language model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from conversations.conversations import Conversations
from conversations.errors import DialogueUnavailable
from conversations.json_form import moment
from conversations.model import Author, Conversation, Message, MessageKind
from conversations.turn_model import Trace, TurnResult
from crm.port import Crm
from handoff.assist.in_flight import InFlight
from handoff.assist.precedents import Precedent, Precedents, Seen
from handoff.assist.requests import Asked
from handoff.assist.suggestion import Similarities, Suggestion, suggest
from knowledge_base.articles import Article, Passage
from knowledge_base.generation.instructions import quotable
from knowledge_base.generation.writer import Request, Written
from knowledge_base.readers import Reader
from knowledge_base.results import Answer, Hit
from knowledge_base.wording import plain

PASSAGES = 3
_SEARCHED = 6
_CONTEXT = 0.95  #: a hit for the request with its context counts a little less than one for its own words
_WORTH_SHOWING = 0.15  #: of the calibrated score; what lies below only fills the screen
_BOT_SECONDS = 4.0
_CRM_SECONDS = 2.0
_PHRASING_SECONDS = 8.0
_EXCERPT = 360
log = structlog.get_logger()

TryOut = Callable[[Conversation, Message], Awaitable[TurnResult]]
AudiencesOf = Callable[[str, str], Sequence[str]]


class Knowledge(Protocol):
    """What is needed of the knowledge base."""

    @property
    def gate(self) -> float:
        """The score from which the bot answers."""

    async def search(
        self, text: str, language: str | None = None, limit: int = 10, reader: Reader | None = None
    ) -> list[Hit]:
        """The best passages the reader may read."""

    async def answer_from(
        self, article_id: str, language: str, text: str = "", reader: Reader | None = None
    ) -> Answer | None:
        """What one article says to the question."""

    def readable(self, article_id: str, reader: Reader) -> list[Article]:
        """The article in every language in which the reader may read it."""

    def status(self) -> dict[str, Any]:
        """What is held; ``audiences`` are all for whom something is written."""


class Phrases(Protocol):
    """Phrases a reply from passages, where a language model is set up."""

    @property
    def configured(self) -> bool:
        """Whether there is a model."""

    @property
    def model(self) -> str | None:
        """Its name."""

    async def write(self, request: Request) -> Written:
        """The checked reply, or why there is none; never raises."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage for the agent; ``quote`` is what would be inserted."""

    hit: Hit
    quote: str
    citation: dict[str, str]
    internal: bool  #: the contact may not read it
    answer: Answer | None

    def to_json(self) -> dict[str, Any]:
        """As the console shows it."""
        passage = self.hit.passage
        return {
            "passage_id": passage.id,
            "article_id": passage.article_id,
            "language": passage.language,
            "title": passage.title,
            "headings": list(passage.headings),
            "excerpt": _excerpt(plain(passage.text)),
            "text": self.quote,
            "url": self.citation["url"],
            "score": round(self.hit.score, 4),
            "internal": self.internal,
        }


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that needs neither the bot nor a language model."""

    asked: Asked
    passages: tuple[Found, ...]
    precedents: tuple[Precedent, ...]
    suggestion: Suggestion | None
    took_ms: float


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the assist of one service process looks."""

    knowledge: Knowledge
    precedents: Precedents
    similarities: Similarities
    crm: Crm
    try_out: TryOut
    writer: Phrases | None = None
    audiences_of: AudiencesOf = lambda _channel, _account: ()
    gate: Callable[[str], float] | None = None  #: by language


class AssistDesk:
    """Looks things up for agents; everything it does can be repeated and changes nothing."""

    def __init__(self, conversations: Conversations, sources: Sources) -> None:
        self._conversations = conversations
        self._sources = sources
        self.looks = InFlight()
        self.trials = InFlight()
        self.phrasings = InFlight(kept_seconds=120.0)

    @property
    def phrases(self) -> bool:
        """Whether a language model may phrase suggestions."""
        return self._sources.writer is not None and self._sources.writer.configured

    @property
    def model(self) -> str | None:
        """The model's name; None without one."""
        return self._sources.writer.model if self._sources.writer is not None else None

    async def look(self, conversation: Conversation, seen: Seen, role: str) -> Look:
        """Passages, similar conversations and the suggested reply; raises ``Superseded`` when the contact writes again.

        ``role`` keeps apart what people see who do not see the same.
        """
        asked = await self._sources.precedents.asked_in(conversation)
        key = f"{conversation.id}:{role}"
        found: Look = await self.looks.of(key, asked.seq, lambda: self._look(conversation, asked, seen))
        return found

    async def bot_answer(self, conversation: Conversation) -> dict[str, Any] | None:
        """What the bot said to the contact's last message, or would say now; None when there is no message."""
        message, traces, answered = await self._last(conversation)
        if message is None:
            return None
        trace = next((one for one in traces if one.in_seq == message.seq), None)
        if trace is not None:
            return said_json(trace, [one for one in answered if one.seq in trace.out_seqs])
        if not message.text:
            return {"state": "file"}
        made: dict[str, Any] = await self.trials.of(
            conversation.id, message.seq, lambda: self._try_out(conversation, message)
        )
        return made

    async def phrased(self, conversation: Conversation, look: Look) -> Written:
        """The suggestion as the language model puts it, from the passages and similar replies of a look only."""
        written: Written = await self.phrasings.of(
            conversation.id, look.asked.seq, lambda: self._phrase(conversation, look)
        )
        return written

    # ------------------------------------------------------------------------------------------------------------

    async def _look(self, conversation: Conversation, asked: Asked, seen: Seen) -> Look:
        started = time.perf_counter()
        if not asked.texts:
            return Look(asked, (), (), None, _since(started))
        passages, precedents = await asyncio.gather(
            self._passages(conversation, asked),
            self._sources.precedents.similar_to(asked, seen, conversation.id),
        )
        best = next((one for one in passages if not one.internal and one.quote), None)
        gate_of = self._sources.gate
        gate = self._sources.knowledge.gate if gate_of is None else gate_of(conversation.language)
        usable = best if best is not None and best.hit.score >= gate else None
        suggestion = await suggest(
            replace(usable.answer, score=usable.hit.score) if usable and usable.answer else None,
            usable.quote if usable else "",
            usable.citation if usable else None,
            precedents,
            asked.language,
            asked.intent,
            self._sources.similarities,
        )
        return Look(asked, tuple(passages), tuple(precedents), suggestion, _since(started))

    async def _passages(self, conversation: Conversation, asked: Asked) -> list[Found]:
        knowledge = self._sources.knowledge
        everyone = Reader.of(knowledge.status().get("audiences", ()))
        contact = await self._reader_of(conversation)
        best: dict[str, Hit] = {}
        for place, question in enumerate(asked.questions()):
            for hit in await knowledge.search(question, asked.language, _SEARCHED, everyone):
                score = hit.score * (_CONTEXT if place else 1.0)
                known = best.get(hit.passage.article_id)
                if known is None or score > known.score:
                    best[hit.passage.article_id] = Hit(hit.passage, score)
        hits = sorted(best.values(), key=lambda hit: -hit.score)
        worth = [hit for hit in hits if hit.score >= _WORTH_SHOWING][:PASSAGES]
        return [await self._found(hit, asked, contact, everyone) for hit in worth]

    async def _found(self, hit: Hit, asked: Asked, contact: Reader, everyone: Reader) -> Found:
        knowledge, passage = self._sources.knowledge, hit.passage
        open_to_contact = {one.language for one in knowledge.readable(passage.article_id, contact)}
        internal = passage.language not in open_to_contact
        reader = everyone if internal else contact
        answer = await knowledge.answer_from(passage.article_id, asked.language, asked.last, reader)
        if answer is None:
            return Found(hit, "", _citation(passage, ""), internal, None)
        source = answer.citation
        quote = quotable(answer.text, passage.text, answer.language)
        # The signed address of an internal article would open it to whoever gets it; staff need no signature.
        url = passage.url if internal else source.url
        citation = {
            "passage_id": source.passage_id, "article_id": source.article_id, "title": source.title, "quote": quote, "url": url,
        }  # fmt: skip
        return Found(hit, quote, citation, internal, answer)

    async def _reader_of(self, conversation: Conversation) -> Reader:
        """What the contact may read: as the bot reckons it for its answers."""
        audiences = set(self._sources.audiences_of(conversation.reached_at.channel, conversation.reached_at.account))
        if conversation.customer_id is not None:
            try:
                async with asyncio.timeout(_CRM_SECONDS):
                    customer = await self._sources.crm.find_customer(conversation.customer_id)
                audiences.update(customer.audiences if customer else ())
            except Exception as error:  # then they may read what everybody may
                log.warning("crm_unavailable", conversation_id=conversation.id, error=error)
        return Reader.of(audiences)

    async def _last(self, conversation: Conversation) -> tuple[Message | None, list[Trace], list[Message]]:
        messages, traces = await asyncio.gather(
            self._conversations.messages(conversation.id, max(0, conversation.last_seq - 200), 200),
            self._conversations.traces(conversation.id),
        )
        theirs = [one for one in messages if one.author is Author.CONTACT and one.kind is MessageKind.TEXT]
        return (theirs[-1] if theirs else None), traces, messages

    async def _try_out(self, conversation: Conversation, message: Message) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(_BOT_SECONDS):
                result = await self._sources.try_out(conversation, message)
        except (DialogueUnavailable, TimeoutError) as error:
            log.warning("bot_not_tried", conversation_id=conversation.id, error=str(error))
            return {"state": "unavailable"}
        return would_json(result, self.phrases) | {"took_ms": _since(started), "seq": message.seq}

    async def _phrase(self, conversation: Conversation, look: Look) -> Written:
        writer = self._sources.writer
        assert writer is not None, "asked only where there is a model"
        language = look.asked.language
        hits = [one.hit for one in look.passages if not one.internal]
        hits += [
            _as_hit(one, reply) for one in look.precedents for reply in one.replies[:1] if one.language == language
        ]
        question = look.asked.questions()[-1]
        request = Request(question, language, hits, _PHRASING_SECONDS, conversation.id)
        return await writer.write(request)


def said_json(trace: Trace, replies: Sequence[Message]) -> dict[str, Any]:
    """What the bot did answer."""
    citations = [citation for one in replies for citation in one.citations]
    return {
        "state": "said",
        "seq": trace.in_seq,
        "text": "\n".join(one.text for one in replies if one.text),
        "citations": [
            {"passage_id": c.passage_id, "article_id": c.article_id, "title": c.title, "quote": c.quote, "url": c.url}
            for c in citations
        ],
        "at": moment(trace.finished_at),
        **_facts(trace.trace),
    }


def would_json(result: TurnResult, phrases: bool) -> dict[str, Any]:
    """What the bot would answer; ``would`` names what it would write first, and then nothing is known of the rest."""
    citations = [citation for reply in result.replies for citation in reply.citations]
    return {
        "state": "would",
        "text": "\n".join(reply.text for reply in result.replies if reply.text),
        "buttons": [button.title for reply in result.replies for button in reply.buttons],
        "citations": [
            {"passage_id": c.passage_id, "article_id": c.article_id, "title": c.title, "quote": c.quote, "url": c.url}
            for c in citations
        ],
        "handoff": next((reply.handoff for reply in result.replies if reply.handoff), None),
        "may_be_phrased": phrases and result.trace.get("route") == "knowledge",
        **_facts(result.trace),
    }


def _facts(trace: dict[str, Any]) -> dict[str, Any]:
    scores = [hit.get("score") for hit in trace.get("retrieval") or [] if isinstance(hit, dict)]
    return {
        "intent": trace.get("intent"),
        "confidence": trace.get("confidence"),
        "route": trace.get("route"),
        "score": max((score for score in scores if isinstance(score, int | float)), default=None),
        "would": list(trace.get("would") or []),
    }


def _as_hit(precedent: Precedent, reply: str) -> Hit:
    """A colleague's masked reply as something the model may draw on."""
    passage = Passage(
        article_id=f"conversation-{precedent.conversation.id}",
        language=precedent.language,
        anchor="reply",
        title=precedent.request or "-",
        headings=(),
        text=reply,
        version="",
        start=0,
    )
    return Hit(passage, precedent.similarity)


def _citation(passage: Passage, quote: str) -> dict[str, str]:
    return {
        "passage_id": passage.id, "article_id": passage.article_id, "title": passage.title, "quote": quote, "url": passage.url,
    }  # fmt: skip


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _EXCERPT else flat[:_EXCERPT].rstrip() + "…"


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
