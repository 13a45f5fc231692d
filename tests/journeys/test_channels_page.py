"""An administrator finds out why a channel fails, tries one out, and looks after what was not delivered."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.connectors.desk import free_port
from tests.doubles.slack import SECRET, TOKEN, Slack
from tests.journeys.conftest import Desk, running_desk, shot
from tests.journeys.people import REPLY_MS, Agent
from tests.journeys.test_accessibility import violations

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
ADMIN, SUPERVISOR, AGENT = "admin@kite.example", "supervisor@kite.example", "agent@kite.example"
SAID = {
    "zh": {
        "page": "渠道", "ready": "就绪", "failing": "异常", "receiving": "正常接收", "known": "验证通过", "network": "请检查网络", "secret": "密钥与对方平台不一致",
        "sent": "已发出", "unreachable": "联系不上该收件人", "contact": "只是联系不上这一位客户", "undelivered": "未送达", "replayed": "1 条消息已重新发送", "discarded": "已放弃",
        "asks": "你们的地址在哪", "reason": "已电话联系", "none": "全部已送达", "never": "不再发送",
    },
    "en": {
        "page": "Channels", "ready": "Ready", "failing": "Failing", "receiving": "Receiving", "known": "The vendor knows us", "network": "Check its network", "secret": "is not the one at the vendor",
        "sent": "Sent. Look whether", "unreachable": "The recipient cannot be reached", "contact": "This one customer", "undelivered": "Undelivered", "replayed": "One message is on its way again", "discarded": "discarded.",
        "asks": "Where are you based?", "reason": "Phoned instead", "none": "Everything was delivered", "never": "never sent",
    },
}  # fmt: skip


@dataclass
class Workspace:
    """A Slack workspace on loopback that lives beside a test without a loop of its own."""

    slack: Slack = field(default_factory=Slack)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def writes(self, desk: Desk, text: str, user: str) -> None:
        """A member of the workspace writes to the app."""
        event = self.slack.event(text, user=user)
        answer = self.run(self.slack.post(f"{desk.url}/webhooks/slack/support", event))
        assert answer.status_code == 200

    def heard(self, channel: str) -> list[str]:
        return [one.text for one in self.slack.said if one.channel == channel]


@pytest.fixture(scope="module")
def workspace() -> Iterator[Workspace]:
    place = Workspace()
    thread = threading.Thread(target=place.loop.run_forever, daemon=True)
    thread.start()
    serving = place.slack.running()
    place.run(serving.__aenter__())
    yield place
    place.run(serving.__aexit__(None, None, None))
    place.loop.call_soon_threadsafe(place.loop.stop)
    thread.join(10)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, workspace: Workspace) -> Iterator[Desk]:
    """A desk with a Slack app that works and a Telegram bot that reaches nobody."""
    folder: Path = tmp_path_factory.mktemp("channels")
    accounts = folder / "channels.yml"
    accounts.write_text(
        f"""
- {{channel: slack, account: support, bot_token: {TOKEN}, signing_secret: {SECRET}, api_base: "{workspace.slack.api}"}}
- channel: telegram
  token: 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw
  polling: true
  api_base: http://127.0.0.1:{free_port()}
"""
    )
    (folder / "data").mkdir()
    with running_desk(folder / "data", CHANNELS_FILE=str(accounts)) as desk:
        yield desk


def open_page(new_context: NewContext, desk: Desk, language: str, email: str, **options: Any) -> Page:
    page = new_context(locale="zh-CN" if language == "zh" else "en-GB", **options).new_page()
    Agent(page).sign_in(desk.url, email, desk.password)
    page.get_by_test_id("page-channels").click()
    return page


def told(page: Page, words: str) -> None:
    expect(page.locator(".el-message").filter(has_text=words).last).to_be_visible(timeout=REPLY_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_admin_looks_after_channels(
    shop: Desk, workspace: Workspace, new_context: NewContext, language: str
) -> None:
    words, user = SAID[language], "U0ANN" if language == "en" else "U0BOB"
    chat = f"D{user[1:]}"
    page = open_page(new_context, shop, language, ADMIN, permissions=["clipboard-read", "clipboard-write"])
    expect(page.get_by_role("heading", name=words["page"], exact=True)).to_be_visible()
    slack, telegram = page.get_by_test_id("channel-slack-support"), page.get_by_test_id("channel-telegram-default")

    # Why does Telegram not work?
    expect(telegram.get_by_test_id("channel-status")).to_have_text(words["failing"], timeout=REPLY_MS)
    expect(telegram.get_by_test_id("channel-error")).to_contain_text(words["network"])

    # Does Slack know us?
    slack.get_by_test_id("channel-check").click()
    told(page, words["known"])
    expect(slack.get_by_test_id("channel-status")).to_have_text(re.compile(f"{words['ready']}|{words['receiving']}"))
    slack.get_by_role("button", name=re.compile("复制|Copy")).click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{shop.url}/webhooks/slack/support"

    # Somebody signs with another secret, and a contact writes: both show without reloading the page.
    refused = httpx.post(f"{shop.url}/webhooks/slack/support", content=b"{}")
    assert refused.status_code == 403
    workspace.slack.archived.add(chat)
    workspace.writes(shop, words["asks"], user)
    expect(slack.get_by_test_id("channel-refusal")).to_contain_text(words["secret"], timeout=REPLY_MS)
    expect(slack.get_by_test_id("channel-status")).to_have_text(words["receiving"], timeout=REPLY_MS)
    expect(slack.get_by_test_id("channel-error")).to_contain_text("is_archived", timeout=REPLY_MS)
    slack.locator("summary").click()
    expect(slack).to_contain_text("message.im")
    shot(page, f"channels-{language}")
    assert violations(page) == []

    # A test message: to a recent contact who cannot be reached, and to one who can.
    slack.get_by_test_id("channel-test").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_test_id("test-writer").first.click()
    dialog.get_by_test_id("test-send").click()
    expect(dialog.get_by_test_id("test-outcome")).to_contain_text(words["unreachable"], timeout=REPLY_MS)
    expect(dialog.get_by_test_id("test-outcome")).to_contain_text(words["contact"])
    shot(page, f"channels-test-failed-{language}")
    assert violations(page, dialog) == []
    before = len(workspace.heard("C0SHOP"))
    dialog.get_by_test_id("test-to").fill("thread:C0SHOP:1.000001:U0ANN")
    dialog.get_by_test_id("test-send").click()
    expect(dialog.get_by_test_id("test-outcome")).to_contain_text(words["sent"], timeout=REPLY_MS)
    assert len(workspace.heard("C0SHOP")) == before + 1
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    # A channel that could be added.
    page.get_by_test_id("add-wechat").get_by_role("button").first.click()
    expect(page.get_by_test_id("channel-snippet")).to_contain_text("app_secret: ${WECHAT_APP_SECRET}")
    page.get_by_test_id("channel-snippet").scroll_into_view_if_needed()
    shot(page, f"channels-add-{language}")
    assert violations(page) == []

    # What was not delivered is tried again once the vendor takes it.
    page.get_by_role("tab", name=re.compile(words["undelivered"])).click()
    row = page.get_by_test_id("letter").first
    expect(row).to_contain_text("is_archived")
    shot(page, f"undelivered-{language}")
    assert violations(page) == []
    workspace.slack.archived.discard(chat)
    row.get_by_test_id("letter-replay").click()
    box = page.get_by_role("dialog").filter(has=page.locator(".el-message-box__title"))
    box.locator(".el-button--primary").click()
    told(page, words["replayed"])
    workspace.run(workspace.slack.until(lambda: bool(workspace.heard(chat)), 20))
    if all_letters(page):
        page.get_by_test_id("letters-replay-all").click()
        page.locator(".el-message-box .el-button--primary").click()
    expect(page.get_by_test_id("letters")).to_contain_text(words["none"], timeout=REPLY_MS)

    # The next ones are not worth it any more.
    workspace.slack.archived.add(chat)
    workspace.writes(shop, words["asks"], user)
    expect(slack_letters(page)).not_to_have_count(0)
    count = all_letters(page)
    page.get_by_test_id("letters-discard-all").click()
    box = page.locator(".el-message-box")
    expect(box).to_contain_text(words["never"])
    box.locator(".el-button--primary").click()  # without a reason nothing happens
    expect(box.locator(".el-message-box__errormsg")).to_be_visible()
    box.locator("textarea").fill(words["reason"])
    shot(page, f"undelivered-discard-{language}")
    assert violations(page, box) == []
    box.locator(".el-button--primary").click()
    told(page, words["discarded"])
    assert count >= 1
    expect(page.get_by_test_id("letters")).to_contain_text(words["none"], timeout=REPLY_MS)
    workspace.slack.archived.discard(chat)


def slack_letters(page: Page) -> Locator:
    """The undelivered messages, once there is one."""
    for _ in range(40):
        page.get_by_test_id("letters").locator(".tools .icon-button").click()
        page.wait_for_timeout(500)
        if page.get_by_test_id("letter").count():
            break
    return page.get_by_test_id("letter")


def all_letters(page: Page) -> int:
    """How many undelivered messages there are, once no more come."""
    seen, calm = -1, 0
    while calm < 3:
        page.get_by_test_id("letters").locator(".tools .icon-button").click()
        page.wait_for_timeout(700)
        count = page.get_by_test_id("letter").count()
        seen, calm = count, calm + 1 if count == seen else 0
    return seen


def test_supervisors_look_and_agents_do_not(shop: Desk, new_context: NewContext) -> None:
    page = open_page(new_context, shop, "en", SUPERVISOR, color_scheme="dark", viewport={"width": 420, "height": 860})
    expect(page.get_by_test_id("channel-slack-support")).to_be_visible()
    expect(page.get_by_test_id("channel-check")).to_have_count(0)
    expect(page.get_by_test_id("channel-test")).to_have_count(0)
    shot(page, "channels-narrow-dark")
    assert violations(page) == []
    agent = new_context(locale="en-GB").new_page()
    Agent(agent).sign_in(shop.url, AGENT, shop.password)
    expect(agent.get_by_test_id("page-teams")).to_be_visible()
    expect(agent.get_by_test_id("page-channels")).to_have_count(0)
