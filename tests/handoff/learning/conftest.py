"""The browser for the tests of single pages; journeys over the whole desk have one of their own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.journeys.conftest import CHROMIUM_FLAGS, ROOT, chromium_path

DIST = ROOT / "handoff" / "web" / "dist"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium_path()
    if path is None or not (DIST / "index.html").exists():
        if os.environ.get("CI"):
            pytest.fail("Chromium or the console's build is missing; CI must run this")
        pytest.skip("skipped: Chromium is not installed or the console is not built")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()
