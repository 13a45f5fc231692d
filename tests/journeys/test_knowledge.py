"""A trainer writes an article, tries it, publishes it, and the next customer is answered from it; and back again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import Agent, Visitor

pytestmark = [pytest.mark.browser]

#: A question that nothing answers yet, an article's words, a change of them, and what the customer is told.
LESSONS = {
    "en": (
        "Do you engrave names on the Pebble Watch?",
        "Yes. We engrave up to **12 letters** on the back of a Pebble Watch for CNY 49.\n\n## How long\n- One working day more.",
        "CNY 59",
        "12 letters",
    ),
    "zh": (
        "卵石手表可以刻字吗？",
        "可以。卵石手表背面最多刻 **12 个字母**，费用 49 元。\n\n## 需要多久\n- 多一个工作日。",
        "59 元",
        "12 个字母",
    ),
}


def trainer_at(desk: Desk, new_context: Callable[..., BrowserContext], language: str, **more: object) -> Page:
    locale = "zh-CN" if language == "zh" else "en-GB"
    trainer = Agent(new_context(locale=locale, **more).new_page())
    trainer.sign_in(desk.url, "trainer@kite.example", desk.password)
    trainer.page.get_by_test_id("page-knowledge").click()
    return trainer.page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_article_is_written_tried_published_told_changed_and_taken_back(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    question, body, dearer, told = LESSONS[language]
    page = trainer_at(desk, new_context, language)
    expect(page.get_by_test_id("article-row").first).to_be_visible()
    shot(page, f"8-knowledge-{language}")
    page.get_by_test_id("article-new").click()
    page.get_by_test_id("article-title").fill(question)
    page.get_by_test_id("article-body").fill(body)
    preview = page.get_by_test_id("article-preview")
    expect(preview.locator("strong")).to_have_text(told)
    page.get_by_test_id("article-beside-passages").click()
    expect(page.get_by_test_id("article-passages").locator("section")).to_have_count(2)
    page.get_by_test_id("article-beside-preview").click()
    page.get_by_test_id("article-test").click()
    page.get_by_test_id("trial-question").fill(question)
    page.get_by_test_id("trial-run").click()
    expect(page.get_by_test_id("trial-said")).to_contain_text(told)
    page.get_by_test_id("trial-said").scroll_into_view_if_needed()
    shot(page, f"8-article-tried-{language}")
    page.get_by_test_id("article-publish").click()
    expect(page.get_by_test_id("article-unpublish")).to_be_visible()

    visitor = Visitor(new_context(locale="zh-CN" if language == "zh" else "en-GB").new_page(), language)
    visitor.arrive(desk.url)
    visitor.say(question)
    visitor.heard(told)

    page.get_by_test_id("article-body").fill(body.replace("CNY 49", dearer).replace("49 元", dearer))
    page.get_by_test_id("article-reason").fill("dearer" if language == "en" else "涨价")
    page.get_by_test_id("article-publish").click()
    expect(page.get_by_test_id("article-unpublish")).to_be_visible()
    page.get_by_test_id("article-versions").click()
    expect(page.get_by_test_id("article-version")).to_have_count(2)
    page.get_by_test_id("article-compare").last.click()
    expect(page.get_by_test_id("article-difference")).to_contain_text(dearer)
    page.get_by_test_id("article-difference").scroll_into_view_if_needed()
    shot(page, f"8-article-versions-{language}")
    page.get_by_test_id("article-unpublish").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id("article-archive")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_gap_becomes_an_article_out_of_what_agents_said(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    page = trainer_at(desk, new_context, language, viewport={"width": 1600, "height": 1000})
    page.get_by_test_id("knowledge-gaps").click()
    wanted = "delivered" if language == "en" else "签收"
    row = page.get_by_test_id("gap-row").filter(has_text=wanted).or_(page.get_by_test_id("gap-row")).first
    expect(row).to_be_visible()
    row.click()
    expect(page.get_by_test_id("gap-asked").first).to_be_visible()
    shot(page, f"8-gap-{language}")
    if not page.get_by_test_id("gap-body").input_value().strip():
        page.get_by_test_id("gap-body").fill("We look into it." if language == "en" else "我们会核查。")
    page.get_by_test_id("gap-keep").click()
    expect(page.get_by_test_id("gap-again")).to_be_visible()
    page.get_by_test_id("gaps-answered").click()
    expect(page.get_by_test_id("gap-row").first).to_be_visible()
    page.get_by_test_id("knowledge-contradictions").click()
    expect(page.get_by_test_id("contradiction").or_(page.locator(".nothing")).first).to_be_visible(timeout=60_000)
    shot(page, f"8-contradictions-{language}")


def test_a_sheet_is_uploaded_looked_at_and_taken_and_scripts_stay_text(
    desk: Desk, new_context: Callable[..., BrowserContext]
) -> None:
    page = trainer_at(desk, new_context, "en")
    page.get_by_test_id("article-upload").click()
    sheet = (
        "question,answer,id\n"
        'Do you sell kites?,"We sell three kites. <img src=x onerror=alert(1)> [here](javascript:alert(1))",kites\n'
        "Other refunds?,Ask us.,refund-time\n"
    )
    page.get_by_test_id("upload-file").set_input_files(
        {"name": "faq.csv", "mimeType": "text/csv", "buffer": sheet.encode()}
    )
    expect(page.get_by_test_id("upload-article")).to_have_count(2, timeout=60_000)
    page.get_by_text("Do you sell kites?").click()
    expect(page.get_by_test_id("upload-dialog")).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.get_by_test_id("upload-dialog").locator("img, a[href^='javascript']").count() == 0
    shot(page, "8-upload-en")
    page.get_by_test_id("upload-take").click()
    page.get_by_test_id("article-search").fill("kites")
    expect(page.get_by_test_id("article-row")).to_have_count(1)
