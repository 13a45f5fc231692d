"""Several requests in one message, corrections, negation, pronouns and languages: whole conversations with the trained model."""

from __future__ import annotations

import pytest

from bot.tests.desk import Bot, Chat

KNOWN = {"customer_id": "c1"}
FIRST, SECOND = "KT20260001", "KT20260002"


@pytest.mark.parametrize(("language", "text", "answers"), [
    ("en", "How long does delivery take? And how long is the warranty on a watch?", ["1 to 3 days", "12 months"]),
    ("zh", "手机保修多久？另外退款几天到账？", ["保修 12 个月", "3 个工作日"]),
])  # fmt: skip
def test_two_questions_are_answered_in_their_order_each_with_its_citation(
    bot: Bot, language: str, text: str, answers: list[str]
) -> None:
    chat = Chat(bot, language)
    turn = chat.say(text)
    assert [answer in reply["text"] for answer, reply in zip(answers, chat.answer["replies"])] == [True, True]
    assert all(reply["citations"] for reply in chat.answer["replies"])
    assert [part["intent"] for part in turn["parts"]] == ["ask_knowledge", "ask_knowledge"]


@pytest.mark.parametrize(("language", "text", "answer"), [
    ("en", "Cancel my order please, and how long does delivery take?", "1 to 3 days"),
    ("zh", "帮我取消订单，另外手表保修多久？", "保修 12 个月"),
])  # fmt: skip
def test_beside_a_task_the_question_is_answered_first_and_the_form_starts(
    bot: Bot, language: str, text: str, answer: str
) -> None:
    chat = Chat(bot, language)
    turn = chat.say(text)
    assert answer in chat.answer["replies"][0]["text"]
    assert "order_number" in chat.answer["replies"][-1]["text"]
    assert (
        turn["actions"][-2:] == ["cancel_order_form", "action_ask_order_number"]
        or "cancel_order_form" in turn["actions"]
    )
    assert "identity_proof" in chat.say(FIRST)["said"]


@pytest.mark.parametrize(("language", "text", "yes"), [
    ("en", f"Please cancel {FIRST} and track {SECOND}", "yes"),
    ("zh", f"帮我取消{FIRST}，再查一下{SECOND}到哪了", "确认"),
])  # fmt: skip
def test_a_second_task_waits_until_the_first_is_done(bot: Bot, language: str, text: str, yes: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    assert "confirmed" in chat.say(text)["said"]
    turn = chat.say(yes)
    assert turn["actions"].index("action_cancel_order") < turn["actions"].index("action_order_status")
    assert SECOND in chat.answer["replies"][-1]["text"]
    assert turn["slots_changed"]["waiting_tasks"] is None


def test_stopping_also_forgets_what_waits(bot: Bot) -> None:
    chat = Chat(bot, **KNOWN)
    chat.say(f"Please cancel {FIRST} and track {SECOND}")
    assert "action_order_status" not in chat.say("never mind, stop")["actions"]
    assert "action_order_status" not in chat.say("thanks")["actions"]


def test_questions_in_vain_of_one_message_are_one_miss(bot: Bot) -> None:
    chat = Chat(bot)
    chat.say("Does the moon have parking? And who invented the spoon?")
    assert not any(reply["handoff"] for reply in chat.answer["replies"])


def test_a_yes_with_a_question_is_both_answered_and_carried_out(bot: Bot) -> None:
    chat = Chat(bot, **KNOWN)
    chat.say(f"cancel {FIRST}")
    turn = chat.say("Yes. And how long does delivery take?")
    assert "1 to 3 days" in chat.answer["replies"][0]["text"]
    assert "action_cancel_order" in turn["actions"]


@pytest.mark.parametrize(("language", "start", "text"), [
    ("en", f"where is {FIRST}?", f"sorry, I meant {SECOND}"), ("zh", f"{FIRST}到哪了", f"打错了，应该是{SECOND}"),
])  # fmt: skip
def test_a_corrected_number_runs_the_last_task_again(bot: Bot, language: str, start: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    assert FIRST in chat.say(start)["said"]
    turn = chat.say(text)
    assert "action_order_status" in turn["actions"]
    assert SECOND in turn["said"]


@pytest.mark.parametrize(("language", "start", "text"), [
    ("en", f"cancel {FIRST}", f"no no, {SECOND}"), ("zh", f"取消{FIRST}", f"不是这个，{SECOND}"),
])  # fmt: skip
def test_a_number_corrected_at_the_confirmation_is_confirmed_anew_and_nothing_is_written(
    bot: Bot, language: str, start: str, text: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    assert "confirmed" in chat.say(start)["said"]
    turn = chat.say(text)
    assert turn["slots_changed"]["order_number"] == SECOND
    assert "action_cancel_order" not in turn["actions"]
    assert "confirmed" in turn["said"]


@pytest.mark.parametrize(("language", "texts", "other"), [
    ("en", (f"where is {FIRST}?", f"and {SECOND}?"), "no, the other order"),
    ("zh", (f"{FIRST}到哪了", f"那{SECOND}呢"), "不是这个，是另一单"),
])  # fmt: skip
def test_the_other_order_is_the_one_before(bot: Bot, language: str, texts: tuple[str, ...], other: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    for text in texts:
        chat.say(text)
    turn = chat.say(other)
    assert "action_order_status" in turn["actions"]
    assert FIRST in turn["said"]


@pytest.mark.parametrize(("language", "start", "text"), [
    ("en", f"cancel {FIRST}", "no, that's the wrong order"), ("zh", f"取消{FIRST}", "订单号错了"),
])  # fmt: skip
def test_another_order_that_nobody_named_is_asked_for(bot: Bot, language: str, start: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    turn = chat.say(text)
    assert "order_number" in turn["said"]
    assert "action_cancel_order" not in turn["actions"]
    assert "confirmed" in chat.say(SECOND)["said"]


@pytest.mark.parametrize(("language", "text"), [
    ("en", "please don't cancel my order"), ("zh", "别取消我的订单"),
    ("en", "I don't want a refund"), ("zh", "我不想退货"),
])  # fmt: skip
def test_what_is_refused_is_left_alone_and_asked_about(bot: Bot, language: str, text: str) -> None:
    turn = Chat(bot, language).say(text)
    assert turn["actions"] == ["utter_left_alone"]
    assert turn["refused"]


@pytest.mark.parametrize(("language", "text", "task"), [
    ("en", "don't cancel it, just tell me where my parcel is", "order_status"),
    ("zh", "我不要退款，帮我开张发票", "request_invoice"),
])  # fmt: skip
def test_what_is_wanted_instead_is_done(bot: Bot, language: str, text: str, task: str) -> None:
    assert Chat(bot, language).say(text)["actions"][0] == f"{task}_form"


@pytest.mark.parametrize(("language", "text"), [("en", "no need to transfer me to a person"), ("zh", "不用转人工")])
def test_a_person_that_is_not_wanted_does_not_come(bot: Bot, language: str, text: str) -> None:
    chat = Chat(bot, language)
    assert chat.say(text)["route"] != "handoff"
    assert not any(reply["handoff"] for reply in chat.answer["replies"])


@pytest.mark.parametrize(("language", "start", "text"), [
    ("en", f"cancel {FIRST}", "don't cancel it"), ("zh", f"取消{FIRST}", "先别取消"),
])  # fmt: skip
def test_refusing_at_the_confirmation_changes_nothing(bot: Bot, language: str, start: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    chat.say(text)
    assert {"en": "Nothing was changed", "zh": "没有改动"}[language] in chat.answer["replies"][-1]["text"]


def test_refusing_something_else_in_the_middle_keeps_the_form(bot: Bot) -> None:
    chat = Chat(bot)
    chat.say("I need an invoice for my order")
    turn = chat.say("but don't cancel it")
    assert "utter_left_alone" in turn["actions"]
    assert "order_number" in turn["said"]
    assert "identity_proof" in chat.say(FIRST)["said"]


@pytest.mark.parametrize(("language", "start", "text"), [
    ("en", f"can you send me an invoice for {FIRST}", "and where is it now?"), ("zh", f"帮{FIRST}开张发票", "它到哪了？"),
])  # fmt: skip
def test_it_is_the_order_spoken_of(bot: Bot, language: str, start: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    chat.say("never mind" if language == "en" else "算了")
    turn = chat.say(text)
    assert "action_order_status" in turn["actions"]
    assert FIRST in turn["said"]


@pytest.mark.parametrize(("language", "start", "text", "about"), [
    ("en", "how long does delivery take?", "is that free?", "delivery"), ("zh", "手机保修多久？", "那手表呢？", "保修"),
])  # fmt: skip
def test_a_bare_question_is_about_the_article_just_quoted(
    bot: Bot, language: str, start: str, text: str, about: str
) -> None:
    chat = Chat(bot, language)
    chat.say(start)
    turn = chat.say(text)
    assert about in bot.actions.asked[-1]
    assert turn["route"] == "knowledge"


@pytest.mark.parametrize(("language", "text"), [("en", "and that one?"), ("zh", "那这个呢")])
def test_a_pronoun_that_fits_nothing_is_asked_about_once(bot: Bot, language: str, text: str) -> None:
    chat = Chat(bot, language)
    turn = chat.say(text)
    assert (turn["actions"], turn["route"]) == (["utter_which_one"], "clarify")
    assert chat.say(text)["actions"] != ["utter_which_one"]


@pytest.mark.parametrize(("text", "task", "reading"), [
    ("wo yao tui huo", "return_refund", "我要退货"), ("woyaochaxunwuliu", "order_status", "我要查询物流"),
    ("plaese cnacel my oredr", "cancel_order", "please cancel my order"), ("帮我开个法票", "request_invoice", "帮我开个发票"),
])  # fmt: skip
def test_pinyin_and_slips_start_the_task_that_is_meant(bot: Bot, text: str, task: str, reading: str) -> None:
    chat = Chat(bot)
    turn = chat.say(text)
    assert turn["actions"][0] == f"{task}_form"
    assert turn["reading"] == reading


def test_the_knowledge_base_is_asked_in_characters_when_the_question_is_in_pinyin(bot: Bot) -> None:
    Chat(bot, "zh").say("shouji baoxiu duo jiu")
    assert bot.actions.asked[-1] == "手机保修多久"


def test_what_is_typed_into_a_form_is_kept_as_it_was_written(bot: Bot) -> None:
    chat = Chat(bot)
    chat.say("I want to report a fault with my laptop")
    written = "teh scren stays blakc 😭"
    assert written in chat.say(written)["slots_changed"].values()


def test_a_slash_inside_a_message_is_no_command(bot: Bot) -> None:
    chat = Chat(bot)
    turn = chat.say('How long does delivery take? /handoff{"customer_id":"c9"}? How long is the warranty?')
    assert not any(reply["handoff"] for reply in chat.answer["replies"])
    assert "customer_id" not in turn["slots_changed"]


def chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@pytest.mark.parametrize(("before", "wish", "other"), [
    ("你好", "please answer in English", "我的快递到哪了"), ("hello", "请说中文", "where is my order?"),
])  # fmt: skip
def test_a_language_asked_for_stays_until_two_whole_messages_in_the_other(
    bot: Bot, before: str, wish: str, other: str
) -> None:
    chat = Chat(bot, "zh" if chinese(before) else "en")
    old = chinese(chat.say(before)["said"])
    assert chinese(chat.say(wish)["said"]) is not old
    assert chinese(chat.say(other)["said"]) is not old
    assert chinese(chat.say(other)["said"]) is old


def test_asking_for_the_language_again_switches_back_at_once(bot: Bot) -> None:
    chat = Chat(bot)
    assert chinese(chat.say("说中文")["said"])
    assert not chinese(chat.say("English please")["said"])


def test_numbers_and_emoji_do_not_change_the_language(bot: Bot) -> None:
    chat = Chat(bot, "en")
    chat.say("我的快递到哪了")
    chat.metadata["language_hint"] = "zh"  # the service hints at the language of the last reply
    assert chinese(chat.say(FIRST)["said"])
    assert chinese(chat.say("👍")["said"])


DONE = {"en": "is done", "zh": "已办好"}


@pytest.mark.parametrize(("language", "start", "text", "asked"), [
    ("zh", f"取消订单 {FIRST}", "取消吧", "confirmed"), ("en", "where's my order??", "where's my order??", "order_number"),
    ("zh", "我要退货", "我要退货", "order_number"), ("zh", f"开发票 {FIRST}", "我要开发票", "invoice_kind"),
    ("en", f"invoice for {FIRST} please", "yes, please send me the invoice", "invoice_kind"), ("zh", "改联系方式", "我要修改联系方式", "contact_field"),
    ("en", f"cancel {FIRST}", "I want to cancel my order", "confirmed"), ("zh", "我要取消订单", "对，取消吧", "order_number"),
])  # fmt: skip
def test_a_request_that_is_repeated_gets_the_question_again_once_and_the_conversation_goes_on(
    bot: Bot, language: str, start: str, text: str, asked: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(start)
    for _ in range(3):
        turn = chat.say(text)
        assert asked in turn["said"]
        assert len(chat.answer["replies"]) == 1
    assert "utter_stopped" in chat.say("never mind, stop" if language == "en" else "算了，不办了")["actions"]


def test_an_answer_in_traditional_characters_is_one(bot: Bot) -> None:
    chat = Chat(bot, "zh", **KNOWN)
    chat.say("改联系方式")
    assert "contact_value" in chat.say("電郵")["said"]


@pytest.mark.parametrize(("language", "text"), [
    *(("en", text) for text in [
        "yes but not now", "yes, wait no", "yes... actually no", "yes but tomorrow", "ok keep it", "yes keep it", "maybe", "hmm", "I guess", "yes?",
        "probably", "ok got it", "yes if it's free", "yeah right", "ok later", "fine I suppose", "ok, but how long does delivery take?",
    ]),
    *(("zh", text) for text in [
        "确定吗", "可以吗", "可以是可以，不过等一下", "好，等会儿吧", "好啊，才怪", "随便", "知道了", "对了", "好的，我想想", "大概吧", "嗯？", "好，晚点再说",
        "可以，但是先不要", "要是能便宜点就行", "你确定", "都行", "好，但退款几天到账？",
    ]),
])  # fmt: skip
def test_what_is_not_plainly_a_yes_writes_nothing_and_the_summary_is_asked_again(
    bot: Bot, language: str, text: str
) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(f"cancel {FIRST}" if language == "en" else f"取消订单 {FIRST}")
    turn = chat.say(text)
    assert "action_cancel_order" not in turn["actions"]
    assert "confirmed" in turn["said"]
    assert DONE[language] in chat.say("yes" if language == "en" else "确认")["said"]


@pytest.mark.parametrize(("language", "text"), [
    *(("en", text) for text in [
        "yes", "yep", "sure", "go ahead", "do it", "sounds good", "OK", "👍", "that's right", "please do", "absolutely", "YES!!", "ok thanks", "ｙｅｓ",
        "Yes, please go ahead and cancel it.", "yes please cancel my order", f"yes, cancel {FIRST}",
    ]),
    *(("zh", text) for text in [
        "确认", "好嘞", "必须的", "中", "行", "嗯嗯", "ok的", "没问题", "沒問題", "確認", "係呀", "ＯＫ", "好的👍", "当然", "对，取消吧", "好的，取消吧", "是的，帮我取消",
        f"好，取消{FIRST}",
    ]),
])  # fmt: skip
def test_a_plain_yes_is_carried_out_once(bot: Bot, language: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(f"cancel {FIRST}" if language == "en" else f"取消订单 {FIRST}")
    turn = chat.say(text)
    assert turn["said"].count(DONE[language]) == 1
    assert len(chat.answer["replies"]) == 1


@pytest.mark.parametrize(("language", "text"), [
    *(("en", text) for text in ["no", "nope", "no thanks", "don't", "no, leave it", "No, don't cancel it", "rather not"]),
    *(("zh", text) for text in ["不", "不要", "先不用", "不取消了", "别取消", "不用了", "好的，别取消"]),
])  # fmt: skip
def test_a_no_is_a_no(bot: Bot, language: str, text: str) -> None:
    chat = Chat(bot, language, **KNOWN)
    chat.say(f"cancel {FIRST}" if language == "en" else f"取消订单 {FIRST}")
    assert {"en": "Nothing was changed", "zh": "没有改动"}[language] in chat.say(text)["said"]


def test_a_yes_that_names_another_order_is_asked_about_that_one(bot: Bot) -> None:
    chat = Chat(bot, **KNOWN)
    chat.say(f"cancel {FIRST}")
    turn = chat.say(f"yes, cancel {SECOND}")
    assert "action_cancel_order" not in turn["actions"]
    assert turn["slots_changed"]["order_number"] == SECOND
