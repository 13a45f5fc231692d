"""The gate decides what may act: an intent, a question back, or the knowledge base; a wish for a person always passes."""

from __future__ import annotations

import re
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.answers import ANSWERS, TASKS
from bot.components.entities import FOUND
from bot.components.intent_head import GATE
from bot.residual import residual
from bot.text import fold_case

#: Slots that take any text; only a sure interruption is not an answer to them.
FREE_TEXT = {"new_address", "problem", "return_reason", "invoice_title", "contact_value", "order_item"}
#: Intents that mean themselves however a question was put, unless ``_LIKE_ANSWERS`` says otherwise.
_CONTROL = {"handoff", "stop", "inform", "affirm", "deny"}
#: Intents that a good answer to the question may look like: a reason for a return sounds like a fault report, or like a
#: no ("I don't like it").
_LIKE_ANSWERS = {
    "return_reason": {"open_ticket", "return_refund", "insult", "deny"},
    "problem": {"open_ticket", "return_refund", "order_status", "request_invoice", "insult"},
    "new_address": {"change_address", "update_contact"},
    "contact_value": {"update_contact", "change_address", "bot_name"},
    "invoice_title": {"request_invoice", "bot_name"},
    "order_item": {"return_refund", "open_ticket"},
}
_SURE = 0.7
_NUMBERS = {"order_number", "ticket_number", "last4", "code", "phone"}

_PERSON_ZH = (
    r"(?:真人|活人|人工|人工客服|人工服务|人工坐席|客服人员|真人客服|在线客服|工作人员|专员|坐席|客服专员|真的人|人类)"
)
_PERSON_EN = (
    r"(?:(?:real |live |actual |human )?(?:person|human(?: being)?|agent|representative|rep|operator|advis[oe]r|"
    r"member of staff|staff member|employee|colleague|supervisor|manager)|someone real|somebody real|real people|human support)"
)
_WANTS_PERSON = [
    re.compile(pattern)
    for pattern in [
        rf"^(?:请|麻烦|有没有|有|帮我|给我|我要|我想|要|找|快|赶紧|直接|喂|你好)*(?:转|接|换|叫|找)?(?:一下|个|到|接)*{_PERSON_ZH}(?:客服|服务|坐席)?(?:吧|啊|呢|谢谢|在吗|在么|有吗|[。！!，,.?？\s])*$",
        rf"(?:转|转接|接通|接入|转到|换成?|换个|叫|找|喊|联系|呼叫)(?:一下|一个|到|个|你们|你们的|下)*\s?{_PERSON_ZH}(?!智能|降噪|合成|耳蜗|客服几|几点|客服的?(?:电话|时间))",
        rf"(?:我要|我想|我想要|想|要|需要|可以|能不能|能否|让我|只想|就要)(?:跟|和|找|与|请)?(?:一个|个|你们的?)?\s?{_PERSON_ZH}(?:客服)?(?:说|聊|讲|谈|沟通|帮|处理|协助|服务|对话|来|[吧啊！!。]|$)",
        r"^(?:转人工?|转接?人|人工){1,5}[!！。.～~\s]*$",
        rf"\b(?:talk|speak|chat|connect(?: me)?|transfer(?: me)?|put me through|pass me|hand me over|switch me|get through|escalate)\b(?: directly)?(?: on| over)? (?:to|with) (?:an? |the |your |one of your |some |any )*{_PERSON_EN}s?\b",
        r"\b(?:want|need|get me|give me|like|find me|prefer|is there|call)\b(?: to (?:talk|speak|chat) (?:to|with))? (?:an? |the |your )*(?:(?:real|live|actual|human) (?:person|human|agent|people|being)|human|representative|operator|person to (?:talk|speak))(?: (?:now|please|pls|here|instead|agent|being))*(?:[.!?]|$)",
        rf"^(?:an? |the )?{_PERSON_EN}(?:[ ,]+(?:please|pls|plz|now|thanks))*[.!?\s]*$",
    ]
]
_NOT_A_PERSON = re.compile(r"人工智能|人工降噪|人工费|人工耳蜗|human error|human mistake|agent orange|travel agent")


def wants_person(text: str) -> bool:
    """Whether the text asks, in so many words, for a human being to take over."""
    plain = fold_case(text)
    if _NOT_A_PERSON.search(plain):
        return False
    return any(pattern.search(plain) for pattern in _WANTS_PERSON)


def decide(
    intent: str | None, probability: float, score: float, limits: dict[str, float], requested_slot: str | None
) -> tuple[str, float]:
    """The intent that may act and its score, given what the head says and which slot a form has asked for."""
    if intent is None:
        return "out_of_scope", score
    if intent == "handoff" and (score >= limits["clarify"] or probability >= 0.5):
        return intent, max(score, limits["answer"])
    if requested_slot in FREE_TEXT:
        unsure = intent not in _CONTROL and (score < limits["answer"] or probability < _SURE)
        if unsure or intent in _LIKE_ANSWERS.get(requested_slot, set()):
            return "inform", score  # an answer in free words, not a sure interruption
    if score >= limits["answer"]:
        return intent, score
    if intent == "ask_knowledge":
        return intent, score  # the knowledge base has a gate of its own
    return ("clarify" if score >= limits["clarify"] else "out_of_scope"), score


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class Gate(GraphComponent):
    """Replaces the best intent by what may act; the ranking stays as the head made it."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Gate:
        """Needs no configuration: thresholds come with the turn or with the model."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets ``intent`` to the decision, and ``thresholds`` to the ones that were in force."""
        for message in messages:
            self._decide(message)
        return messages

    def _decide(self, message: Message) -> None:
        metadata = message.get("metadata") or {}
        language = message.get("language", "en")
        known = message.get(GATE)["intents"]  # another data set's model has neither handoff nor inform
        limits = effective_thresholds(message.get(GATE)["thresholds"], metadata.get("thresholds"), language)
        text, found = message.get(TEXT) or "", message.get(FOUND) or []
        best, score = message.get(INTENT) or {}, message.get(GATE)["score"]
        requested = metadata.get("requested_slot")
        kinds = {entity.entity for entity in found}
        # A message that is nothing but data, or the very data that was asked for with few words around it, informs.
        left = residual(text, found)
        only_data = bool(found) and not left
        asked_for = ANSWERS.get(requested or "", set())
        answers = bool(kinds & asked_for) and len(left) <= 12
        # A number with a digit too few is still meant as the answer; the form says what is wrong with it.
        answers |= bool(asked_for & _NUMBERS) and re.search(r"\d{3}", text) is not None and len(left) <= 16
        # "Cancel KT…" to "where is my order?" asks for more than the number answers.
        answers &= not (left and best.get("name") in TASKS and score >= limits["answer"])
        if "handoff" in known and wants_person(text):
            name, score = "handoff", max(score, 0.99)
        elif "inform" in known and ((only_data and kinds - {"product", "date", "amount"}) or answers):
            name, score = "inform", max(score, limits["answer"])
        else:
            name, score = decide(best.get("name"), best.get("confidence", 0.0), score, limits, requested)
        message.set(INTENT, {"name": name, "confidence": round(float(score), 4)}, add_to_output=True)
        message.set(INTENT_RANKING_KEY, message.get(INTENT_RANKING_KEY) or [], add_to_output=True)
        message.set("thresholds", limits, add_to_output=True)


def effective_thresholds(stored: dict[str, Any], sent: Any, language: str) -> dict[str, float]:
    """The model's own thresholds for a language, each replaced by the turn's where the turn brings a valid one."""
    answer, clarify = stored.get(language) or stored["any"]
    limits = {"answer": answer, "clarify": clarify, "retrieval": 0.5}
    asked = sent.get(language) if isinstance(sent, dict) else None
    for name in limits:
        value = asked.get(name) if isinstance(asked, dict) else None
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
            limits[name] = float(value)
    limits["clarify"] = min(limits["clarify"], limits["answer"])
    return {name: round(value, 4) for name, value in limits.items()}
