"""Whole conversations with the trained model, through the turn channel, in both languages."""

from __future__ import annotations

import pytest

from bot.tests.desk import Bot, Chat

OPENINGS = [
    ("order_status", "where is my order?", "我的快递到哪了？"),
    ("change_address", "I need to change the delivery address of my order", "我想改一下收货地址"),
    ("cancel_order", "please cancel my order", "帮我取消订单"),
    ("return_refund", "I want to return the headphones I bought", "我要退货"),
    ("request_invoice", "can you send me an invoice for my order", "帮我开张发票"),
    ("open_ticket", "I want to report a fault with my laptop", "我要报修"),
    ("ticket_status", "any update on my ticket?", "我的工单处理得怎么样了"),
    ("update_contact", "I want to change the phone number in my account", "我要修改账户里的手机号"),
]
SMALL_TALK = [
    ("greet", "hello", "你好"),
    ("goodbye", "goodbye", "再见"),
    ("how_are_you", "how are you today?", "你最近好吗"),
    ("are_you_a_bot", "are you a robot?", "你是机器人吗"),
    ("bot_name", "what is your name?", "你叫什么名字"),
    ("capabilities", "what can you do?", "你能做什么"),
    ("praise", "you are really great", "你真棒"),
    ("insult", "you are so stupid", "你太笨了"),
    ("joke", "tell me a joke", "讲个笑话"),
    ("weather", "what's the weather like today?", "今天天气怎么样"),
    ("apology", "sorry about that", "不好意思啊"),
    ("speak_language", "do you speak Chinese?", "你会说英语吗"),
    ("laugh", "hahaha", "哈哈哈"),
    ("hold_on", "wait a moment please", "等一下"),
]
#: What the first question of each form asks for.
FIRST_SLOT = {"open_ticket": "problem", "ticket_status": "ticket_number", "update_contact": "contact_point"}


def both(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [(name, language, text) for name, en, zh in rows for language, text in (("en", en), ("zh", zh))]


@pytest.mark.parametrize(("task", "language", "text"), both(OPENINGS))
def test_a_task_starts_and_asks_its_first_question(bot: Bot, task: str, language: str, text: str) -> None:
    turn = Chat(bot, language).say(text)
    assert turn["intent"] == task
    assert turn["route"] == "task"
    assert turn["language"] == language
    assert FIRST_SLOT.get(task, "order_number") in turn["said"] or turn["said"]
    assert turn["actions"] == [f"{task}_form"]


@pytest.mark.parametrize(("intent", "language", "text"), both(SMALL_TALK))
def test_small_talk_is_answered_in_its_language(bot: Bot, intent: str, language: str, text: str) -> None:
    turn = Chat(bot, language).say(text)
    assert (turn["intent"], turn["route"], turn["actions"]) == (intent, "smalltalk", [f"utter_{intent}"])
    assert any("\u4e00" <= character <= "\u9fff" for character in turn["said"]) == (language == "zh")


def test_an_order_number_in_the_first_message_is_not_asked_again(bot: Bot) -> None:
    chat = Chat(bot)
    assert "identity_proof" in chat.say("where is KT20261234?")["said"]
    assert "order_status is done" in chat.say("2468")["said"]


def test_an_order_number_alone_asks_for_its_status_and_a_ticket_number_for_the_ticket(bot: Bot) -> None:
    assert Chat(bot).say("kt 2026-1234")["actions"] == ["order_status_form"]
    assert Chat(bot, "zh").say("TK100234")["actions"] == ["ticket_status_form"]


def test_a_known_customer_is_not_asked_who_they_are(bot: Bot) -> None:
    turn = Chat(bot, "zh", customer_id="c1").say("KT20261234 到哪了")
    assert "已办好" in turn["said"]
    assert turn["slots_changed"]["identified"] is True


@pytest.mark.parametrize(("language", "start", "question", "answer"), [
    ("en", "where is my order?", "how long does delivery take?", "1 to 3 days"),
    ("zh", "帮我取消订单", "保修多久？", "保修 12 个月"),
])  # fmt: skip
def test_a_question_in_the_middle_is_answered_and_the_form_asks_again(
    bot: Bot, language: str, start: str, question: str, answer: str
) -> None:
    chat = Chat(bot, language)
    asked = chat.say(start)["said"]
    turn = chat.say(question)
    assert answer in turn["said"]
    assert turn["said"].endswith(asked)
    assert turn["route"] == "knowledge"
    assert "identity_proof" in chat.say("KT20261234")["said"]


@pytest.mark.parametrize(
    ("language", "start", "small"),
    [("en", "please cancel my order", "tell me a joke"), ("zh", "我要退货", "你叫什么名字")],
)
def test_small_talk_in_the_middle_is_answered_and_the_form_asks_again(
    bot: Bot, language: str, start: str, small: str
) -> None:
    chat = Chat(bot, language)
    asked = chat.say(start)["said"]
    turn = chat.say(small)
    assert turn["route"] == "smalltalk"
    assert turn["said"].endswith(asked)
    assert turn["said"] != asked


@pytest.mark.parametrize(
    ("language", "start", "stop"),
    [("en", "I want to return the headphones I bought", "never mind"), ("zh", "我要退货", "算了")],
)
def test_stop_leaves_the_form_and_forgets_what_was_typed(bot: Bot, language: str, start: str, stop: str) -> None:
    chat = Chat(bot, language)
    for text in (start, "KT20261234", "2468", "Murmur Max"):
        chat.say(text)
    turn = chat.say(stop)
    assert turn["actions"] == ["utter_stopped"]
    assert turn["slots_changed"]["order_item"] is None
    assert "_form" not in str(chat.say("thanks" if language == "en" else "谢谢")["actions"])


@pytest.mark.parametrize(
    ("language", "start", "other"),
    [("en", "where is my order?", "actually, please cancel my order"), ("zh", "我的快递到哪了？", "帮我取消订单")],
)
def test_another_task_in_the_middle_is_switched_to_and_said(bot: Bot, language: str, start: str, other: str) -> None:
    chat = Chat(bot, language)
    chat.say(start)
    turn = chat.say(other)
    assert turn["actions"] == ["cancel_order_form"]
    assert len(chat.answer["replies"]) == 2
    assert "identity_proof" in chat.say("KT20261234")["said"]


@pytest.mark.parametrize("task", [task for task, _, _ in OPENINGS])
def test_a_person_is_reached_from_the_middle_of_every_task(bot: Bot, task: str) -> None:
    chat = Chat(bot)
    chat.say("", f"/{task}")
    turn = chat.say("转人工")
    assert turn["route"] == "handoff"
    assert chat.answer["replies"][0]["handoff"] == "asked_for_person"
    assert len(chat.answer["replies"]) == 1
    assert "_form" not in str(chat.say("thanks")["actions"])


def test_confirming_writes_and_denying_does_not(bot: Bot) -> None:
    chat = Chat(bot)
    for text in ("please cancel my order", "KT20261234", "2468"):
        chat.say(text)
    assert chat.answer["replies"][-1]["buttons"][0]["payload"] == "/affirm"
    assert "Nothing was changed" in chat.say("no")["said"]
    assert "confirmed" in chat.say("please cancel my order")["said"]
    turn = chat.say("Yes", "/affirm")
    assert "'confirmed': True" in turn["said"]
    assert chat.answer["replies"][-1]["customer_id"] == "c0ffee"


@pytest.mark.parametrize(("language", "task", "before", "answer"), [
    ("en", "change_address", ["KT20261234", "2468"], "Flat 3, 48 Canal Street, Manchester M1 3HE"),
    ("zh", "change_address", ["KT20261234", "2468"], "浙江省杭州市西湖区文三路90号3幢402，收件人陈立"),
    ("en", "open_ticket", [], "the left earbud crackles whenever I turn noise cancelling on"),
    ("zh", "open_ticket", [], "屏幕中间有一条绿线，没有摔过"),
    ("en", "return_refund", ["KT20261234", "2468", "Murmur Max"], "it arrived damaged"),
    ("zh", "return_refund", ["KT20261234", "2468", "低语 Max"], "到手就有划痕"),
])  # fmt: skip
def test_free_text_is_taken_as_the_answer(bot: Bot, language: str, task: str, before: list[str], answer: str) -> None:
    chat = Chat(bot, language)
    chat.say("", f"/{task}")
    for text in before:
        chat.say(text)
    assert answer in chat.say(answer)["slots_changed"].values()


def test_a_second_task_keeps_who_is_asking_and_the_order(bot: Bot) -> None:
    chat = Chat(bot)
    for text in ("where is KT20261234?", "2468"):
        chat.say(text)
    turn = chat.say("I need to change the delivery address of my order")
    assert "new_address" in turn["said"]


def test_an_unsure_message_is_clarified_and_a_second_one_hands_off(bot: Bot) -> None:
    band = {"answer": 1.0, "clarify": 0.0, "retrieval": 0.5}
    chat = Chat(bot, thresholds={"en": band, "zh": band})
    first = chat.say("where is my order?")
    assert (first["intent"], first["route"]) == ("clarify", "clarify")
    assert first["ranking"][0]["name"] == "order_status"
    assert first["thresholds"] == band
    second = chat.say("I mean the order thing")
    assert second["route"] == "handoff"


def test_what_nothing_fits_goes_to_the_knowledge_base_and_the_second_miss_hands_off(bot: Bot) -> None:
    never = {"answer": 1.0, "clarify": 1.0, "retrieval": 0.5}
    chat = Chat(bot, "zh", thresholds={"en": never, "zh": never})
    first = chat.say("我想去月球种土豆")
    assert (first["intent"], first["actions"]) == ("out_of_scope", ["action_answer_question"])
    assert chat.say("土豆发芽了")["route"] == "handoff"


def test_a_wish_for_a_person_passes_at_any_threshold(bot: Bot) -> None:
    never = {"answer": 1.0, "clarify": 1.0, "retrieval": 1.0}
    for text in ("转人工", "talk to a human please"):
        assert Chat(bot, thresholds={"en": never, "zh": never}).say(text)["route"] == "handoff"


def test_thanks_is_answered_also_in_the_middle(bot: Bot) -> None:
    chat = Chat(bot)
    chat.say("where is my order?")
    assert "order_number" in chat.say("thank you")["said"]


def test_a_long_conversation_goes_on_with_all_its_slots(bot: Bot) -> None:
    chat = Chat(bot)
    for text in ("where is KT20261234?", "2468"):
        chat.say(text)
    for _ in range(45):
        chat.say("hello")
    assert "confirmed" in chat.say("please cancel my order")["said"]
