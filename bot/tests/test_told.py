"""What the desk told a contact unasked is what their next words point at."""

from __future__ import annotations

from bot.tests.desk import Bot, Chat

ORDER, TICKET = "KT20260301", "TK100234"


def told(bot: Bot, language: str, **what: str) -> Chat:
    return Chat(bot, language, told=what)


def test_where_is_it_after_a_shipping_notice_is_about_that_order(bot: Bot) -> None:
    for language, text in (("en", "where is it?"), ("zh", "它到哪了？")):
        chat = told(bot, language, order_number=ORDER)
        turn = chat.say(text)
        assert turn["actions"][:1] == ["order_status_form"]
        assert turn["slots_changed"]["order_number"] == ORDER


def test_another_question_is_still_what_it_says(bot: Bot) -> None:
    turn = told(bot, "en", order_number=ORDER).say("tell me a joke")
    assert turn["intent"] == "joke"


def test_a_task_that_runs_is_not_disturbed(bot: Bot) -> None:
    chat = Chat(bot, "en")
    chat.say("I want to return the headphones I bought")
    chat.metadata["told"] = {"order_number": ORDER}
    turn = chat.say("KT20260999")
    assert turn["slots_changed"].get("order_number", "KT20260999") == "KT20260999"


def test_a_told_ticket_needs_no_number(bot: Bot) -> None:
    turn = told(bot, "en", ticket_number=TICKET).say("any update on my ticket?")
    assert turn["actions"][:1] == ["ticket_status_form"]
    assert turn["slots_changed"]["ticket_number"] == TICKET


def test_whatever_else_is_told_is_ignored(bot: Bot) -> None:
    for what in ("x", [], {"order_number": 7}, {"order_number": ""}, None):
        chat = Chat(bot, "en", told=what)
        assert chat.say("hello")["intent"] == "greet"
