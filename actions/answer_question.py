"""Answers from the knowledge base, word for word and with the source; admits what it does not know."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, Protocol

from actions.base import DeskAction, Turn
from actions.texts import Both, Button, button, person_button
from crm.port import Crm
from knowledge_base.readers import Reader

if TYPE_CHECKING:
    from knowledge_base.results import Answer, Hit

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


class AnswerQuestion(DeskAction):
    """Answers, or asks "did you mean", or hands off at the second miss in a row."""

    action_name = "action_answer_question"
    retry = "/ask_knowledge"

    def __init__(self, knowledge: Knowledge, crm: Crm, gate: float | None) -> None:
        self._knowledge = knowledge
        self._crm = crm
        self._gate = gate  #: when the turn brings none; None is the knowledge base's own

    async def act(self, turn: Turn) -> None:
        """A button names an article or repeats a question; anything else is the message itself."""
        reader = await self._reader(turn)
        article_id = turn.entity("article_id")
        if article_id:
            chosen = await self._knowledge.answer_from(str(article_id), turn.language, reader=reader)
            if chosen is not None:
                self._say(chosen, turn)
                return
        question = str(turn.entity("question") or _without_payload(turn.text)).strip()
        gate = turn.threshold("retrieval")
        answer = await self._knowledge.answer(
            question, turn.language, gate=self._gate if gate is None else gate, reader=reader
        )
        if answer is not None:
            self._say(answer, turn)
        else:
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

    def _say(self, answer: Answer, turn: Turn) -> None:
        source = answer.citation
        citation = {
            "passage_id": source.passage_id,
            "article_id": source.article_id,
            "title": source.title,
            "quote": source.quote,
            "url": source.url,
        }
        text = answer.text
        if answer.language != turn.language:
            text += "\n" + (ONLY_ENGLISH if answer.language == "en" else ONLY_CHINESE)(turn.language)
        turn.say(text, citations=[citation], retrieval=_retrieval(answer.hits), route="knowledge")
        turn.change(misses=0.0, clarified=False)

    async def _miss(self, question: str, turn: Turn, reader: Reader) -> None:
        hits = (
            await self._knowledge.search(question, turn.language, limit=SUGGESTIONS, reader=reader) if question else []
        )
        retrieval = _retrieval(hits)
        if float(turn.slot("misses") or 0) >= 1:
            turn.say(HAND_OFF(turn.language), handoff="two_misses", retrieval=retrieval, route="handoff")
            turn.change(misses=0.0, clarified=False)
            return
        buttons = [article_button(hit.passage.title, hit.passage.article_id) for hit in hits]
        ask = DID_YOU_MEAN if buttons else SAY_IT_DIFFERENTLY
        turn.say(ask(turn.language), [*buttons, person_button(turn.language)], retrieval=retrieval, route="clarify")
        turn.change(misses=1.0)


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
