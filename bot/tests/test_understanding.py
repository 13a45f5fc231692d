"""Entities, language, the wish for a person, and the gate's decisions; no model needed."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timezone
from functools import lru_cache

import pytest

from bot import settings
from bot.components.gate import decide, effective_thresholds, wants_person
from bot.components.language import detect_language
from bot.components.tokenizer import words_of
from bot.entities.catalogue import load
from bot.entities.finder import Entity, Finder
from bot.residual import residual
from bot.text import fold, neutralise

PRODUCTS = {
    "Aria 5 Pro": "Aria 5 Pro",
    "咏叹 5 Pro": "Aria 5 Pro",
    "Aria 5": "Aria 5",
    "云雀 14": "Nimbus 14",
    "Slate": "Slate 11",
}


NOW = datetime(2026, 11, 18, 2, 30, tzinfo=timezone.utc)


@lru_cache(maxsize=1)
def finder() -> Finder:
    return Finder(load(settings.entity_catalogue()), synonyms=PRODUCTS)


def core(text: str) -> tuple[Entity, ...]:
    """What the forms and the intent classifier see."""
    return finder().find(text, NOW).core


def found(text: str) -> dict[str, str]:
    entities = core(text)
    for entity in entities:
        assert 0 <= entity.start < entity.end <= len(text)
    return {entity.entity: entity.value for entity in entities}


@pytest.mark.parametrize(("text", "entity", "value"), [
    ("KT20261234", "order_number", "KT20261234"),
    ("where is kt 2026-1234?", "order_number", "KT20261234"),
    ("ＫＴ２０２６１２３４到哪了", "order_number", "KT20261234"),
    ("订单号20261234", "order_number", "KT20261234"),
    ("my tk-100234 please", "ticket_number", "TK100234"),
    ("inv 20260042", "invoice_number", "INV20260042"),
    ("SF1234567890123", "tracking_number", "SF1234567890123"),
    ("DHL 1234567890", "tracking_number", "1234567890"),
    ("电话138 0013 8000", "phone", "13800138000"),
    ("+86 13800138000", "phone", "13800138000"),
    ("call +44 7700 900123", "phone", "+447700900123"),
    ("Anna.Wu@Mail.example", "email", "anna.wu@mail.example"),
    ("一共 3,299 元", "amount", "3,299 元"),
    ("£49.90 please", "amount", "£49.90"),
    ("明天能到吗", "date", "明天"),
    ("I ordered it last Friday", "date", "last Friday"),
    ("on 3 May 2026", "date", "3 May 2026"),
    ("2026年5月3日下的单", "date", "2026年5月3日"),
    ("尾号4417", "last4", "4417"),
    ("code is 582913", "code", "582913"),
    ("我买的咏叹5pro", "product", "Aria 5 Pro"),
    ("is the aria 5 waterproof", "product", "Aria 5"),
    ("验证码吧", "identity_proof", "code"),
    ("a company invoice please", "invoice_kind", "company"),
    ("个人", "invoice_kind", "personal"),
    ("my email address", "contact_field", "email"),
])  # fmt: skip
def test_an_entity_is_found_in_its_normal_form(text: str, entity: str, value: str) -> None:
    assert found(text).get(entity) == value


@pytest.mark.parametrize(("text", "entity"), [
    ("KT202612345", "order_number"), ("AKT20261234", "order_number"), ("KT2026123", "order_number"),
    ("in 2026年", "last4"), ("3299元", "last4"), ("translated", "product"), ("which company delivers?", "invoice_kind"),
    ("what is the discount code policy", "identity_proof"), ("20000 mAh", "last4"), ("13800138000", "code"),
])  # fmt: skip
def test_what_only_looks_like_an_entity_is_left_alone(text: str, entity: str) -> None:
    assert entity not in found(text)


def test_nothing_is_left_of_a_message_that_is_only_data() -> None:
    for text in ("it's KT20261234", "我的订单号是KT20261234", "last four digits are 4417", "验证码是 604215"):
        assert residual(text, core(text)) == ""
    assert residual("why is KT20261234 late?", core("why is KT20261234 late?")) != ""


@pytest.mark.parametrize(("text", "hint", "language"), [
    ("where is my order", "zh", "en"), ("我的订单呢", "en", "zh"), ("KT20261234", "en", "en"), ("KT20261234", "zh", "zh"),
    ("13800138000", None, "zh"), ("👍", "en", "en"), ("talk to 人工 now", "zh", "en"), ("我的order到哪了", "en", "zh"),
    ("Chen Wei", "zh", "zh"), ("ok", "zh", "zh"), ("hello", "zh", "en"), ("a.b@mail.example", "zh", "zh"),
])  # fmt: skip
def test_the_language_is_what_is_written_else_the_hint(text: str, hint: str | None, language: str) -> None:
    assert detect_language(text, hint) == language


@pytest.mark.parametrize("text", [
    "转人工", "人工", "转人工！！！", "人工客服", "我要找人工客服", "帮我转接人工", "給我轉人工", "真人", "有没有真人", "human please", "HUMAN!!!",
    "talk to a person", "I want to speak to an agent", "agent", "representative", "can I talk to a real human being?",
    "connect me to a representative", "get me a human", "let me speak with your manager", "Could you put me through to an advisor",
    "我想跟真人说话", "我要人工服务", "请转人工，谢谢",
])  # fmt: skip
def test_asking_for_a_person_is_heard(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", [
    "there is a human error in my order", "人工智能是什么", "人工客服几点上班", "does the watch use artificial intelligence",
    "is this a human mistake?", "which agent delivers my parcel", "the person at the shop was rude", "how many people work there",
    "a person signed for my parcel", "what does the delivery agent charge", "人工费多少钱", "送货的人把箱子弄坏了", "are you human?",
])  # fmt: skip
def test_a_person_is_not_heard_where_none_is_asked_for(text: str) -> None:
    assert not wants_person(text)


LIMITS = {"answer": 0.6, "clarify": 0.3, "retrieval": 0.5}


@pytest.mark.parametrize(("intent", "probability", "score", "slot", "decided"), [
    ("order_status", 0.9, 0.7, None, "order_status"),
    ("order_status", 0.9, 0.6, None, "order_status"),
    ("order_status", 0.5, 0.5, None, "clarify"),
    ("order_status", 0.5, 0.2, None, "out_of_scope"),
    ("ask_knowledge", 0.5, 0.4, None, "ask_knowledge"),
    ("handoff", 0.6, 0.1, None, "handoff"),
    (None, 0.0, 0.0, None, "out_of_scope"),
    ("weather", 0.5, 0.9, "problem", "inform"),
    ("weather", 0.9, 0.9, "problem", "weather"),
    ("open_ticket", 0.95, 0.95, "return_reason", "inform"),
    ("stop", 0.6, 0.6, "new_address", "stop"),
    ("deny", 0.9, 0.9, "return_reason", "inform"),
    ("deny", 0.9, 0.9, "order_item", "deny"),
])  # fmt: skip
def test_the_gate_decides_by_score_and_by_what_was_asked(
    intent: str | None, probability: float, score: float, slot: str | None, decided: str
) -> None:
    assert decide(intent, probability, score, LIMITS, slot)[0] == decided


def test_thresholds_of_the_turn_replace_the_models_where_they_are_valid() -> None:
    stored = {"any": (0.6, 0.3), "zh": (0.5, 0.2)}
    assert effective_thresholds(stored, None, "zh") == {"answer": 0.5, "clarify": 0.2, "retrieval": 0.5}
    assert effective_thresholds(stored, {"en": {"answer": 0.8}}, "en")["answer"] == 0.8
    assert effective_thresholds(stored, {"en": {"answer": "high", "clarify": 7}}, "en")["answer"] == 0.6
    assert effective_thresholds(stored, {"en": {"answer": 0.1}}, "en")["clarify"] == 0.1


@pytest.mark.parametrize(
    "character", [chr(code) for code in range(0x110000) if chr(code).isspace()] + ["\u200b", "\ufeff"]
)
def test_no_white_space_hides_a_leading_slash(character: str) -> None:
    assert not neutralise(f"{character}/affirm").lstrip().startswith(("/", "\uff0f"))


def test_folding_keeps_positions() -> None:
    text = "ＫＴ２０２６，訂單\u3000ﬁne ㎏ İ"
    assert len(fold(text)) == len(text)
    assert "订单" in fold(text)
    assert unicodedata.normalize("NFKC", "ＫＴ") in fold(text)


def test_mixed_text_is_split_into_words_at_their_places() -> None:
    words = words_of("我的Nimbus到哪了, please")
    assert {"nimbus", "please"} <= {word for word, _ in words}
    assert all("我的Nimbus到哪了, please".lower()[start:].startswith(word) for word, start in words)
