"""The built console in real browsers: teams are set up, a conversation is offered, shared, taken over and passed on."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from conversations.sweeper import Sweeper
from handoff.pages import DIST
from handoff.roles import Role
from tests.conversations.builders import until
from tests.handoff.desk import PASSWORD, Desk, open_desk

pytestmark = pytest.mark.browser


def missing(what: str) -> None:
    if os.environ.get("CI"):
        raise RuntimeError(what)
    pytest.skip(what)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        missing("no Chromium on the PATH")
    if not (DIST / "index.html").exists():
        missing("the console is not built; run `make setup`")
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        await browser.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, dist=DIST) as desk:
        sweeper = Sweeper(desk.conversations)
        await sweeper.start()
        yield desk
        await sweeper.stop()


async def console_of(browser: Browser, desk: Desk, name: str, role: Role = Role.AGENT) -> Page:
    member = await desk.hire(name, role)
    context = await browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await page.goto(f"{desk.base}/staff/")
    await page.fill('input[type="email"]', member.email)
    await page.fill('input[type="password"]', PASSWORD)
    await page.click('button[type="submit"]')
    await page.get_by_test_id("view-mine").wait_for()
    return page


async def test_a_supervisor_sets_up_a_team_and_is_told_what_is_wrong(browser: Browser, desk: Desk) -> None:
    boss = await console_of(browser, desk, "Grace Holt", Role.SUPERVISOR)
    await boss.get_by_test_id("page-teams").click()
    await boss.get_by_test_id("team-add").click()
    await boss.get_by_test_id("team-en").fill("Repairs")
    await boss.get_by_test_id("team-hours").fill("nine to five")
    await boss.get_by_test_id("team-save").click()
    await expect(boss.get_by_test_id("team-problem")).to_contain_text("cannot read business hours")
    await boss.get_by_test_id("team-hours").fill("Mon-Sun 00:00-24:00")
    await boss.get_by_test_id("team-save").click()
    await expect(boss.get_by_test_id("team")).to_have_count(2)
    chen = await console_of(browser, desk, "Chen Yu")
    await chen.get_by_test_id("page-teams").click()
    await expect(chen.get_by_test_id("team")).to_have_count(2)
    await expect(chen.get_by_test_id("team-add")).to_have_count(0)  # agents read


async def test_a_conversation_is_offered_shared_taken_over_and_passed_on(browser: Browser, desk: Desk) -> None:
    boss = await desk.browser("Head", Role.SUPERVISOR)
    await boss.post("teams/default", {"name_en": "All", "mode": "offer", "offer_seconds": 60})
    await boss.post("teams", {"name_en": "Repairs", "name_zh": "维修组"})
    chen, sam = await console_of(browser, desk, "Chen Yu"), await console_of(browser, desk, "Sam")
    conversation_id = await desk.queued("转人工", name="李婷")

    async def offered() -> bool:
        return (await desk.conversations.get_conversation(conversation_id)).offered_name is not None

    await until(offered)
    is_chen = (await desk.conversations.get_conversation(conversation_id)).offered_name == "Chen Yu"
    asked, other = (chen, sam) if is_chen else (sam, chen)
    await expect(asked.get_by_test_id("offer")).to_contain_text("李婷")
    await expect(other.get_by_test_id("offer")).to_have_count(0)
    await asked.get_by_test_id("offer-no").click()
    await other.get_by_test_id("offer-yes").click()
    await expect(other.get_by_test_id("company")).to_be_visible()

    grace = await console_of(browser, desk, "Grace Holt", Role.SUPERVISOR)
    await grace.goto(f"{desk.base}/staff/#/all/{conversation_id}")
    await grace.get_by_test_id("barge-in").click()
    await expect(other.get_by_test_id("participant")).to_contain_text("Grace Holt")
    await expect(grace.get_by_test_id("leave")).to_be_visible()
    await grace.get_by_test_id("take-over").click()
    await grace.get_by_role("button", name="Take over", exact=True).click()
    await expect(other.get_by_text("took over your conversation")).to_be_visible()

    await grace.get_by_test_id("transfer").click()
    await grace.get_by_test_id("to-team").click(force=True)
    await grace.get_by_text("Repairs").click()
    await grace.get_by_test_id("hand-on").click()
    await expect(grace.get_by_test_id("accept")).to_be_visible()
    conversation = await desk.conversations.get_conversation(conversation_id)
    assert conversation.status.value == "queued"
    told = await desk.contact_sees()
    assert any("Grace Holt 也加入了会话" in text for text in told)
    assert any("Grace Holt 接手" in text for text in told)
    assert any("维修组" in text for text in told)
