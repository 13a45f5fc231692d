"""Every page of the console, and the customer's chat, stand up to axe's rules of WCAG 2.2, levels A and AA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.conftest import Desk, come_to_rest
from tests.journeys.people import REPLY_MS, Agent, Visitor
from tests.journeys.test_organise import row_of, writes

pytestmark = [pytest.mark.browser]

AXE = Path(__file__).resolve().parents[2] / "handoff" / "web" / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    "live",
    "live/wall",
    "alerts",
    "reports",
    "reports?section=bot",
    "reports?section=cost",
    "teams",
    "rules",
    "canned",
    "macros",
    "synonyms",
    "prompts",
    "assist",
    "search",
    "ratings",
    "reviews",
    "channels",
    "access",
    "audit",
)
SAID = {"en": ("talk to a human", "Robin Hale"), "zh": ("转人工", "郝若冰")}


def violations(page: Page, within: Locator | None = None) -> list[str]:
    """What axe finds on the page, or in a part of it, one line for each element."""
    come_to_rest(page)
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    run = "axe.run(place, {runOnly: {type: 'tag', values: levels}}).then((result) => result.violations)"
    found: list[dict[str, Any]] = (within or page.locator(":root")).first.evaluate(f"(place, levels) => {run}", LEVELS)
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for one in found
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_everybody_can_use_the_console(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str, scheme: str
) -> None:
    locale = "zh-CN" if language == "zh" else "en-GB"
    ask, name = SAID[language]
    writes(desk, f"axe-{language}-{scheme}", ask, language, f"{name} {scheme}")
    page = new_context(locale=locale, color_scheme=scheme, viewport={"width": 1280, "height": 720}).new_page()
    page.goto(f"{desk.url}/staff/")
    expect(page.locator("form")).to_be_visible()
    found = {"sign-in": violations(page)}
    Agent(page).sign_in(desk.url, "admin@kite.example", desk.password)
    page.get_by_test_id("view-queued").click()
    row_of(page, f"{name} {scheme}").click()
    expect(page.get_by_test_id("contact-history")).to_be_visible(timeout=REPLY_MS)
    found["desk"] = violations(page)
    for one in PAGES:
        page.goto(f"{desk.url}/staff/#/{one}")
        expect(page.locator("main")).to_be_visible()
        expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=REPLY_MS)
        found[one] = violations(page)
    report = [f"{place}: {line}" for place, lines in found.items() for line in lines]
    assert not report, "\n".join(report)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everybody_can_use_the_chat(desk: Desk, new_context: Callable[..., BrowserContext], language: str) -> None:
    visitor = Visitor(new_context(viewport={"width": 1280, "height": 720}).new_page(), language)
    visitor.arrive(desk.url)
    visitor.say({"en": "how long do I have to return something", "zh": "买回来不喜欢，几天内能退？"}[language])
    found = violations(visitor.page)
    assert not found, "\n".join(found)
