"""Two-step sign-in, a key for a program, and an auditor, each in a real browser and in both languages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import REPLY_MS, NewContext, at_work
from tests.journeys.test_accessibility import violations

pytestmark = [pytest.mark.browser]


def open_second_factor(page: Page) -> None:
    page.get_by_test_id("account").click()
    page.get_by_test_id("second-factor").click()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_agent_turns_the_second_step_on_uses_it_and_turns_it_off(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    # Somebody of their own: other journeys sign in as the demo's people.
    email = f"two-steps-{language}@kite.example"
    subprocess.run(
        [sys.executable, "-m", "handoff", "staff", "add", email, "Noor"],
        input=f"{desk.password}\n",
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "DATA_DIR": str(desk.data_dir)},
    )
    page = at_work(new_context, desk, language, email).page
    open_second_factor(page)
    page.locator("#factor-password").fill(desk.password)
    page.get_by_test_id("factor-begin").click()
    secret = page.get_by_test_id("factor-secret").inner_text()
    assert violations(page, page.locator(".el-dialog:visible")) == []
    shot(page, f"10-second-step-{language}")
    page.locator("#factor-code").fill(pyotp.TOTP(secret).now())
    page.get_by_test_id("factor-confirm").click()
    expect(page.get_by_test_id("codes-kept")).to_be_visible()
    codes = page.get_by_test_id("recovery-codes").locator("code").all_inner_texts()
    assert len(codes) == 10
    page.get_by_test_id("codes-kept").click()

    again = new_context(locale="zh-CN" if language == "zh" else "en-GB").new_page()
    again.goto(f"{desk.url}/staff/")
    again.locator("#email").fill(email)
    again.locator("#password").fill(desk.password)
    again.keyboard.press("Enter")
    again.locator("#code").fill(codes[0])
    assert violations(again) == []
    shot(again, f"10-second-step-code-{language}")
    again.keyboard.press("Enter")
    expect(again.get_by_test_id("view-queued")).to_be_visible(timeout=REPLY_MS)

    open_second_factor(again)
    expect(again.get_by_test_id("factor-state")).to_contain_text("9")
    again.locator("#factor-change").fill(codes[1])
    again.get_by_test_id("factor-remove").click()
    expect(again.get_by_test_id("second-factor-dialog")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_program_gets_a_key_that_opens_what_was_chosen_until_it_is_revoked(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    page = at_work(new_context, desk, language, "admin@kite.example").page
    page.get_by_test_id("page-access").click()
    page.get_by_test_id("key-add").click()
    page.locator("#key-name").fill(f"shop {language}")
    page.get_by_test_id("scope-messages:read").click()
    page.get_by_test_id("key-make").click()
    headers = {"authorization": f"Bearer {page.get_by_test_id('key-text').inner_text()}"}
    page.get_by_test_id("key-kept").click()
    row = page.get_by_test_id("key-row").filter(has_text=f"shop {language}")
    expect(row).to_have_count(1)
    shot(page, f"10-keys-{language}")
    address = f"{desk.url}/api/v1/messages"
    assert httpx.get(address, params={"contact": "ann"}, headers=headers).status_code == 200
    refused = httpx.post(address, json={"contact": "ann", "text": "hello"}, headers=headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "missing_scope")
    row.get_by_test_id("key-revoke").click()
    page.locator(".el-popconfirm:visible .el-button--primary").click()
    expect(row.get_by_test_id("key-revoke")).to_have_count(0)
    assert httpx.get(address, params={"contact": "ann"}, headers=headers).status_code == 401


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_auditor_checks_the_trail_and_is_offered_nothing_to_write(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    page = at_work(new_context, desk, language, "auditor@kite.example").page
    for hidden in ("presence", "alerts", "page-canned", "page-prompts", "page-synonyms", "page-access"):
        expect(page.get_by_test_id(hidden)).to_have_count(0)
    page.get_by_test_id("page-ratings").click()
    expect(page.get_by_test_id("export-figures")).to_be_visible()
    page.get_by_test_id("page-audit").click()
    expect(page.get_by_test_id("audit-entry").first).to_be_visible(timeout=REPLY_MS)
    page.get_by_test_id("audit-verify").click()
    expect(page.get_by_test_id("audit-verdict")).to_have_class("verdict sound", timeout=REPLY_MS)
    shot(page, f"10-audit-{language}")
    assert violations(page) == []
