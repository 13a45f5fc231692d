"""Each task from the first message to the result, in both languages, with the shop's rules told on the way."""

from __future__ import annotations

from datetime import date

import pytest

from actions.change_address import bare_address
from actions.return_refund import find_item, find_reason
from crm.model import OrderStatus, ReturnReason, TicketKind
from crm.store import SqlCrm
from tests.actions.chat import Chat
from tests.crm.builders import (
    EMMA,
    EMMA_DELIVERED,
    EMMA_SHIPPED,
    LI,
    LI_DELIVERED,
    LI_PAID,
    LI_SHIPPED,
    UNKNOWN,
    Clock,
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


async def test_a_parcel_on_its_way_shows_latest_steps_and_arrival(chinese: Chat, english: Chat) -> None:
    told = await li(chinese).say("快递到哪了", "order_status", order_number=LI_SHIPPED)
    assert "低语 Max" in told.text
    assert "3月12日送达" in told.text
    assert "· 3月9日 13:00  包裹已从杭州仓库发出" in told.text
    told = await emma(english).say("where is my parcel", "order_status", order_number=EMMA_SHIPPED)
    assert "Pebble Watch S2" in told.text
    assert "should arrive on 14 March" in told.text
    assert "· 8 March, 20:00  Export customs cleared" in told.text


@pytest.mark.parametrize(
    ("number", "words", "offers"),
    [
        (LI_PAID, "已付款 ¥737，仓库正在备货", ["/change_address", "/cancel_order"]),
        (LI_DELIVERED, "已于 3月6日 16:00 签收", ["/return_refund", "/request_invoice"]),
    ],
)
async def test_the_state_of_an_order_comes_with_what_it_allows(
    chinese: Chat, number: str, words: str, offers: list[str]
) -> None:
    told = await li(chinese).say("查订单", "order_status", order_number=number)
    assert words in told.text
    assert told.payloads == offers


async def test_a_malformed_number_is_explained_and_asked_again(english: Chat) -> None:
    await emma(english).say("where is my order", "order_status")
    said = await english.say("it's 12345")
    assert "KT and 8 digits" in said.text
    assert len(said.messages) == 1
    assert "DHL" in (await english.say("kt 2026-0003")).text


async def test_a_known_customer_picks_an_order_from_buttons(english: Chat) -> None:
    asked = await emma(english).say("where is my order", "order_status")
    assert f'/inform{{"order_number": "{EMMA_SHIPPED}"}}' in asked.payloads
    assert "DHL" in (await english.say(asked.payloads[0])).text


async def test_the_address_of_a_paid_order_changes_after_a_yes(chinese: Chat, crm: SqlCrm) -> None:
    await li(chinese).say("我要改地址", "change_address", order_number=LI_PAID)
    asked = await chinese.say("杭州市西湖区文三路90号")
    assert "微光台灯" in asked.text
    assert "杭州市西湖区文三路90号" in asked.text
    assert asked.payloads == ["/affirm", "/deny"]
    assert "将寄往" in (await chinese.say("/affirm")).text
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.address == "杭州市西湖区文三路90号"
    assert chinese.slots["order_number"] == LI_PAID


@pytest.mark.parametrize(("said", "found", "kept"), [
    ("请改成杭州市西湖区文三路90号，谢谢", "杭州市西湖区文三路90号", "杭州市西湖区文三路90号"),
    ("please send it to 5 Fern Close, York", "5 Fern Close, York", "5 Fern Close, York"),
    ("文三路90号，张三收", "文三路90号", "文三路90号，张三收"),
    ("5 Fern Close, back door", "5 Fern Close", "5 Fern Close, back door"),
    ("文三路90號", "文三路90号", "文三路90號"),
    ("文三路90号", None, "文三路90号"),
    ("不是，文三路90号", "文三路90号", "文三路90号"), ("不對，應該是文三路90号", "文三路90号", "文三路90号"),
    ("No, it should be 5 Fern Close, York", "5 Fern Close, York", "5 Fern Close, York"),
])  # fmt: skip
def test_only_words_that_lead_to_an_address_are_left_out(said: str, found: str | None, kept: str) -> None:
    assert bare_address(said, found) == kept


async def test_an_address_without_substance_is_asked_for_again(english: Chat, crm: SqlCrm) -> None:
    english.customer_id = LI
    await english.say("change the address", "change_address", order_number=LI_PAID)
    said = await english.say("home")
    assert "incomplete" in said.text
    assert len(said.messages) == 1
    assert "Is that right?" in (await english.say("Flat 2, 12 Nathan Road, Hong Kong")).text


async def test_a_no_writes_nothing(english: Chat, crm: SqlCrm) -> None:
    english.customer_id = LI
    await english.say("cancel my order", "cancel_order", order_number=LI_PAID)
    assert "nothing has been changed" in (await english.say("/deny")).text
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.status is OrderStatus.PAID


async def test_cancelling_names_the_amount_and_where_it_goes(chinese: Chat, crm: SqlCrm) -> None:
    asked = await li(chinese).say("取消订单", "cancel_order", order_number=LI_PAID)
    assert "¥737" in asked.text
    assert "退回" in (await chinese.say("/affirm")).text
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("task", ["change_address", "cancel_order"])
async def test_a_parcel_that_left_is_told_at_once_and_the_form_ends(english: Chat, task: str) -> None:
    said = await emma(english).say("please", task, order_number=EMMA_SHIPPED)
    assert "already left our warehouse" in said.text
    assert EMMA_SHIPPED in said.text
    assert len(said.messages) == 1
    assert english.form is None


async def test_a_leftover_yes_confirms_nothing(english: Chat, crm: SqlCrm) -> None:
    english.customer_id = LI
    english.slots["confirmed"] = True
    asked = await english.say("cancel my order", "cancel_order", order_number=LI_PAID)
    assert "Shall I cancel it?" in asked.text
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.status is OrderStatus.PAID


async def test_a_yes_that_names_another_order_is_asked_again_for_that_order(
    english: Chat, crm: SqlCrm, keys: Keys
) -> None:
    english.customer_id = LI
    await english.say("cancel my order", "cancel_order", order_number=LI_PAID)
    said = await english.say("yes, KT20260001", "affirm", order_number=LI_SHIPPED)
    assert "already left" in said.text
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.status is OrderStatus.PAID


async def test_a_return_asks_item_and_reason_and_names_the_terms(chinese: Chat, crm: SqlCrm) -> None:
    asked = await li(chinese).say("我要退货", "return_refund", order_number=LI_DELIVERED)
    assert asked.payloads == ['/inform{"order_item": "1"}', '/inform{"order_item": "2"}']
    asked = await chinese.say("书页 7")
    assert len(asked.payloads) == 5
    asked = await chinese.say('/inform{"return_reason": "changed_mind"}')
    assert "书页 7" in asked.text
    assert "¥12" in asked.text
    done = await chinese.say("/affirm")
    assert "TK100201" in done.text
    assert "l***@example.cn" in done.text
    ticket = await crm.find_ticket("TK100201")
    assert ticket
    assert ticket.kind is TicketKind.RETURN


async def test_a_single_item_is_not_asked_for_and_gold_members_return_free(english: Chat) -> None:
    asked = await emma(english).say("I want my money back", "return_refund", order_number=EMMA_DELIVERED)
    assert "What is the reason?" in asked.text
    asked = await english.say("I changed my mind, I don't want it")
    assert "Slate 11" in asked.text
    assert "The way back is free" in asked.text


async def test_opened_earbuds_are_refused_with_the_hygiene_rule(chinese: Chat) -> None:
    await li(chinese).say("退货", "return_refund", order_number=LI_DELIVERED)
    await chinese.say('/inform{"order_item": "1"}')
    said = await chinese.say("已经拆了，不喜欢")
    assert "卫生" in said.text
    assert "/handoff" in said.payloads
    assert chinese.form is None


async def test_a_fault_after_a_week_is_exchanged(english: Chat, clock: Clock) -> None:
    clock.go_on(days=8)
    await emma(english).say("the pen is broken", "return_refund", order_number=EMMA_DELIVERED)
    asked = await english.say("it stopped working")
    assert "exchange Slate 11" in asked.text


async def test_a_return_too_late_or_asked_twice_is_explained(english: Chat, clock: Clock) -> None:
    await emma(english).say("return", "return_refund", order_number=EMMA_DELIVERED)
    await english.say('/inform{"return_reason": "faulty"}')
    await english.say("/affirm")
    await english.say("return", "return_refund")
    assert "TK100201" in (await english.say('/inform{"return_reason": "faulty"}')).text
    clock.go_on(days=20)
    await english.say("return", "return_refund")
    assert "warranty" in (await english.say('/inform{"return_reason": "faulty"}')).text


async def test_an_undelivered_order_cannot_be_returned(english: Chat) -> None:
    assert "not been delivered" in (await emma(english).say("return", "return_refund", order_number=EMMA_SHIPPED)).text


async def test_a_personal_invoice_offers_the_own_name(english: Chat, crm: SqlCrm) -> None:
    asked = await emma(english).say("I need an invoice", "request_invoice", order_number=EMMA_DELIVERED)
    assert asked.payloads == ['/inform{"invoice_kind": "personal"}', '/inform{"invoice_kind": "company"}']
    asked = await english.say(asked.payloads[0])
    assert asked.payloads == ['/inform{"invoice_title": "Emma Clarke"}']
    asked = await english.say(asked.payloads[0])
    assert "e***@example.com" in asked.text
    assert "INV20260501" in (await english.say("/affirm")).text
    assert (await crm.find_invoice(EMMA_DELIVERED)) is not None


async def test_a_company_invoice_insists_on_the_tax_number(chinese: Chat) -> None:
    await li(chinese).say("开发票", "request_invoice", order_number=LI_PAID)
    await chinese.say("开给公司的")
    assert "税号" in (await chinese.say("杭州风和有限公司")).text
    asked = await chinese.say("杭州风和有限公司 税号 91330100MA2ABCDE1X")
    assert "“杭州风和有限公司”，税号 91330100MA2ABCDE1X" in asked.text
    assert "5 个工作日" in (await chinese.say("/affirm")).text


async def test_an_old_order_gets_no_invoice(english: Chat, clock: Clock) -> None:
    clock.go_on(days=400)
    assert "one year" in (await emma(english).say("invoice", "request_invoice", order_number=EMMA_DELIVERED)).text


@pytest.mark.parametrize("task", ["order_status", "cancel_order", "update_contact", "return_refund"])
async def test_a_submit_without_answers_offers_to_start_again(english: Chat, task: str) -> None:
    english.slots["confirmed"] = True
    await english.say("hello", "greet")
    said = await english.run(f"action_{task}")
    assert f"/{task}" in said.payloads


async def test_a_submit_never_trusts_the_order_in_the_slot(english: Chat, crm: SqlCrm) -> None:
    await emma(english).say("hello", "greet")
    english.slots |= {"order_number": LI_PAID, "confirmed": True}
    said = await english.run("action_cancel_order")
    assert "cannot find that in your account" in said.text
    order = await crm.find_order(LI_PAID)
    assert order
    assert order.status is OrderStatus.PAID


async def test_a_repeated_turn_says_the_same_and_writes_once(english: Chat, chinese: Chat, crm: SqlCrm) -> None:
    english.customer_id = LI
    await english.say("cancel", "cancel_order", order_number=LI_PAID)
    said = [(await english.copy().say("/affirm", turn_id="c")).messages for _ in range(2)]
    assert said[0] == said[1]
    assert "goes back to" in said[0][0]["text"]
    await emma(chinese).say("problem", "open_ticket")
    said = [(await chinese.copy().say("the screen flickers", turn_id="t")).messages for _ in range(3)]
    assert said[0] == said[1] == said[2]
    assert len(await crm.tickets_of(EMMA)) == 2
    await chinese.say("return", "return_refund", order_number=EMMA_DELIVERED)
    await chinese.say('/inform{"return_reason": "faulty"}')
    said = [(await chinese.copy().say("/affirm", turn_id="r")).messages for _ in range(2)]
    assert said[0] == said[1]


async def test_a_question_in_the_middle_leads_back_to_the_same_question(english: Chat) -> None:
    english.customer_id = LI
    asked = await english.say("change the address", "change_address", order_number=LI_PAID)
    assert (await english.interrupted()).messages == asked.messages
    summary = await english.say("Flat 2, 12 Nathan Road, Hong Kong")
    assert (await english.interrupted()).messages == summary.messages
    assert "will be sent to" in (await english.say("/affirm")).text


async def test_switching_tasks_keeps_identity_and_order(english: Chat, crm: SqlCrm) -> None:
    await english.say("where is it", "order_status", order_number=LI_PAID)
    await english.say("2468")
    await english.say("change the address", "change_address")
    asked = await english.say("no, cancel it", "cancel_order")
    assert LI_PAID in asked.text
    assert "Shall I cancel it?" in asked.text


async def test_successful_answers_reset_the_miss_count(english: Chat) -> None:
    english.slots |= {"misses": 1.0, "clarified": True}
    await emma(english).say("where is it", "order_status", order_number=EMMA_SHIPPED)
    assert english.slots["misses"] == 0
    assert english.slots["clarified"] is False


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("it is still sealed", ReturnReason.UNOPENED),
        ("haven’t opened it", ReturnReason.UNOPENED),
        ("没拆封", ReturnReason.UNOPENED),
        ("I opened it but it's too big", ReturnReason.CHANGED_MIND),
        ("就是不喜欢", ReturnReason.CHANGED_MIND),
        ("it won't charge", ReturnReason.FAULTY),
        ("左耳没声音", ReturnReason.FAULTY),
        ("the screen arrived cracked", ReturnReason.DAMAGED),
        ("你们发错了", ReturnReason.WRONG_ITEM),
        ("It is faulty", ReturnReason.FAULTY),
        ("壞了", ReturnReason.FAULTY),
        ("左耳沒聲音", ReturnReason.FAULTY),
        ("開不了機", ReturnReason.FAULTY),
        ("品質有問題", ReturnReason.FAULTY),
        ("沒拆封", ReturnReason.UNOPENED),
        ("發錯貨了", ReturnReason.WRONG_ITEM),
        ("不喜歡", ReturnReason.CHANGED_MIND),
        ("收到時已損壞", ReturnReason.DAMAGED),
        ("ＤＡＭＡＧＥＤ", ReturnReason.DAMAGED),
        ("blue", None),
    ],
)
def test_reasons_are_understood_in_own_words(text: str, reason: ReturnReason | None) -> None:
    assert find_reason(text) is reason


async def test_items_are_found_by_line_or_part_of_the_name(crm: SqlCrm) -> None:
    order = await crm.find_order(LI_DELIVERED)
    assert order
    for text, line in (
        ("1", 1),
        ("murmur buds", 1),
        ("低语耳机2", 1),
        ("低語耳機2", 1),
        ("the Folio 7 please", 2),
        ("书页", 2),
    ):
        item = find_item(order, text)
        assert item
        assert item.line == line
    for text in ("", "3", "7", "toaster"):
        assert find_item(order, text) is None
    assert order.delivered_at
    assert order.delivered_at.date() == date(2026, 3, 6)
    assert UNKNOWN != LI_SHIPPED
