"""A trainer moves a threshold, applies it with a reason, and the next customer's turn obeys; then takes it back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import Agent, Visitor

pytestmark = [pytest.mark.browser]

#: What a visitor asks twice, why the trainer changes the threshold, and why they take it back.
STORIES = {
    "en": ("Do you have wireless headphones?", "Too many tasks begun by mistake", "It asked back too often"),
    "zh": ("你们有无线耳机吗？", "误办的太多", "反问太多了"),
}


def newest_limits(page: Page, language: str) -> dict[str, Any]:
    """The thresholds in the trace of the turn that was answered last, as the trainer may read it."""
    found = page.evaluate(
        """async () => {
            const get = async (path) => (await fetch(`/staff/api/${path}`)).json()
            const { conversations } = await get('conversations?view=bot&limit=1')
            const { traces } = await get(`conversations/${conversations[0].id}/traces`)
            return traces.at(-1).trace
        }"""
    )
    assert found["language"] == language
    return dict(found["thresholds"])


def asks(context: BrowserContext, url: str, language: str, question: str) -> None:
    visitor = Visitor(context.new_page(), language)
    visitor.arrive(url)
    before = visitor.said.count()
    visitor.say(question)
    deadline = time.monotonic() + 20
    while visitor.said.count() < before + 1 and time.monotonic() < deadline:
        visitor.page.wait_for_timeout(100)
    visitor.page.wait_for_timeout(500)


def give_reason(page: Page, why: str) -> None:
    box = page.locator(".el-message-box")
    box.locator("textarea").fill(why)
    box.locator(".el-button--primary").click()
    expect(box).to_be_hidden()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_threshold_is_tried_applied_obeyed_and_taken_back(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    question, why, why_back = STORIES[language]
    locale = "zh-CN" if language == "zh" else "en-GB"
    trainer = Agent(new_context(locale=locale, viewport={"width": 1600, "height": 1000}).new_page())
    trainer.sign_in(desk.url, "trainer@kite.example", desk.password)
    page = trainer.page
    asks(new_context(locale=locale), desk.url, language, question)
    before = newest_limits(page, language)

    page.get_by_test_id("page-models").click()
    page.get_by_test_id("models-limits").click()
    page.get_by_test_id(f"limit-language-{language}").click()
    expect(page.get_by_test_id("limit-outcomes")).to_be_visible()
    expect(page.get_by_test_id("in-force-answer")).to_contain_text(re.compile(r"0\.\d\d|own|自带"))
    expect(page.get_by_test_id("limit-apply")).to_be_disabled()
    shot(page, f"limits-{language}")

    page.get_by_test_id("limit-handle").focus()
    page.keyboard.press("PageUp")
    page.get_by_test_id("try-answer").locator("input").fill("0.93")
    page.get_by_test_id("try-answer").locator("input").press("Enter")
    expect(page.get_by_test_id("limit-handle")).to_contain_text("0.93")
    expect(page.get_by_test_id("limit-outcomes").locator("tbody tr").first.locator("td").nth(2)).to_contain_text("%")
    page.get_by_test_id("limit-apply").click()
    give_reason(page, why)
    version = page.get_by_test_id(re.compile(r"^limit-version-\d+$")).first
    expect(version).to_contain_text(why)
    expect(page.get_by_test_id("in-force-answer")).to_contain_text("0.93")
    asks(new_context(locale=locale), desk.url, language, question)
    assert newest_limits(page, language)["answer"] == 0.93
    shot(page, f"limits-applied-{language}")

    page.get_by_test_id("limit-restore-0").click()
    give_reason(page, why_back)
    expect(page.get_by_test_id(re.compile(r"^limit-version-\d+$")).first).to_contain_text(why_back)
    asks(new_context(locale=locale), desk.url, language, question)
    assert newest_limits(page, language) == before
    page.evaluate("document.documentElement.classList.add('dark')")
    page.get_by_test_id("curve-retrieval").click()
    page.get_by_test_id("limit-note").scroll_into_view_if_needed()
    shot(page, f"limits-dark-{language}")


def test_dearer_wrong_answers_raise_the_recommendation_and_supervisors_only_look(
    desk: Desk, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(locale="en-GB", viewport={"width": 1280, "height": 860}).new_page()
    trainer = Agent(page)
    trainer.sign_in(desk.url, "trainer@kite.example", desk.password)
    page.get_by_test_id("page-models").click()
    page.get_by_test_id("models-limits").click()
    recommended = page.locator(".choice tbody tr").first.locator("td").nth(1).locator("b")
    expect(recommended).to_have_text(re.compile(r"0\.\d\d"))
    before = float(recommended.inner_text())
    field = page.get_by_test_id("cost-wrong").locator("input")
    field.fill("60")
    field.press("Enter")
    expect(recommended).not_to_have_text(f"{before:.2f}")
    assert float(recommended.inner_text()) > before
    shot(page, "limits-costs")

    supervisor = Agent(new_context(locale="en-GB").new_page())
    supervisor.sign_in(desk.url, "supervisor@kite.example", desk.password)
    supervisor.page.get_by_test_id("page-models").click()
    supervisor.page.get_by_test_id("models-limits").click()
    expect(supervisor.page.get_by_test_id("limit-outcomes")).to_be_visible()
    expect(supervisor.page.get_by_test_id("limit-apply")).to_have_count(0)
