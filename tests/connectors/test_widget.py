"""The built widget in a real browser, against the real conversations."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.connectors.desk import AGENT, Server, running_server
from tests.conversations.builders import last_rating

pytestmark = pytest.mark.browser
BUNDLE = Path(__file__).resolve().parents[2] / "connectors" / "webchat" / "widget" / "dist" / "widget.js"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080600000"
    "01f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ff89993d1d0000000049454e44ae426082"
)


def missing(what: str) -> None:
    if os.environ.get("CI"):
        raise RuntimeError(what)
    pytest.skip(what)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        missing("no Chromium on the PATH")
    if not BUNDLE.exists():
        missing("the widget is not built; run `make setup`")
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        await browser.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_server(tmp_path, bundle=BUNDLE) as server:
        yield server


@asynccontextmanager
async def visitor(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One visitor's browser; nothing may go wrong in the console or break the page's security policy."""
    context = await browser.new_context(locale="en-GB")
    troubles: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: troubles.append(line.text) if "Content Security" in line.text else None)

    context.on("page", watch)
    yield context
    await context.close()
    assert troubles == []


async def open_shop(context: BrowserContext, desk: Server, language: str = "en") -> Page:
    page = await context.new_page()
    await page.goto(f"{desk.url}/?lang={language}")
    return page


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Write a message…").fill(text)
    await page.keyboard.press("Enter")


async def test_a_question_of_the_page_is_asked_and_answered_and_still_there_later(
    browser: Browser, desk: Server
) -> None:
    async with visitor(browser) as context:
        page = await open_shop(context, desk)
        await page.get_by_role("button", name="I need an invoice").click()
        await expect(page.get_by_text("you said I need an invoice")).to_be_visible()
        await page.close()
        page = await open_shop(context, desk)
        await expect(page.get_by_text("you said I need an invoice")).to_have_count(1)
        await page.evaluate("document.documentElement.lang = 'zh'")
        await expect(page.get_by_role("heading", name="在线客服")).to_be_visible()


async def test_two_tabs_show_the_same(browser: Browser, desk: Server) -> None:
    async with visitor(browser) as context:
        one = await open_shop(context, desk)
        await one.get_by_role("button", name="Open the chat").click()
        await say(one, "from the first tab")
        await expect(one.get_by_text("you said from the first tab")).to_be_visible()
        other = await open_shop(context, desk)
        await say(other, "from the second tab")
        for page in (one, other):
            await expect(page.get_by_text("you said from the second tab")).to_have_count(1)
            await expect(page.get_by_text("you said from the first tab")).to_have_count(1)


async def test_a_message_written_without_network_is_sent_once_when_it_is_back(browser: Browser, desk: Server) -> None:
    """F47: what is written offline is sent once."""
    async with visitor(browser) as context:
        page = await open_shop(context, desk)
        await page.get_by_role("button", name="Open the chat").click()
        await say(page, "hello")
        await expect(page.get_by_text("you said hello")).to_be_visible()
        await context.set_offline(True)
        await expect(page.get_by_text("No connection, reconnecting…")).to_be_visible()
        await say(page, "written offline")
        await expect(page.get_by_text("Waiting to be sent")).to_be_visible()
        await context.set_offline(False)
        await expect(page.get_by_text("you said written offline")).to_have_count(1, timeout=15_000)
        await expect(page.get_by_text("Waiting to be sent")).to_have_count(0)


async def test_without_sockets_the_widget_polls(browser: Browser, desk: Server) -> None:
    async with visitor(browser) as context:
        await context.add_init_script("window.WebSocket = class { constructor() { throw new Error('blocked') } }")
        page = await open_shop(context, desk)
        await page.get_by_role("button", name="Open the chat").click()
        await say(page, "hello over http")
        await expect(page.get_by_text("you said hello over http")).to_have_count(1, timeout=15_000)


async def test_from_the_bot_to_a_person_to_the_rating(browser: Browser, desk: Server) -> None:
    async with visitor(browser) as context:
        page = await open_shop(context, desk)
        await page.get_by_role("button", name="Open the chat").click()
        await page.get_by_role("button", name="More").click()
        await page.get_by_role("menuitem", name="Talk to a person").click()
        await expect(page.get_by_text("Waiting for a person")).to_be_visible()
        conversation = (await desk.desk.list_conversations("queued")).items[0].id
        await desk.desk.assign(conversation, AGENT)
        await expect(page.get_by_role("heading", name="Lin")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await desk.desk.reply_as_agent(conversation, AGENT, "<img src=x onerror=alert(1)> https://kite.example/a", None)
        await page.get_by_role("button", name="Open the chat (1 unread messages)").click()
        await expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
        await expect(page.get_by_role("link", name="https://kite.example/a")).to_have_attribute(
            "rel", "noopener noreferrer nofollow"
        )
        await desk.desk.resolve(conversation, AGENT)
        await page.get_by_role("radio", name="4 / 5, Good").check()
        await page.get_by_role("button", name="Send rating").click()
        await expect(page.get_by_role("img", name="4 / 5, Good")).to_be_visible()
        rating = await last_rating(desk.desk, conversation)
        assert rating is not None
        assert rating.score == 4


async def test_a_picture_is_uploaded_and_shown(browser: Browser, desk: Server) -> None:
    async with visitor(browser) as context:
        page = await open_shop(context, desk)
        await page.get_by_role("button", name="Open the chat").click()
        await page.locator("input[type=file]").set_input_files(
            {"name": "photo.png", "mimeType": "image/png", "buffer": PNG}
        )
        await expect(page.locator(".chip.done")).to_be_visible()
        await page.get_by_role("button", name="Send").click()
        picture = page.get_by_role("img", name="photo.png")
        await expect(picture).to_have_js_property("naturalWidth", 1)


async def test_enter_does_not_send_while_chinese_is_being_composed(browser: Browser, desk: Server) -> None:
    async with visitor(browser) as context:
        page = await open_shop(context, desk, "zh")
        await page.get_by_role("button", name="打开客服对话").click()
        field = page.get_by_label("输入您的问题…")
        await field.fill("ni hao")
        await field.evaluate(
            "field => { field.dispatchEvent(new CompositionEvent('compositionstart'));"
            " field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, isComposing: true})); }"
        )
        await expect(field).to_have_value("ni hao")
        await field.evaluate("field => field.dispatchEvent(new CompositionEvent('compositionend'))")
        await page.keyboard.press("Enter")
        await expect(field).to_have_value("")


async def test_out_of_hours_a_form_asks_how_to_reach_the_visitor(browser: Browser, desk: Server) -> None:
    desk.desk.go_home()
    async with visitor(browser) as context:
        chat = await open_shop(context, desk)
        await chat.get_by_role("button", name="Open the chat").click()
        await say(chat, "a person please")
        form = chat.get_by_role("form", name="How can we reach you once we are back?")
        point, time = form.get_by_label("Phone number or e-mail"), form.get_by_label("Best time (optional)")
        await point.fill("1380013")
        await point.press("Enter")
        await expect(form.get_by_role("alert")).to_contain_text("looks incomplete")
        await expect(point).to_be_focused()
        await expect(point).to_have_attribute("aria-invalid", "true")
        await point.fill("138 0013 2468")
        await time.fill("after 2 pm")
        await say(chat, "and my parcel is wet")  # what is typed in the form stays while the conversation goes on
        await expect(time).to_have_value("after 2 pm")
        await time.press("Enter")
        await expect(chat.get_by_text("Got it: 13800132468")).to_be_visible()
        await expect(form).to_have_count(0)
        await expect(chat.locator(".row.contact", has_text="Best time: after 2 pm")).to_have_count(1)
        await chat.reload()
        await expect(chat.get_by_text("Got it: 13800132468")).to_be_visible()
        await expect(form).to_have_count(0)
