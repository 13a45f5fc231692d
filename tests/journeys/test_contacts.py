"""An agent looks after a contact: edits, a colleague's edit meanwhile, a link, a ticket, a merge taken back, on a phone too."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import REPLY_MS, Agent
from tests.journeys.test_organise import row_of, writes

pytestmark = [pytest.mark.browser]

SAID = {
    "en": {
        "ask": "talk to a human", "says": "The left earbud makes no sound", "name": "Iris Vale", "renamed": "Iris Vale-Moore",
        "boss": "I. Vale", "note": "Prefers to be called after six", "customer": "E*** C***", "email": "emma.clarke",
        "ticket": "Left earbud silent", "comment": "We are sending a new earbud", "other": "Iris on the phone",
        "prove": "where is my order KT20260003", "last4": "0123", "resolved": "resolved",
    },
    "zh": {
        "ask": "转人工", "says": "左边耳机没有声音", "name": "沈以宁", "renamed": "沈以宁（公司）",
        "boss": "沈女士", "note": "希望晚上六点以后再打电话", "customer": "李*", "email": "liting",
        "ticket": "左耳机无声", "comment": "我们会补寄一只耳机", "other": "沈以宁手机",
        "prove": "查一下订单 KT20260001 到哪了", "last4": "2468", "resolved": "resolved",
    },
}  # fmt: skip


def field(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"field-{name}")


def edit(page: Page, name: str, value: str) -> None:
    """Change a value where it stands, with the keyboard."""
    page.get_by_test_id(f"edit-{name}").click()
    field(page, name).fill(value)
    field(page, name).press("Enter")


def open_and_accept(agent: Agent, name: str) -> None:
    agent.page.get_by_test_id("view-queued").click()
    row_of(agent.page, name).click()
    agent.accept()
    agent.page.get_by_test_id("view-mine").click()
    row_of(agent.page, name).click()
    expect(agent.page.get_by_test_id("contact-history")).to_be_visible(timeout=REPLY_MS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_agent_looks_after_a_contact(desk: Desk, new_context: Callable[..., BrowserContext], language: str) -> None:
    said = SAID[language]
    locale = "zh-CN" if language == "zh" else "en-GB"
    writes(desk, f"care-{language}-1", said["ask"], language, said["name"])
    writes(desk, f"care-{language}-1", said["says"], language, said["name"])
    writes(desk, f"care-{language}-2", said["ask"], language, said["other"])
    agent = Agent(new_context(locale=locale, viewport={"width": 1280, "height": 720}).new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    page = agent.page
    open_and_accept(agent, said["name"])
    shot(page, f"9-contact-{language}")

    # editing: Esc changes nothing, Enter saves, what a colleague saved meanwhile is shown beside one's own
    page.get_by_test_id("edit-name").click()
    field(page, "name").fill("oops")
    field(page, "name").press("Escape")
    expect(page.get_by_text("oops")).to_have_count(0)
    expect(page.get_by_test_id("edit-name")).to_be_focused()
    page.get_by_test_id("edit-name").click()
    boss = Agent(new_context(locale=locale).new_page())
    boss.sign_in(desk.url, "supervisor@kite.example", desk.password)
    boss.open_in("all", said["name"])
    edit(boss.page, "name", said["boss"])
    expect(row_of(page, said["boss"])).to_be_visible(timeout=REPLY_MS)  # live, in the list as well
    field(page, "name").fill(said["renamed"])
    field(page, "name").press("Enter")
    expect(page.get_by_test_id("problem-name")).to_contain_text(said["boss"], timeout=REPLY_MS)
    expect(field(page, "name")).to_have_value(said["renamed"])  # nothing is lost
    shot(page, f"9-contact-conflict-{language}")
    field(page, "name").press("Enter")
    expect(row_of(boss.page, said["renamed"])).to_be_visible(timeout=REPLY_MS)
    page.get_by_test_id("edit-tier").click()
    field(page, "tier").select_option("vip")
    field(page, "tier").press("Enter")
    expect(page.get_by_text(re.compile("set by hand|人工设定"))).to_be_visible(timeout=REPLY_MS)
    edit(page, "note", said["note"])
    expect(page.locator("dd").get_by_text(said["note"])).to_be_visible(timeout=REPLY_MS)

    # a link is a colleague's opinion
    page.get_by_test_id("contact-link").click()
    page.get_by_test_id("link-search").fill(said["email"])
    expect(page.get_by_test_id("link-customer")).to_contain_text(said["customer"], timeout=REPLY_MS)
    shot(page, f"9-contact-link-{language}")
    page.get_by_test_id("link-submit").click()
    expect(page.get_by_test_id("identity")).to_contain_text(re.compile("Linked by|关联"), timeout=REPLY_MS)
    expect(page.get_by_text("KT2026000").first).to_be_visible()
    expect(page.get_by_test_id("edit-customer-phone")).to_have_count(0)  # nobody proved anything

    # a ticket, opened and moved on
    page.get_by_test_id("ticket-open").click()
    page.get_by_test_id("ticket-submit").click()
    expect(page.get_by_test_id("ticket-problem")).to_be_visible()
    page.get_by_test_id("ticket-subject").fill(said["ticket"])
    page.get_by_test_id("ticket-text").fill(said["says"])
    page.get_by_test_id("ticket-priority").select_option("high")
    shot(page, f"9-contact-ticket-{language}")
    page.get_by_test_id("ticket-submit").click()
    ticket = page.get_by_test_id("ticket").filter(has_text=said["ticket"])
    expect(ticket).to_be_visible(timeout=REPLY_MS)
    expect(page.locator(".group.note", has_text=said["ticket"]).last).to_be_visible()  # a note in the transcript
    ticket.locator("summary").click()
    ticket.get_by_test_id("ticket-update").click()
    page.get_by_test_id("ticket-status").select_option("resolved")
    page.get_by_test_id("ticket-comment").fill(said["comment"])
    page.get_by_test_id("ticket-submit").click()
    expect(ticket).to_contain_text(re.compile("Resolved|已解决"), timeout=REPLY_MS)
    ticket.get_by_test_id("ticket-update").click()
    expect(page.get_by_test_id("ticket-lines")).to_contain_text(said["comment"])
    shot(page, f"9-contact-ticket-history-{language}")
    page.keyboard.press("Escape")

    # two contacts become one and two again
    past = page.get_by_test_id("contact-past").count()  # with those of whoever proved to be this customer before
    page.get_by_test_id("contact-merge").click()
    page.get_by_test_id("contact-search").fill(said["other"])
    page.get_by_test_id("same-person").filter(has_text=said["other"]).click()
    expect(page.get_by_test_id("merge-preview")).to_be_visible(timeout=REPLY_MS)
    expect(page.get_by_test_id("contact-merge-submit")).to_be_disabled()  # a name proves nothing
    page.get_by_test_id("contact-sure").check()
    shot(page, f"9-contact-merge-{language}")
    page.get_by_test_id("contact-merge-submit").click()
    expect(page.get_by_test_id("contact-merges")).to_contain_text(said["other"], timeout=REPLY_MS)
    expect(page.get_by_test_id("contact-past")).to_have_count(past + 1)
    page.get_by_test_id("contact-merges").scroll_into_view_if_needed()
    shot(page, f"9-contact-merged-{language}")
    page.get_by_test_id("contact-separate").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id("contact-merges")).to_have_count(0, timeout=REPLY_MS)
    page.get_by_test_id("contact-unlink").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(page.get_by_test_id("identity")).to_contain_text(re.compile("not verified|未核实"), timeout=REPLY_MS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_account_details_are_edited_once_the_customer_has_proved_who_they_are(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    said = SAID[language]
    locale = "zh-CN" if language == "zh" else "en-GB"
    name = f"{said['name']} V"
    for text in (said["prove"], said["last4"], said["ask"]):
        writes(desk, f"proved-{language}", text, language, name)
    agent = Agent(new_context(locale=locale, viewport={"width": 1280, "height": 720}).new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    page = agent.page
    open_and_accept(agent, name)
    expect(page.get_by_test_id("identity")).to_contain_text(re.compile("verified|已核实"), timeout=REPLY_MS)
    edit(page, "customer-phone", "12")
    expect(page.get_by_test_id("problem-customer-phone")).to_contain_text(re.compile("phone number|电话号码"))
    page.get_by_test_id("problem-customer-phone").scroll_into_view_if_needed()
    shot(page, f"9-contact-phone-refused-{language}")
    field(page, "customer-phone").fill("+44 7700 900123" if language == "en" else "+86 138 0013 2468")
    field(page, "customer-phone").press("Enter")
    expect(page.get_by_test_id("edit-customer-phone")).to_be_visible(timeout=REPLY_MS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_contact_is_looked_after_on_a_phone(
    desk: Desk, new_context: Callable[..., BrowserContext], language: str
) -> None:
    said = SAID[language]
    locale = "zh-CN" if language == "zh" else "en-GB"
    name = f"{said['name']} M"
    writes(desk, f"phone-{language}", said["ask"], language, name)
    context = new_context(locale=locale, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    agent = Agent(context.new_page())
    agent.sign_in(desk.url, "agent@kite.example", desk.password)
    page = agent.page
    page.get_by_test_id("view-queued").click()
    row_of(page, name).click()
    page.get_by_test_id("details").first.click()
    expect(page.get_by_test_id("contact-history")).to_be_visible(timeout=REPLY_MS)
    page.get_by_test_id("edit-note").click()
    field(page, "note").fill(said["note"])
    shot(page, f"9-contact-small-{language}")
    field(page, "note").press("Enter")
    expect(page.locator("dd").get_by_text(said["note"])).to_be_visible(timeout=REPLY_MS)
    page.get_by_test_id("ticket-open").click()
    expect(page.get_by_test_id("ticket-text")).to_be_visible()
    shot(page, f"9-contact-small-ticket-{language}")
    page.get_by_test_id("ticket-text").fill(said["says"])
    page.get_by_test_id("ticket-point").fill("+86 138 0000 1111")
    page.get_by_test_id("ticket-submit").click()
    expect(page.get_by_test_id("ticket")).to_be_visible(timeout=REPLY_MS)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    assert not wide
