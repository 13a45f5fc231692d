"""What a language model is never told, and what comes back with its answer."""

from __future__ import annotations

import json
from collections.abc import Sequence

from knowledge_base.encoder import UseEncoder
from knowledge_base.generation.endpoint import ChatEndpoint
from knowledge_base.generation.faithfulness import FaithfulnessChecker
from knowledge_base.generation.masking import OpenCall
from knowledge_base.generation.prompt_store import PromptStore
from knowledge_base.generation.prompts import Said
from knowledge_base.generation.translator import Translator
from knowledge_base.generation.writer import AnswerWriter
from tests.knowledge_base.generation.conftest import KEY
from tests.knowledge_base.generation.model_double import ModelDouble, completion, sentences
from tests.knowledge_base.generation.test_writer import TRUE, request

PERSONAL = "I am called Ada Lovelace, +44 7911 123456, ada@kite.example, 10 Downing Street, ID 11010519491231002X, card 4111 1111 1111 1111"
CANARIES = ("Lovelace", "7911", "ada@kite", "Downing", "11010519491231002X", "4111 1111", "4111111111111111")


async def history(_conversation: str, _message: str) -> Sequence[Said]:
    return [Said("contact", PERSONAL), Said("agent", "Thanks, I will call +44 7911 123456")]


async def test_nothing_personal_reaches_the_model_with_a_question_or_the_lines_before_it(
    model: ModelDouble, prompts: PromptStore, checker: FaithfulnessChecker
) -> None:
    """F40."""
    endpoint = ChatEndpoint(model.url, "m", KEY)
    writer = AnswerWriter(endpoint, prompts, checker, history=history)
    model.will(sentences(TRUE))
    await writer.write(request(question=f"{PERSONAL}. Can I return it?", conversation_id="c", turn_id="t"))
    await writer.close()
    sent = json.dumps(model.requests[-1], ensure_ascii=False)
    assert "Can I return it?" in sent
    assert "[PHONE_A]" in sent
    assert [one for one in CANARIES if one in sent] == []


async def test_nothing_personal_reaches_the_model_with_a_translation(model: ModelDouble) -> None:
    """F40: and it comes back in the translation."""
    endpoint = ChatEndpoint(model.url, "m", KEY)
    translator = Translator(endpoint, UseEncoder().passages)
    model.will(completion(json.dumps({"translation": "My phone is ⟦1⟧ and I live at ⟦2⟧."})))
    made = await translator.translate("我的手机是13912345678，我住在北京市朝阳区建国路93号。", "en")
    await translator.close()
    sent = json.dumps(model.requests[-1], ensure_ascii=False)
    assert "13912345678" not in sent
    assert "建国路" not in sent
    assert made.text == "My phone is 13912345678 and I live at 北京市朝阳区建国路93号.", made.reason


async def test_a_model_of_ones_own_may_be_told_everything(
    model: ModelDouble, prompts: PromptStore, checker: FaithfulnessChecker
) -> None:
    endpoint = ChatEndpoint(model.url, "m", KEY, calls=OpenCall)
    assert endpoint.patient(9).calls is OpenCall
    writer = AnswerWriter(endpoint, prompts, checker)
    model.will(sentences(TRUE))
    await writer.write(request(question="I am called Ada Lovelace. Can I return it?"))
    await writer.close()
    assert "Ada Lovelace" in json.dumps(model.requests[-1], ensure_ascii=False)
