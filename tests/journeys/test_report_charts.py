"""What charts of the reports draw is what their tables say, a bar leads to exactly what it counts, and costs change money."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import REPLY_MS, NewContext
from tests.journeys.test_reports import close_list, number, opened_total, reports_page, settled

pytestmark = pytest.mark.browser
SIZES = {"large": {"width": 1920, "height": 1080}, "small": {"width": 1280, "height": 720}}
LOOKS = [("zh", "light", "large"), ("en", "dark", "small"), ("zh", "dark", "small"), ("en", "light", "large")]
#: What is drawn across: one bar for each path with the colour of a series, in the order of the rows.
BARS = """(box, colours) => colours.map((colour) => [...box.querySelectorAll(`svg path[fill="${colour}"]`)].map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect()
    return { x, y, width, height }
}))"""
LIGHT = ["#2f55d4", "#0d7454"]


def section(page: Page, name: str) -> None:
    page.get_by_test_id(f"section-{name}").click()
    settled(page)


def amount(text: str) -> float:
    found = re.search(r"[\d,]+(\.\d+)?", text)
    return float(found[0].replace(",", "")) if found else 0.0


def bars_of(card: Locator, colours: list[str]) -> list[list[dict[str, float]]]:
    """The bars of every series; the legend's own squares are left out."""
    chart = card.get_by_test_id("report-chart")
    expect(chart.locator("svg")).to_be_visible(timeout=REPLY_MS)
    chart.scroll_into_view_if_needed()
    top = float(chart.evaluate("(it) => it.getBoundingClientRect().y"))
    found: list[list[dict[str, float]]] = chart.evaluate(BARS, colours)
    return [[bar for bar in series if bar["y"] > top + (34 if len(colours) > 1 else 0)] for series in found]


def table_of(card: Locator, column: int) -> list[str]:
    rows = card.get_by_test_id("report-row")
    return [rows.nth(at).locator("td").nth(column).inner_text() for at in range(rows.count())]


def agree(bars: list[dict[str, float]], values: list[float]) -> None:
    """As many bars as values above none, each as long as its value."""
    drawn = [(bar, value) for bar, value in zip(bars, values, strict=True) if value]
    longest, most = max(drawn, key=lambda pair: pair[1])
    for bar, value in drawn:
        assert bar["width"] / longest["width"] == pytest.approx(value / most, abs=0.02)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_bars_are_as_long_as_the_table_says_and_lead_to_exactly_that_many(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    page = reports_page(desk, new_context, language, color_scheme="light")
    card = page.get_by_test_id("report-breakdown")
    [bars] = bars_of(card, LIGHT[:1])
    values = [amount(text) for text in table_of(card, 0)]
    assert len(values) >= 3
    agree(bars, values)
    labels = card.get_by_test_id("report-chart").locator("svg text").all_text_contents()
    names = card.get_by_test_id("report-row").locator("th").all_inner_texts()
    assert set(names) <= set(labels)
    assert {str(int(value)) for value in values} <= set(labels)

    for bar, value in list(zip(bars, values, strict=True))[:2]:
        [again] = bars_of(card, LIGHT[:1])
        place = again[bars.index(bar)]
        page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        assert opened_total(page) == value
        close_list(page)


def test_two_figures_beside_one_another_are_drawn_as_their_table_says(desk: Desk, new_context: NewContext) -> None:
    page = reports_page(desk, new_context, "en", color_scheme="light")
    section(page, "cost")
    card = page.get_by_test_id("report-breakdown")
    bars = bars_of(card, LIGHT)
    for series in (0, 1):
        agree(bars[series], [amount(text) for text in table_of(card, series)])
    total = page.get_by_test_id("tile-saved_assumed").get_by_test_id("value")
    assert sum(amount(text) for text in table_of(card, 1)) == amount(total.inner_text())


@pytest.mark.parametrize(("language", "scheme", "size"), LOOKS)
def test_what_the_sections_look_like(
    desk: Desk, new_context: NewContext, language: str, scheme: str, size: str
) -> None:
    page = reports_page(desk, new_context, language, color_scheme=scheme, viewport=SIZES[size])
    for name in ("knowledge", "model", "cost"):
        section(page, name)
        main = page.get_by_test_id("reports-page")
        assert main.evaluate("(it) => it.scrollWidth <= it.clientWidth"), name
        for tile in page.get_by_test_id("report-section").locator(".tile").all():
            assert tile.evaluate("(it) => it.scrollWidth <= it.clientWidth"), (name, tile.inner_text())
            assert tile.inner_text().strip().count("\n") >= 1, name  # never a title alone
        main.evaluate("(it) => it.scrollTo(0, 0)")
        shot(page, f"reports-{name}-{language}-{scheme}-{size}")
        main.evaluate("(it) => it.scrollTo(0, it.scrollHeight)")
        shot(page, f"reports-{name}-{language}-{scheme}-{size}-below")


def audited(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """Entries of the trail as an auditor reads them, the latest first."""
    with httpx.Client(base_url=f"{desk.url}/staff/api/", timeout=30) as http:
        who = {"email": "auditor@kite.example", "password": desk.password}
        assert http.post("sign-in", json=who).status_code == 200
        answer = http.get("audit", params={"kind": kind})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["entries"])


def save_costs(page: Page, human: str, bot: str) -> None:
    for test_id, cost in (("cost-human", human), ("cost-bot", bot)):
        field = page.get_by_test_id(test_id).locator("input")
        field.fill(cost)
        field.press("Tab")
    page.get_by_test_id("cost-save").click()
    page.locator(".el-message--success").first.wait_for(state="visible")
    settled(page)
    page.locator(".el-message").first.wait_for(state="hidden")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_other_costs_make_other_money_and_the_trail_says_who_changed_them(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    page = reports_page(desk, new_context, language)
    section(page, "cost")
    tile = page.get_by_test_id("tile-saved_verified")
    saved = number(tile.locator(".small").first)  # how many conversations it is counted from
    expect(tile.get_by_test_id("value")).to_contain_text(f"{saved * 14:,}.00")
    before = len(audited(desk, "report_costs_changed"))
    try:
        save_costs(page, "22.5", "2.5")
        expect(tile.get_by_test_id("value")).to_contain_text(f"{saved * 20:,}.00", timeout=REPLY_MS)
        expect(page.get_by_test_id("report-cost")).to_contain_text("20.00")
        expect(page.get_by_test_id("report-breakdown").get_by_test_id("total").first).to_contain_text(
            f"{saved * 20:,}.00"
        )
        shot(page, f"reports-costs-changed-{language}")
        entries = audited(desk, "report_costs_changed")
        assert len(entries) == before + 1
        assert str(entries[0]["data"]).count("22.5") == 1
    finally:
        save_costs(page, "15", "1")
    expect(tile.get_by_test_id("value")).to_contain_text(f"{saved * 14:,}.00", timeout=REPLY_MS)
