"""An agent keeps order: labels, priority, snoozing, bulk, a saved filter, search, a mention, and a merge taken back."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import REPLY_MS, Agent

pytestmark = [pytest.mark.browser]

#: What contacts write, a part of it to search for, a label, a reason, a filter's name, and a note.
SAID = {
    "en": {
        "ask": "talk to a human", "says": "The courier left my parcel in the rain", "part": "parcels rain", "label": "Wet parcel",
        "reason": "waiting for the courier", "filter": "Urgent today", "note": "can you have a look?", "name": "Nora Field",
    },
    "zh": {
        "ask": "转人工", "says": "快递把包裹放在雨里淋湿了", "part": "淋湿", "label": "包裹淋湿",
        "reason": "等快递核实", "filter": "今日紧急", "note": "麻烦看一下", "name": "周小南",
    },
}  # fmt: skip


def writes(desk: Desk, contact: str, text: str, language: str, name: str, wait_seconds: int = 15) -> None:
    """A contact writes through the REST channel and waits for what comes back."""
    body = {"contact": contact, "text": text, "language": language, "name": name, "wait_seconds": wait_seconds}
    headers = {"Authorization": f"Bearer {desk.rest_key()}"}
    response = httpx.post(f"{desk.url}/api/v1/messages", json=body, headers=headers, timeout=30)
    assert response.status_code in (200, 202), response.text


def waits(desk: Desk, contact: str, language: str, name: str) -> None:
    """A contact who asked for a person and said what it is about."""
    writes(desk, contact, SAID[language]["ask"], language, name)
    writes(desk, contact, SAID[language]["says"], language, name, wait_seconds=0)  # nobody answers in the queue


def row_of(page: Page, name: str) -> Locator:
    return page.locator("button[data-id]").filter(has_text=name).first


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_agent_keeps_order(desk: Desk, new_context: Callable[..., BrowserContext], language: str) -> None:
    said = SAID[language]
    locale = "zh-CN" if language == "zh" else "en-GB"
    names = [f"{said['name']} {letter}" for letter in "ABC"]
    for number, name in enumerate(names):
        waits(desk, f"order-{language}-{number}", language, name)
    agent = Agent(new_context(locale=locale, viewport={"width": 1280, "height": 720}).new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    page = agent.page

    # labels and priority, from the conversation
    agent.open_waiting(names[0])
    agent.accept()
    page.get_by_test_id("labels").click()
    page.get_by_test_id("label-search").fill(said["label"])
    page.get_by_test_id("label-create").click()
    expect(page.get_by_test_id("organise-bar").get_by_text(said["label"]).first).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_test_id("priority").click()
    page.get_by_test_id("priority-urgent").click()
    expect(page.get_by_test_id("priority")).to_have_attribute("aria-label", re.compile("Urgent|紧急"))
    shot(page, f"8-organise-conversation-{language}")

    # snoozing: out of the way, among the snoozed, back
    page.get_by_test_id("snooze").click()
    page.get_by_test_id("snooze-reason").fill(said["reason"])
    shot(page, f"8-organise-snooze-{language}")
    page.get_by_test_id("snooze-tomorrow").click()
    expect(page.get_by_test_id("snoozed")).to_contain_text(said["reason"])
    page.get_by_test_id("view-mine").click()
    expect(row_of(page, names[0])).to_have_count(0)
    page.get_by_test_id("view-snoozed").click()
    expect(row_of(page, names[0])).to_be_visible()
    page.get_by_test_id("wake").click()
    page.get_by_test_id("view-mine").click()
    expect(row_of(page, names[0])).to_be_visible()

    # several at once
    page.get_by_test_id("view-queued").click()
    for name in names[1:]:
        row = row_of(page, name)
        expect(row).to_be_visible(timeout=REPLY_MS)
    page.get_by_test_id("select").click()
    for name in names[1:]:
        page.locator("input[data-pick]").and_(page.get_by_label(re.compile(re.escape(name)))).check()
    shot(page, f"8-organise-bulk-{language}")
    page.get_by_test_id("bulk-assign").click()
    expect(page.get_by_test_id("bulk-bar")).to_have_count(0, timeout=REPLY_MS)
    page.get_by_test_id("view-mine").click()
    for name in names:
        expect(row_of(page, name)).to_be_visible()

    # a filter with a name and a count
    page.get_by_test_id("filter-add").click()
    page.get_by_test_id("filter-name").fill(said["filter"])
    page.get_by_test_id("add-condition").select_option("priority")
    page.get_by_test_id("condition-priority").get_by_text(re.compile("Urgent|紧急")).click()
    page.get_by_test_id("add-condition").select_option("language")
    page.get_by_test_id("condition-language").locator(f"input[value={language}]").check()
    expect(page.get_by_test_id("filter-fits")).to_contain_text("1", timeout=REPLY_MS)
    shot(page, f"8-organise-filter-{language}")
    page.get_by_test_id("filter-save").click()
    expect(page.get_by_test_id("list-title")).to_have_text(said["filter"])
    expect(page.locator("button[data-id]")).to_have_count(1, timeout=REPLY_MS)
    entry = page.get_by_test_id("saved-filter").filter(has_text=said["filter"])
    expect(entry).to_contain_text("1")

    # search with the keyboard alone, and jump to the message
    page.get_by_test_id("page-search").click()
    page.get_by_test_id("search-field").fill(said["part"])
    expect(page.get_by_test_id("search-hit").filter(has_text=names[2]).locator("mark").first).to_be_visible(
        timeout=REPLY_MS
    )
    shot(page, f"8-organise-search-{language}")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("search-hit").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".message.shown")).to_contain_text(said["says"])

    # a mention reaches the supervisor
    boss = Agent(new_context(locale=locale).new_page())
    boss.sign_in(desk.url, "supervisor@kite.example", desk.password)
    staff_id = boss.page.evaluate("fetch('/staff/api/me').then(r => r.json()).then(s => s.staff.id)")
    page.get_by_test_id("mode-note").click()
    agent.reply(f"@[Grace Holt]({staff_id}) {said['note']}")
    expect(page.get_by_text(f"@Grace Holt {said['note']}")).to_be_visible()
    expect(boss.page.get_by_test_id("view-mentions")).to_contain_text("1", timeout=REPLY_MS)
    boss.page.get_by_test_id("view-mentions").click()
    expect(boss.page.locator("button[data-id]").first).to_contain_text(re.compile("Mentioned|提到我"))
    boss.page.locator("button[data-id]").first.click()
    expect(boss.page.get_by_text(f"@Grace Holt {said['note']}")).to_be_visible()
    expect(boss.page.get_by_test_id("view-mentions")).not_to_contain_text("1", timeout=REPLY_MS)
    shot(boss.page, f"8-organise-mention-{language}")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_duplicates_become_one_thread_and_two_again(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    said = SAID[language]
    locale = "zh-CN" if language == "zh" else "en-GB"
    name = f"{said['name']} M"
    waits(desk, f"merge-{language}-1", language, name)
    writes(desk, f"merge-{language}-2", said["ask"], language, name)
    writes(desk, f"merge-{language}-2", f"{said['says']} 2", language, name)
    agent = Agent(new_context(locale=locale, viewport={"width": 1280, "height": 720}).new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    page = agent.page
    page.get_by_test_id("view-queued").click()
    row_of(page, name).click()
    agent.accept()
    page.get_by_test_id("merge").click()
    expect(page.get_by_test_id("duplicate").filter(has_text=name)).to_be_visible(timeout=REPLY_MS)
    expect(page.get_by_test_id("merge-submit")).to_be_disabled()  # the same name is not yet the same person
    shot(page, f"8-organise-merge-{language}")
    page.locator(".sure input").check()
    page.get_by_test_id("merge-submit").click()
    expect(page.get_by_test_id("merged-threads")).to_be_visible(timeout=REPLY_MS)
    expect(page.get_by_text(said["says"], exact=True).last).to_be_visible()
    expect(page.get_by_text(f"{said['says']} 2").last).to_be_visible()
    expect(page.locator(".origin").first).to_be_visible()
    shot(page, f"8-organise-merged-{language}")
    page.get_by_test_id("unmerge").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id("merged-threads")).to_have_count(0, timeout=REPLY_MS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_desk_is_in_order_on_a_phone(desk: Desk, new_context: Callable[..., BrowserContext], language: str) -> None:
    locale = "zh-CN" if language == "zh" else "en-GB"
    context = new_context(locale=locale, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    agent = Agent(context.new_page())
    agent.sign_in(desk.url, "sam@kite.example", desk.password)
    page = agent.page
    page.get_by_test_id("view-all").click()
    expect(page.locator("button[data-id]").first).to_be_visible(timeout=REPLY_MS)
    shot(page, f"8-organise-phone-list-{language}")
    page.get_by_test_id("page-search").click()
    page.get_by_test_id("search-field").fill(SAID[language]["part"])
    expect(page.get_by_test_id("search-hit").first).to_be_visible(timeout=REPLY_MS)
    shot(page, f"8-organise-phone-search-{language}")
    page.get_by_test_id("search-hit").first.click()
    expect(page.get_by_test_id("organise-bar")).to_be_visible()
    shot(page, f"8-organise-phone-conversation-{language}")
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    assert not wide
