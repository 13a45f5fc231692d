"""A supervisor draws a sample, reviews an agent, sends a bad turn to the trainers; the agent disputes, another supervisor decides."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import CHEN, GRACE, REPLY_MS, Agent, Visitor

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
ZHAO = "admin@kite.example"
SAID = {
    "zh": {
        "person": "转人工", "odd": "能不能给风筝刻字", "about": "我想给风筝刻上名字", "reply": "可以刻字，三天内发出。", "title": "本周抽检",
        "comment": "回答清楚", "note": "没有先核对身份", "dispute": "当时已经核实过了", "decision": "录音显示已核实", "shown": "理解为|最接近|猜测", "rule": "依据规则", "changed": "已改判",
    },
    "en": {
        "person": "talk to a person", "odd": "Can you engrave a kite for me", "about": "I would like a name on my kite", "reply": "Yes, it ships in three days.",
        "title": "This week", "comment": "Clear answer", "note": "Did not check who it was", "dispute": "It had been checked already", "decision": "The transcript shows it was checked",
        "shown": "Understood as|Nearest|Thought of", "rule": "Rule: ", "changed": "Changed",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_review_is_written_disputed_and_decided(desk: Desk, new_context: NewContext, language: str) -> None:
    words, locale = SAID[language], "zh-CN" if language == "zh" else "en-GB"
    visitor = Visitor(new_context(locale=locale).new_page(), language)
    visitor.arrive(desk.url)
    visitor.say(words["odd"])
    visitor.say(words["person"])
    visitor.say_unheard(words["about"])
    chen = Agent(new_context(locale=locale).new_page())
    chen.sign_in(desk.url, CHEN, desk.password)
    chen.open_waiting(words["about"])
    chen.accept()
    chen.reply(words["reply"])
    visitor.heard(words["reply"])
    chen.resolve()

    grace = Agent(new_context(locale=locale, viewport={"width": 1440, "height": 1000}).new_page()).page
    Agent(grace).sign_in(desk.url, GRACE, desk.password)
    grace.goto(f"{desk.url}/staff/#/reviews")
    grace.get_by_test_id("reviews-samples").click()
    grace.get_by_test_id("sample-make").click()
    grace.get_by_test_id("sample-title").fill(words["title"])
    grace.get_by_test_id("sample-days").fill("1")
    grace.get_by_test_id("sample-each").fill("100")
    shot(grace, f"reviews-sample-{language}")
    grace.get_by_test_id("sample-draw").click()
    expect(grace.get_by_test_id("sample").first).to_contain_text(words["title"], timeout=REPLY_MS)
    grace.get_by_test_id("reviews-mine").click()
    rows = grace.get_by_test_id("review-row")
    expect(rows.first).to_be_visible()
    for number in range(rows.count()):
        rows.nth(number).get_by_test_id("review-open").click()
        transcript = grace.locator("section.transcript")
        expect(transcript.locator("article").first).to_be_visible(timeout=REPLY_MS)
        if transcript.get_by_text(words["odd"]).count():
            break
        grace.get_by_test_id("review-back").click()
        expect(rows.first).to_be_visible()
    expect(grace.get_by_test_id("review-why").first).to_contain_text(_any(words["shown"]))
    expect(grace.get_by_test_id("review-why").first).to_contain_text(words["rule"])
    grace.get_by_test_id("review-to-inbox").first.click()
    expect(grace.locator(".sent").first).to_be_visible()
    for question in grace.locator(".question").all():
        failed = question.get_attribute("data-testid") == "question-identity"
        question.locator("input").nth(1 if failed else 0 if question.locator("input").count() == 3 else 4).check()
    identity = grace.get_by_test_id("question-identity")
    identity.get_by_test_id("note-add").click()
    identity.get_by_test_id("note-text").fill(words["note"])
    grace.get_by_test_id("review-comment").fill(words["comment"])
    shot(grace, f"reviews-form-{language}")
    grace.emulate_media(color_scheme="dark")
    shot(grace, f"reviews-form-dark-{language}")
    grace.get_by_test_id("review-submit").click()
    grace.locator(".el-message-box .el-button--primary").click()
    expect(grace.get_by_test_id("review-submit")).to_have_count(0)

    chen.page.goto(f"{desk.url}/staff/#/reviews")
    chen.page.get_by_test_id("review-open").first.click()
    expect(chen.page.get_by_text(words["comment"])).to_be_visible()
    expect(chen.page.get_by_test_id("question-identity").get_by_test_id("note-said")).to_have_text(words["note"])
    expect(chen.page.get_by_text("Grace")).to_have_count(0)
    chen.page.get_by_test_id("dispute-reason").fill(words["dispute"])
    shot(chen.page, f"reviews-agent-{language}")
    chen.page.get_by_test_id("dispute-send").click()
    expect(chen.page.get_by_test_id("review-dispute-said")).to_contain_text(words["dispute"])

    zhao = Agent(new_context(locale=locale).new_page()).page
    Agent(zhao).sign_in(desk.url, ZHAO, desk.password)
    zhao.goto(f"{desk.url}/staff/#/reviews")
    zhao.get_by_test_id("reviews-disputes").click()
    zhao.get_by_test_id("review-open").first.click()
    zhao.get_by_test_id("question-identity").locator("input").first.check()
    zhao.get_by_test_id("decide-reason").fill(words["decision"])
    zhao.get_by_test_id("decide-change").click()
    expect(zhao.get_by_test_id("review-decision")).to_contain_text(words["decision"])
    expect(zhao.get_by_test_id("review-score")).to_contain_text(words["changed"])
    shot(zhao, f"reviews-decided-{language}")
    zhao.get_by_test_id("review-back").click()
    zhao.get_by_test_id("reviews-results").click()
    expect(zhao.get_by_test_id("review-results").first).to_be_visible()
    shot(zhao, f"reviews-results-{language}")


def _any(alternatives: str) -> re.Pattern[str]:
    return re.compile(alternatives)
