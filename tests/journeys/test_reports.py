"""A supervisor reads the reports, sees what is behind a number, asks in their own words, and passes on a link."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import GRACE, REPLY_MS, Agent

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
SAID = {
    "zh": {"ask": "近30天各渠道的会话量", "strange": "今天天气怎么样", "defined": "机器人独立完成不等于已经解决", "by": "channel"},
    "en": {
        "ask": "conversations by channel in the last 30 days", "strange": "will it rain tomorrow",
        "defined": "Contained does not mean solved", "by": "channel",
    },
}  # fmt: skip


def reports_page(desk: Desk, new_context: NewContext, language: str, **options: object) -> Page:
    page = new_context(locale=LOCALES[language], **options).new_page()
    Agent(page).sign_in(desk.url, GRACE, desk.password)
    page.goto(f"{desk.url}/staff/#/reports")
    settled(page)
    return page


def settled(page: Page) -> None:
    """Wait until the figures of what was chosen are there."""
    expect(page.get_by_test_id("report-section")).to_have_attribute("aria-busy", "false", timeout=REPLY_MS)


def number(place: Locator) -> int:
    return int(re.sub(r"\D", "", place.inner_text()))


def opened_total(page: Page) -> int:
    """How many things the list says it has; the list is closed again."""
    units = page.get_by_test_id("report-units")
    expect(units.get_by_test_id("unit").first).to_be_visible()
    total = int(units.get_by_test_id("units-total").get_attribute("data-total") or -1)
    if total <= 50:
        expect(units.get_by_test_id("unit")).to_have_count(total)
    return total


def close_list(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("report-units")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_number_leads_to_what_is_behind_it(desk: Desk, new_context: NewContext, language: str) -> None:
    page = reports_page(desk, new_context, language)
    expect(page.get_by_test_id("report-chart")).to_have_count(2)
    shot(page, f"reports-{language}")

    value = page.get_by_test_id("tile-conversations").get_by_test_id("value")
    clicked = number(value)
    value.click()
    assert opened_total(page) == clicked
    shot(page, f"reports-behind-{language}")
    close_list(page)

    row = page.get_by_test_id("report-breakdown").get_by_test_id("report-row").first
    clicked = number(row.get_by_test_id("cell"))
    row.get_by_test_id("cell").click()
    assert opened_total(page) == clicked
    close_list(page)

    page.get_by_test_id("section-bot").click()
    settled(page)
    whole = page.get_by_test_id("tile-contained").get_by_test_id("whole")
    counted = sorted(map(int, re.findall(r"\d+", whole.inner_text())))
    page.get_by_test_id("tile-contained").get_by_test_id("value").click()
    assert opened_total(page) == counted[0]
    close_list(page)
    whole.click()
    assert opened_total(page) == counted[-1]
    page.get_by_test_id("unit").first.click()
    expect(page).to_have_url(re.compile(r"#/(resolved|all)/[0-9a-f]{32}"))
    page.go_back()
    settled(page)
    expect(page.get_by_test_id("tile-contained")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_a_figure_means_is_one_click_away(desk: Desk, new_context: NewContext, language: str) -> None:
    page = reports_page(desk, new_context, language, color_scheme="dark")
    page.get_by_test_id("section-bot").click()
    settled(page)
    page.get_by_test_id("define-contained").click()
    expect(page.get_by_text(SAID[language]["defined"])).to_be_visible()
    shot(page, f"reports-definition-{language}")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_question_in_ones_own_words(desk: Desk, new_context: NewContext, language: str) -> None:
    page = reports_page(desk, new_context, language)
    page.get_by_test_id("report-ask").fill(SAID[language]["strange"])
    page.get_by_test_id("report-ask").press("Enter")
    answer = page.get_by_test_id("report-answer")
    expect(answer.get_by_test_id("report-example").first).to_be_visible()
    shot(page, f"reports-not-understood-{language}")
    page.get_by_test_id("report-ask").fill(SAID[language]["ask"])
    page.get_by_test_id("report-ask").press("Enter")
    expect(answer.get_by_test_id("question-metric")).to_have_value("conversations")
    expect(answer.get_by_test_id("question-by")).to_have_value("channel")
    total = answer.get_by_test_id("total")
    expect(total).to_be_visible()
    clicked = number(total)
    assert clicked == number(page.get_by_test_id("tile-conversations").get_by_test_id("value"))
    shot(page, f"reports-question-{language}")
    answer.get_by_test_id("question-by").select_option("language")
    expect(answer.locator("[data-key=zh]")).to_be_visible()
    assert number(total) == clicked  # other parts, the same whole
    answer.locator("[data-key=zh]").get_by_test_id("cell").click()
    assert opened_total(page) == number(answer.locator("[data-key=zh]").get_by_test_id("cell"))


def values(page: Page) -> list[str]:
    """What the tiles say; the line about what is still being counted may come and go."""
    return page.get_by_test_id("report-section").get_by_test_id("value").all_inner_texts()


def test_a_link_shows_a_colleague_the_same(desk: Desk, new_context: NewContext) -> None:
    page = reports_page(desk, new_context, "en")
    page.get_by_test_id("report-period").get_by_text("90 days").click()
    page.get_by_test_id("section-people").click()
    page.get_by_test_id("report-by").select_option("language")
    page.get_by_test_id("report-filter-channel").click()
    page.get_by_role("option", name="Web chat").click()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile("channel=webchat"))
    settled(page)
    address = page.url
    shown = values(page)
    assert len(shown) >= 5
    page.reload()
    settled(page)
    expect(page.get_by_test_id("section-people")).to_have_attribute("aria-current", "true")
    expect(page.get_by_test_id("report-by")).to_have_value("language")
    expect(page.get_by_test_id("report-clear")).to_be_visible()
    other = new_context(locale="en-GB").new_page()
    Agent(other).sign_in(desk.url, GRACE, desk.password)
    other.goto(address)
    settled(other)
    assert values(other) == shown
    assert "section=people" in address
    assert "period=90d" in address


def test_what_is_shown_leaves_as_a_file(desk: Desk, new_context: NewContext) -> None:
    page = reports_page(desk, new_context, "en")
    clicked = number(page.get_by_test_id("tile-conversations").get_by_test_id("value"))
    page.get_by_test_id("report-export").click()
    with page.expect_download() as download:
        page.get_by_test_id("export-conversations-csv").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").strip().splitlines()
    assert len(lines) == clicked + 1


def test_on_a_telephone_nothing_is_wider_than_the_screen(desk: Desk, new_context: NewContext) -> None:
    page = reports_page(desk, new_context, "en", viewport={"width": 390, "height": 844})
    for section in ("volume", "bot", "satisfaction", "people", "knowledge", "model", "cost"):
        page.get_by_test_id(f"section-{section}").click()
        settled(page)
        assert page.get_by_test_id("reports-page").evaluate("(it) => it.scrollWidth <= it.clientWidth"), section
    shot(page, "reports-narrow")
