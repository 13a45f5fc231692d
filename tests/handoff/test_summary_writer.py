"""Summaries that a language model phrases: only what the data says is believed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from handoff.summary_writer import SummaryWriter, fault
from knowledge_base.generation.endpoint import Completion, EndpointFailed, Message
from knowledge_base.generation.masking import masked_call

SUMMARY = {
    "reason": "angry",
    "language": "en",
    "channel": "web",
    "wants": {"intent": "return_refund", "said": "I want to return order FD20410077 for 12.50", "seq": 3},
    "details": [{"name": "order_number", "value": "FD20410077", "seq": 3}, {"name": "phone", "value": "13800001111", "seq": 4}],
    "tried": {"articles": [], "tasks": [], "clarified": 1, "missed": 0, "turns": 2},
    "sentiment": {"label": "negative", "value": -0.9, "trend": "worse", "course": []},
    "added": [],
    "record": None,
}  # fmt: skip


class Model:
    """An endpoint that answers what the test says, by language."""

    model = "test-model"
    calls = staticmethod(masked_call)

    def __init__(self, zh: str, en: str) -> None:
        self.answers = [zh, en]
        self.asked: list[Sequence[Message]] = []

    async def complete(self, messages: Sequence[Message], seconds: float | None = None) -> Completion:
        self.asked.append(messages)
        text = self.answers[len(self.asked) - 1]
        if text == "fails":
            raise EndpointFailed("timeout", 1)
        return Completion(text, 1, 10.0)


async def test_a_wording_that_holds_up_is_kept_in_both_languages_and_no_phone_number_is_sent() -> None:
    model = Model(
        "客户想退掉订单 FD20410077，情绪很差。", "The customer wants to return order FD20410077 and is upset."
    )
    found = await SummaryWriter(model).rewrite(SUMMARY)
    assert found is not None
    assert set(found) == {"zh", "en", "model"}
    assert "13800001111" not in json.dumps([message.to_json() for asked in model.asked for message in asked])


async def test_nothing_personal_reaches_the_model_with_a_summary() -> None:
    """F40: and what the wording needs comes back in it."""
    model = Model("客户请致电 [PHONE_A]。", "The customer asks to be called at [PHONE_A].")
    wants = {"intent": "callback", "said": "call me at +44 7911 123456, I am called Ada Lovelace", "seq": 3}
    found = await SummaryWriter(model).rewrite(SUMMARY | {"wants": wants})
    sent = json.dumps([message.to_json() for asked in model.asked for message in asked])
    assert "7911" not in sent
    assert "Lovelace" not in sent
    assert found is not None
    assert found["en"] == "The customer asks to be called at +44 7911 123456."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The customer wants to return order FD20410078.", "number"),
        ("The customer waited 3 weeks for order FD20410077.", None),  # the data has a 3: where it stands is not checked
        ("The customer was promised 99 back.", "number"),
        ("", "empty"),
        ("客户要退货。", "language"),
        ("See https://evil.example for more.", "markup"),
        ("x" * 901, "too_long"),
    ],
)
def test_what_the_data_does_not_hold_is_discarded(text: str, why: str | None) -> None:
    assert fault(text, json.dumps(SUMMARY, ensure_ascii=False), "en") == why


def test_chinese_numbers_are_numbers_too() -> None:
    data = json.dumps({"said": "等了三天"}, ensure_ascii=False)
    assert fault("客户已经等了三天，很着急。", data, "zh") is None
    assert fault("客户已经等了五天，很着急。", data, "zh") == "number"


@pytest.mark.parametrize("answers", [("fails", "fails"), ("编造了订单 FD99999999", "Made up order FD99999999")])
async def test_without_a_wording_that_holds_up_the_structured_summary_stands(answers: tuple[str, str]) -> None:
    found: dict[str, Any] | None = await SummaryWriter(Model(*answers)).rewrite(SUMMARY)
    assert found is None
