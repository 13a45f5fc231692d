"""A visitor rates the person and the bot in one form, the agent sees it, and a supervisor reads the figures."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import Agent, Visitor

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
SAID = {
    "zh": {
        "person": "转人工", "about": "是露营灯的挂钩掉了", "first": "你们的地址在哪", "reply": "您好，马上为您处理。", "comment": "很耐心，讲得很清楚",
        "other": "那之前的智能助手呢", "yes": "解决了", "solved": "已解决", "page": "客户评价", "change": "修改评价",
    },
    "en": {
        "person": "talk to a person", "about": "The hook of my camping lamp came off", "first": "Where are you based?", "reply": "Hello, I will look into it.",
        "comment": "Patient and clear", "other": "And how was the assistant before that", "yes": "Yes", "solved": "Solved",
        "page": "Ratings", "change": "Change",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_visitor_rates_the_person_and_the_bot(desk: Desk, new_context: NewContext, language: str) -> None:
    words, locale = SAID[language], "zh-CN" if language == "zh" else "en-GB"
    visitor = Visitor(new_context(locale=locale).new_page(), language)
    visitor.arrive(desk.url)
    visitor.say(words["first"])
    visitor.say(words["person"])
    visitor.say_unheard(words["about"])
    agent = Agent(new_context(locale=locale).new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    if language == "en":
        agent.page.get_by_test_id("language").click()
        if agent.page.get_by_test_id("language").inner_text() != "中文":
            agent.page.get_by_test_id("language").click()
    agent.open_waiting(words["about"])
    agent.accept()
    agent.reply(words["reply"])
    visitor.heard(re.escape(words["reply"]))
    agent.resolve()
    form = visitor.chat.locator("form.rating")
    expect(form).to_be_visible()
    form.locator("fieldset").first.locator("label.star").nth(4).click()
    form.get_by_role("radio", name=words["yes"], exact=True).check()
    other = form.locator("fieldset", has_text=words["other"])
    other.locator("label.star").nth(2).click()
    form.locator("textarea").fill(words["comment"])
    shot(visitor.page, f"rating-form-{language}")
    form.locator("button.submit").click()
    done = visitor.chat.locator(".rating.done")
    expect(done).to_be_visible()
    expect(done.locator("[role=img]")).to_have_count(2)
    expect(done.get_by_text(words["change"])).to_be_visible()
    shot(visitor.page, f"rating-done-{language}")
    told = agent.page.get_by_test_id("episode-rating")
    expect(told).to_have_count(2)
    expect(agent.page.get_by_text(words["comment"]).first).to_be_visible()
    shot(agent.page, f"rating-agent-{language}")
    agent.page.get_by_test_id("page-ratings").click()
    expect(agent.page.get_by_test_id("ratings-human")).to_be_visible()
    expect(agent.page.get_by_test_id("ratings-bot")).to_have_count(0)  # their own figures only
    boss = Agent(new_context(locale=locale).new_page())
    boss.sign_in(desk.url, "supervisor@kite.example", desk.password)
    boss.page.get_by_test_id("page-ratings").click()
    expect(boss.page.get_by_role("heading", name=words["page"], exact=True)).to_be_visible()
    for kind in ("human", "bot"):
        expect(boss.page.get_by_test_id(f"ratings-{kind}").get_by_test_id("csat")).to_have_text(re.compile(r"\d+%"))
    # A week of few answers is not named, and its comments come after those of weeks that are.
    more = boss.page.get_by_test_id("rating-comments").locator("button.more")
    if more.is_visible():
        more.click()
    expect(boss.page.get_by_test_id("rating-comments")).to_contain_text(words["comment"])
    shot(boss.page, f"ratings-{language}")
    boss.page.get_by_test_id("rating-comments").scroll_into_view_if_needed()
    shot(boss.page, f"ratings-below-{language}")


def test_a_visitor_by_keyboard_alone(desk: Desk, new_context: NewContext) -> None:
    visitor = Visitor(new_context(locale="en-GB").new_page(), "en")
    visitor.arrive(desk.url)
    visitor.say("talk to a person")
    visitor.say_unheard("It is about the strap of my rucksack")
    agent = Agent(new_context(locale="en-GB").new_page())
    agent.sign_in(desk.url, "sam@kite.example", desk.password)
    agent.open_waiting("It is about the strap of my rucksack")
    agent.accept()
    agent.resolve()
    form = visitor.chat.locator("form.rating")
    expect(form).to_be_visible()
    form.get_by_role("radio", name="1 / 5, Very poor").first.focus()
    for _ in range(3):
        visitor.page.keyboard.press("ArrowRight")
    expect(form.get_by_role("radio", name="4 / 5, Good").first).to_be_checked()
    form.get_by_role("radio", name="No", exact=True).focus()
    visitor.page.keyboard.press("Space")
    form.get_by_role("button", name="Send rating").press("Enter")
    expect(visitor.chat.locator(".rating.done")).to_contain_text("Not solved")
    visitor.heard("like a person to look into it")
    shot(visitor.page, "rating-not-solved")
