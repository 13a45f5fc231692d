"""What is quoted of articles as people write them: with questions inside, denials in any words, nested lists, addresses."""

from __future__ import annotations

import pytest

from knowledge_base.answering import quote
from knowledge_base.asking import read_question
from knowledge_base.encoder import UseEncoder
from knowledge_base.quotable import slices_to_encode
from knowledge_base.structure import Span
from tests.knowledge_base.builders import article


@pytest.fixture(scope="module")
def use() -> UseEncoder:
    return UseEncoder()


def quoted(use: UseEncoder, language: str, title: str, question: str, body: str) -> str:
    one = article("a", title, body, language, questions=())  # type: ignore[arg-type]
    vectors = use.passages(slices_to_encode(one))
    found = quote(one, Span(0, 0), read_question(question), vectors, use.questions([question])[0], language)  # type: ignore[arg-type]
    return found.text(one.body)


@pytest.mark.parametrize(
    ("language", "title", "question", "body", "says"),
    [
        (
            "en",
            "Payment FAQ",
            "Can I pay in cash?",
            "**Can I pay in cash?**\n\nNo, cards and Alipay only.\n\n**Can I pay by card?**\n\nYes, with Visa.",
            "No, cards and Alipay only.",
        ),
        (
            "zh",
            "付款常见问题",
            "可以货到付款吗？",
            "问：可以货到付款吗？\n答：抱歉，目前只有线上付款。",
            "只有线上付款",
        ),
        (
            "en",
            "Refunds FAQ",
            "How long does a refund take?",
            "**How long does a refund take?**\n\nUsually three working days.",
            "Usually three working days.",
        ),
    ],
)
def test_a_question_in_the_article_is_answered_by_what_stands_below_it(
    use: UseEncoder, language: str, title: str, question: str, body: str, says: str
) -> None:
    answer = quoted(use, language, title, question, body)
    assert says in answer
    assert not answer.startswith(("Yes", "可以。", "是的"))
    assert "Visa" not in answer


@pytest.mark.parametrize(
    ("language", "title", "question", "body"),
    [
        ("en", "Payment methods", "Can I pay in cash?", "You can pay by card. You can’t pay in cash."),
        ("en", "Payment methods", "Can I pay in cash?", "You can pay by card. You can't pay in cash."),
        ("zh", "手表防水说明", "这款手表防水吗？", "这款手表不防水。"),
        ("zh", "保修范围", "手机进水保修吗？", "手机进水不保修。"),
        ("zh", "手机网络", "手机支持双卡吗？", "手机未支持双卡。"),
        ("en", "Phone box", "Is the phone sold with a charger?", "The phone is sold without a charger."),
        ("en", "Sale items return", "Can I return sale items?", "Sale items may be exchanged but not returned."),
        ("zh", "特价商品退货", "特价商品可以退货吗？", "特价商品可以换货，但不能退货。"),
        (
            "en",
            "Plans",
            "Is there a plan for CNY 20?",
            "| Plan | Price | Data |\n|---|---|---|\n| Pro | CNY 50 | 20 GB |",
        ),
    ],
)
def test_a_denial_in_any_words_is_never_announced_as_a_yes(
    use: UseEncoder, language: str, title: str, question: str, body: str
) -> None:
    assert not quoted(use, language, title, question, body).startswith(("Yes", "可以。", "是的", "支持。", "有。"))


@pytest.mark.parametrize(
    ("language", "title", "question", "body", "yes"),
    [
        (
            "en",
            "Sale items return",
            "Can I exchange sale items?",
            "Sale items may be exchanged but not returned.",
            "Yes.",
        ),
        ("zh", "特价商品退货", "特价商品可以换货吗？", "特价商品可以换货，但不能退货。", "可以。"),
        ("en", "Payment methods", "Can I pay in cash?", "You can pay by card. You can’t pay in cash.", "No."),
    ],
)
def test_what_is_plainly_said_still_comes_first(
    use: UseEncoder, language: str, title: str, question: str, body: str, yes: str
) -> None:
    assert quoted(use, language, title, question, body).startswith(yes)


@pytest.mark.parametrize(
    ("language", "question", "body", "steps"),
    [
        (
            "en",
            "How do I reset the speaker?",
            "## How to reset the speaker\n1. Unplug the speaker:\n   - from the wall,\n   - from the dock.\n"
            "2. Hold the button for 10 seconds.\n3. Plug it in again.",
            ["1. Unplug", "- from the wall", "2. Hold", "3. Plug it in"],
        ),
        (
            "en",
            "How do I pair the earbuds?",
            "## How to pair the earbuds\n1. Hold the button for 5 seconds.\n2. Open Bluetooth settings.\n\n"
            'Note: on Android 12, grant the permission first.\n\n3. Choose "Aria".\n4. Tap Pair.',
            ["1. Hold", "2. Open", "Note: on Android", "3. Choose", "4. Tap"],
        ),
        (
            "zh",
            "怎么重置路由器？",
            "## 重置路由器\n1. 打开电源。\n\n   ![背面](a.png)\n\n2. 按住复位键十秒。\n3. 等指示灯变绿。",
            ["1. 打开电源", "2. 按住", "3. 等指示灯"],
        ),
    ],
)
def test_steps_stay_together_whatever_stands_between_them(
    use: UseEncoder, language: str, question: str, body: str, steps: list[str]
) -> None:
    answer = quoted(use, language, "Help" if language == "en" else "帮助", question, body)
    places = [answer.find(step) for step in steps]
    assert -1 not in places, answer
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("language", "title", "question", "body", "whole"),
    [
        (
            "en",
            "Warranty",
            "What about chargers and cables?",
            "The warranty lasts 24 months. Chargers, cables etc. are not covered by the warranty.",
            "Chargers, cables etc. are not covered by the warranty.",
        ),
        (
            "zh",
            "退货",
            "退货申请在哪里提交？",
            "退货分两步。先在 https://shop.example/return?from=kb&x=1 提交退货申请，然后寄回商品。",
            "先在 https://shop.example/return?from=kb&x=1 提交退货申请",
        ),
        (
            "en",
            "Shop",
            "Can I collect parcels at the shop?",
            "The shop is small. Parcels of 20 kg. or more cannot be collected at the shop.",
            "Parcels of 20 kg. or more cannot be collected at the shop.",
        ),
        (
            "en",
            "Opening hours",
            "When are you open?",
            "We are open Mon. 9 to 18 and Sat. 10 to 14. Bring your receipt.",
            "We are open Mon. 9 to 18 and Sat. 10 to 14.",
        ),
    ],
)
def test_a_quote_ends_where_its_sentence_does(
    use: UseEncoder, language: str, title: str, question: str, body: str, whole: str
) -> None:
    assert whole in quoted(use, language, title, question, body)
