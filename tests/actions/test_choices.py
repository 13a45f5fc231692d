"""Choices and names in own words and in either script, asked again in other words where they were not understood."""

from __future__ import annotations

import pytest

from tests.actions.chat import Chat
from tests.actions.test_tasks import emma, li
from tests.crm.builders import EMMA_DELIVERED, LI_DELIVERED, LI_PAID


async def test_a_reason_that_is_not_understood_is_asked_for_again_in_other_words(chinese: Chat, english: Chat) -> None:
    for chat, start, said, words in (
        (li(chinese), "退货", "颜色太丑", "没对上您说的原因"),
        (emma(english), "return", "blue", "match that to a reason"),
    ):
        await chat.say(start, "return_refund", order_number=LI_DELIVERED if chat is chinese else EMMA_DELIVERED)
        if chat is chinese:
            await chat.say("書頁")
        asked = await chat.say(said)
        assert words in asked.text
        assert len(asked.messages) == 1
        assert '/inform{"return_reason": "faulty"}' in asked.payloads


@pytest.mark.parametrize(("said", "kind"), [
    ("公司", "公司"), ("個人", "个人"), ("開給我們單位的", "公司"), ("增值稅專用發票", "公司"), ("私人的", "个人"), ("有統編", "公司"), ("ＶＡＴ", "公司"),
])  # fmt: skip
async def test_the_kind_of_an_invoice_is_understood_in_either_script(chinese: Chat, said: str, kind: str) -> None:
    await li(chinese).say("开发票", "request_invoice", order_number=LI_PAID)
    asked = await chinese.say(said)
    assert ("税号" in asked.text) is (kind == "公司")


async def test_a_kind_of_invoice_that_is_not_understood_is_asked_for_again_in_other_words(
    chinese: Chat, english: Chat
) -> None:
    await li(chinese).say("开发票", "request_invoice", order_number=LI_PAID)
    assert "没看明白" in (await chinese.say("红色的")).text
    await emma(english).say("invoice", "request_invoice", order_number=EMMA_DELIVERED)
    asked = await english.say("a red one")
    assert "could not tell" in asked.text
    assert asked.payloads == ['/inform{"invoice_kind": "personal"}', '/inform{"invoice_kind": "company"}']


@pytest.mark.parametrize(
    "said", ["my name", "my own name please", "Emma Clarke please", "it's Emma Clarke, thanks", "Emma Clarke"]
)
async def test_a_personal_invoice_is_made_out_to_the_bare_name(english: Chat, said: str) -> None:
    await emma(english).say("invoice", "request_invoice", order_number=EMMA_DELIVERED)
    await english.say("personal")
    assert "“Emma Clarke”" in (await english.say(said)).text


@pytest.mark.parametrize("said", ["李婷，谢谢", "写我的名字吧", "本人", "開給李婷就行"])
async def test_a_chinese_personal_invoice_is_made_out_to_the_bare_name(chinese: Chat, said: str) -> None:
    await li(chinese).say("开发票", "request_invoice", order_number=LI_PAID)
    await chinese.say("个人")
    assert "“李婷”" in (await chinese.say(said)).text


async def test_the_summary_asked_again_says_what_to_answer(chinese: Chat, english: Chat) -> None:
    for chat, number, words in (
        (li(chinese), LI_PAID, "回复“确认”就办理"),
        (emma(english), EMMA_DELIVERED, "answer “yes”"),
    ):
        task = "cancel_order" if chat is chinese else "request_invoice"
        first = await chat.say("start", task, order_number=number)
        for said in () if chat is chinese else ("personal", "Emma Clarke"):
            first = await chat.say(said)
        assert words not in first.text
        chat.hear("maybe")
        again = await chat.run(f"action_ask_{task}_form_confirmed")
        assert words in again.text
        assert again.payloads == ["/affirm", "/deny"]
