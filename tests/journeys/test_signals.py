"""An angry customer gets a kind word and a person, who is told everything; a supervisor looks after the rules."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.conftest import ROOT, Desk, shot
from tests.journeys.people import Agent, Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (ROOT / "var" / "sentiment").exists(), reason="no sentiment model: run make setup"),
]
NewContext = Callable[..., BrowserContext]
ANGRY = {
    "zh": "你们就是骗子！！！等了一个月还不退钱，我要报警！",
    "en": "YOU ARE SCAMMERS!!! a month and still no refund, I'm calling the police",
}
FACES = {"zh": re.compile("愤怒或焦急"), "en": re.compile("Angry or in distress")}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_angry_customer_is_handed_over_with_a_summary(desk: Desk, new_context: NewContext, language: str) -> None:
    locale = "zh-CN" if language == "zh" else "en-GB"
    visitor = Visitor(new_context(locale=locale).new_page(), language)
    visitor.arrive(desk.url)
    visitor.say("怎么退货？" if language == "zh" else "How do I return something?")
    visitor.say(ANGRY[language])
    visitor.heard("抱歉让您碰上" if language == "zh" else "truly sorry")
    agent = Agent(new_context(locale=locale).new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    agent.open_waiting("抱歉让您碰上" if language == "zh" else "truly sorry")
    card = agent.page.get_by_test_id("summary")
    expect(card).to_contain_text("情绪激动" if language == "zh" else "Upset")
    expect(card.get_by_test_id("summary-reason")).to_contain_text("生气" if language == "zh" else "sounded angry")
    expect(card.get_by_role("img", name=FACES[language]).first).to_be_visible()
    expect(agent.page.locator("article .mood.angry")).to_be_visible()
    visitor.say_unheard("订单号是 KT20260001" if language == "zh" else "the order is KT20260001")
    expect(card).to_contain_text("KT20260001", timeout=20_000)
    shot(agent.page, f"summary-{language}")


def test_a_supervisor_tries_and_saves_rules_that_an_agent_only_reads(desk: Desk, new_context: NewContext) -> None:
    page = new_context(locale="en-GB").new_page()
    Agent(page).sign_in(desk.url, "supervisor@kite.example", desk.password)
    page.get_by_test_id("page-rules").click()
    expect(page.get_by_test_id("rules-preview")).to_contain_text("In the last 7 days")
    page.get_by_test_id("rule-two_misses-count").get_by_role("spinbutton").fill("3")
    page.get_by_test_id("rule-two_misses-count").get_by_role("spinbutton").press("Enter")
    page.get_by_test_id("rules-try").click()
    expect(page.get_by_test_id("rules-preview")).to_contain_text("would have handed off")
    shot(page, "handoff-rules")
    page.get_by_test_id("rules-save").click()
    expect(page.get_by_text("It is in force now")).to_be_visible()
    expect(page.get_by_text(re.compile("Version 1"))).to_be_visible()
    reader = new_context(locale="zh-CN").new_page()
    Agent(reader).sign_in(desk.url, "sam@kite.example", desk.password)
    reader.get_by_test_id("page-rules").click()
    expect(reader.get_by_test_id("rules")).to_contain_text("主管和管理员可以修改")
    expect(reader.get_by_test_id("rules-save")).to_have_count(0)
