"""Somebody tries passwords: the supervisor is told on the screen, a program by a webhook; they look at the page and take it on."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.doubles.webhook_program import Program
from tests.journeys.conftest import Desk, shot
from tests.journeys.people import GRACE, REPLY_MS, Agent

pytestmark = pytest.mark.browser
SAID = {
    "en": {
        "rose": "Many failed sign-ins of staff",
        "taken": "Being looked after",
        "note": "Note for colleagues",
        "saved": "The rules are saved",
    },
    "zh": {"rose": "员工登录失败次数激增", "taken": "处理中", "note": "给同事的备注", "saved": "规则已保存"},
}


def try_passwords(desk: Desk, count: int) -> None:
    """Sign-ins that are refused, each with another address."""
    for number in range(count):
        body = f'{{"email": "guess-{number}@kite.example", "password": "wrong horse battery"}}'.encode()
        request = urllib.request.Request(
            f"{desk.url}/staff/api/sign-in", body, {"Content-Type": "application/json", "Origin": desk.url}
        )
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request, timeout=30)


class Listening:
    """A program on loopback that checks what is posted to it, beside a test without a loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.serving: AbstractAsyncContextManager[Program] | None = None
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def with_secret(self, secret: str) -> Program:
        self.serving = Program(secret).running()
        program = self.run(self.serving.__aenter__())  # type: ignore[arg-type]
        assert isinstance(program, Program)
        return program

    def close(self) -> None:
        if self.serving is not None:
            self.run(self.serving.__aexit__(None, None, None))  # type: ignore[arg-type]
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture
def listening() -> Iterator[Listening]:
    found = Listening()
    yield found
    found.close()


def post_to(page: Page, address: str) -> None:
    """Choose where alerts are posted to, on the page."""
    rules = page.get_by_test_id("alert-rules")
    rules.get_by_placeholder("https://").fill(address)
    rules.get_by_role("button", name="Save").click()
    expect(page.locator(".el-message").filter(has_text=SAID["en"]["saved"]).last).to_be_visible(timeout=REPLY_MS)


def test_a_rise_is_told_in_both_languages_and_taken_on(
    desk: Desk, new_context: Callable[..., BrowserContext], listening: Listening
) -> None:
    pages = {}
    for language, locale in (("zh", "zh-CN"), ("en", "en-GB")):
        scheme = "dark" if language == "zh" else "light"
        page = new_context(locale=locale, color_scheme=scheme).new_page()
        Agent(page).sign_in(desk.url, GRACE, desk.password)
        if (
            not page.get_by_test_id("page-alerts")
            .inner_text()
            .strip()
            .startswith({"zh": "异常", "en": "Alerts"}[language])
        ):
            page.get_by_test_id("language").click()
        pages[language] = page
    pages["en"].get_by_test_id("page-alerts").click()
    program = listening.with_secret(pages["en"].get_by_test_id("alert-rules").locator("code").inner_text())
    post_to(pages["en"], program.url)
    try_passwords(desk, 14)
    pages["en"].get_by_test_id("look").click()
    for language, page in pages.items():
        expect(page.locator(".alert-toast").filter(has_text=SAID[language]["rose"]).first).to_be_visible()
        expect(page.get_by_test_id("alerts-open")).to_have_text(re.compile(r"\d"))
        shot(page, f"alert-toast-{language}")
    # Whoever else came to this desk before may have made something rise as well.
    pages["zh"].locator(".alert-toast").filter(has_text=SAID["zh"]["rose"]).first.click()
    card = pages["zh"].get_by_test_id("alert").filter(has_text=SAID["zh"]["rose"]).first
    expect(card).to_be_visible()
    shot(pages["zh"], "alerts-zh")
    card.get_by_label(SAID["zh"]["note"]).fill("已联系安全同事")
    card.get_by_test_id("acknowledge").click()
    english = pages["en"]
    english.get_by_test_id("state-acknowledged").click()
    taken = english.get_by_test_id("alert").filter(has_text=SAID["en"]["rose"]).first
    expect(taken).to_contain_text(SAID["en"]["taken"])
    expect(taken).to_contain_text("已联系安全同事")
    shot(english, "alerts-en")
    for _ in range(3):  # posts go out every quarter of a minute
        if any(one["alert"]["kind"] == "sign_ins" for one in program.got):
            break
        with contextlib.suppress(TimeoutError):
            listening.run(program.saying("sign_ins"))
    (posted,) = [one for one in program.got if one["alert"]["kind"] == "sign_ins"]
    assert (posted["type"], posted["link"]) == ("alert.opened", f"{desk.url}/staff/#/alerts")
    assert posted["alert"]["part"] >= 14
    assert program.forged == 0
    post_to(english, "")


def test_the_address_of_a_figure_opens_the_list_behind_it(
    desk: Desk, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(locale="zh-CN", color_scheme="light").new_page()
    Agent(page).sign_in(desk.url, GRACE, desk.password)
    page.goto(f"{desk.url}/staff/#/reports?period=90d&see=handoffs")
    units = page.get_by_test_id("report-units")
    expect(units.get_by_test_id("unit").first).to_be_visible(timeout=REPLY_MS)
    shot(page, "alert-report-zh")
    page.keyboard.press("Escape")
    expect(units).to_be_hidden()
    expect(page).to_have_url(re.compile(r"period=90d&chart=handoffs$"))
