"""What a contact and an agent do in a browser, in their own words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.journeys.conftest import Desk

NewContext = Callable[..., BrowserContext]
#: The demo's sign-ins: two agents and a supervisor.
CHEN = "agent@kite.example"
SAM = "sam@kite.example"
GRACE = "supervisor@kite.example"

#: The few words of our own pages that the journeys look for.
WORDS = {
    "en": {
        "open": "Open the chat",
        "send": "Send rating",
        "comment": "Anything you would like to add",
        "offline": "reconnecting",
    },
    "zh": {"open": "打开客服对话", "send": "提交评价", "comment": "还有什么想告诉我们的", "offline": "重新连接"},
}
REPLY_MS = 20_000


@dataclass
class Visitor:
    """A contact on the shop page."""

    page: Page
    language: str

    def arrive(self, url: str) -> None:
        self.page.goto(f"{url}/?lang={self.language}")
        self.open_chat()

    def open_chat(self) -> None:
        launcher = self.page.get_by_role("button", name=re.compile(WORDS[self.language]["open"]))
        if launcher.count():
            launcher.first.click()
        expect(self.field).to_be_visible()

    @property
    def chat(self) -> Locator:
        return self.page.locator("frontdesk-chat")

    @property
    def field(self) -> Locator:
        return self.chat.locator("textarea").last

    @property
    def said(self) -> Locator:
        """Everything the desk said, oldest first."""
        return self.chat.locator(".row.bot:not(.typing) .bubble, .row.agent:not(.typing) .bubble, .system p")

    @property
    def own(self) -> Locator:
        return self.chat.locator(".row.contact .bubble")

    def say(self, text: str) -> None:
        before = self.said.count()
        self.field.fill(text)
        self.field.press("Enter")
        expect(self.own.filter(has_text=text).last).to_be_visible()
        self._wait_for_more(before)

    def say_unheard(self, text: str) -> None:
        """Say something that nobody answers at once."""
        self.field.fill(text)
        self.field.press("Enter")
        expect(self.own.filter(has_text=text).last).to_be_visible()

    def press(self, title: str | re.Pattern[str]) -> None:
        before = self.said.count()
        self.chat.locator(".replies").get_by_role("button", name=title).first.click()
        self._wait_for_more(before)

    def _wait_for_more(self, before: int) -> None:
        expect(self.said.nth(before)).to_be_visible(timeout=REPLY_MS)
        expect(self.chat.locator(".typing")).to_have_count(0, timeout=REPLY_MS)

    def heard(self, pattern: str) -> None:
        expect(self.said.filter(has_text=re.compile(pattern, re.IGNORECASE)).last).to_be_visible(timeout=REPLY_MS)

    @property
    def bot_said(self) -> Locator:
        return self.chat.locator(".row.bot:not(.typing) .bubble")

    @property
    def people_said(self) -> Locator:
        """What agents said, oldest first."""
        return self.chat.locator(".row.agent:not(.typing) .bubble")

    def status(self, pattern: str) -> None:
        """The line under the chat's title says so."""
        expect(self.chat.locator("header")).to_contain_text(re.compile(pattern), timeout=REPLY_MS)

    def never_heard(self, pattern: str) -> None:
        expect(self.said.filter(has_text=re.compile(pattern, re.IGNORECASE))).to_have_count(0)

    def rate(self, score: int, comment: str) -> None:
        card = self.chat.locator("form.rating")
        expect(card).to_be_visible(timeout=REPLY_MS)
        card.locator("label.star").nth(score - 1).click()
        card.get_by_label(re.compile(re.escape(WORDS[self.language]["comment"]))).fill(comment)
        card.get_by_role("button", name=WORDS[self.language]["send"]).click()
        expect(self.chat.locator(".rating.done")).to_be_visible(timeout=REPLY_MS)


@dataclass
class Agent:
    """A member of staff at the console."""

    page: Page

    def sign_in(self, url: str, email: str, password: str) -> None:
        self.page.goto(f"{url}/staff/")
        self.page.locator("input[type=email], input[autocomplete=username]").first.fill(email)
        self.page.locator("input[type=password]").fill(password)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_test_id("view-queued")).to_be_visible()

    def open_waiting(self, with_text: str) -> None:
        self.page.get_by_test_id("view-queued").click()
        self._open(with_text)

    def open_in(self, view: str, with_text: str) -> None:
        self.page.get_by_test_id(f"view-{view}").click()
        self._open(with_text)

    def _open(self, with_text: str) -> None:
        self.page.get_by_text(with_text).first.click(timeout=REPLY_MS)
        expect(self.page.get_by_test_id("details")).to_be_visible()

    def accept(self) -> None:
        self.page.get_by_test_id("accept").click()
        expect(self.composer).to_be_enabled(timeout=REPLY_MS)

    @property
    def composer(self) -> Locator:
        box = self.page.get_by_test_id("composer")
        return box.locator("textarea").or_(self.page.locator("textarea[data-testid=composer]")).first

    def reply(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def release(self) -> None:
        self._confirmed("release")

    def resolve(self) -> None:
        self._confirmed("resolve")

    def _confirmed(self, verb: str) -> None:
        self.page.get_by_test_id(verb).click()
        self.page.locator(".el-popconfirm:visible .el-button--primary").click()

    def row(self, text: str) -> Locator:
        """The conversation in the list that shows these words."""
        return self.page.locator("button[data-id]").filter(has_text=text)

    def bubbles(self, text: str) -> Locator:
        """Messages and notes of the open conversation that hold these words."""
        return self.page.locator("[role=log] .bubble").filter(has_text=text)

    def told(self, text: str) -> None:
        """Something popped up that says so, and is put aside."""
        box = self.page.locator(".el-notification").filter(has_text=text)
        expect(box).to_be_visible(timeout=REPLY_MS)

    def cannot_reply(self) -> None:
        expect(self.page.locator("textarea[data-testid=composer]")).to_have_count(0, timeout=REPLY_MS)

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).last).to_be_visible(timeout=REPLY_MS)


def in_language(new_context: NewContext, language: str, **options: object) -> Page:
    return new_context(locale="zh-CN" if language == "zh" else "en-GB", **options).new_page()


def waiting_visitor(
    new_context: NewContext, desk: Desk, language: str, says: str = "", first: str = "", **options: object
) -> tuple[Visitor, str]:
    """A contact in the queue, and the words by which the agents find them: an order number of this journey's own.

    ``says`` is what it is about, with ``{mark}`` in it, and ``first`` what the bot is asked before.
    """
    visitor = Visitor(in_language(new_context, language, **options), language)
    visitor.arrive(desk.url)
    if first:
        visitor.say(first)
    mark = f"KT{time.time_ns() % 10**8:08d}"
    visitor.say({"en": "human please", "zh": "转人工"}[language])
    words = says or {"en": "my parcel {mark} is late", "zh": "我的包裹 {mark} 还没到"}[language]
    visitor.say_unheard(words.format(mark=mark))
    return visitor, mark


def at_work(new_context: NewContext, desk: Desk, language: str, email: str, **options: object) -> Agent:
    agent = Agent(in_language(new_context, language, **options))
    agent.sign_in(desk.url, email, desk.password)
    return agent


def confirm(page: Page) -> None:
    page.locator(".el-popconfirm:visible .el-button--primary").click()


def hand_to(agent: Agent, name: str, note: str = "") -> None:
    """Transfer the open conversation to a colleague."""
    agent.page.get_by_test_id("transfer").click()
    dialog = agent.page.locator(".el-dialog:visible")
    dialog.locator("label", has_text=name).click()
    dialog.locator("textarea").fill(note)
    dialog.locator(".el-button--primary").click()
    expect(dialog).to_have_count(0)
