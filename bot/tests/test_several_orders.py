"""Which order and which task a message with numbers means: whole conversations with the trained model."""

from __future__ import annotations

import pytest

from bot.tests.desk import Bot, Chat

KNOWN = {"customer_id": "c1"}
FIRST, SECOND = "KT20260001", "KT20260002"


@pytest.mark.parametrize(("language", "text"), [
    ("en", f"cancel {FIRST} instead of {SECOND}"), ("en", f"cancel {FIRST}, not {SECOND}"), ("en", f"please cancel {FIRST} and keep {SECOND}"),
    ("en", f"cancel {SECOND}, no sorry, {FIRST}"), ("zh", f"取消{FIRST}，不是{SECOND}"), ("zh", f"取消{FIRST}，别取消{SECOND}"),
    ("zh", f"取消{SECOND}，哦不对，{FIRST}"), ("zh", f"取消{FIRST}，{SECOND}保留"),
])  # fmt: skip
def test_the_order_that_is_wanted_is_taken_and_not_the_one_named_beside_it(bot: Bot, language: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    turn = chat.say(text)
    assert turn["slots_changed"]["order_number"] == FIRST
    assert "utter_one_by_one" not in turn["actions"]
    assert "waiting_tasks" not in turn["slots_changed"]
    assert "confirmed" in turn["said"]


@pytest.mark.parametrize(("language", "text", "yes"), [
    ("en", f"cancel {FIRST} and {SECOND}", "yes"), ("zh", f"取消{FIRST}和{SECOND}", "确认"), ("zh", f"取消订单{FIRST}、{SECOND}", "确认"),
])  # fmt: skip
def test_two_orders_of_one_request_are_served_one_after_the_other(bot: Bot, language: str, text: str, yes: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    assert "confirmed" in chat.say(text)["said"]
    first = chat.say(yes)
    assert f"'order_number': '{FIRST}'" in first["said"]
    assert first["slots_changed"]["order_number"] == SECOND
    assert f"'order_number': '{SECOND}'" in chat.say(yes)["said"]


@pytest.mark.parametrize(
    ("language", "text"), [("en", f"where are {FIRST} and {SECOND}?"), ("zh", f"{FIRST}和{SECOND}到哪了")]
)
def test_two_orders_that_are_asked_after_are_both_told(bot: Bot, language: str, text: str) -> None:
    said = Chat(bot, language, **KNOWN).say(text)["said"]
    assert f"'order_number': '{FIRST}'" in said
    assert f"'order_number': '{SECOND}'" in said


@pytest.mark.parametrize(("language", "start", "text", "meant"), [
    ("en", "cancel my order", f"{FIRST}, no sorry, {SECOND}", SECOND), ("zh", "我要取消订单", f"{FIRST}，哦不对，{SECOND}", SECOND),
    ("en", "cancel my order", f"{FIRST}, not {SECOND}", FIRST), ("zh", "我要取消订单", f"{FIRST}，不是{SECOND}", FIRST),
])  # fmt: skip
def test_of_an_answer_with_two_numbers_the_one_that_is_meant_counts(
    bot: Bot, language: str, start: str, text: str, meant: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    assert chat.say(text)["slots_changed"]["order_number"] == meant


@pytest.mark.parametrize(("language", "start", "text", "task"), [
    ("zh", "我要取消订单", f"{SECOND}到哪了", "order_status"), ("en", "where is my order", f"cancel {SECOND}", "cancel_order"),
    ("zh", "我要退货", f"开发票{SECOND}", "request_invoice"), ("zh", "我要取消订单", f"改地址{SECOND}", "change_address"),
    ("en", "cancel my order", f"where is {SECOND}?", "order_status"), ("en", "I want to return something", f"invoice for {SECOND}", "request_invoice"),
])  # fmt: skip
def test_another_request_with_a_number_is_no_answer_to_which_order(
    bot: Bot, language: str, start: str, text: str, task: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    assert f"{task}_form" in chat.say(text)["actions"]


@pytest.mark.parametrize(("language", "start", "text"), [
    ("en", "cancel my order", f"my order number is {SECOND}"), ("en", "cancel my order", f"it's {SECOND}"), ("en", "I want to return something", f"order {SECOND}"),
    ("zh", "我要取消订单", f"订单号是{SECOND}"), ("zh", "我要取消订单", f"是{SECOND}这个"), ("zh", "我要退货", f"订单{SECOND}"), ("zh", "查订单", f"单号{SECOND}"),
])  # fmt: skip
def test_a_number_with_the_words_that_only_lead_to_it_still_answers(
    bot: Bot, language: str, start: str, text: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    turn = chat.say(text)
    assert turn["intent"] == "inform"
    assert turn["slots_changed"]["order_number"] == SECOND
    assert "utter_switch_task" not in turn["actions"]


@pytest.mark.parametrize(("language", "texts", "text"), [
    ("zh", (f"{FIRST}到哪了", f"{SECOND}到哪了"), "取消上一个"), ("en", (f"where is {FIRST}?", f"and {SECOND}?"), "cancel the first one"),
    ("en", (f"where is {FIRST}?", f"and {SECOND}?"), "can you cancel the other one?"), ("zh", (f"{FIRST}到哪了", f"{SECOND}到哪了"), "帮我把前面那个取消掉"),
])  # fmt: skip
def test_what_is_to_be_done_with_the_other_order_is_heard(
    bot: Bot, language: str, texts: tuple[str, ...], text: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    for one in texts:
        chat.say(one)
    turn = chat.say(text)
    assert turn["slots_changed"]["order_number"] == FIRST
    assert "cancel_order_form" in turn["actions"]


@pytest.mark.parametrize(("language", "text", "answer"), [
    ("zh", f"我要退货，订单号是{SECOND}，另外保修多久？", "保修 12 个月"), ("zh", f"我要退货。{SECOND}。还有退款几天到账？", "3 个工作日"),
    ("en", f"I want to return something. It's order {SECOND}. How long is the warranty?", "12 months"),
])  # fmt: skip
def test_a_number_between_a_request_and_a_question_belongs_to_the_request(
    bot: Bot, language: str, text: str, answer: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    turn = chat.say(text)
    assert answer in chat.answer["replies"][0]["text"]
    assert turn["slots_changed"]["order_number"] == SECOND


ADDRESS = {"en": "12 Baker Street, London NW1 6XE", "zh": "上海市浦东新区世纪大道100号8楼"}


def at_the_summary(bot: Bot, language: str) -> Chat:
    chat = Chat(bot, language, **KNOWN)
    chat.say(f"change the address of {FIRST}" if language == "en" else f"改地址 {FIRST}")
    assert "confirmed" in chat.say(ADDRESS[language])["said"]
    return chat


@pytest.mark.parametrize(("language", "text", "part"), [
    ("zh", "不是，上海市浦东新区世纪大道200号8楼", "200号"), ("zh", "不对，应该是上海市浦东新区世纪大道200号8楼", "200号"), ("zh", "上海市浦东新区世纪大道200号8楼", "200号"),
    ("en", "No, it should be 14 Baker Street.", "14 Baker"), ("en", "No, 14 Baker Street, London NW1 6XE", "14 Baker"), ("en", "sorry, 14 Baker Street, London NW1 6XE", "14 Baker"),
])  # fmt: skip
def test_another_address_at_the_summary_is_confirmed_anew(bot: Bot, language: str, text: str, part: str) -> None:
    turn = (chat := at_the_summary(bot, language)).say(text)
    assert "action_change_address" not in turn["actions"]
    assert part in turn["slots_changed"]["new_address"]
    assert len(chat.answer["replies"]) == 1
    assert "confirmed" in turn["said"]


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh", "不对，是200号"), ("zh", "门牌号写错了"), ("en", "no, it's number 14"), ("en", "the address is wrong")],
)
def test_a_part_of_an_address_at_the_summary_asks_for_the_whole(bot: Bot, language: str, text: str) -> None:
    turn = (chat := at_the_summary(bot, language)).say(text)
    assert "action_change_address" not in turn["actions"]
    assert len(chat.answer["replies"]) == 1
    assert "new_address" in turn["said"]


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh", "对，就改成这个地址"), ("zh", "是的，改吧"), ("en", "yes, change the address"), ("en", "that's right")],
)
def test_a_yes_that_names_the_address_is_a_yes(bot: Bot, language: str, text: str) -> None:
    assert {"en": "is done", "zh": "已办好"}[language] in at_the_summary(bot, language).say(text)["said"]


@pytest.mark.parametrize(("language", "text"), [
    ("zh", "好的，取消"), ("zh", "好是好，就是有点远"), ("zh", "可以寄到公司吗"), ("zh", "嗯，我问问家里人"),
    ("en", "ok cancel"), ("en", "yes but to my office"), ("en", "fine, if it arrives on Friday"), ("en", "maybe"),
])  # fmt: skip
def test_an_address_is_not_changed_by_half_a_yes(bot: Bot, language: str, text: str) -> None:
    assert {"en": "is done", "zh": "已办好"}[language] not in at_the_summary(bot, language).say(text)["said"]


@pytest.mark.parametrize(("start", "answers", "text"), [
    (f"I want to return {FIRST}", ("the watch", "it is broken"), "yes, but I want an exchange"), (f"我要退货 {FIRST}", ("手表", "坏了"), "好的，换一个"),
    (f"我要退货 {FIRST}", ("手表", "坏了"), "大概吧"), (f"invoice for {FIRST}", ("personal", "Emma Clarke"), "ok, later"), (f"开发票 {FIRST}", ("个人", "李婷"), "好，改天吧"),
])  # fmt: skip
def test_no_task_is_carried_out_by_half_a_yes(bot: Bot, start: str, answers: tuple[str, ...], text: str) -> None:
    chat = Chat(bot, "en" if start.isascii() else "zh", **KNOWN)
    chat.say(start)
    for answer in answers:
        asked = chat.say(answer)
    assert "confirmed" in asked["said"]
    said = chat.say(text)["said"]
    assert "is done" not in said
    assert "已办好" not in said


@pytest.mark.parametrize(("language", "text"), [
    ("zh", f"{FIRST}和{SECOND}都不取消了"), ("en", f"{FIRST} and {SECOND} should not be cancelled"), ("en", f"neither {FIRST} nor {SECOND} should be cancelled"),
])  # fmt: skip
def test_neither_of_two_orders_is_offered_for_what_is_refused(bot: Bot, language: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    assert "confirmed" not in chat.say(text)["said"]
    assert "action_cancel_order" not in chat.say("yes" if language == "en" else "好的")["actions"]


@pytest.mark.parametrize(("language", "text"), [
    ("en", f"I ordered {FIRST} and {SECOND}, cancel the second one"), ("en", f"cancel {FIRST} if {SECOND} has already shipped"),
    ("zh", f"取消{FIRST}还是{SECOND}好呢"),
])  # fmt: skip
def test_where_one_of_two_orders_is_meant_the_bot_asks_which(bot: Bot, language: str, text: str) -> None:
    turn = Chat(bot, language, **KNOWN).say(text)
    assert "confirmed" not in turn["said"]
    assert "action_cancel_order" not in turn["actions"]


@pytest.mark.parametrize(("language", "text"), [
    ("zh", f"{FIRST}取消，{SECOND}改地址"), ("zh", f"取消{FIRST}，{SECOND}开发票"), ("en", f"cancel {FIRST}, {SECOND} needs an invoice"),
])  # fmt: skip
def test_each_of_two_orders_gets_what_was_asked_for_it(bot: Bot, language: str, text: str) -> None:
    turn = Chat(bot, language, **KNOWN).say(text)
    assert turn["slots_changed"]["order_number"] == FIRST
    assert "confirmed" in turn["said"]


@pytest.mark.parametrize(("language", "start", "text"), [
    ("en", f"cancel {FIRST}", f"yes and also {SECOND}"), ("zh", f"取消{FIRST}", f"对，还有{SECOND}也取消"),
])  # fmt: skip
def test_a_yes_to_which_another_order_is_added_is_not_lost(bot: Bot, language: str, start: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    turn = chat.say(text)
    assert "action_cancel_order" not in turn["actions"]
    done = chat.say("yes" if language == "en" else "确认")
    assert f"'order_number': '{FIRST}'" in done["said"]
