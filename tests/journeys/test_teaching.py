"""A trainer teaches the bot a word in the console, and the next customer who uses it is understood."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import Agent, Visitor

pytestmark = [pytest.mark.browser]

#: The customer's word, the articles' word, a question, what the answer says, and the console's words in that language.
LESSONS = {
    "en": ("squiggle", "instalments", "Can I pay by squiggle?", "3, 6 or 12", "Nothing matches"),
    "zh": ("花花付", "分期付款", "花花付有利息吗？", "没有利息|3、6", "没有找到"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_taught_word_is_tried_saved_understood_and_deleted(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    word, means, question, said, nothing = LESSONS[language]
    locale = "zh-CN" if language == "zh" else "en-GB"
    trainer = Agent(new_context(locale=locale).new_page())
    trainer.sign_in(desk.url, "trainer@kite.example", desk.password)
    page = trainer.page
    page.get_by_test_id("page-synonyms").click()
    page.get_by_test_id("synonym-add").click()
    page.get_by_test_id("synonym-term").fill(word)
    page.get_by_test_id("synonym-means").fill(means)
    dialog = page.locator(".el-dialog")
    dialog.get_by_test_id("synonym-question").fill(question)
    dialog.get_by_test_id("synonym-try").click()
    expect(dialog.get_by_test_id("synonym-becomes")).to_contain_text(means)
    shot(page, f"6-synonym-{language}")
    page.get_by_test_id("synonym-save").click()
    row = page.get_by_test_id("synonym-row").filter(has_text=word)
    expect(row).to_have_count(1)

    page.get_by_test_id("synonym-add").click()
    page.get_by_test_id("synonym-term").fill(word)
    page.get_by_test_id("synonym-means").fill(means)
    page.get_by_test_id("synonym-save").click()
    expect(page.get_by_test_id("synonym-problem")).to_be_visible()
    page.keyboard.press("Escape")

    visitor = Visitor(new_context(locale=locale).new_page(), language)
    visitor.arrive(desk.url)
    visitor.say(question)
    visitor.heard(said)
    expect(visitor.chat.locator(".sources a").last).to_be_visible()

    row.get_by_test_id("synonym-delete").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(row).to_have_count(0)
    page.get_by_test_id("synonym-search").fill(word)
    expect(page.get_by_text(nothing)).to_be_visible()
    shot(page, f"6-synonyms-{language}")
