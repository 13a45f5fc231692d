"""Which language the contact is answered in; no model needed."""

from __future__ import annotations

import pytest

from bot.components.language import detect_language, is_clear
from bot.reply_language import Speech, next_speech, wished_language


@pytest.mark.parametrize(("text", "wish"), [
    ("speak English please", "en"), ("English please", "en"), ("can you reply in Chinese?", "zh"), ("in English", "en"), ("说中文", "zh"),
    ("请用英文回复", "en"), ("能不能说中文", "zh"), ("switch to Mandarin", "zh"), ("用英语跟我说", "en"), ("请讲中文，谢谢", "zh"), ("english", "en"),
    ("I can't read Chinese, English please", "en"), ("我看不懂英文，说中文吧", "zh"), ("answer in english please, where is my order", "en"),
])  # fmt: skip
def test_a_wish_for_a_language_is_heard(text: str, wish: str) -> None:
    assert wished_language(text) == wish


@pytest.mark.parametrize("text", [
    "do you speak Chinese?", "你会说英语吗", "is there a Chinese manual?", "the English plug does not fit", "英文说明书在哪", "are you English?",
    "where is my order", "说说看",
])  # fmt: skip
def test_a_language_only_spoken_about_is_no_wish(text: str) -> None:
    assert wished_language(text) is None


@pytest.mark.parametrize(("text", "hint", "language"), [
    ("Murmur Buds Pro Max 保修", "en", "zh"), ("iPhone 能用吗", "en", "zh"), ("where is my 快递", "zh", "en"), ("USB HDMI 有吗", "en", "zh"),
    ("Is 保修 free for me", "zh", "en"),
])  # fmt: skip
def test_names_beside_chinese_do_not_make_a_message_english(text: str, hint: str, language: str) -> None:
    assert detect_language(text, hint) == language


@pytest.mark.parametrize(("text", "clear"), [
    ("where is my order", True), ("我的订单到哪了", True), ("ok", False), ("KT20261234", False), ("👍", False), ("Chen Wei", False),
    ("我的order呢", False), ("好", False),
])  # fmt: skip
def test_a_clear_message_is_a_whole_one_in_one_language(text: str, clear: bool) -> None:
    assert is_clear(text) is clear


@pytest.mark.parametrize(
    ("asked", "other", "text"), [("en", "zh", "我的快递到哪里了"), ("zh", "en", "where is my parcel now")]
)
def test_a_language_asked_for_is_left_after_two_whole_messages_in_a_row(asked: str, other: str, text: str) -> None:
    once = next_speech(Speech(asked, asked_for=True), text)
    assert (once.language, once.asked_for) == (asked, True)
    assert next_speech(once, text) == Speech(other)


@pytest.mark.parametrize("between", ["where is it now please", "speak English please"])
def test_a_message_in_the_language_asked_for_starts_the_count_again(between: str) -> None:
    speech = next_speech(Speech("en", asked_for=True), "我的快递到哪里了")
    speech = next_speech(next_speech(speech, between), "我的快递到哪里了")
    assert speech.language == "en"


@pytest.mark.parametrize("between", ["KT20261234", "👍", "ok"])
def test_what_is_in_no_language_neither_counts_nor_starts_again(between: str) -> None:
    speech = next_speech(Speech("en", asked_for=True), "我的快递到哪里了")
    assert next_speech(next_speech(speech, between), "我的快递到哪里了") == Speech("zh")


def test_without_a_wish_the_reply_follows_each_message() -> None:
    speech = Speech("zh")
    for text, language in (("where is my order", "en"), ("KT20261234", "en"), ("我要退货", "zh"), ("ok", "zh")):
        speech = next_speech(speech, text)
        assert speech == Speech(language)
