"""A trainer's console in a browser of the machine, over a small desk."""

from __future__ import annotations

from playwright.async_api import Locator, Page

from handoff.store import StaffMember
from tests.handoff.desk import PASSWORD, Desk
from tests.journeys.conftest import SCREENSHOTS


class ConsolePage:
    """One tab of the console."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def by(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    async def sign_in(self, desk: Desk, member: StaffMember) -> None:
        await self.page.goto(f"{desk.base}/staff/")
        await self.page.locator("input[type=email], input[autocomplete=username]").first.fill(member.email)
        await self.page.locator("input[type=password]").fill(PASSWORD)
        await self.page.keyboard.press("Enter")

    async def shot(self, name: str, *, whole: bool = False) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.wait_for_timeout(400)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)
