"""A dry run answers as a turn would and leaves the conversation exactly as it was."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from bot.tests.desk import Bot, Chat

DRY = "/webhooks/turn/dry-run"


def rows(bot: Bot) -> list[str]:
    """Everything in the bot's database, as SQL."""
    with sqlite3.connect(bot.database) as connection:
        return list(connection.iterdump())


def tried(chat: Chat, text: str, payload: str | None = None) -> dict[str, Any]:
    """What would be answered, with the proof that nothing changed."""
    before = rows(chat.bot)
    status, answer = chat.bot.request("POST", DRY, {**chat.body(text, payload), "dry_run": True})
    assert status == 200, answer
    assert rows(chat.bot) == before
    return answer


STEPS: list[list[str]] = [
    ["how long does delivery take?", "tell me a joke", "human please"],
    ["where is my order", "KT20261234", "how long does delivery take?", "2468", "thanks"],
    ["cancel KT20261234", "2468", "yes"],
    ["取消订单 KT20261234", "2468", "不用了"],
    ["asdf qwer zxcv", "blorf wibble", "what about the warranty"],
    ["my lamp is broken, open a ticket", "it does not switch on", "emma@example.com"],
    ["cancel KT20261234 and where is KT20267777", "2468", "yes"],
]


@pytest.mark.parametrize("steps", STEPS, ids=lambda steps: steps[0])
def test_no_dry_run_changes_anything_wherever_the_conversation_stands(bot: Bot, steps: list[str]) -> None:
    chat = Chat(bot)
    for text in steps:
        would = tried(chat, text)
        chat.say(text)
        if "would" in would["trace"]:
            continue
        assert would["replies"]
        for name in ("intent", "confidence", "route", "actions", "slots_changed"):
            assert chat.answer["trace"][name] == would["trace"][name]
        if would["trace"]["route"] == "knowledge":  # small talk is said in varying words
            assert chat.answer["replies"] == would["replies"]


def test_where_something_would_be_written_the_run_ends_and_says_so(bot: Bot) -> None:
    chat = Chat(bot)
    chat.say("cancel KT20261234")
    would = tried(chat, "2468")
    assert would["trace"]["would"] == ["verify_last4"]
    assert would["replies"] == []
    chat.say("2468")
    would = tried(chat, "yes")
    assert would["trace"]["would"] == ["cancel_order"]
    assert "done" not in str(would["replies"])
    assert "done" in chat.say("yes")["said"]


def test_a_turn_id_that_was_answered_can_still_be_tried(bot: Bot) -> None:
    chat = Chat(bot)
    body = chat.body("tell me a joke")
    chat.send(body)
    status, answer = bot.request("POST", DRY, {**body, "dry_run": True, "text": "how long does delivery take?"})
    assert status == 200
    assert answer["trace"]["route"] == "knowledge"


@pytest.mark.parametrize("mark", [1, "true", None, []])
def test_the_mark_is_a_boolean(bot: Bot, mark: object) -> None:
    chat = Chat(bot)
    assert chat.send({**chat.body("hello"), "dry_run": mark})[0] == 400
    assert bot.request("POST", DRY, {**chat.body("hello"), "dry_run": mark})[0] == 400


def test_a_dry_run_and_a_turn_are_not_taken_for_each_other(bot: Bot) -> None:
    chat = Chat(bot)
    before = rows(bot)
    assert chat.send({**chat.body("hello"), "dry_run": True})[0] == 400
    assert bot.request("POST", DRY, chat.body("hello"))[0] == 400
    assert bot.request("POST", DRY, {**chat.body("hello"), "dry_run": True}, "wrong")[0] == 401
    assert rows(bot) == before


def test_metadata_cannot_make_a_turn_dry(bot: Bot) -> None:
    chat = Chat(bot, dry_run=True)
    chat.say("cancel KT20261234")
    chat.say("2468")
    assert "done" in chat.say("yes")["said"]
