"""Answers are quoted with their source; what is not known is admitted, once, and then a person takes over."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crm.model import Customer
from knowledge_base.generation.writer import Request, Written
from knowledge_base.knowledge_base import Citation
from tests.actions.builders import ARTICLES, BrokenCrm, BrokenKnowledge, FewArticles, build_test_executor
from tests.actions.chat import Chat

EMMA = Customer("C-7", "Emma", "+447700900123", None, "en", "GB", "standard", 0, datetime(2026, 1, 1, tzinfo=UTC))
DELIVERY_EN = ARTICLES["delivery-times", "en"]


class AccountOf:
    """A CRM that holds one customer and nothing else."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer

    async def find_customer(self, customer_id: str) -> Customer | None:
        return self.customer if customer_id == self.customer.id else None


def chat_over(knowledge: Any, language: str = "en", **more: Any) -> Chat:
    return Chat(build_test_executor(knowledge=knowledge), language, **more)


async def ask(chat: Chat, text: str, intent: str = "ask_knowledge") -> Any:
    await chat.say(text, intent)
    return await chat.run("action_answer_question")


async def test_an_answer_is_quoted_with_its_citation_and_the_retrieval() -> None:
    said = await ask(chat_over(FewArticles()), "How long does delivery take?")
    assert said.text == "Mainland 1–3 days."
    [citation] = said.custom("citations")
    assert citation == {
        "passage_id": DELIVERY_EN.id,
        "article_id": "delivery-times",
        "title": "How long does delivery take?",
        "quote": "Mainland 1–3 days.",
        "url": DELIVERY_EN.url,
    }
    assert said.custom("retrieval")[0] == {"passage_id": DELIVERY_EN.id, "version": "v1", "score": 0.9}
    assert said.custom("route") == "knowledge"
    assert len(said.messages) == 1


async def test_an_article_in_the_other_language_is_announced() -> None:
    said = await ask(chat_over(FewArticles(), "zh"), "Do I pay customs duties?")
    assert said.text.startswith("Not in the UK and the EU.")
    assert said.text.endswith("（这篇说明目前只有英文版）")
    assert said.custom("citations")[0]["quote"] == "Not in the UK and the EU."


async def test_the_gate_of_the_turn_counts_in_its_language() -> None:
    knowledge = FewArticles()
    chat = chat_over(knowledge, thresholds={"en": {"retrieval": 0.95}, "zh": {"retrieval": 0.2}})
    assert (await ask(chat, "How long does delivery take?")).custom("route") == "clarify"
    chat.language = "zh"
    await ask(chat, "多久能送到？")
    chat.thresholds = {}
    await ask(chat, "多久能送到？")
    assert knowledge.gates == [0.95, 0.2, None]


@pytest.mark.parametrize(("limit", "until_handoff"), [(1, 1), (3, 3), (4, 4)])
async def test_the_service_says_how_many_misses_in_a_row_hand_off(limit: int, until_handoff: int) -> None:
    chat = chat_over(FewArticles(), misses=limit)
    for number in range(1, until_handoff + 1):
        said = await ask(chat, f"zxcvb {number}", "out_of_scope")
        assert said.custom("missed") is True
        assert said.custom("handoff") == ("two_misses" if number == until_handoff else None)
    assert chat.slots["misses"] == 0


async def test_where_misses_never_hand_off_the_bot_goes_on_asking() -> None:
    chat = chat_over(FewArticles(), misses=0)
    for number in range(6):
        assert (await ask(chat, f"zxcvb {number}", "out_of_scope")).custom("handoff") is None
        await chat.say("hm", "clarify", ranking=["order_status"])
        assert (await chat.run("action_clarify")).custom("handoff") is None


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_first_miss_clarifies_and_a_second_hands_off(language: str) -> None:
    chat = chat_over(FewArticles(), language)
    first = await ask(chat, "zxcvb", "out_of_scope")
    assert first.custom("handoff") is None
    assert first.custom("route") == "clarify"
    assert '/ask_knowledge{"article_id": "delivery-times"}' in first.payloads
    assert first.payloads[-1] == "/handoff"
    assert chat.slots["misses"] == 1
    second = await ask(chat, "qwert", "out_of_scope")
    assert second.custom("handoff") == "two_misses"
    assert second.custom("route") == "handoff"
    assert chat.slots["misses"] == 0


async def test_an_answer_in_between_forgives_the_first_miss() -> None:
    chat = chat_over(FewArticles())
    await ask(chat, "zxcvb")
    await ask(chat, "How long does delivery take?")
    assert (await ask(chat, "zxcvb")).custom("handoff") is None


async def test_a_button_answers_from_its_article_whatever_the_gate() -> None:
    chat = chat_over(FewArticles(score=0.3), "zh", thresholds={"zh": {"retrieval": 0.9}})
    first = await ask(chat, "zxcvb")
    said = await ask(chat, first.payloads[0])
    assert said.custom("citations")[0]["article_id"] == "delivery-times"
    assert "1–3" in said.text
    assert chat.slots["misses"] == 0


async def test_a_button_of_an_article_that_is_gone_is_a_miss_and_not_an_error() -> None:
    said = await ask(chat_over(FewArticles()), '/ask_knowledge{"article_id": "gone"}')
    assert said.custom("route") == "clarify"


async def test_something_else_searches_for_the_first_question() -> None:
    knowledge = FewArticles()
    chat = chat_over(knowledge)
    await chat.say('delivery "fast"?', "clarify", ranking=["order_status", "greet", "open_ticket"])
    asked = await chat.run("action_clarify")
    assert asked.payloads[:2] == ["/order_status", "/open_ticket"]
    assert asked.payloads[-1] == "/handoff"
    await ask(chat, asked.payloads[2])
    assert knowledge.questions == ['delivery "fast"?']


@pytest.mark.parametrize(("language", "title"), [("zh", "查订单和物流"), ("en", "Track an order")])
async def test_clarifying_offers_tasks_by_their_friendly_names(language: str, title: str) -> None:
    chat = chat_over(FewArticles(), language)
    names = ["clarify", "order_status", "cancel_order", "return_refund", "open_ticket"]
    await chat.say("嗯 order", "clarify", ranking=names)
    asked = await chat.run("action_clarify")
    assert asked.messages[0]["buttons"][0]["title"] == title
    assert len(asked.payloads) == 5
    assert asked.custom("route") == "clarify"


@pytest.mark.parametrize(("language", "title"), [("zh", "礼品包装"), ("en", "Gift wrapping")])
async def test_clarifying_offers_intents_that_trainers_made_by_their_titles(language: str, title: str) -> None:
    made = {
        "gift_wrapping": {"zh": "礼品包装", "en": "Gift wrapping"},
        "half": {"fr": "?"},
        "not/one": {"zh": "x", "en": "x"},
    }
    chat = chat_over(FewArticles(), language, titles=made)
    await chat.say("wrap?", "clarify", ranking=["gift_wrapping", "half", "not/one", "greet", "order_status"])
    asked = await chat.run("action_clarify")
    assert asked.messages[0]["buttons"][0]["title"] == title
    assert asked.payloads[:2] == ["/gift_wrapping", "/order_status"]


async def test_clarifying_hands_off_after_as_many_times_in_a_row_as_the_service_says() -> None:
    chat = chat_over(FewArticles(), misses=3)
    heard = []
    for _ in range(3):
        await chat.say("hm", "clarify", ranking=["order_status"])
        heard.append((await chat.run("action_clarify")).custom("handoff"))
    assert heard == [None, None, "two_misses"]


async def test_clarifying_twice_in_a_row_hands_off() -> None:
    chat = chat_over(FewArticles())
    await chat.say("hm", "clarify", ranking=["order_status"])
    await chat.run("action_clarify")
    await chat.say("hm hm", "clarify", ranking=["order_status"])
    assert (await chat.run("action_clarify")).custom("handoff") == "two_misses"
    assert chat.slots["clarified"] is False


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_asking_for_a_person_always_hands_off(language: str) -> None:
    chat = chat_over(FewArticles(), language)
    await chat.say("转人工", "handoff")
    said = await chat.run("action_request_human")
    assert said.custom("handoff") == "asked_for_person"
    assert said.text


class WriterWith:
    """A writer whose outcome is known; remembers what it was asked."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.requests: list[Request] = []

    async def write(self, request: Request) -> Written:
        self.requests.append(request)
        cited = (Citation(DELIVERY_EN.id, "delivery-times", DELIVERY_EN.title, "1–3 days", DELIVERY_EN.url),)
        return Written(self.text, cited if self.text else (), {"used": "generated" if self.text else "extractive"})


async def test_a_phrased_answer_is_said_with_its_sources_and_how_it_came_about() -> None:
    writer = WriterWith("It takes 1–3 days.")
    chat = Chat(build_test_executor(knowledge=FewArticles(), writer=writer), "en")
    said = await ask(chat, "How long does delivery take?")
    assert said.text == "It takes 1–3 days."
    assert said.custom("citations")[0]["quote"] == "1–3 days"
    assert said.custom("generation") == {"used": "generated"}
    assert said.custom("retrieval")
    [asked] = writer.requests
    assert (asked.question, asked.language, asked.conversation_id) == (
        "How long does delivery take?",
        "en",
        chat.sender_id,
    )
    assert 0 < asked.seconds < 8


async def test_without_a_phrased_answer_the_quoted_one_is_said_and_the_trace_is_kept() -> None:
    chat = Chat(build_test_executor(knowledge=FewArticles(), writer=WriterWith(None)), "en")
    said = await ask(chat, "How long does delivery take?")
    assert said.text == "Mainland 1–3 days."
    assert said.custom("generation") == {"used": "extractive"}


async def test_a_miss_is_never_phrased() -> None:
    writer = WriterWith("Made up.")
    chat = Chat(build_test_executor(knowledge=FewArticles(), writer=writer), "en")
    assert (await ask(chat, "zxcvb")).custom("route") == "clarify"
    assert writer.requests == []


async def test_a_broken_index_is_apologised_for_with_a_way_out() -> None:
    said = await ask(chat_over(BrokenKnowledge()), "How long does delivery take?")
    assert "Sorry" in said.text
    assert "/handoff" in said.payloads
    assert said.custom("handoff") is None


async def test_payloads_of_buttons_survive_quotes_and_chinese() -> None:
    chat = chat_over(FewArticles(), "zh")
    question = '“顺丰”\\ {"a": 1} 多久？'
    await chat.say(question, "clarify")
    asked = await chat.run("action_clarify")
    payload = next(p for p in asked.payloads if p.startswith("/ask_knowledge"))
    assert json.loads(payload.removeprefix("/ask_knowledge")) == {"question": question}


async def test_the_question_is_asked_as_a_customer_unless_more_is_known() -> None:
    knowledge = FewArticles()
    await ask(chat_over(knowledge), "How long does delivery take?")
    assert knowledge.readers[-1].audiences == {"customer"}


async def test_what_the_channel_is_for_comes_with_the_turn() -> None:
    knowledge = FewArticles()
    chat = chat_over(knowledge)
    chat.audiences = ["business", 7]
    await ask(chat, "How long does delivery take?")
    assert knowledge.readers[-1].audiences == {"customer", "business"}


async def test_a_proved_account_opens_what_is_for_members_of_its_level() -> None:
    knowledge = FewArticles()
    gold = replace(EMMA, level="gold")
    chat = Chat(build_test_executor(AccountOf(gold), knowledge), "en")
    chat.customer_id = gold.id
    await ask(chat, "How long does delivery take?")
    assert knowledge.readers[-1].audiences == {"customer", "member", "standard", "silver", "gold"}


async def test_without_the_crm_everybody_is_told_what_customers_are_told() -> None:
    knowledge = FewArticles()
    chat = Chat(build_test_executor(BrokenCrm(), knowledge), "en")
    chat.customer_id = "C-1"
    said = await ask(chat, "How long does delivery take?")
    assert said.text == "Mainland 1–3 days."
    assert knowledge.readers[-1].audiences == {"customer"}
