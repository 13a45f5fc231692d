"""The company account in a real browser: there, back, refused in words, and what admins and members see of it.

The staff's side alone is enough for it, so no bot and no whole desk is started.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

from handoff.access.oidc_sign_in import Rules
from handoff.access.provider_routes import SIGNED_OUT
from handoff.roles import Role
from tests.doubles.openid_provider import OpenIdProvider, Person
from tests.handoff.access.provider_desk import CALLBACK, connect
from tests.handoff.desk import PASSWORD, Desk, open_desk
from tests.journeys.conftest import shot
from tests.journeys.people import REPLY_MS
from tests.journeys.test_accessibility import violations

pytestmark = [pytest.mark.browser]
T = TypeVar("T")
NAMES = {"en": "Kite account", "zh": "风筝公司账号"}


@dataclass
class Running:
    """A desk and a provider in a thread of their own."""

    desk: Desk
    provider: OpenIdProvider
    loop: asyncio.AbstractEventLoop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    loop, made, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Running] = []

    async def serve() -> None:
        async with open_desk(tmp_path) as desk:
            double = OpenIdProvider(desk.base + CALLBACK, desk.base + SIGNED_OUT)
            async with double.running():
                double.people["Chen"] = Person("sub-1", {"email": "chen@kite.example", "email_verified": True})
                double.people["Stranger"] = Person("sub-2", {"email": "who@else.example", "email_verified": True})
                connect(desk, double, Rules(name_zh=NAMES["zh"], name_en=NAMES["en"]))
                found.append(Running(desk, double, loop))
                made.set()
                await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert made.wait(60)
    yield found[0]
    loop.call_soon_threadsafe(done.set)
    thread.join(30)


def page_of(browser: Browser, running: Running, language: str) -> Page:
    context = browser.new_context(
        locale="zh-CN" if language == "zh" else "en-GB", viewport={"width": 1280, "height": 860}
    )
    page = context.new_page()
    page.goto(f"{running.desk.base}/staff/")
    return page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_member_signs_in_with_the_company_account_and_a_stranger_is_told_why_not(
    browser: Browser, running: Running, language: str
) -> None:
    running.do(running.desk.hire("Chen"))
    page = page_of(browser, running, language)
    button = page.get_by_test_id("sign-in-provider")
    expect(button).to_contain_text(NAMES[language])
    assert violations(page) == []
    shot(page, f"15-company-account-{language}")
    button.click()
    page.get_by_role("button", name="Stranger").click()
    refused = page.get_by_test_id("sign-in-error")
    expect(refused).to_contain_text("管理员" if language == "zh" else "administrator")
    assert "sign_in" not in page.url
    shot(page, f"15-company-account-unknown-{language}")
    page.get_by_test_id("sign-in-provider").click()
    page.get_by_role("button", name="No", exact=True).click()
    expect(refused).to_be_visible()
    page.get_by_test_id("sign-in-provider").click()
    page.get_by_role("button", name="Chen").click()
    expect(page.get_by_test_id("view-queued")).to_be_visible(timeout=REPLY_MS)
    page.get_by_test_id("account").click()
    page.get_by_test_id("sessions").click()
    expect(page.get_by_test_id("session")).to_have_count(1)
    assert violations(page, page.locator(".el-dialog:visible")) == []
    shot(page, f"15-my-sessions-{language}")
    page.context.close()


def test_signing_out_leads_to_the_provider_and_back_to_the_sign_in_page(browser: Browser, running: Running) -> None:
    running.do(running.desk.hire("Chen"))
    page = page_of(browser, running, "en")
    page.get_by_test_id("sign-in-provider").click()
    page.get_by_role("button", name="Chen").click()
    page.get_by_test_id("account").click()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in-provider")).to_be_visible()
    page.wait_for_url(f"{running.desk.base}/staff/")
    assert running.provider.signed_out == 1
    page.context.close()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_admin_adds_somebody_and_chooses_who_sees_what(browser: Browser, running: Running, language: str) -> None:
    running.do(running.desk.hire("Ada", Role.ADMIN))
    for name, role in (("Chen Yu", Role.AGENT), ("Grace Lin", Role.SUPERVISOR)):
        running.do(running.desk.browser(name, role))
    page = page_of(browser, running, language)
    page.locator("#email").fill("ada@kite.example")
    page.locator("#password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_test_id("page-access").click()
    expect(page.get_by_test_id("account-row")).to_have_count(3)
    page.get_by_test_id("account-add").click()
    page.locator("#account-name").fill("Noor")
    page.locator("#account-email").fill("noor@kite.example")
    assert violations(page, page.locator(".el-dialog:visible")) == []
    shot(page, f"15-account-add-{language}")
    page.get_by_test_id("account-save").click()
    expect(page.get_by_test_id("account-row")).to_have_count(4)
    page.get_by_test_id("account-row").filter(has_text="Chen Yu").get_by_test_id("account-change").click()
    page.get_by_test_id("account-sees").click()
    page.locator(".el-select-dropdown:visible .el-select-dropdown__item").nth(3).click()
    shot(page, f"15-account-change-{language}")
    page.get_by_test_id("account-save").click()
    own = "自己的" if language == "zh" else "Their own"
    expect(page.get_by_test_id("account-row").filter(has_text="Chen Yu")).to_contain_text(own)
    page.locator(".el-message").first.wait_for(state="hidden")
    assert violations(page) == []
    shot(page, f"15-access-{language}")
    page.context.close()
