"""Tickets and contact details, for customers the shop knows and for strangers."""

from __future__ import annotations

import pytest

from actions.open_ticket import priority_of
from crm.store import SqlCrm
from tests.actions.chat import Chat
from tests.crm.builders import (
    EMMA,
    EMMA_DELIVERED,
    EMMA_EMAIL,
    EMMA_SHIPPED,
    EMMA_TICKET,
    LI,
    LI_PAID,
    KeptCodes,
    Keys,
)


def li(chat: Chat) -> Chat:
    """李婷, signed in."""
    chat.customer_id, chat.language = LI, "zh"
    return chat


def emma(chat: Chat) -> Chat:
    """Emma Clarke, signed in."""
    chat.customer_id, chat.language = EMMA, "en"
    return chat


async def test_a_customer_opens_a_ticket_in_the_account(english: Chat, crm: SqlCrm) -> None:
    await emma(english).say("I have a problem", "open_ticket", order_number=EMMA_DELIVERED)
    assert "TK100201" in (await english.say("The screen flickers when I draw.")).text
    ticket = await crm.find_ticket("TK100201")
    assert ticket
    assert (ticket.customer_id, ticket.order_number, ticket.priority) == (EMMA, EMMA_DELIVERED, "normal")


async def test_a_stranger_leaves_a_contact_point(chinese: Chat, crm: SqlCrm) -> None:
    await chinese.say("我要报修", "open_ticket")
    asked = await chinese.say("充电宝鼓包了，还冒烟")
    assert "联系" in asked.text
    assert "不像邮箱或手机号" in (await chinese.say("明天再说")).text
    done = await chinese.say("我的手机 139 0013 9999")
    assert "断电" in done.text
    ticket = await crm.find_ticket("TK100201")
    assert ticket
    assert (ticket.customer_id, ticket.contact_point, ticket.priority) == (None, "13900139999", "urgent")


async def test_a_strangers_order_number_is_not_attached_to_the_ticket(english: Chat, crm: SqlCrm) -> None:
    await english.say("a problem", "open_ticket", order_number=LI_PAID)
    await english.say("it has not come, this is urgent")
    await english.say("sam@example.org")
    ticket = await crm.find_ticket("TK100201")
    assert ticket
    assert (ticket.order_number, ticket.priority) == (None, "high")


async def test_too_few_words_are_no_problem_report(english: Chat) -> None:
    await emma(english).say("a problem", "open_ticket")
    assert "a little more" in (await english.say("hm")).text


async def test_a_ticket_is_told_to_its_owner_with_the_latest_comment(english: Chat) -> None:
    await english.say("how is my ticket", "ticket_status", ticket_number=EMMA_TICKET)
    told = await english.say("0123")
    assert "being worked on" in told.text
    assert "We are sending you a new pen" in told.text
    assert told.custom("customer_id") == EMMA


async def test_a_stranger_proves_a_ticket_without_becoming_a_customer(english: Chat, crm: SqlCrm, keys: Keys) -> None:
    ticket = await crm.open_ticket("it rattles", "en", keys.new(), contact_point="+447700900555")
    await english.say("my ticket", "ticket_status", ticket_number=ticket.number)
    told = await english.say("0555")
    assert "it rattles" in told.text
    assert english.slots.get("customer_id") is None
    asked = await english.say("and my other ticket", "ticket_status", ticket_number=EMMA_TICKET)
    assert "pen" not in asked.text
    assert english.slots["requested_slot"] == "identity_proof"


@pytest.mark.parametrize("number", ["TK999999", EMMA_TICKET])
async def test_tickets_of_others_do_not_exist(chinese: Chat, number: str) -> None:
    said = await li(chinese).say("查工单", "ticket_status", ticket_number=number)
    assert f"没有找到工单 {number}" in said.text


async def test_known_customers_pick_a_ticket_from_buttons(english: Chat) -> None:
    asked = await emma(english).say("my ticket", "ticket_status")
    assert asked.payloads == [f'/inform{{"ticket_number": "{EMMA_TICKET}"}}']
    assert "new pen" in (await english.say(asked.payloads[0])).text


async def test_a_phone_number_changes_with_a_code_to_the_account(chinese: Chat, crm: SqlCrm, codes: KeptCodes) -> None:
    await chinese.say("我要换手机号", "update_contact")
    asked = await chinese.say("liting@example.cn")
    assert "验证码已发送" in asked.text
    await chinese.say(codes.last)
    asked = await chinese.say("手机号")
    assert "新的手机号" in asked.text
    asked = await chinese.say("139 0013 9999")
    assert "13900139999" in asked.text
    assert "已更新" in (await chinese.say("/affirm")).text
    customer = await crm.find_customer(LI)
    assert customer
    assert customer.phone == "13900139999"


async def test_four_digits_are_too_little_to_change_a_phone(english: Chat, codes: KeptCodes, crm: SqlCrm) -> None:
    await english.say("where is it", "order_status", order_number=EMMA_SHIPPED)
    await english.say("0123")
    await english.say("change my e-mail", "update_contact")
    asked = await english.say('/inform{"contact_field": "email"}')
    assert "6-digit code" in asked.text
    assert codes.sent[-1][0] == EMMA_EMAIL
    assert "6-digit code" in (await english.say("0123")).text
    assert "new e-mail" in (await english.say(codes.last)).text
    await english.say("emma@example.org")
    assert "emma@example.org" in (await english.say("yes", "affirm")).text


async def test_a_name_changes_without_a_code(english: Chat, crm: SqlCrm, codes: KeptCodes) -> None:
    await emma(english).say("change my name", "update_contact")
    await english.say("Name")
    await english.say("Emma Clarke-Jones")
    await english.say("/affirm")
    customer = await crm.find_customer(EMMA)
    assert customer
    assert customer.name == "Emma Clarke-Jones"
    assert codes.sent == []


@pytest.mark.parametrize(("said", "name"), [
    ("我想改成王小明", "王小明"), ("改成王小明吧，谢谢", "王小明"), ("我现在叫王小明", "王小明"), ("名字改為王小明", "王小明"), ("姚明", "姚明"), ("是枝裕和", "是枝裕和"),
    ("It's Emma Clarke-Jones now", "Emma Clarke-Jones"), ("my name is now Emma Jones", "Emma Jones"), ("change it to Emma Jones, thanks", "Emma Jones"),
    ("I would like to change it to Emma Jones", "Emma Jones"), ("Isabella Tobin", "Isabella Tobin"), ("To Minh", "To Minh"), ("Will Bee", "Will Bee"),
])  # fmt: skip
async def test_a_name_is_kept_without_the_words_that_lead_to_it(
    english: Chat, crm: SqlCrm, said: str, name: str
) -> None:
    await emma(english).say("change my name", "update_contact")
    await english.say("name")
    await english.say(said)
    await english.say("/affirm")
    customer = await crm.find_customer(EMMA)
    assert customer
    assert customer.name == name


@pytest.mark.parametrize(("said", "asked"), [
    ("電郵", "验证码"), ("手機號碼", "验证码"), ("電話", "验证码"), ("電子郵件", "验证码"), ("郵箱", "验证码"), ("名稱，我的姓名", "新的姓名"), ("稱呼", "新的姓名"),
])  # fmt: skip
async def test_what_is_to_change_is_understood_in_either_script(chinese: Chat, said: str, asked: str) -> None:
    chinese.customer_id, chinese.language = LI, "zh"
    await chinese.say("改联系方式", "update_contact")
    assert asked in (await chinese.say(said)).text


async def test_what_is_to_change_is_asked_again_in_other_words(chinese: Chat, english: Chat) -> None:
    chinese.customer_id, chinese.language = LI, "zh"
    await chinese.say("改资料", "update_contact")
    assert "没看明白要改哪一项" in (await chinese.say("头像")).text
    await emma(english).say("change my details", "update_contact")
    asked = await english.say("the picture")
    assert "could not tell" in asked.text
    assert len(asked.payloads) == 3


@pytest.mark.parametrize(("text", "priority"), [
    ("充電寶冒煙了", "urgent"), ("漏電，觸電了", "urgent"), ("被電了一下", "urgent"), ("手機電池鼓包", "urgent"), ("起火", "urgent"), ("燙傷了手", "urgent"),
    ("充电宝冒烟了", "urgent"), ("it gave me an electric shock", "urgent"), ("緊急，儘快處理", "high"), ("我要投訴", "high"), ("屏幕有劃痕", "normal"),
])  # fmt: skip
def test_danger_and_hurry_are_heard_in_either_script(text: str, priority: str) -> None:
    assert priority_of(text) == priority


async def test_an_address_nobody_has_looks_like_any_other(english: Chat, codes: KeptCodes) -> None:
    said = []
    for point in (EMMA_EMAIL, "nobody@example.org"):
        chat = english.copy()
        await chat.say("change my phone", "update_contact")
        said.append((await chat.say(point)).messages)
        said.append((await chat.say("123456")).messages)
    assert said[0] == said[2]
    assert said[1] == said[3]
    assert [to for to, _, _ in codes.sent] == [EMMA_EMAIL]


async def test_a_mistyped_account_can_be_given_again(english: Chat, codes: KeptCodes) -> None:
    await english.say("change my phone", "update_contact")
    await english.say("nobody@example.org")
    await english.say(f"sorry, {EMMA_EMAIL}")
    await english.say(codes.last)
    assert english.slots["customer_id"] == EMMA


async def test_contact_details_of_somebody_else_are_refused(english: Chat, codes: KeptCodes, crm: SqlCrm) -> None:
    await english.say("change my phone", "update_contact")
    await english.say(EMMA_EMAIL)
    await english.say(codes.last)
    await english.say("phone")
    assert "country code" in (await english.say("12345")).text
    await english.say("13800132468")
    assert "cannot be used" in (await english.say("/affirm")).text


async def test_a_problem_told_in_the_first_message_is_not_asked_for_again(chinese: Chat, crm: SqlCrm) -> None:
    await li(chinese).say("云雀14开不了机，我要报修", "open_ticket")
    ticket = await crm.find_ticket("TK100201")
    assert ticket
    assert "云雀14开不了机" in ticket.text


async def test_a_bare_number_is_not_a_problem(english: Chat, crm: SqlCrm) -> None:
    await emma(english).say("open a ticket please", "open_ticket")
    assert "say a little more" in (await english.say("13800132468")).text
    assert await crm.find_ticket("TK100201") is None
