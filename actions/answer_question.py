"""Answers from the knowledge base, word for word and with the source; admits what it does not know."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any, Protocol

from actions.base import DeskAction, Turn
from actions.texts import Both, Button, button, person_button
from crm.port import Crm
from knowledge_base.readers import Reader

if TYPE_CHECKING:
    from knowledge_base.generation.writer import Request, Written
    from knowledge_base.results import Answer, Citation, Hit

logger = logging.getLogger(__name__)

ONLY_ENGLISH = Both("（这篇说明目前只有英文版）", "(This article is in English.)")
ONLY_CHINESE = Both("（这篇说明目前只有中文版）", "(This article is only available in Chinese.)")
DID_YOU_MEAN = Both(
    "这个问题我没有十足的把握。您想问的是不是：",
    "I am not quite sure about that one. Is it one of these you would like to know?",
)
SAY_IT_DIFFERENTLY = Both(
    "这个问题我暂时没有找到答案，换个说法再问我一次？也可以转人工客服。",
    "I could not find an answer to that. Could you put it another way? Or talk to a person.",
)
HAND_OFF = Both(
    "抱歉，这个问题我还是没能帮上忙，现在为您转接人工客服。",
    "I am sorry, I still cannot answer that. Let me get a person to help you.",
)
SUGGESTIONS = 3
MISSES = 2  #: in a row before people take over, where the service sends no limit
MOST_MISSES = 100.0  #: what the slot holds at most
KEPT_SECONDS = 1.0  #: of the action's time, for saying what was quoted when the language model takes too long


class Knowledge(Protocol):
    """What the bot needs of the knowledge base."""

    async def answer(
        self, text: str, language: str, gate: float | None = None, reader: Reader | None = None
    ) -> Answer | None:
        """Sentences quoted from the best article the reader may read, if its score reaches the gate."""

    async def answer_from(
        self, article_id: str, language: str, text: str = "", reader: Reader | None = None
    ) -> Answer | None:
        """What this article says, if the reader may read it."""

    async def search(
        self, text: str, language: str | None = None, limit: int = 10, reader: Reader | None = None
    ) -> list[Hit]:
        """The best passages the reader may read."""


class Writer(Protocol):
    """Phrases an answer from passages, where a language model is set up."""

    async def write(self, request: Request) -> Written:
        """The phrased answer, or why there is none; never raises."""


class AnswerQuestion(DeskAction):
    """Answers, or asks "did you mean", or hands off at the second miss in a row (the service may send another limit)."""

    action_name = "action_answer_question"
    retry = "/ask_knowledge"
    search_seconds: float = 4.0  #: of a search server that does not answer; then the contact hears so

    def __init__(self, knowledge: Knowledge, crm: Crm, gate: float | None, writer: Writer | None = None) -> None:
        self._knowledge = knowledge
        self._crm = crm
        self._gate = gate  #: when the turn brings none; None is the knowledge base's own
        self._writer = writer

    async def act(self, turn: Turn) -> None:
        """A button names an article or repeats a question; anything else is the message itself."""
        reader = await self._reader(turn)
        article_id = turn.entity("article_id")
        if article_id:
            async with asyncio.timeout(self.search_seconds):
                chosen = await self._knowledge.answer_from(str(article_id), turn.language, reader=reader)
            if chosen is not None and await self._say(chosen, chosen.citation.title, turn):
                return
        question = str(turn.entity("question") or _without_payload(turn.text)).strip()
        gate = turn.threshold("retrieval")
        async with asyncio.timeout(self.search_seconds):
            answer = await self._knowledge.answer(
                question, turn.language, gate=self._gate if gate is None else gate, reader=reader
            )
        if answer is None or not await self._say(answer, question, turn):
            await self._miss(question, turn, reader)

    async def _reader(self, turn: Turn) -> Reader:
        """Whoever asks: a customer, someone this channel is for, and what their proved account makes them."""
        named = turn.metadata.get("audiences")
        audiences = {name for name in named if isinstance(name, str)} if isinstance(named, list) else set()
        if turn.customer_id:
            try:
                customer = await self._crm.find_customer(turn.customer_id)
            except Exception:
                # Without the account they are told what everybody is told, which is better than nothing.
                logger.exception("the account of turn %s could not be read", turn.id)
            else:
                audiences.update(customer.audiences if customer else ())
        return Reader.of(audiences)

    async def _say(self, answer: Answer, question: str, turn: Turn) -> bool:
        """Give the phrased answer if there is a supported one, else the quoted one; False when neither may be said."""
        written = await self._written(answer, question, turn)
        more: dict[str, Any] = {} if written is None else {"generation": written.trace}
        more |= {"retrieval": _retrieval(answer.hits), "route": "knowledge"}
        if written is not None and written.text is not None:
            turn.say(written.text, citations=[_citation(source) for source in written.citations], **more)
        else:
            text = _quotable(answer)
            if not text:
                return False  # all of it was written for a machine
            citation = _citation(answer.citation) | ({"quote": text} if text != answer.text else {})
            if answer.language != turn.language:
                text += "\n" + (ONLY_ENGLISH if answer.language == "en" else ONLY_CHINESE)(turn.language)
            turn.say(text, citations=[citation], **more)
        turn.change(misses=0.0, clarified=False)
        return True

    async def _written(self, answer: Answer, question: str, turn: Turn) -> Written | None:
        if self._writer is None:
            return None
        from knowledge_base.generation.writer import Request

        seconds = self.timeout_seconds - KEPT_SECONDS - turn.seconds()
        return await self._writer.write(
            Request(question, turn.language, answer.hits, seconds, turn.tracker.sender_id, turn.id)
        )

    async def _miss(self, question: str, turn: Turn, reader: Reader) -> None:
        hits: list[Hit] = []
        if question:
            async with asyncio.timeout(self.search_seconds):
                hits = await self._knowledge.search(question, turn.language, limit=SUGGESTIONS, reader=reader)
        retrieval = _retrieval(hits)
        misses = float(turn.slot("misses") or 0) + 1
        if reached(misses, turn):
            turn.say(HAND_OFF(turn.language), handoff="two_misses", retrieval=retrieval, route="handoff", missed=True)
            turn.change(misses=0.0, clarified=False)
            return
        buttons = [article_button(hit.passage.title, hit.passage.article_id) for hit in hits]
        ask = DID_YOU_MEAN if buttons else SAY_IT_DIFFERENTLY
        turn.say(
            ask(turn.language),
            [*buttons, person_button(turn.language)],
            retrieval=retrieval,
            route="clarify",
            missed=True,
        )
        turn.change(misses=min(misses, MOST_MISSES))


def reached(misses: float, turn: Turn) -> bool:
    """Whether so many misses in a row are enough for people, by the limit the service sent; 0 is never."""
    limit = turn.metadata.get("misses")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        limit = MISSES
    return limit > 0 and misses >= limit


def _quotable(answer: Answer) -> str:
    from knowledge_base.generation.instructions import quotable

    cited = next((hit.passage for hit in answer.hits if hit.passage.id == answer.citation.passage_id), None)
    return quotable(answer.text, cited.text if cited else answer.text, answer.language)


def _citation(source: Citation) -> dict[str, str]:
    return {
        "passage_id": source.passage_id,
        "article_id": source.article_id,
        "title": source.title,
        "quote": source.quote,
        "url": source.url,
    }


def article_button(title: str, article_id: str) -> Button:
    """A button that asks an article's own question."""
    from json import dumps

    return button(title, "/ask_knowledge" + dumps({"article_id": article_id}, ensure_ascii=False))


def _without_payload(text: str) -> str:
    return re.sub(r"^/\w+(\{.*\})?\s*$", "", text, flags=re.DOTALL)


def _retrieval(hits: Any) -> list[dict[str, Any]]:
    return [
        {"passage_id": hit.passage.id, "version": hit.passage.version, "score": round(float(hit.score), 4)}
        for hit in hits
    ][:5]
