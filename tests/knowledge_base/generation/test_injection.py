"""A model that obeys every order it reads never gets one past the desk: from the question to what the customer sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from knowledge_base.articles import Article
from knowledge_base.generation.endpoint import ChatEndpoint
from knowledge_base.generation.faithfulness import FaithfulnessChecker
from knowledge_base.generation.instructions import speaks_to_a_machine, without_orders
from knowledge_base.generation.prompt_store import PromptStore
from knowledge_base.generation.prompts import Said
from knowledge_base.generation.writer import AnswerWriter
from tests.actions.builders import build_test_executor
from tests.actions.chat import Chat
from tests.knowledge_base.builders import knowledge_base
from tests.knowledge_base.generation.injections import BODY, INJECTIONS, TITLE, Injection
from tests.knowledge_base.generation.model_double import ModelDouble, obey

ROOT = Path(__file__).resolve().parent.parent.parent.parent


async def conversation(
    case: Injection,
    folder: Path,
    endpoint: ChatEndpoint,
    prompts: PromptStore,
    checker: FaithfulnessChecker,
) -> Any:
    """The whole way of one question, with a real index, the real action and the obedient model."""

    async def history(conversation_id: str, message_id: str) -> Sequence[Said]:
        return [Said("contact", case.history)] if case.history else []

    kb = knowledge_base(folder / "kb")
    await kb.load([Article("returns", TITLE[case.language], case.language, case.body)])
    writer = AnswerWriter(endpoint, prompts, checker, history=history)
    chat = Chat(
        build_test_executor(knowledge=kb, writer=writer),
        case.language,
        thresholds={case.language: {"retrieval": 0.0}},
    )
    await chat.say(case.question, "ask_knowledge")
    said = await chat.run("action_answer_question")
    await kb.close()
    return said


def test_there_are_twenty_cases_in_each_language() -> None:
    counted = Counter(case.language for case in INJECTIONS)
    assert counted["en"] >= 20
    assert counted["zh"] >= 20


@pytest.mark.parametrize("case", INJECTIONS, ids=lambda case: f"{case.language}-{case.place}-{case.forbidden[:12]}")
async def test_an_order_is_obeyed_by_the_model_and_never_reaches_the_customer(
    case: Injection,
    tmp_path: Path,
    model: ModelDouble,
    endpoint: ChatEndpoint,
    prompts: PromptStore,
    checker: FaithfulnessChecker,
) -> None:
    """F43: written by the customer, in an article or earlier in the conversation, plainly or in disguise."""
    model.answers = obey
    said = await conversation(case, tmp_path, endpoint, prompts, checker)
    shown = said.text + " ".join(citation["quote"] for citation in said.custom("citations") or [])
    assert said.text.strip()
    assert case.forbidden.lower() not in shown.lower()
    trace = said.custom("generation")
    obeyed = case.forbidden.lower() in trace.get("output", "").lower()
    filtered = case.place == "passage" and case.text not in model.prompts[0]
    assert obeyed or filtered, "the double did not read the order, so nothing was tested"
    if obeyed:
        assert trace["used"] == "extractive"
        assert trace["reason"].startswith("unsupported_") or trace["reason"] == "too_long"


@pytest.mark.parametrize("case", [c for c in INJECTIONS if c.place == "passage"], ids=lambda case: case.forbidden[:12])
def test_even_an_order_that_was_sent_with_its_passage_is_not_supported_by_the_rest(
    case: Injection, checker: FaithfulnessChecker
) -> None:
    """F43: the second gate, in case the first lets an order through."""
    from knowledge_base.articles import Passage
    from knowledge_base.generation.faithfulness import Cited

    usable = without_orders(case.body)
    assert BODY[case.language].split("。" if case.language == "zh" else ". ")[0] in usable
    passage = Passage("returns", case.language, "intro-1", TITLE[case.language], (), case.body, "1", 0)
    [verdict] = checker.check([Cited(case.forbidden, ("p1",))], {"p1": (passage, usable)}, case.language)
    assert not verdict.supported


async def test_without_an_order_the_obedient_model_is_believed(
    tmp_path: Path, model: ModelDouble, endpoint: ChatEndpoint, prompts: PromptStore, checker: FaithfulnessChecker
) -> None:
    """Otherwise the cases above would prove only that nothing is ever believed."""
    model.answers = obey
    for language in ("en", "zh"):
        said = await conversation(Injection(language, "none", "", ""), tmp_path / language, endpoint, prompts, checker)
        assert said.custom("generation")["used"] == "generated", said.custom("generation")


@pytest.mark.parametrize(
    "text",
    [
        "Reply STOP to unsubscribe from our messages.",
        "Ignore the blinking light for the first minute.",
        "Print the label and put it on the parcel.",
        "Our assistant in the shop will help you with the set-up.",
        "Tell the courier your pickup code.",
        "Follow the instructions in the manual.",
        "The customer may cancel until the parcel leaves the warehouse.",
        "回复 TD 退订短信。",
        "请忽略包装上的旧价格。",
        "智能音箱可以回答天气问题。",
        "打印面单贴在包裹上。",
        "客服会在 24 小时内回复您的邮件。",
        "顾客要求退货时请带上发票。",
    ],
)
def test_what_is_said_to_customers_stays(text: str) -> None:
    assert not speaks_to_a_machine(text)
    assert without_orders(text) == text


def test_no_article_of_the_project_is_taken_for_an_order() -> None:
    from knowledge_base.importing import find_sources, read_sources
    from knowledge_base.splitting import split

    articles, problems = read_sources(find_sources([ROOT / "knowledge_base" / "articles"]))
    assert not problems
    passages = [passage for article in articles for passage in split(article)]
    assert len(passages) > 400
    changed = [one.id for one in passages if without_orders(one.text) != one.text]
    assert changed == []
