"""Signing in and out on a page with the built widget, in real browsers on a shared computer and another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from connectors.webchat.site_identity import SiteIdentity
from tests.connectors.desk import Server, running_server
from tests.connectors.test_site_identity import KEY, fresh, signed
from tests.connectors.test_widget import BUNDLE, browser, open_shop, say, visitor  # noqa: F401  # a fixture among them

pytestmark = pytest.mark.browser


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_server(tmp_path, bundle=BUNDLE, site=SiteIdentity((KEY,))) as server:
        yield server


async def identify(page: Page, identity: dict[str, Any]) -> dict[str, Any]:
    asked = "identity => document.querySelector('frontdesk-chat').identify(identity)"
    answer: dict[str, Any] = await page.evaluate(asked, identity)
    return answer


async def test_a_shared_computer_shows_nothing_after_sign_out_and_the_user_goes_on_elsewhere(
    browser: Browser,  # noqa: F811
    desk: Server,
) -> None:
    async with visitor(browser) as shared:
        page = await open_shop(shared, desk)
        await page.get_by_role("button", name="Open the chat").click()
        await say(page, "asked before signing in")
        await expect(page.get_by_text("you said asked before signing in")).to_be_visible()
        assert (await identify(page, fresh(name="Ann")))["ok"]
        await expect(page.get_by_text("you said asked before signing in")).to_have_count(1)
        await say(page, "my private matter")
        await expect(page.get_by_text("you said my private matter")).to_be_visible()
        other_tab = await open_shop(shared, desk)
        await expect(other_tab.get_by_text("you said my private matter")).to_be_visible()
        await page.get_by_label("Write a message…").fill("half a sentence")
        await page.evaluate("document.querySelector('frontdesk-chat').forget()")
        for tab in (page, other_tab):
            await expect(tab.get_by_text("private")).to_have_count(0)
        await expect(page.get_by_label("Write a message…")).to_have_value("")
        await say(page, "I am somebody else")
        await expect(page.get_by_text("you said I am somebody else")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("private")).to_have_count(0)
    async with visitor(browser) as own:
        page = await open_shop(own, desk)
        # As a page that the shop's server made has it.
        attributes = {"id": "user-id", "expires_at": "user-expires", "signature": "user-signature"}
        for name, value in fresh().items():
            await page.evaluate(
                "([name, value]) => document.querySelector('frontdesk-chat').setAttribute(name, value)",
                [attributes[name], str(value)],
            )
        await page.get_by_role("button", name="Open the chat").click()
        await expect(page.get_by_text("you said my private matter")).to_be_visible()
        await expect(page.get_by_text("I am somebody else")).to_have_count(0)


async def test_a_bad_signature_is_explained_in_the_console_and_the_chat_works(
    browser: Browser,  # noqa: F811
    desk: Server,
) -> None:
    async with visitor(browser) as context:
        page = await open_shop(context, desk)
        said: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        await page.get_by_role("button", name="Open the chat").click()
        answer = await identify(page, signed(key="k" * 40))
        assert (answer["ok"], answer["code"]) == (False, "identity_forged")
        assert any(line.startswith("[Frontdesk] The signature does not fit") for line in said)
        await say(page, "hello")
        await expect(page.get_by_text("you said hello")).to_be_visible()
